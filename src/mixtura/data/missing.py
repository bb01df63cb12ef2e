"""Rows with missing values, as blocks that know which rows lack the same columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from mixtura._typing import FloatArray, IntArray, RowArray
from mixtura.core.protocols import Block, Blocks
from mixtura.kernels.patterns import order_of_missing

__all__ = ["MissingBlocks", "with_missing"]


class MissingBlocks:
    """Blocks of rows in which NaN stands for a missing value.

    Parameters
    ----------
    blocks : Blocks
    orders : sequence of ndarray
        For each block its rows in an order in which those that lack the same columns are neighbors; None where nothing
        is missing in it.
    """

    def __init__(self, blocks: Blocks, orders: Sequence[IntArray | None]) -> None:
        self._blocks, self._orders = blocks, orders

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
    orders = [order_of_missing(blocks.block(number).rows) for number in range(len(blocks))]
    return blocks if all(order is None for order in orders) else MissingBlocks(blocks, orders)
