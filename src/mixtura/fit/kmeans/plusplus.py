"""Rows to start from: one per component, drawn so that they lie apart, or evenly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from mixtura._typing import FloatArray, IntArray
from mixtura.core.accumulate import Summed, pass_work
from mixtura.core.data import Data
from mixtura.core.moments import DIAGONAL, FIRST
from mixtura.core.protocols import Block, Blocks, Pass, RowState, whole_of
from mixtura.fit.kmeans.distances import squared_distances
from mixtura.kernels import Components, Kernel, Outputs
from mixtura.kernels.iterations.center_moves import can_move_centers, draw_seeds
from mixtura.kernels.native import NativeKernel, aligned

__all__ = [
    "MassPerBlock",
    "MassWithCandidates",
    "NearestSeed",
    "RowAtMass",
    "kmeans_plusplus",
    "random_rows",
]


def random_rows(n_rows: int, n_components: int, rng: np.random.RandomState) -> IntArray:
    """Return distinct row numbers, (K,), each row as likely as any other."""
    return np.asarray(rng.choice(n_rows, size=n_components, replace=False), dtype=np.intp)


def kmeans_plusplus(data: Data, n_components: int, rng: np.random.RandomState) -> IntArray:
    """Return row numbers (K,) drawn by greedy k-means++ (Arthur and Vassilvitskii 2007).

    Each row is drawn with probability proportional to its weight times its squared distance to the nearest row
    drawn so far; of ``2 + floor(log K)`` candidates the one is kept that leaves the smallest sum. The draws
    from ``rng`` are those of scikit-learn's ``kmeans_plusplus``.

    Parameters
    ----------
    data : Data
    n_components : int
    rng : RandomState
    """
    n_trials = 2 + int(np.log(n_components))
    block, kernel = _only_block(data), data.kernel
    if block is not None and type(kernel) is NativeKernel and can_move_centers():
        return _compiled(block, kernel, n_components, n_trials, rng)
    if block is not None and not kernel.uses_blas:
        return _seeds_in_a_block(block, kernel, n_components, n_trials, rng)
    seeds = np.empty(n_components, dtype=np.intp)
    masses = data.reduce(MassPerBlock())
    seeds[:1] = _locate(data, masses, rng.random_sample(1) * masses.sum(), "right")
    distances = data.state(np.float64, fill=np.inf)
    masses = data.reduce(NearestSeed(data.rows(seeds[:1]), data.kernel), distances)
    for k in range(1, n_components):
        targets = rng.uniform(size=n_trials) * float(masses.sum())
        found = _locate(data, masses, targets, "left", distances)
        centers = data.rows(found)
        best = int(np.argmin(data.reduce(MassWithCandidates(centers, data.kernel), distances)))
        seeds[k] = found[best]
        masses = data.reduce(NearestSeed(centers[best : best + 1], data.kernel), distances)
    return seeds


def _only_block(data: Data) -> Block | None:
    """Return all rows, where they are one block in memory, and complete."""
    whole = None if data.blocks.has_missing else whole_of(data.blocks)
    return whole[0] if whole is not None and whole[1] >= data.n_rows else None


def _compiled(
    block: Block, kernel: NativeKernel, n_components: int, n_trials: int, rng: np.random.RandomState
) -> IntArray:
    """Return the same in one compiled call."""
    rows, weights = aligned((block.rows, block.sample_weight))
    draws = rng.random_sample(1 + (n_components - 1) * n_trials)
    return draw_seeds(rows, weights, draws, n_components, kernel.instruction_set)


def _seeds_in_a_block(
    block: Block, kernel: Kernel, n_components: int, n_trials: int, rng: np.random.RandomState
) -> IntArray:
    """Return the same of rows that are one block in memory: of few rows, calling passes takes longer than they do."""
    weight, last = block.sample_weight, block.n_rows - 1
    seeds = np.empty(n_components, dtype=np.intp)
    running = (np.ones(block.n_rows) if weight is None else weight).cumsum()
    target = rng.random_sample(1) * _mass(block, None)
    seeds[:1] = np.minimum(running.searchsorted(target, "right"), last)
    centers, distances = block.rows[seeds[:1]].astype(np.float64), np.full(block.n_rows, np.inf)
    for k in range(1, n_components):
        kernel.lower_distances(block.rows, centers, distances)
        targets = rng.uniform(size=n_trials) * _mass(block, distances)
        running = (distances if weight is None else distances * weight).cumsum()
        found = np.minimum(running.searchsorted(targets), last)
        centers, masses = block.rows[found].astype(np.float64), np.zeros(n_trials)
        kernel.add_masses(block.rows, weight, distances, centers, masses)
        best = int(masses.argmin())
        seeds[k], centers = found[best], centers[best : best + 1]
    return seeds


def _locate(
    data: Data, masses: FloatArray, targets: FloatArray, side: Literal["left", "right"], *states: RowState
) -> IntArray:
    """Return the first rows up to which the running sum of the masses of rows passes the targets, (T,)."""
    blocks = np.zeros(targets.size, dtype=np.intp)
    if masses.size > 1:
        ends = np.cumsum(masses)
        blocks = np.minimum(np.searchsorted(ends, targets), len(ends) - 1)
        targets = targets - np.concatenate([[0.0], ends[:-1]])[blocks]
    pairs = data.reduce(RowAtMass(blocks, targets, side), *states)
    found = dict(pairs)
    return np.array([found[target] for target in range(targets.size)], dtype=np.intp)


def _squared_distances(block: Block, centers: FloatArray, kernel: Kernel) -> FloatArray:
    """Return the squared distance of each row of a block to its nearest center, (n,)."""
    log_density = np.empty(block.n_rows)
    # Without sums diagonal factors are the cheaper ones: rows are not multiplied with a matrix.
    components = Components(DIAGONAL.layout, centers, np.ones_like(centers), np.zeros(len(centers)))
    outputs = Outputs(log_density=log_density)
    kernel.accumulate(block.rows, None, components, None, outputs, hard=True, order=block.order)
    return squared_distances(block, log_density)


def _mass(block: Block, distances: FloatArray | None) -> float:
    weight = block.sample_weight
    if distances is None:
        return float(block.n_rows) if weight is None else float(weight.sum())
    return float(distances.sum() if weight is None else distances @ weight)


@dataclass(frozen=True, slots=True, eq=False)
class MassPerBlock:
    """The sum of weight times distance of each block, (number of blocks,); of the weights where no state is given."""

    def __call__(self, block: Block, distances: FloatArray | None = None) -> FloatArray:
        return np.array([_mass(block, distances)])

    def add(self, total: FloatArray, more: FloatArray) -> FloatArray:
        return np.concatenate([total, more])

    def work(self, blocks: Blocks) -> float:
        return 2.0 * blocks.n_rows


@dataclass(frozen=True, slots=True, eq=False)
class NearestSeed(MassPerBlock):
    """Lower the distances that the state holds to those to a further seed; the mass of each block.

    Parameters
    ----------
    seed : ndarray of shape (1, D), or of several seeds
    kernel : Kernel
    """

    seed: FloatArray
    kernel: Kernel

    def __call__(self, block: Block, distances: FloatArray | None = None) -> FloatArray:
        assert distances is not None, "a state holds the distances"
        if block.order is None:
            lowered = np.require(distances, requirements=("C", "A"))
            self.kernel.lower_distances(block.rows, np.ascontiguousarray(self.seed), lowered)
        else:
            lowered = np.minimum(distances, _squared_distances(block, self.seed, self.kernel))
        if lowered is not distances:
            distances[...] = lowered
        return np.array([_mass(block, lowered)])

    def after(self, earlier: Pass[Any]) -> NearestSeed | None:
        if not isinstance(earlier, NearestSeed):
            return None
        return NearestSeed(np.concatenate([earlier.seed, self.seed]), self.kernel)

    def work(self, blocks: Blocks) -> float:
        return pass_work(FIRST.layout, blocks.n_rows, 1, blocks.n_features)


@dataclass(frozen=True, slots=True, eq=False)
class MassWithCandidates(Summed[FloatArray]):
    """The mass of all rows with each of some candidates added to the seeds, (T,).

    Parameters
    ----------
    candidates : ndarray of shape (T, D)
    kernel : Kernel
    """

    candidates: FloatArray
    kernel: Kernel

    def __call__(self, block: Block, distances: FloatArray) -> FloatArray:
        if block.order is None:
            masses = np.zeros(len(self.candidates))
            weight, candidates = block.sample_weight, np.ascontiguousarray(self.candidates)
            self.kernel.add_masses(block.rows, weight, np.ascontiguousarray(distances), candidates, masses)
            return masses
        near = (_squared_distances(block, one[None], self.kernel) for one in self.candidates)
        return np.array([_mass(block, np.minimum(distances, one)) for one in near])

    def work(self, blocks: Blocks) -> float:
        return len(self.candidates) * pass_work(FIRST.layout, blocks.n_rows, 1, blocks.n_features)


@dataclass(frozen=True, slots=True, eq=False)
class RowAtMass:
    """The rows at which the running mass of a block reaches some targets, by number of the target.

    Parameters
    ----------
    blocks : ndarray of shape (T,)
        In which block each target lies.
    targets : ndarray of shape (T,)
        Less the mass of all blocks before it.
    side : {"left", "right"}
        Whether the row that reaches a target is the first whose running mass is at least it, or above it.
    """

    blocks: IntArray
    targets: FloatArray
    side: Literal["left", "right"]

    def __call__(self, block: Block, distances: FloatArray | None = None) -> list[tuple[int, int]]:
        here = (self.blocks == block.number).nonzero()[0]
        if not here.size:
            return []
        values = np.ones(block.n_rows) if distances is None else distances
        running = (values if block.sample_weight is None else values * block.sample_weight).cumsum()
        within = np.minimum(running.searchsorted(self.targets[here], self.side), running.size - 1)
        return list(zip(here.tolist(), (block.start + within).tolist(), strict=True))

    def add(self, total: list[tuple[int, int]], more: list[tuple[int, int]]) -> list[tuple[int, int]]:
        return total + more

    def work(self, blocks: Blocks) -> float:
        return float(blocks.n_rows)
