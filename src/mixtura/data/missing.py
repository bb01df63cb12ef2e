"""Rows with missing values, as blocks that know which rows lack the same columns."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mixtura._typing import FloatArray, RowArray
from mixtura.core.protocols import Block, Blocks
from mixtura.kernels.patterns import order_by_pattern

__all__ = ["MissingBlocks", "with_missing"]


class MissingBlocks:
    """Blocks of rows in which NaN stands for a missing value.

    Parameters
    ----------
    blocks : Blocks
        Read once to find which rows of a block lack the same columns.
    """

    def __init__(self, blocks: Blocks) -> None:
        self._blocks = blocks
        self._orders = [order_by_pattern(blocks.block(number).rows) for number in range(len(blocks))]

    @property
    def n_rows(self) -> int:
        return self._blocks.n_rows

    @property
    def n_features(self) -> int:
        return self._blocks.n_features

    @property
    def total_weight(self) -> float:
        return self._blocks.total_weight

    @property
    def has_missing(self) -> bool:
        return True

    def __len__(self) -> int:
        return len(self._blocks)

    def block(self, number: int) -> Block:
        return replace(self._blocks.block(number), order=self._orders[number])

    def in_memory(self, rows: RowArray, sample_weight: FloatArray | None) -> Blocks:
        return with_missing(self._blocks.in_memory(rows, sample_weight))


def with_missing(blocks: Blocks) -> Blocks:
    """Return blocks in which NaN is a missing value; the same ones where there is none."""
    if any(np.isnan(blocks.block(number).rows).any() for number in range(len(blocks))):
        return MissingBlocks(blocks)
    return blocks
