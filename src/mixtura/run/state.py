"""Numbers kept per row, in memory."""

from __future__ import annotations

from dataclasses import dataclass

import numpy.typing as npt

from mixtura._typing import Array
from mixtura.core.protocols import Block, Blocks

__all__ = ["ArrayState", "StatesInMemory"]


@dataclass(frozen=True, slots=True, eq=False)
class ArrayState:
    """One array for all rows; blocks are given views of it.

    Parameters
    ----------
    values : ndarray of shape (N,) or (N, columns)
    """

    values: Array

    def of(self, block: Block) -> Array:
        return self.values[block.start : block.start + block.rows.shape[0]]

    def gathered(self) -> Array:
        return self.values


class StatesInMemory:
    """What runners in one process share: states are arrays."""

    def state(self, blocks: Blocks, dtype: npt.DTypeLike, columns: int = 0, fill: float = 0) -> ArrayState:
        return ArrayState(blocks.numbers(dtype, columns, fill))

    def state_of(self, values: Array) -> ArrayState:
        return ArrayState(values)
