"""Rows that count as often as their weights say: a row of weight three is three equal rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mixtura._typing import FloatArray, IntArray
from mixtura.core.protocols import Block, Blocks

__all__ = ["CountRepeats", "RowsOf"]

_MOST_REPEATS = 1000
"""Equal rows that a weight stands for, at most: more than any number of rows that a covariance takes."""


def _repeats(weights: FloatArray) -> IntArray:
    """Return how many rows each is: a weight of 3 is three equal rows, and one below 1 a row still."""
    return np.where(weights > 0, np.clip(np.rint(weights), 1, _MOST_REPEATS), 0).astype(np.intp)


@dataclass(frozen=True, slots=True, eq=False)
class CountRepeats:
    """The number of rows, each as often as its weight counts."""

    def __call__(self, block: Block) -> int:
        return block.n_rows if block.sample_weight is None else int(_repeats(block.sample_weight).sum())

    def add(self, total: int, more: int) -> int:
        return total + more

    def work(self, blocks: Blocks) -> float:
        return float(blocks.n_rows)


@dataclass(frozen=True, slots=True, eq=False)
class RowsOf:
    """The numbers of the rows with a label, ascending, each as often as its weight counts; the state holds labels.

    Parameters
    ----------
    label : int
    """

    label: int

    def __call__(self, block: Block, labels: IntArray) -> IntArray:
        chosen = np.flatnonzero(labels == self.label)
        repeats = 1 if block.sample_weight is None else _repeats(block.sample_weight[chosen])
        return np.asarray(block.start + np.repeat(chosen, repeats))

    def add(self, total: IntArray, more: IntArray) -> IntArray:
        return np.concatenate([total, more])

    def work(self, blocks: Blocks) -> float:
        return float(blocks.n_rows)
