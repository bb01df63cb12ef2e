"""The tables of all customers of a spooled table, written in parts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import narwhals as nw
import numpy as np

from mixtura._typing import Array
from mixtura.core.protocols import MixedRows, RowTable
from mixtura.data.row_file import row_file
from mixtura.data.sources import Source, read_ahead
from mixtura.data.sources.batches import BATCH_ROWS
from mixtura.io import TableWriter
from mixtura.segments.large.assigning.assign_source import assign_part
from mixtura.segments.large.spooled_table import SpooledTable, require_same_rows
from mixtura.segments.model.segment_model import SegmentModel

__all__ = ["MOST_CSV_ROWS", "CustomerTables", "spooled_parts"]

MOST_CSV_ROWS = 1_048_575
"""Rows below a header that a spreadsheet takes: of more customers there is no ``segments.csv``."""


@dataclass(frozen=True, slots=True, eq=False)
class CustomerTables:
    """What writes ``segments.parquet``, and up to `MOST_CSV_ROWS` customers ``segments.csv``.

    Parameters
    ----------
    model : SegmentModel
    table : SpooledTable
    source : Source
        Where ids are read.
    id_column : str or None
        None for row numbers.
    """

    model: SegmentModel
    table: SpooledTable
    source: Source
    id_column: str | None

    def __call__(self, folder: Path) -> None:
        """Write the files to a folder."""
        names = ["segments.parquet"]
        if self.table.complete.size <= MOST_CSV_ROWS:
            names.append("segments.csv")
        with ExitStack() as stack:
            writers = [stack.enter_context(TableWriter(folder / name)) for name in names]
            for ids, present, rows in stack.enter_context(
                spooled_parts(self.table, self.source, self.id_column)
            ):
                part = assign_part(self.model, rows, present, ids, self.id_column)
                for writer in writers:
                    writer.append(*part.written(), part.complete)
        self.table.release()


@contextmanager
def spooled_parts(
    table: SpooledTable, source: Source, id_column: str | None
) -> Iterator[Iterator[tuple[Any, Array, RowTable]]]:
    """Give the rows of a spooled table some at a time: their ids, which are usable, (n,), and these, m.

    Parameters
    ----------
    table : SpooledTable
    source : Source
        Where ids are read.
    id_column : str or None
        None for row numbers.
    """
    if id_column is None:
        yield _rows_of(table, source, _row_numbers(table.complete.size))
        return
    with read_ahead(source.batches([id_column])) as batches:
        yield _rows_of(table, source, _from(batches))


def _rows_of(
    table: SpooledTable, source: Source, numbered: Iterator[tuple[int, Any]]
) -> Iterator[tuple[Any, Array, RowTable]]:
    rows, flags, place, written = row_file(table.rows), row_file(table.complete), 0, 0
    levels = None if table.levels is None else row_file(table.levels)
    for start, ids in numbered:
        here = slice(start, start + len(ids))
        present = np.array(table.complete[here]) if flags is None else flags[here]
        require_same_rows(source, len(ids), present.size)
        span = slice(place, place + int(present.sum()))
        found = np.array(table.rows[span] if rows is None else rows[span], dtype=np.float64)
        if table.levels is None or table.discrete is None:
            yield ids, present, found
        else:
            held = np.array(table.levels[span]) if levels is None else levels[span]
            yield ids, present, MixedRows(found, held, table.discrete)
        place, written = span.stop, start + present.size
    require_same_rows(source, table.complete.size, written)


def _row_numbers(total: int) -> Iterator[tuple[int, Any]]:
    for start in range(0, total, BATCH_ROWS):
        yield start, np.arange(start + 1, min(start + BATCH_ROWS, total) + 1)


def _from(batches: Iterator[Any]) -> Iterator[tuple[int, Any]]:
    import pyarrow as pa

    start = 0
    for batch in batches:
        yield start, nw.from_native(pa.chunked_array([batch.column(0)]), series_only=True)
        start += batch.num_rows
