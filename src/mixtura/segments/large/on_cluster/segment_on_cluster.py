"""From a table that a Dask cluster reads to segments: a sample comes here and chooses, workers fit, count and write."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from mixtura.data.sources import Source
from mixtura.engine import as_held, delayed_partitions
from mixtura.exceptions import ParameterError
from mixtura.io import find_source
from mixtura.run import DaskCluster, require_seen
from mixtura.segments.large.draw_rows import Drawn
from mixtura.segments.large.measure_whole import TableInParts
from mixtura.segments.large.on_cluster.cluster_table import ClusterTable, PartedTable
from mixtura.segments.large.on_cluster.table_parts import (
    FileParts,
    FrameParts,
    common_schema,
    hold_part,
    outline_of,
)
from mixtura.segments.large.on_cluster.write_parts import PartedCustomers
from mixtura.segments.large.opening import LARGE_ROWS
from mixtura.segments.large.segment_source import LargeTask
from mixtura.segments.large.table_reader import NeededColumns
from mixtura.segments.model.segment_model import SegmentModel
from mixtura.segments.results.segmentation_result import SegmentationResult
from mixtura.segments.segment import segment_table

__all__ = ["require_distributable", "segment_on_cluster"]


def segment_on_cluster(
    table: Any,
    /,
    *,
    on_stage: Callable[[str], object] = lambda name: None,
    on_pass: Callable[[int, int | None], object] | None = None,
    read_small: Callable[[], Any] | None = None,
    **options: Any,
) -> SegmentationResult:
    """Segment the customers of a table that the workers of a Dask cluster read; its client is the one made last.

    The segments are those that `segment_source` finds in the same table: a sample of 262,144 rows comes here and
    chooses columns, transforms, scales and the model. Workers read the columns that are needed, each a part of the
    rows, and keep them; the model is fitted to all rows, and all rows are evaluated, profiled and written, where they
    are. A table of no more rows than the sample is read here.

    Parameters
    ----------
    table : path, pattern, folder, sequence of these, Source of files, or Dask dataframe
        Files are Parquet, Arrow, CSV or JSON lines, and all workers see them under the same names.
    on_stage, on_pass : callable, optional
        As of `segment_source`.
    read_small : callable, optional
        Reads a table of no more rows than the sample.
    **options
        As of `segment_table`.

    Returns
    -------
    SegmentationResult
        As of `segment_source`; what `whole.write` writes workers write, to a folder that they see.

    Raises
    ------
    ClusterError
        There is no client, the cluster does not answer, or a worker does not see a file or has another version of
        mixtura.
    MixturaError
        As `segment_source`; or what is asked for needs the rows in memory.
    """
    require_distributable(options)
    options.pop("keep", None)
    cluster = DaskCluster()
    on_stage("Looking at the table")
    rows, outline = _of_frame(cluster, table) if hasattr(table, "to_delayed") else _of_files(cluster, table)
    if rows.n_rows <= LARGE_ROWS:
        return segment_table(read_small() if read_small else _fetched(rows, outline), **options)
    return _ClusterTask(cluster, rows, outline, on_stage, options | {"on_pass": on_pass}).run()


def require_distributable(options: dict[str, Any], where: str = "with `dask`") -> None:
    """Raise `ParameterError` where something is asked for that needs the rows in memory; `where` is for the text."""
    asked = {
        "robust": options.get("robust", "none") != "none",
        "known": options.get("known") is not None,
        "keep": options.get("keep") is not None,
    }
    given = [name for name, wanted in asked.items() if wanted]
    if given:
        raise ParameterError(
            f"`{given[0]}` cannot be given {where}: it needs the rows in memory. Leave `{given[0]}` out, or segment a "
            "sample in memory."
        )


class _ClusterTask(LargeTask):
    """One segmentation of a table whose parts workers read."""

    def __init__(
        self,
        cluster: DaskCluster,
        rows: PartedTable,
        outline: Source,
        on_stage: Callable[[str], object],
        options: dict[str, Any],
    ) -> None:
        super().__init__(outline, "float64", on_stage, **options)
        self._cluster, self._rows = cluster, rows

    def drawn(self) -> Drawn:
        return self._rows.drawn(self.needed_columns(), LARGE_ROWS, self.settings.seed)

    def read_of_all(self, needed: NeededColumns, id_column: str | None) -> TableInParts:
        rows, cluster = self._rows, self._cluster
        make = cluster.delayed(hold_part, pure=False)
        made = [make(part, size, needed) for part, size in zip(rows.parts, rows.sizes, strict=True)]
        held = cluster.held(made)
        return ClusterTable(rows, held, needed, partial(as_held, held))

    def customers_of(
        self, model: SegmentModel, table: TableInParts, id_column: str | None
    ) -> Callable[[Path], None]:
        assert isinstance(table, ClusterTable)
        return PartedCustomers(model, table, id_column)

    def said_of_rows(self) -> str:
        n_workers, n_parts = self._cluster.n_workers, len(self._rows.parts)
        return (
            f"The rows stayed with the {n_workers} workers of a Dask cluster, in {n_parts} parts; the sample alone "
            "was read here."
        )


def _of_files(cluster: DaskCluster, given: Any) -> tuple[PartedTable, Source]:
    """Return files as workers read them, and what is known of all: names, types and the number of rows."""
    source = given if isinstance(given, Source) else find_source(given)
    if source.pieces is None:
        raise ParameterError(
            f"`dask` takes files of Parquet, Arrow, CSV or JSON lines, which workers read themselves; got "
            f"{source.name}. Write it to such files, or leave `dask` out."
        )
    pieces = source.pieces()
    require_seen(cluster, list(dict.fromkeys(piece.path for piece in pieces)))
    groups = _cut(pieces, [piece.size for piece in pieces], cluster.n_threads)
    sizes = [
        None if any(one.n_rows is None for one in some) else sum(one.n_rows for one in some)
        for some in groups
    ]
    parts = [FileParts(tuple(some)) for some in groups]
    rows = PartedTable.counted(cluster, parts, sizes, source.columns[0])
    return rows, _outline(source.name, source.schema, rows, source.pieces)


def _of_frame(cluster: DaskCluster, frame: Any) -> tuple[PartedTable, Source]:
    """Return the partitions of a Dask dataframe, neighbors joined, and what is known of all."""
    require_seen(cluster, [])
    partitions = delayed_partitions(frame)
    groups = _cut(partitions, [1] * len(partitions), cluster.n_threads)
    sizes, schemas = zip(*cluster.each(outline_of, groups), strict=True)
    schema = common_schema(schemas)
    parts = [cluster.delayed(FrameParts.of)(some, schema) for some in groups]
    rows = PartedTable(cluster, parts, sizes)
    return rows, _outline("the Dask dataframe", schema, rows, None)


def _outline(name: str, schema: Any, rows: PartedTable, pieces: Any) -> Source:
    return Source(name, schema, lambda columns: iter(()), rows.n_rows, pieces=pieces)


def _fetched(rows: PartedTable, outline: Source) -> Any:
    """Return a small table in memory."""
    return rows.drawn(outline.columns, LARGE_ROWS, 0).table


def _cut(things: Sequence[Any], sizes: Sequence[int], n_groups: int) -> list[list[Any]]:
    """Return neighbors in groups of about equal size, at most as many as that."""
    ends = np.cumsum(sizes)
    wanted = ends[-1] * np.arange(1, n_groups) / n_groups
    cuts = np.unique([0, *np.searchsorted(ends, wanted) + 1, len(things)])
    cuts = cuts[cuts <= len(things)]
    return [list(things[a:b]) for a, b in pairwise(cuts.tolist())]
