"""The tables of all customers of a spooled table, written in parts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import narwhals as nw
import numpy as np

from mixtura.data.row_file import row_file
from mixtura.data.sources import Source, read_ahead
from mixtura.data.sources.batches import BATCH_ROWS
from mixtura.io import TableWriter
from mixtura.segments.large.assign_source import assign_part
from mixtura.segments.large.spooled_table import SpooledTable, require_same_rows
from mixtura.segments.model.segment_model import SegmentModel

__all__ = ["MOST_CSV_ROWS", "CustomerTables"]

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
        rows, flags, place, written = row_file(self.table.rows), row_file(self.table.complete), 0, 0
        with ExitStack() as stack:
            writers = [stack.enter_context(TableWriter(folder / name)) for name in names]
            for start, ids in stack.enter_context(self._ids()):
                here = slice(start, start + len(ids))
                present = np.array(self.table.complete[here]) if flags is None else flags[here]
                require_same_rows(self.source, len(ids), present.size)
                count = int(present.sum())
                span = slice(place, place + count)
                values = np.full((present.size, len(self.model.columns)), np.nan)
                values[present] = self.table.rows[span] if rows is None else rows[span]
                place += count
                part = assign_part(self.model, values, present, ids, self.id_column)
                for writer in writers:
                    writer.append(*part.written(), part.complete)
                written = start + present.size
            require_same_rows(self.source, self.table.complete.size, written)
        self.table.release()

    @contextmanager
    def _ids(self) -> Iterator[Iterator[tuple[int, Any]]]:
        if self.id_column is None:
            yield self._row_numbers()
            return
        with read_ahead(self.source.batches([self.id_column])) as batches:
            yield _from(batches)

    def _row_numbers(self) -> Iterator[tuple[int, Any]]:
        total = self.table.complete.size
        for start in range(0, total, BATCH_ROWS):
            yield start, np.arange(start + 1, min(start + BATCH_ROWS, total) + 1)


def _from(batches: Iterator[Any]) -> Iterator[tuple[int, Any]]:
    import pyarrow as pa

    start = 0
    for batch in batches:
        yield start, nw.from_native(pa.chunked_array([batch.column(0)]), series_only=True)
        start += batch.num_rows
