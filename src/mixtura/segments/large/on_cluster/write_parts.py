"""The tables of all customers, written by the workers that have them: each its part of ``segments.parquet``."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import narwhals as nw
import numpy as np

from mixtura.data.sources.batches import BATCH_ROWS
from mixtura.exceptions import OutputError
from mixtura.io import TableWriter
from mixtura.io.writers import join_tables
from mixtura.segments.large.assigning.assign_source import assign_part
from mixtura.segments.large.on_cluster.cluster_table import ClusterTable
from mixtura.segments.large.on_cluster.table_parts import HeldPart, TablePart
from mixtura.segments.large.write_customers import MOST_CSV_ROWS
from mixtura.segments.model.assign import Assignment
from mixtura.segments.model.segment_model import SegmentModel

__all__ = ["PartedCustomers", "assigned_of", "write_part"]


@dataclass(frozen=True, slots=True, eq=False)
class PartedCustomers:
    """What has workers write the folder ``segments.parquet``, a file for each part of the rows, in their order.

    Of up to `MOST_CSV_ROWS` customers the parts are joined to the files that tables of this size have otherwise.

    Parameters
    ----------
    model : SegmentModel
    table : ClusterTable
    id_column : str or None
        None for row numbers.
    """

    model: SegmentModel
    table: ClusterTable
    id_column: str | None

    def __call__(self, folder: Path) -> None:
        """Write the files to a folder, which all workers see."""
        rows, joined = self.table.table, self.table.n_rows <= MOST_CSV_ROWS
        there = folder.absolute() / "segments.parquet"
        there.mkdir()
        names = [str(there / f"part-{number:05}") for number in range(len(rows.parts))]
        suffixes = (".parquet", ".csv") if joined else (".parquet",)
        same = [self.model], [self.id_column], [suffixes]
        written = rows.cluster.each(
            write_part, rows.parts, self.table.held, rows.starts, names, *(one * len(names) for one in same)
        )
        kept = [name for name, count in zip(names, written, strict=True) if count]
        if missing := [name for name in kept if not Path(f"{name}.parquet").exists()]:
            raise OutputError(
                f"{missing[0]!r} was written by a worker and is not here. The folder of the results must be on a disk "
                "that this machine and all workers share. Choose such a place with `output`."
            )
        if joined:
            together = there / "segments.parquet"
            join_tables([Path(f"{name}.csv") for name in kept], folder / "segments.csv")
            join_tables([Path(f"{name}.parquet") for name in kept], together)
            aside = folder / "joined.parquet"
            together.replace(aside)
            shutil.rmtree(there)
            aside.replace(there)


def write_part(
    part: TablePart,
    held: HeldPart,
    start: int,
    name: str,
    model: SegmentModel,
    id_column: str | None,
    suffixes: Sequence[str],
) -> int:
    """Write the customers of a part, if there are any, and return how many there are.

    Each file is written under another name first: another worker may write the same, where this one is thought lost.
    """
    if not held.complete.size:
        return 0
    unique = f"{name}.{np.random.default_rng().integers(2**62):x}"
    before = [Path(f"{unique}{suffix}") for suffix in suffixes]
    with ExitStack() as stack:
        writers = [stack.enter_context(TableWriter(path)) for path in before]
        for found in assigned_of(part, held, start, model, id_column):
            for writer in writers:
                writer.append(*found.written(), found.complete)
    for path, suffix in zip(before, suffixes, strict=True):
        path.replace(f"{name}{suffix}")
    return held.complete.size


def assigned_of(
    part: TablePart, held: HeldPart, start: int, model: SegmentModel, id_column: str | None
) -> Iterator[Assignment]:
    """Yield the customers of a part assigned, some at a time, in order."""
    place = 0
    for first, ids in _ids_of(part, held, start, id_column):
        present = held.complete[first : first + len(ids)]
        count = int(present.sum())
        yield assign_part(model, held.packed.table[place : place + count], present, ids, id_column)
        place += count


def _ids_of(part: TablePart, held: HeldPart, start: int, id_column: str | None) -> Iterator[tuple[int, Any]]:
    """Yield ids with the place of the first in the part; row numbers where there is no column of them."""
    import pyarrow as pa

    total, first = held.complete.size, 0
    if id_column is None:
        for first in range(0, total, BATCH_ROWS):
            yield first, np.arange(start + first + 1, start + min(first + BATCH_ROWS, total) + 1)
        return
    for batch in part.batches([id_column]):
        yield first, nw.from_native(pa.chunked_array([batch.column(0)]), series_only=True)
        first += batch.num_rows
