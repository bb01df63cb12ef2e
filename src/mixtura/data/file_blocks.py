"""Rows of a memory map or a spool as blocks, each read when it is asked for."""

from __future__ import annotations

from typing import Any

import numpy.typing as npt

from mixtura._typing import Array, FloatArray, IntArray
from mixtura.core.protocols import Block, Blocks, DiscreteColumns, MixedRows, RowTable
from mixtura.data.arrays import ArrayBlocks, block_size
from mixtura.data.row_file import RowFile, release_pages, row_file
from mixtura.data.spool import empty_on_disk

__all__ = ["FileBlocks", "blocks_of_array"]


class FileBlocks:
    """Blocks of rows in a file: the same rows in the same cuts as `ArrayBlocks` has of an array.

    Parameters
    ----------
    rows : RowFile of shape (N, D), float64 or float32
    sample_weight : RowFile or ndarray of shape (N,), float64, optional
    total_weight : float, optional
        Their sum.
    levels : RowFile or ndarray of shape (N, J), int32, optional
        Of discrete columns.
    discrete : DiscreteColumns, optional
    """

    has_missing = False

    def __init__(
        self,
        rows: RowFile,
        sample_weight: RowFile | FloatArray | None = None,
        total_weight: float | None = None,
        levels: RowFile | IntArray | None = None,
        discrete: DiscreteColumns | None = None,
    ) -> None:
        self._rows, self._weight = rows, sample_weight
        self._levels, self.discrete = levels, discrete
        self._n_levels = 0 if discrete is None else discrete.size
        self._size = block_size(rows.shape[0])
        self.total_weight = float(self.n_rows) if total_weight is None else total_weight

    @property
    def n_rows(self) -> int:
        return self._rows.shape[0]

    @property
    def n_features(self) -> int:
        return self._rows.shape[1]

    def __len__(self) -> int:
        return int(-(-self.n_rows // self._size))

    def block(self, number: int) -> Block:
        start = number * self._size
        span = slice(start, start + self._size)
        weight = None if self._weight is None else self._weights(number)
        levels = None if self._levels is None else self._levels[span]
        return Block(self._rows[span], weight, start, number, None, levels, self._n_levels)

    def _weights(self, number: int) -> FloatArray:
        assert self._weight is not None, "asked only where there are some"
        return self._weight[number * self._size : (number + 1) * self._size]

    def numbers(self, dtype: npt.DTypeLike, columns: int, fill: float) -> Array:
        return empty_on_disk((self.n_rows, columns) if columns else (self.n_rows,), dtype, fill)

    def __reduce__(self) -> tuple[Any, ...]:
        """Send the rows themselves to another process, where the file may not be reached."""
        weight = None if self._weight is None else self._weight[: self.n_rows]
        levels = None if self._levels is None else self._levels[: self.n_rows]
        return ArrayBlocks, (self._rows[: self.n_rows], weight, levels, self.discrete)

    def in_memory(self, rows: RowTable, sample_weight: FloatArray | None) -> Blocks:
        return ArrayBlocks.of(rows, sample_weight)


def blocks_of_array(table: RowTable, sample_weight: FloatArray | None) -> Blocks:
    """Return rows (N, D), float64 or float32 in C order, as blocks, read from the file that they are a map of."""
    held = row_file(table.rows if isinstance(table, MixedRows) else table)
    if held is None:
        return ArrayBlocks.of(table, sample_weight)
    levels, discrete = (table.levels, table.discrete) if isinstance(table, MixedRows) else (None, None)
    leveled = None if levels is None else row_file(levels)
    kept = levels if leveled is None else leveled
    if sample_weight is None:
        return FileBlocks(held, levels=kept, discrete=discrete)
    weight, total = row_file(sample_weight), float(sample_weight.sum())
    release_pages(sample_weight)
    return FileBlocks(held, sample_weight if weight is None else weight, total, kept, discrete)
