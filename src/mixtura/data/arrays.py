"""Rows in memory, or in a memory map, as blocks."""

from __future__ import annotations

import numpy as np

from mixtura._typing import FloatArray, RowArray
from mixtura.core.protocols import Block

__all__ = ["ArrayBlocks", "block_size"]

_SMALLEST = 2048
_LARGEST = 16384
_BLOCKS = 16


def block_size(n_rows: int) -> int:
    """Return how many rows a block has: a sixteenth of all, but from 2,048 to 16,384.

    Few enough rows to share the work evenly and to stay in cache, enough to make a call per block cheap.
    """
    return int(np.clip(-(-n_rows // _BLOCKS), _SMALLEST, _LARGEST))


class ArrayBlocks:
    """Blocks of an array; nothing is copied.

    Parameters
    ----------
    rows : ndarray of shape (N, D), float64 or float32, C-contiguous, N at least 1
    sample_weight : ndarray of shape (N,), float64, optional
    """

    def __init__(self, rows: RowArray, sample_weight: FloatArray | None = None) -> None:
        self._rows = rows
        self._weight = sample_weight
        self._size = block_size(rows.shape[0])
        self._all = Block(rows, sample_weight, 0, 0)

    @property
    def n_rows(self) -> int:
        return int(self._rows.shape[0])

    @property
    def n_features(self) -> int:
        return int(self._rows.shape[1])

    @property
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
        return Block(self._rows[span], weight, start, number)

    def in_memory(self, rows: RowArray, sample_weight: FloatArray | None) -> ArrayBlocks:
        return ArrayBlocks(rows, sample_weight)
