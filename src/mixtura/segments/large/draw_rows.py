"""A random sample of the rows of a source, in one pass."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mixtura._typing import Array, IntArray
from mixtura.core.evaluate import hash_numbers
from mixtura.data.sources import Source, no_rows, read_ahead

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Drawn", "SmallestRows", "draw_rows", "first_bound", "row_indices"]

_SLACK = 1.2
"""Of the share of hashes that suffices on average: fewer would hardly ever."""


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """Some rows of a source.

    Parameters
    ----------
    table : pyarrow.Table
        In the order of the source.
    numbers : ndarray of shape (n,)
        Which rows they are, from 0.
    n_rows : int
        Of the source.
    """

    table: pa.Table
    numbers: IntArray
    n_rows: int


def draw_rows(source: Source, columns: Sequence[str], n_rows: int, seed: int) -> Drawn:
    """Draw rows without replacement: those whose numbers have the smallest hashes, all where there are no more.

    It depends on the seed and the numbers of the rows alone, not on the size of batches.

    Parameters
    ----------
    source : Source
    columns : sequence of str
        Which are read.
    n_rows : int
    seed : int
        Not negative.

    Raises
    ------
    TableError
        It cannot be read, or has no rows.

    Examples
    --------
    >>> import pyarrow as pa
    >>> from mixtura.data.sources import open_source
    >>> from mixtura.segments.large.draw_rows import draw_rows
    >>> drawn = draw_rows(open_source(pa.table({"x": list(range(100))})), ["x"], 3, seed=0)
    >>> drawn.n_rows, drawn.table["x"].to_pylist() == drawn.numbers.tolist()
    (100, True)
    """
    kept, start = SmallestRows(n_rows), 0
    if source.n_rows:
        kept.bound = first_bound(n_rows, source.n_rows)
    with read_ahead(source.batches(columns)) as batches:
        for batch in batches:
            numbers = np.arange(start, start + batch.num_rows)
            start += batch.num_rows
            kept.add(batch, numbers, hash_numbers(numbers, seed))
    if not start:
        raise no_rows(source)
    if len(kept) < min(n_rows, start):  # hashes were not as even as they should be
        return draw_rows(_uncounted(source), columns, n_rows, seed)
    table, numbers = kept.in_order()
    return Drawn(table, numbers, start)


def _uncounted(source: Source) -> Source:
    return Source(source.name, source.schema, source.read, None, source.n_bytes, source.repeatable)


def first_bound(n_rows: int, n_all: int) -> np.uint64:
    """Return a hash that hardly ever fewer than the rows to draw are below, given how many there are."""
    return np.uint64(min(1.0, _SLACK * n_rows / n_all + 1e-6) * (2.0**64 - 2**12))


class SmallestRows:
    """The rows with the smallest hashes so far, and a few more.

    Parameters
    ----------
    n_rows : int
        How many to keep.
    bound : int, optional
        Rows with a larger hash are left out from the first.
    """

    def __init__(self, n_rows: int, bound: np.uint64 | None = None) -> None:
        self._n_rows = n_rows
        self.bound = np.uint64(2**64 - 1) if bound is None else bound
        self._parts: list[tuple[pa.RecordBatch, IntArray, Array]] = []
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, batch: pa.RecordBatch, numbers: IntArray, hashes: Array) -> None:
        """Add the rows of a batch; numbers are those among all rows, in whose order batches come."""
        places = np.flatnonzero(hashes <= self.bound)
        if places.size:
            self._parts.append((batch.take(row_indices(places)), numbers[places], hashes[places]))
            self._count += places.size
        if self._count > 2 * self._n_rows:
            self._drop()

    def _drop(self) -> None:
        """Keep the smallest."""
        import pyarrow as pa

        hashes = np.concatenate([part[2] for part in self._parts])
        if hashes.size > self._n_rows:
            self.bound = np.partition(hashes, self._n_rows - 1)[self._n_rows - 1]
        places = np.flatnonzero(hashes <= self.bound)
        numbers = np.concatenate([part[1] for part in self._parts])[places]
        whole = pa.Table.from_batches([part[0] for part in self._parts]).take(row_indices(places))
        batch = whole.combine_chunks().to_batches()[0]
        self._parts, self._count = [(batch, numbers, hashes[places])], places.size

    def kept(self) -> list[tuple[pa.RecordBatch, IntArray, Array]]:
        """Return the rows so far, as `add` takes them."""
        if self._count:
            self._drop()
        return self._parts

    def in_order(self) -> tuple[pa.Table, IntArray]:
        """Return the rows as a table, and their numbers."""
        import pyarrow as pa

        self._drop()
        batch, numbers, _ = self._parts[0]
        return pa.Table.from_batches([batch]), numbers


def row_indices(places: IntArray) -> pa.Array:
    """Return rows by number as Arrow takes them."""
    import pyarrow as pa

    return pa.Array.from_buffers(pa.int64(), places.size, [None, pa.py_buffer(places.astype(np.int64))])
