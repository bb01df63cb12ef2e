"""Distances to centers, from what a kernel says of unit spheres."""

from __future__ import annotations

from dataclasses import dataclass
from math import log, pi
from typing import Any, TypeAlias

import numpy as np

from mixtura._typing import FloatArray, IntArray
from mixtura.core.protocols import Block, Blocks, Pass

__all__ = ["Farthest", "SquaredDistances", "missing_constant", "squared_distances"]


def missing_constant(block: Block) -> FloatArray:
    """Return ``m log(2 pi)`` for each row, m the number of its missing values: what a kernel takes for its marginal."""
    return np.asarray(np.isnan(block.rows).sum(axis=1) * log(2 * pi))


def squared_distances(block: Block, log_density: FloatArray) -> FloatArray:
    """Return squared distances, (n,), from log densities of unit spheres without a constant.

    Where values are missing the distance is that of the columns observed, times D over their number, as if the others
    were as far; zero for a row without any value.
    """
    if block.order is None:
        return -2.0 * log_density
    observed = (~np.isnan(block.rows)).sum(axis=1)
    share = np.where(observed > 0, block.rows.shape[1] / np.maximum(observed, 1), 0.0)
    return np.asarray(np.maximum(missing_constant(block) - 2.0 * log_density, 0.0) * share)


@dataclass(frozen=True, slots=True, eq=False)
class SquaredDistances:
    """Turn log densities, which the state holds, into squared distances."""

    def __call__(self, block: Block, values: FloatArray) -> None:
        values[...] = squared_distances(block, values)

    def add(self, total: None, more: None) -> None:
        return None

    def after(self, earlier: Pass[Any]) -> None:
        return None

    def work(self, blocks: Blocks) -> float:
        return float(blocks.n_rows)


_Far: TypeAlias = tuple[IntArray, FloatArray, IntArray]


@dataclass(frozen=True, slots=True, eq=False)
class Farthest:
    """Numbers, distances and labels of the rows with the largest distances; the states hold distances and labels.

    Parameters
    ----------
    n_rows : int
    """

    n_rows: int

    def __call__(self, block: Block, distances: FloatArray, labels: IntArray) -> _Far:
        return self._largest((np.arange(block.start, block.start + block.n_rows), distances, labels))

    def add(self, total: _Far, more: _Far) -> _Far:
        numbers, distances, labels = (np.concatenate(pair) for pair in zip(total, more, strict=True))
        return self._largest((numbers, distances, labels))

    def _largest(self, found: _Far) -> _Far:
        numbers, distances, labels = found
        if distances.size <= self.n_rows:
            return found
        kept = np.argpartition(distances, -self.n_rows)[: -self.n_rows - 1 : -1]
        return numbers[kept], distances[kept], labels[kept]

    def work(self, blocks: Blocks) -> float:
        return 5.0 * blocks.n_rows
