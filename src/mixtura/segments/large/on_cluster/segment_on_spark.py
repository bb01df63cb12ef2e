"""From a Spark dataframe to segments: a sample comes here and chooses, Spark's workers fit and count."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from mixtura.data.sources import Source
from mixtura.engine import as_held_by_spark
from mixtura.exceptions import ColumnError, DataError
from mixtura.io import TableWriter
from mixtura.run import SparkCluster, SparkPieces
from mixtura.segments.large.draw_rows import Drawn
from mixtura.segments.large.measure_whole import TableInParts
from mixtura.segments.large.on_cluster.cluster_table import ClusterTable, PartedTable
from mixtura.segments.large.on_cluster.segment_on_cluster import require_distributable
from mixtura.segments.large.on_cluster.spark_parts import ArrowPart, hold_piece, pack_pieces, read_held
from mixtura.segments.large.on_cluster.write_parts import assigned_of
from mixtura.segments.large.opening import LARGE_ROWS
from mixtura.segments.large.segment_source import LargeTask
from mixtura.segments.large.table_reader import NeededColumns
from mixtura.segments.large.write_customers import MOST_CSV_ROWS
from mixtura.segments.model.segment_model import SegmentModel
from mixtura.segments.results.segmentation_result import SegmentationResult
from mixtura.segments.segment import segment_table

__all__ = ["require_unique", "segment_on_spark"]

_WHERE = "for a Spark dataframe"


def segment_on_spark(
    frame: Any,
    /,
    *,
    on_stage: Callable[[str], object] = lambda name: None,
    on_pass: Callable[[int, int | None], object] | None = None,
    **options: Any,
) -> tuple[SegmentationResult, Any]:
    """Segment the customers of a Spark dataframe; return the result, and the table where it is small.

    The segments are those that `segment_source` finds in the same rows, in the order of Spark's partitions: a sample of
    262,144 rows comes here and chooses columns, transforms, scales and the model. Spark keeps the columns that are
    needed; the model is fitted to all rows, and all rows are evaluated and profiled, where they are. A dataframe of no
    more rows than the sample is read here, as an Arrow table.

    Parameters
    ----------
    frame : pyspark dataframe
    on_stage, on_pass : callable, optional
        As of `segment_source`.
    **options
        As of `segment_table`.

    Raises
    ------
    ClusterError
        Spark cannot run it, or its Python workers have another version of mixtura, or none.
    MixturaError
        As `segment_source`; or what is asked for needs the rows in memory.
    """
    require_distributable(options, _WHERE)
    options.pop("keep", None)
    on_stage("Looking at the table")
    task = _SparkTask(frame, on_stage, options | {"on_pass": on_pass})
    if not task.is_large:
        with SparkCluster(frame).answering():
            table = frame.toArrow()
        return segment_table(table, **options), table
    return task.run(), None


class _SparkTask(LargeTask):
    """One segmentation of a Spark dataframe."""

    def __init__(self, frame: Any, on_stage: Callable[[str], object], options: dict[str, Any]) -> None:
        require_unique(frame.columns)
        with SparkCluster(frame).answering():
            schema = frame.limit(0).toArrow().schema
        outline = Source("the Spark dataframe", schema, lambda columns: iter(()))
        super().__init__(outline, "float64", on_stage, **options)
        quoted = ["`" + name.replace("`", "``") + "`" for name in self.needed_columns()]
        self._pieces = SparkPieces.of(frame.select(*quoted), pack_pieces, "piece", ArrowPart)
        if not self._pieces.sizes:
            raise DataError(
                "The Spark dataframe must have at least one row; got none. Check where it is read or filtered."
            )
        self._rows = PartedTable(self._pieces, self._pieces.values("piece"), self._pieces.sizes)
        self.source = replace(outline, n_rows=self._rows.n_rows)

    @property
    def is_large(self) -> bool:
        return self._rows.n_rows > LARGE_ROWS

    def drawn(self) -> Drawn:
        return self._rows.drawn(self.needed_columns(), LARGE_ROWS, self.settings.seed)

    def read_of_all(self, needed: NeededColumns, id_column: str | None) -> TableInParts:
        rows, n = self._rows, len(self._rows.parts)
        readers = {"ids": ArrowPart, "held": read_held}
        same = [needed] * n, [id_column] * n
        self._pieces = pieces = self._pieces.mapped(hold_piece, readers, rows.parts, rows.sizes, *same)
        self._rows = PartedTable(pieces, pieces.values("ids"), rows.sizes)
        rows_of = partial(as_held_by_spark, pieces, "held")
        return ClusterTable(self._rows, pieces.values("held"), needed, rows_of)

    def customers_of(
        self, model: SegmentModel, table: TableInParts, id_column: str | None
    ) -> Callable[[Path], None]:
        return _SparkCustomers(model, self._pieces, id_column)

    def said_of_rows(self) -> str:
        return f"The rows stayed with Spark, in {self._pieces.n_partitions} partitions; the sample alone was read here."


@dataclass(frozen=True, slots=True, eq=False)
class _SparkCustomers:
    """What writes the tables of all customers, of which a partition comes here at a time.

    Parameters
    ----------
    model : SegmentModel
    pieces : SparkPieces
        With the columns ``ids`` and ``held``.
    id_column : str or None
        None for row numbers.
    """

    model: SegmentModel
    pieces: SparkPieces
    id_column: str | None

    def __call__(self, folder: Path) -> None:
        """Write the files to a folder."""
        n_rows, start = sum(self.pieces.sizes), 0
        names = ["segments.parquet", *(["segments.csv"] if n_rows <= MOST_CSV_ROWS else [])]
        with ExitStack() as stack:
            writers = [stack.enter_context(TableWriter(folder / name)) for name in names]
            for ids, held in self.pieces.arrives("ids", "held"):
                for found in assigned_of(ids, held, start, self.model, self.id_column):
                    for writer in writers:
                        writer.append(*found.written(), found.complete)
                start += held.complete.size


def require_unique(names: list[str]) -> None:
    """Raise `ColumnError` where two columns of a dataframe have one name."""
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise ColumnError(
            f"Names of columns must be unique; {twice[0]!r} stands {names.count(twice[0])} times. Rename one of them.",
            column=twice[0],
        )
