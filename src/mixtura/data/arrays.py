"""Rows in memory, or in a memory map, as blocks."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import numpy.typing as npt

from mixtura._typing import Array, FloatArray, IntArray, RowArray
from mixtura.core.protocols import Block, DiscreteColumns, MixedRows, RowTable

__all__ = ["ArrayBlocks", "block_size"]

_SMALLEST = 2048
_LARGEST = 16384
_BLOCKS = 16


def block_size(n_rows: int) -> int:
    """Return how many rows a block has: a sixteenth of all, but from 2,048 to 16,384.

    Few enough rows to share the work evenly and to stay in cache, enough to make a call per block cheap.
    """
    return min(max(-(-n_rows // _BLOCKS), _SMALLEST), _LARGEST)


class ArrayBlocks:
    """Blocks of an array; nothing is copied.

    Parameters
    ----------
    rows : ndarray of shape (N, D), float64 or float32, C-contiguous, N at least 1
    sample_weight : ndarray of shape (N,), float64, optional
    levels : ndarray of shape (N, J), int32, optional
        Of discrete columns.
    discrete : DiscreteColumns, optional
    """

    def __init__(
        self,
        rows: RowArray,
        sample_weight: FloatArray | None = None,
        levels: IntArray | None = None,
        discrete: DiscreteColumns | None = None,
    ) -> None:
        self._rows = rows
        self._weight = sample_weight
        self._levels, self.discrete = levels, discrete
        self._n_levels = 0 if discrete is None else discrete.size
        self._size = block_size(rows.shape[0])
        self._all = Block(rows, sample_weight, 0, 0, None, levels, self._n_levels)

    @classmethod
    def of(cls, rows: RowTable, sample_weight: FloatArray | None = None) -> ArrayBlocks:
        """Return blocks of rows that may have discrete columns."""
        if isinstance(rows, MixedRows):
            return cls(rows.rows, sample_weight, np.ascontiguousarray(rows.levels), rows.discrete)
        return cls(rows, sample_weight)

    @property
    def n_rows(self) -> int:
        return int(self._rows.shape[0])

    @property
    def n_features(self) -> int:
        return int(self._rows.shape[1])

    @cached_property
    def total_weight(self) -> float:
        return float(self.n_rows) if self._weight is None else float(self._weight.sum())

    @property
    def has_missing(self) -> bool:
        return False

    def __len__(self) -> int:
        return int(-(-self._rows.shape[0] // self._size))

    def block(self, number: int) -> Block:
        if number == 0 and self._size >= self._rows.shape[0]:
            return self._all
        start = number * self._size
        span = slice(start, start + self._size)
        weight = None if self._weight is None else self._weight[span]
        levels = None if self._levels is None else self._levels[span]
        return Block(self._rows[span], weight, start, number, None, levels, self._n_levels)

    def whole(self) -> tuple[Block, int]:
        return self._all, self._size

    def numbers(self, dtype: npt.DTypeLike, columns: int, fill: float) -> Array:
        return np.full((self.n_rows, columns) if columns else (self.n_rows,), fill, dtype=dtype)

    def sorted_by(self, order: IntArray) -> ArrayBlocks:
        """Return blocks of the same rows in another order, copied; but of a memory map, which stays where it is."""
        if isinstance(self._rows, np.memmap) or isinstance(self._rows.base, np.memmap):
            return self
        weight = None if self._weight is None else self._weight[order]
        levels = None if self._levels is None else self._levels[order]
        return ArrayBlocks(self._rows[order], weight, levels, self.discrete)

    def in_memory(self, rows: RowTable, sample_weight: FloatArray | None) -> ArrayBlocks:
        return ArrayBlocks.of(rows, sample_weight)
