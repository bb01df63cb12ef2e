"""Distances to centers, from what a kernel says of unit spheres."""

from __future__ import annotations

from dataclasses import dataclass
from math import log, pi

import numpy as np

from mixtura._typing import FloatArray
from mixtura.core.protocols import Block, Blocks

__all__ = ["SquaredDistances", "missing_constant", "squared_distances"]


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

    def work(self, blocks: Blocks) -> float:
        return float(blocks.n_rows)
