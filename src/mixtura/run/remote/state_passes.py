"""Passes that bring here what a state of rows on a cluster holds: of all rows, or of some."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mixtura._typing import Array, IntArray
from mixtura.core.protocols import Block, Blocks

__all__ = ["Kept", "Picked"]


@dataclass(frozen=True, slots=True)
class Kept:
    """What a state holds, block by block."""

    def __call__(self, block: Block, values: Array) -> list[Array]:
        return [values.copy()]

    def add(self, total: list[Array], more: list[Array]) -> list[Array]:
        return total + more

    def work(self, blocks: Blocks) -> float:
        return float(blocks.n_rows)


@dataclass(frozen=True, slots=True, eq=False)
class Picked:
    """What a state holds of some rows, block by block.

    Parameters
    ----------
    numbers : ndarray of shape (n,)
        Of the rows, ascending.
    """

    numbers: IntArray

    def __call__(self, block: Block, values: Array) -> list[Array]:
        first, last = np.searchsorted(self.numbers, [block.span.start, block.span.stop])
        return [values[self.numbers[first:last] - block.start]]

    def add(self, total: list[Array], more: list[Array]) -> list[Array]:
        return total + more

    def work(self, blocks: Blocks) -> float:
        return float(self.numbers.size + len(blocks))
