"""K-means: the same pass, with every row given wholly to its nearest center."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from mixtura._typing import FloatArray, IntArray
from mixtura.core.accumulate import pass_work
from mixtura.core.protocols import Block, Blocks, Runner
from mixtura.core.statistics import Statistics
from mixtura.fit.evaluation import evaluate
from mixtura.fit.loop.driver import StepResult, iterate
from mixtura.fit.loop.stopping import CentersSettled
from mixtura.kernels import Components, Kernel, Layout, Outputs

__all__ = ["Clustering", "LloydStep", "best_clustering", "nearest", "run_kmeans", "squared_distances"]


@dataclass(frozen=True, slots=True, eq=False)
class Clustering:
    """What K-means found.

    Parameters
    ----------
    centers : ndarray of shape (K, D)
    labels : ndarray of shape (N,)
        The center nearest to each row; the lowest number among equally near ones.
    inertia : float
        Weighted sum of squared distances to the nearest center.
    n_iter : int
    converged : bool
    """

    centers: FloatArray
    labels: IntArray
    inertia: float
    n_iter: int
    converged: bool

    @property
    def n_distinct(self) -> int:
        """How many centers have rows."""
        return int(np.count_nonzero(np.bincount(self.labels, minlength=self.centers.shape[0])))


def _as_components(centers: FloatArray) -> Components:
    """Unit spheres of equal weight: the log density is minus half the squared distance."""
    n_components, n_features = centers.shape
    return Components(Layout.SHARED, centers, np.eye(n_features), np.zeros(n_components))


def squared_distances(block: Block, centers: FloatArray, kernel: Kernel) -> FloatArray:
    """Return the squared distance of each row of a block to its nearest center, (n,)."""
    log_density = np.empty(block.rows.shape[0])
    # Without sums the diagonal layout is the cheaper one: it has no factor to multiply the rows with.
    components = Components(Layout.DIAGONAL, centers, np.ones_like(centers), np.zeros(len(centers)))
    kernel.accumulate(block.rows, None, components, None, Outputs(log_density=log_density), hard=True)
    return -2.0 * log_density


@dataclass(slots=True)
class _HardSums:
    statistics: Statistics
    n_changed: int

    def __iadd__(self, other: _HardSums) -> _HardSums:
        self.statistics += other.statistics
        self.n_changed += other.n_changed
        return self


def _merge(total: _HardSums, part: _HardSums) -> _HardSums:
    total += part
    return total


class LloydStep:
    """One iteration of Lloyd (1982): rows to their nearest centers, centers to the mean of their rows.

    Parameters
    ----------
    blocks, kernel, runner
        The rows, and with what they are worked on.

    Attributes
    ----------
    labels : ndarray of shape (N,)
        Of the last pass; -1 before the first.
    """

    def __init__(self, blocks: Blocks, kernel: Kernel, runner: Runner) -> None:
        self._blocks, self._kernel, self._runner = blocks, kernel, runner
        self.labels: IntArray = np.full(blocks.n_rows, -1, dtype=np.intp)

    def gather(self, centers: FloatArray) -> _HardSums:
        """Assign all rows to the nearest center; return the sums about the centers."""
        components = _as_components(centers)

        def one(block: Block) -> _HardSums:
            labels = np.empty(block.rows.shape[0], dtype=np.intp)
            statistics = Statistics.zero(Layout.SHARED, centers)
            outputs = Outputs(labels=labels)
            self._kernel.accumulate(
                block.rows, block.sample_weight, components, statistics.sums, outputs, hard=True
            )
            n_changed = int(np.count_nonzero(labels != self.labels[block.span]))
            self.labels[block.span] = labels
            return _HardSums(statistics, n_changed)

        work = pass_work(Layout.SHARED, self._blocks.n_rows, *centers.shape)
        return self._runner.reduce(self._blocks, one, _merge, work=work)

    def __call__(self, model: FloatArray) -> StepResult[FloatArray]:
        sums = self.gather(model)
        counts, first = sums.statistics.counts.copy(), sums.statistics.first.copy()
        seated = self._reseat_empty(model, counts, first)
        centers = model + first / np.where(counts > 0, counts, 1.0)[:, None]
        for k, row in seated.items():
            centers[k] = row
        shift = float(((centers - model) ** 2).sum())
        return StepResult(
            centers, 2.0 * sums.statistics.log_likelihood, shift=shift, n_changed=sums.n_changed
        )

    def _reseat_empty(
        self, centers: FloatArray, counts: FloatArray, first: FloatArray
    ) -> dict[int, FloatArray]:
        """Move each center without rows to one of the rows farthest from theirs, as scikit-learn does.

        Takes those rows out of ``counts`` and ``first``; returns the new centers by number.
        """
        empty = np.flatnonzero(counts == 0)
        if empty.size == 0:
            return {}
        distances = nearest(self._blocks, centers, self._kernel, self._runner)[1]
        if distances.max() == 0:
            return {}
        farthest = np.argpartition(distances, -empty.size)[: -empty.size - 1 : -1]
        rows = self._blocks.take(farthest)
        seated = {}
        for k, n, row in zip(empty, farthest, rows, strict=True):
            weight = _weight_of(self._blocks, int(n))
            old = self.labels[n]
            counts[old] -= weight
            first[old] -= weight * (row - centers[old])
            seated[int(k)] = row
        return seated


def _weight_of(blocks: Blocks, row: int) -> float:
    for number in range(len(blocks)):
        block = blocks.block(number)
        if block.span.start <= row < block.span.stop:
            return 1.0 if block.sample_weight is None else float(block.sample_weight[row - block.span.start])
    raise IndexError(row)


def nearest(
    blocks: Blocks, centers: FloatArray, kernel: Kernel, runner: Runner
) -> tuple[IntArray, FloatArray]:
    """Return the nearest center of each row (N,) and the squared distance to it (N,)."""
    labels, distances = np.empty(blocks.n_rows, dtype=np.intp), np.empty(blocks.n_rows)
    outputs = Outputs(log_density=distances, labels=labels)
    evaluate(blocks, _as_components(centers), kernel, runner, outputs, hard=True)
    distances *= -2.0
    return labels, distances


def run_kmeans(
    blocks: Blocks,
    centers: FloatArray,
    kernel: Kernel,
    runner: Runner,
    *,
    max_iter: int = 300,
    tolerance: float = 0.0,
) -> Clustering:
    """Run K-means from given centers.

    Parameters
    ----------
    blocks : Blocks
    centers : ndarray of shape (K, D)
    kernel : Kernel
    runner : Runner
    max_iter : int, default=300
    tolerance : float, default=0
        Stop when the sum of squared moves of the centers is not above this, in squared units of the data.
    """
    step = LloydStep(blocks, kernel, runner)
    run = iterate(centers, step, CentersSettled(tolerance), max_iter)
    final = step.gather(run.model).statistics
    return Clustering(
        run.model, step.labels, -2.0 * final.log_likelihood, len(run.trace.events), run.trace.converged
    )


def best_clustering(
    blocks: Blocks,
    starts: Sequence[FloatArray],
    kernel: Kernel,
    runner: Runner,
    *,
    serial: Runner,
    max_iter: int = 300,
    tolerance: float = 0.0,
) -> Clustering:
    """Run K-means from several starts and return the clustering with the smallest inertia.

    Where there are at least as many starts as workers they run side by side, each on one worker. Of clusterings
    that are the same but for their numbering, the first is kept, as scikit-learn does.

    Parameters
    ----------
    blocks : Blocks
    starts : sequence of ndarray of shape (K, D)
    kernel : Kernel
    runner : Runner
    serial : Runner
        With what each of several starts runs when they run side by side.
    max_iter, tolerance
        As in `run_kmeans`.
    """
    side_by_side = 1 < runner.n_workers <= len(starts)
    inner = serial if side_by_side else runner

    def task(centers: FloatArray) -> Callable[[], Clustering]:
        return lambda: run_kmeans(blocks, centers, kernel, inner, max_iter=max_iter, tolerance=tolerance)

    runs = (runner if side_by_side else serial).map([task(centers) for centers in starts])
    best = runs[0]
    for run in runs[1:]:
        if run.inertia < best.inertia and not _same_partition(run.labels, best.labels, best.centers.shape[0]):
            best = run
    return best


def _same_partition(left: IntArray, right: IntArray, n_components: int) -> bool:
    """Return whether two labelings differ in numbering only."""
    number = np.full(n_components, -1, dtype=np.intp)
    number[left] = right
    return bool((number[left] == right).all())
