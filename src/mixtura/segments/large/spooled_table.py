"""The columns of a source that a segmentation needs, in a spool: read once, then worked on in blocks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import narwhals as nw
import numpy as np

from mixtura._typing import Array, FloatArray, IntArray
from mixtura.core.data import Data
from mixtura.core.parts.discrete import DiscreteColumns
from mixtura.core.protocols import MixedRows, RowTable, continuous_rows
from mixtura.data.row_file import release_pages
from mixtura.data.sources import Source, read_ahead
from mixtura.data.spool import SpoolFile, require_room
from mixtura.engine import as_data
from mixtura.exceptions import DataError
from mixtura.segments.large.draw_rows import row_indices
from mixtura.segments.large.table_reader import NeededColumns, ReadCounts, require_some

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["SpooledTable", "ids_at", "ids_of_rows", "require_same_rows", "spool_table"]

_AT_ONCE = 1 << 20
"""Rows whose flags are counted at a time."""


@dataclass(frozen=True, slots=True, eq=False)
class SpooledTable:
    """What was read of a table; arrays are memory maps.

    Parameters
    ----------
    rows : ndarray of shape (n, D)
        Usable rows in the user's units, NaN where a value is missing.
    weights : ndarray of shape (n,) or None
    complete : ndarray of shape (N,), bool
        Which rows of the table they are.
    described : mapping of str to ndarray of shape (n,)
        Further columns: numbers, or the codes of levels.
    read : ReadCounts
        What is missing in the usable rows, or unknown.
    source : Source
        Where ids are read.
    levels : ndarray of shape (n, J), or None
        Of discrete columns.
    discrete : DiscreteColumns or None
        What is modeled of them.
    """

    rows: FloatArray
    weights: FloatArray | None
    complete: Array
    described: Mapping[str, Array]
    read: ReadCounts
    source: Source
    levels: IntArray | None = None
    discrete: DiscreteColumns | None = None

    @property
    def table(self) -> RowTable:
        """The usable rows, with their levels."""
        if self.levels is None or self.discrete is None:
            return self.rows
        return MixedRows(self.rows, self.levels, self.discrete)

    @property
    def n_rows(self) -> int:
        return int(self.complete.size)

    @property
    def noticed(self) -> tuple[str, ...]:
        return self.read.notes

    def data(self) -> Data:
        """Return the usable rows."""
        return as_data(self.table, self.weights)

    def listed(self, rows: IntArray, id_column: str | None) -> tuple[IntArray, list[str]]:
        """Return the numbers in the table of some usable rows, which ascend, and the ids of these customers."""
        numbers = self.numbers_in_table(rows)
        if id_column is None:
            return numbers, [str(number + 1) for number in numbers]
        with read_ahead(self.source.batches([id_column])) as batches:
            ids = ids_at(batches, numbers)
        require_same_rows(self.source, numbers.size, len(ids))
        return numbers, ids

    def numbers_in_table(self, rows: IntArray) -> IntArray:
        """Return which rows of the table some usable rows are; both are numbered from 0."""
        if len(self.rows) == self.complete.size:
            return rows
        found, before = np.empty(rows.size, dtype=np.intp), 0
        for start in range(0, self.complete.size, _AT_ONCE):
            numbers = np.flatnonzero(self.complete[start : start + _AT_ONCE])
            here = (rows >= before) & (rows < before + numbers.size)
            found[here] = start + numbers[rows[here] - before]
            before += numbers.size
        self.release()
        return found

    def release(self) -> None:
        """Let go of what is in memory of it."""
        for one in (self.rows, self.complete, self.weights, self.levels, *self.described.values()):
            if one is not None:
                release_pages(one)


def spool_table(source: Source, needed: NeededColumns, *, dtype: str = "float64") -> SpooledTable:
    """Read some columns of a source.

    Parameters
    ----------
    source : Source
    needed : NeededColumns
    dtype : {"float64", "float32"}, default="float64"
        Of the rows; float64 where a point mass has no value in single precision.

    Raises
    ------
    DataError
        The disk has no room, no row is usable, or a weight is missing or negative.
    """
    reader = needed.reader
    masses = np.array(reader.point_masses)
    dtype = dtype if np.array_equal(masses, masses.astype(dtype)) else "float64"
    further = 8 * (len(needed.described) + (needed.weight is not None)) + 4 * reader.n_levels + 1
    width = len(reader.numbers.columns) * np.dtype(dtype).itemsize + further
    require_room(width * (source.n_rows or 0), source.name)
    with ExitStack() as stack:
        files = _Files(stack, needed, dtype)
        with read_ahead(source.batches(needed.columns)) as batches:
            for batch in batches:
                files.append(batch)
        table = files.finish(source)
    return _required(table, source, reader.columns)


class _Files:
    """The files of a spooled table while they are written."""

    def __init__(self, stack: ExitStack, needed: NeededColumns, dtype: str) -> None:
        reader = needed.reader
        self._needed, self._read = needed, ReadCounts(reader)
        width = len(reader.numbers.columns)
        self._rows = stack.enter_context(SpoolFile(dtype, width)) if width else None
        self._levels = stack.enter_context(SpoolFile(np.int32, reader.n_levels)) if reader.n_levels else None
        self._flags = stack.enter_context(SpoolFile(bool))
        self._weights = None if needed.weight is None else stack.enter_context(SpoolFile(np.float64))
        self._files = [stack.enter_context(SpoolFile(one.dtype)) for one in needed.described]

    def append(self, batch: pa.RecordBatch) -> None:
        part, weights, further = self._needed.read(batch)
        if self._weights is not None and weights is not None:
            self._weights.append(weights)
        self._flags.append(part.complete)
        self._read.add(part)
        if self._rows is not None:
            self._rows.append(continuous_rows(part.table))
        if self._levels is not None and isinstance(part.table, MixedRows):
            self._levels.append(part.table.levels)
        for file, values in zip(self._files, further, strict=True):
            file.append(values)

    def finish(self, source: Source) -> SpooledTable:
        names = (one.name for one in self._needed.described)
        levels = None if self._levels is None else self._levels.finish()
        rows = np.empty((0 if levels is None else len(levels), 0))
        return SpooledTable(
            rows if self._rows is None else self._rows.finish(),
            None if self._weights is None else self._weights.finish(),
            self._flags.finish(),
            dict(zip(names, (one.finish() for one in self._files), strict=True)),
            self._read,
            source,
            levels,
            self._needed.reader.modeled,
        )


def _required(table: SpooledTable, source: Source, columns: Sequence[str]) -> SpooledTable:
    require_same_rows(source, source.n_rows or len(table.complete), len(table.complete))
    require_some(len(table.rows), len(table.complete), columns)
    return table


def ids_at(batches: Iterator[pa.RecordBatch], numbers: IntArray) -> list[str]:
    """Return the ids of some rows, whose numbers ascend, from batches of the id column."""
    found: list[str] = []
    start = 0
    for batch in batches:
        here = numbers[(numbers >= start) & (numbers < start + batch.num_rows)] - start
        column = batch.column(0)
        found += [str(column[int(place)].as_py()) for place in here]
        start += batch.num_rows
    return found


def ids_of_rows(source: Source, id_column: str, numbers: IntArray) -> nw.Series[Any]:
    """Return the ids of some rows of a source as they stand there; numbers ascend."""
    import pyarrow as pa

    found: list[pa.Array] = []
    start = 0
    with read_ahead(source.batches([id_column])) as batches:
        for batch in batches:
            first, last = np.searchsorted(numbers, [start, start + batch.num_rows])
            found.append(batch.column(0).take(row_indices(numbers[first:last] - start)))
            start += batch.num_rows
    require_same_rows(source, numbers.size, sum(map(len, found)))
    return nw.from_native(pa.chunked_array(found), series_only=True)


def require_same_rows(source: Source, before: int, now: int) -> None:
    """Raise `DataError` unless a source has as many rows as it had when it was first read."""
    if now != before:
        raise DataError(
            f"{source.name} had {before:,} rows when it was read first and {now:,} later. It must stay as it is until "
            "the end. Repeat with a copy that nobody writes to."
        )
