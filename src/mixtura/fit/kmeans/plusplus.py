"""Rows to start from: one per component, drawn so that they lie apart, or evenly."""

from __future__ import annotations

import numpy as np

from mixtura._typing import FloatArray, IntArray
from mixtura.core.accumulate import pass_work
from mixtura.core.protocols import Block, Blocks, Runner
from mixtura.fit.kmeans.lloyd import squared_distances
from mixtura.kernels import Kernel, Layout

__all__ = ["kmeans_plusplus", "random_rows"]


def random_rows(n_rows: int, n_components: int, rng: np.random.RandomState) -> IntArray:
    """Return distinct row numbers, (K,), each row as likely as any other."""
    return np.asarray(rng.choice(n_rows, size=n_components, replace=False), dtype=np.intp)


def kmeans_plusplus(
    blocks: Blocks, n_components: int, rng: np.random.RandomState, kernel: Kernel, runner: Runner
) -> IntArray:
    """Return row numbers (K,) drawn by greedy k-means++ (Arthur and Vassilvitskii 2007).

    Each row is drawn with probability proportional to its weight times its squared distance to the nearest row
    drawn so far; of ``2 + floor(log K)`` candidates the one is kept that leaves the smallest sum. The draws
    from ``rng`` are those of scikit-learn's ``kmeans_plusplus``.

    Parameters
    ----------
    blocks : Blocks
    n_components : int
    rng : RandomState
    kernel : Kernel
    runner : Runner
    """
    n_trials = 2 + int(np.log(n_components))
    seeds = np.empty(n_components, dtype=np.intp)
    distances = _Distances(blocks, kernel, runner)
    seeds[0] = _draw_weighted(blocks, rng)
    distances.add(seeds[:1])
    for k in range(1, n_components):
        candidates = distances.locate(rng.uniform(size=n_trials) * distances.potential)
        seeds[k] = candidates[np.argmin(distances.potentials_with(candidates))]
        distances.add(seeds[k : k + 1])
    return seeds


def _draw_weighted(blocks: Blocks, rng: np.random.RandomState) -> int:
    """Return a row number drawn in proportion to the weights, from one uniform number."""
    target = rng.random_sample()
    masses = np.array([_mass(blocks.block(number), None) for number in range(len(blocks))])
    return int(_locate(blocks, masses, target * masses.sum(), None, "right"))


def _mass(block: Block, distances: FloatArray | None) -> float:
    weight = block.sample_weight
    if distances is None:
        return float(block.rows.shape[0]) if weight is None else float(weight.sum())
    return float(distances.sum() if weight is None else distances @ weight)


def _locate(
    blocks: Blocks, masses: FloatArray, target: float, distances: FloatArray | None, side: str
) -> int:
    """Return the first row up to which the running sum of weight times distance passes ``target``."""
    ends = np.cumsum(masses)
    number = min(int(np.searchsorted(ends, target)), len(blocks) - 1)
    block = blocks.block(number)
    values = np.ones(block.rows.shape[0]) if distances is None else distances[block.span]
    running = np.cumsum(values if block.sample_weight is None else values * block.sample_weight)
    before = ends[number - 1] if number else 0.0
    within = np.searchsorted(running, target - before, side="right" if side == "right" else "left")
    return int(block.span.start + min(int(within), running.size - 1))


class _Distances:
    """The squared distance of every row to the nearest seed so far."""

    def __init__(self, blocks: Blocks, kernel: Kernel, runner: Runner) -> None:
        self._blocks, self._kernel, self._runner = blocks, kernel, runner
        self._nearest = np.full(blocks.n_rows, np.inf)
        self._masses = np.zeros(len(blocks))
        self._work = pass_work(Layout.SHARED, blocks.n_rows, 1, blocks.n_features)

    @property
    def potential(self) -> float:
        """Weighted sum of the distances."""
        return float(self._masses.sum())

    def add(self, seed: IntArray) -> None:
        """Take a further seed into account."""
        center = self._blocks.take(seed)

        def one(block: Block) -> FloatArray:
            near = self._nearest[block.span]
            np.minimum(near, squared_distances(block, center, self._kernel), out=near)
            return np.array([_mass(block, near)])

        self._masses = self._runner.reduce(self._blocks, one, _join, work=self._work)

    def potentials_with(self, candidates: IntArray) -> FloatArray:
        """Return what the potential would be with each candidate added, (T,)."""
        centers = self._blocks.take(candidates)

        def one(block: Block) -> FloatArray:
            near = self._nearest[block.span]
            return np.array(
                [
                    _mass(block, np.minimum(near, squared_distances(block, center[None], self._kernel)))
                    for center in centers
                ]
            )

        return self._runner.reduce(self._blocks, one, np.add, work=self._work * candidates.size)

    def locate(self, targets: FloatArray) -> IntArray:
        """Return the row numbers at which the running potential reaches the targets."""
        found = [_locate(self._blocks, self._masses, float(t), self._nearest, "left") for t in targets]
        return np.array(found, dtype=np.intp)


def _join(left: FloatArray, right: FloatArray) -> FloatArray:
    return np.concatenate([left, right])
