"""Rows with missing values, as blocks that know which rows lack the same columns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mixtura._typing import FloatArray, IntArray
from mixtura.core.protocols import Block, Blocks, DerivedBlocks, RowTable, SortableBlocks, whole_of
from mixtura.data.file_blocks import FileBlocks
from mixtura.kernels.patterns import order_by_pattern, order_of_missing

__all__ = ["MissingBlocks", "MissingOnDisk", "with_missing"]


@dataclass(frozen=True, slots=True, eq=False)
class MissingBlocks(DerivedBlocks):
    """Blocks of rows in which NaN stands for a missing value.

    Parameters
    ----------
    blocks : Blocks
    orders : tuple of ndarray
        For each block its rows in an order in which those that lack the same columns are neighbors; None where nothing
        is missing in it.
    """

    orders: tuple[IntArray | None, ...]

    @property
    def total_weight(self) -> float:
        return self.blocks.total_weight

    @property
    def has_missing(self) -> bool:
        return True

    def block(self, number: int) -> Block:
        return self.blocks.block(number).ordered(self.orders[number])

    def whole(self) -> tuple[Block, int] | None:
        """Return all rows as one block, as `BlocksInMemory.whole` does, in the order of one block after the other."""
        found = whole_of(self.blocks)
        if found is None:
            return None
        block, size = found
        if len(self.orders) == 1:
            return block.ordered(self.orders[0]), size
        orders = list[IntArray]()
        for start, order in zip(range(0, len(block.rows), size), self.orders, strict=True):
            n_rows = min(size, len(block.rows) - start)
            orders.append(start + (np.arange(n_rows, dtype=np.intp) if order is None else order))
        return block.ordered(np.concatenate(orders)), size

    def in_memory(self, rows: RowTable, sample_weight: FloatArray | None) -> Blocks:
        return with_missing(self.blocks.in_memory(rows, sample_weight))

    def by_pattern(self) -> Blocks:
        """Return blocks of the same rows, those that lack the same columns side by side; one block stays as it is."""
        whole = whole_of(self.blocks)
        if len(self) == 1 or whole is None or not isinstance(self.blocks, SortableBlocks):
            return self
        found = self.blocks.sorted_by(order_by_pattern(whole[0].rows))
        return self if found is self.blocks else with_missing(found)


@dataclass(frozen=True, slots=True, eq=False)
class MissingOnDisk(DerivedBlocks):
    """Blocks of a file in which NaN stands for a missing value; the orders of rows are found again in each pass.

    Parameters
    ----------
    blocks : Blocks
    """

    @property
    def total_weight(self) -> float:
        return self.blocks.total_weight

    @property
    def has_missing(self) -> bool:
        return True

    def block(self, number: int) -> Block:
        block = self.blocks.block(number)
        return block.ordered(order_of_missing(block.rows))

    def in_memory(self, rows: RowTable, sample_weight: FloatArray | None) -> Blocks:
        return with_missing(self.blocks.in_memory(rows, sample_weight))


def with_missing(blocks: Blocks) -> Blocks:
    """Return blocks in which NaN is a missing value; the same ones where there is none."""
    if isinstance(blocks, FileBlocks):
        found = (order_of_missing(blocks.block(number).rows) for number in range(len(blocks)))
        return MissingOnDisk(blocks) if any(order is not None for order in found) else blocks
    orders = tuple(order_of_missing(blocks.block(number).rows) for number in range(len(blocks)))
    return blocks if all(order is None for order in orders) else MissingBlocks(blocks, orders)
