"""K-means: the same pass, with every row given wholly to its nearest center.

Where values are missing it is k-POD (Chi, Chi and Baraniuk 2016): distances are those of the columns observed, and
missing values count as if they lay at the center of their row.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from math import inf
from typing import Any

import numpy as np

from mixtura._typing import FloatArray, IntArray
from mixtura.core.accumulate import Summed, pass_work
from mixtura.core.data import Data
from mixtura.core.maximize import Repair
from mixtura.core.moments import FIRST
from mixtura.core.protocols import Block, Blocks, Pass, RowState, whole_of
from mixtura.core.statistics import Statistics
from mixtura.fit.kmeans.distances import Farthest, SquaredDistances, missing_constant
from mixtura.fit.loop.ahead import Made
from mixtura.fit.loop.driver import iterate
from mixtura.fit.loop.state import StepResult, begin
from mixtura.fit.loop.stopping import CentersSettled
from mixtura.kernels import Components, Kernel, Outputs
from mixtura.kernels.iterations.center_moves import CenterMoves, can_move_centers
from mixtura.kernels.native import NativeKernel, aligned

__all__ = [
    "AssignToNearest",
    "Clustering",
    "CrossCounts",
    "LloydState",
    "LloydStep",
    "best_clustering",
    "inertia",
    "nearest",
    "run_kmeans",
    "unit_spheres",
]

_LARGEST_WORK = 2e7
"""Floating-point operations of a pass from which on Python between passes does not count, and threads share them."""

_LONGEST = 64
"""Iterations that are made at a time at most."""


@dataclass(frozen=True, slots=True, eq=False)
class Clustering:
    """What K-means found.

    Parameters
    ----------
    centers : ndarray of shape (K, D)
    assigned : RowState
        The center nearest to each row, (N,); the lowest number among equally near ones.
    inertia : float
        Weighted sum of squared distances to the nearest center.
    n_iter : int
    converged : bool
    n_distinct : int
        How many centers have rows.
    """

    centers: FloatArray
    assigned: RowState
    inertia: float
    n_iter: int
    converged: bool
    n_distinct: int

    @property
    def labels(self) -> IntArray:
        """The center nearest to each row, (N,), in memory."""
        return self.assigned.gathered().astype(np.intp)


def unit_spheres(centers: FloatArray) -> Components:
    """Unit spheres of equal weight: the log density is minus half the squared distance."""
    n_components, n_features = centers.shape
    return Components(FIRST.layout, centers, *_spheres(n_components, n_features))


@lru_cache(maxsize=64)
def _spheres(n_components: int, n_features: int) -> tuple[FloatArray, FloatArray]:
    """Return the factor and the offsets of unit spheres; they are cached and must not be changed."""
    return np.eye(n_features), np.zeros(n_components)


@dataclass(slots=True)
class _HardSums:
    statistics: Statistics
    n_changed: int

    def __iadd__(self, other: _HardSums) -> _HardSums:
        self.statistics += other.statistics
        self.n_changed += other.n_changed
        return self


@dataclass(frozen=True, slots=True, eq=False)
class AssignToNearest:
    """Assign rows to the nearest center; the sums about the centers, and how many rows changed theirs.

    The state that the pass is given holds the labels.

    Parameters
    ----------
    components : Components
        The centers, as unit spheres of equal weight.
    kernel : Kernel
    """

    components: Components
    kernel: Kernel

    def __call__(self, block: Block, labels: IntArray) -> _HardSums:
        found, components = np.empty(block.n_rows, dtype=np.intp), self.components
        statistics, outputs = Statistics.zero(FIRST, components.means), Outputs(labels=found)
        weight = block.sample_weight
        self.kernel.accumulate(
            block.rows, weight, components, statistics.sums, outputs, hard=True, order=block.order
        )
        if block.order is not None:
            constant = missing_constant(block)
            statistics.sums[0] -= 0.5 * (constant.sum() if weight is None else weight @ constant)
        n_changed = int(np.count_nonzero(found != labels))
        labels[...] = found
        return _HardSums(statistics, n_changed)

    def add(self, total: _HardSums, more: _HardSums) -> _HardSums:
        total += more
        return total

    def after(self, earlier: Pass[Any]) -> AssignToNearest:
        return self

    def work(self, blocks: Blocks) -> float:
        return pass_work(FIRST.layout, blocks.n_rows, *self.components.means.shape)


@dataclass(frozen=True, slots=True, eq=False)
class LloydState:
    """The state of `LloydStep`.

    Parameters
    ----------
    centers : ndarray of shape (K, D)
    labels : RowState
        Of the last pass, (N,); -1 before the first. Every pass writes into them.
    best : float
        The largest objective so far.
    """

    centers: FloatArray
    labels: RowState
    best: float = -inf


class LloydStep:
    """One iteration of Lloyd (1982): rows to their nearest centers, centers to the mean of their rows.

    Parameters
    ----------
    data : Data
    tolerance : float, default=0
        Of the rule that ends a run, `CentersSettled`: no iteration is made ahead of where it does.
    """

    def __init__(self, data: Data, tolerance: float = 0.0) -> None:
        self._data = data
        self._moves = _moves_of(data, tolerance)

    def init(self, model: FloatArray) -> LloydState:
        # The smallest type that holds the labels: those of several starts side by side are held until the last ends.
        return LloydState(model, self._data.state(np.min_scalar_type(-len(model)), fill=-1))

    def final(self, state: LloydState) -> tuple[FloatArray, tuple[Repair, ...]]:
        return state.centers, ()

    def assign(self, state: LloydState) -> _HardSums:
        """Assign all rows to the nearest center; return the sums about the centers."""
        task = AssignToNearest(unit_spheres(state.centers), self._data.kernel)
        return self._data.reduce(task, state.labels)

    def __call__(self, state: LloydState) -> tuple[LloydState, StepResult[FloatArray]]:
        sums, model = self.assign(state), state.centers
        counts, first = sums.statistics.counts, sums.statistics.first
        if np.minimum.reduce(counts) > 0:
            centers = model + first / counts[:, None]
        else:
            seated = self._reseat_empty(state, counts, first)
            centers = model + first / np.where(counts > 0, counts, 1.0)[:, None]
            for k, row in seated.items():
                centers[k] = row
        shift = float(np.add.reduce(np.square(centers - model), axis=None))
        objective = 2.0 * sums.statistics.log_likelihood
        found = StepResult(centers, objective, shift=shift, n_changed=sums.n_changed)
        return LloydState(centers, state.labels, max(state.best, objective)), found

    def ahead(self, state: LloydState, most: int) -> tuple[LloydState, Made[FloatArray]] | None:
        """Return the state after iterations that compiled code made, up to where the run ends, and what they found.

        None where the next takes more care, or not all rows are in memory.
        """
        if self._moves is None:
            return None
        moves, block = self._moves
        work = pass_work(FIRST.layout, block.n_rows, *state.centers.shape)
        if work > _LARGEST_WORK:
            return None
        kept = state.labels.of(block)
        labels = kept.astype(np.intp)
        film = moves.advance(state.centers, labels, state.best, min(most, _LONGEST))
        if not len(film):
            return None
        kept[...] = labels
        found = [(one, 0.0, 0.0) for one in film[:, 0].tolist()]
        shape, (_, shift, n_changed) = state.centers.shape, film[-1, :3].tolist()

        def model(number: int) -> FloatArray:
            return film[number, 3:].reshape(shape).copy()

        best = max(state.best, *(one for one, _, _ in found))
        after = LloydState(model(len(film) - 1), state.labels, best)
        return after, Made(found, model, shift, int(n_changed))

    def _reseat_empty(
        self, state: LloydState, counts: FloatArray, first: FloatArray
    ) -> dict[int, FloatArray]:
        """Move each center without rows to one of the rows farthest from theirs, as scikit-learn does.

        Takes those rows out of ``counts`` and ``first``; returns the new centers by number.
        """
        empty = np.flatnonzero(counts == 0)
        if empty.size == 0:
            return {}
        distances = nearest(self._data, state.centers)[1]
        farthest, far, labels = self._data.reduce(Farthest(empty.size), distances, state.labels)
        if far.max() == 0:
            return {}
        rows, weights = self._data.rows_and_weights(farthest)
        seated = {}
        # There may be fewer rows than empty centers: equal rows are one where starts are looked for.
        for k, row, weight, old in zip(empty, rows, weights, labels, strict=False):
            counts[old] -= weight
            first[old] -= weight * (row - state.centers[old])
            seated[int(k)] = row
        return seated


def _moves_of(data: Data, tolerance: float) -> tuple[CenterMoves, Block] | None:
    """Return what makes several iterations at a time, and all rows; None where not all are in memory, or complete."""
    if type(data.kernel) is not NativeKernel or data.has_missing or not can_move_centers():
        return None
    whole = whole_of(data.blocks)
    if whole is None:
        return None
    block, size = whole
    rows, weights = aligned((block.rows, block.sample_weight))
    return CenterMoves(rows, weights, size, tolerance, data.kernel.instruction_set), block


def inertia(data: Data, centers: FloatArray) -> float:
    """Return the weighted sum of squared distances to the nearest center, in squared units of the data."""
    step = LloydStep(data)
    return -2.0 * step.assign(step.init(centers)).statistics.log_likelihood


def nearest(data: Data, centers: FloatArray) -> tuple[RowState, RowState]:
    """Return the nearest center of each row, (N,), and the squared distance to it, (N,)."""
    labels, distances = data.state(np.intp), data.state(np.float64)
    data.evaluate(unit_spheres(centers), log_density=distances, labels=labels, hard=True)
    data.reduce(SquaredDistances(), distances)
    return labels, distances


def run_kmeans(
    data: Data,
    centers: FloatArray,
    *,
    max_iter: int = 300,
    tolerance: float = 0.0,
) -> Clustering:
    """Run K-means from given centers.

    Parameters
    ----------
    data : Data
    centers : ndarray of shape (K, D)
    max_iter : int, default=300
    tolerance : float, default=0
        Stop when the sum of squared moves of the centers is not above this, in squared units of the data.
    """
    step = LloydStep(data, tolerance)
    state = begin(step, centers)
    run = iterate(state, step, CentersSettled(tolerance), max_iter)
    last = replace(state.step, centers=run.model)
    final = step.assign(last).statistics
    n_distinct = len(centers)
    if np.minimum.reduce(final.counts) <= 0:
        n_distinct = int(np.count_nonzero(data.reduce(CrossCounts(len(centers)), last.labels)))
    return Clustering(
        run.model,
        last.labels,
        -2.0 * final.log_likelihood,
        len(run.trace.events),
        run.trace.converged,
        n_distinct,
    )


def best_clustering(
    data: Data,
    starts: Sequence[FloatArray],
    *,
    max_iter: int = 300,
    tolerance: float = 0.0,
) -> Clustering:
    """Run K-means from several starts and return the clustering with the smallest inertia.

    Where there are at least as many starts as workers they run side by side, each on one worker. Of clusterings
    that are the same but for their numbering, the first is kept, as scikit-learn does.

    Parameters
    ----------
    data : Data
    starts : sequence of ndarray of shape (K, D)
    max_iter, tolerance
        As in `run_kmeans`.
    """
    side_by_side = 1 < data.runner.n_workers <= len(starts)
    inner = data.alone() if side_by_side else data

    def task(centers: FloatArray) -> Callable[[], Clustering]:
        return lambda: run_kmeans(inner, centers, max_iter=max_iter, tolerance=tolerance)

    tasks = [task(centers) for centers in starts]
    runs = data.runner.map(tasks) if side_by_side else [one() for one in tasks]
    best = runs[0]
    for run in runs[1:]:
        if run.inertia < best.inertia and not _same_partition(
            data, run.assigned, best.assigned, len(best.centers)
        ):
            best = run
    return best


@dataclass(frozen=True, slots=True, eq=False)
class CrossCounts(Summed[IntArray]):
    """How many rows have each label, (K,); given two states, each pair of labels, (K, K).

    Parameters
    ----------
    n_labels : int
    """

    n_labels: int

    def __call__(self, block: Block, *labels: IntArray) -> IntArray:
        shape = (self.n_labels,) * len(labels)
        cells = np.ravel_multi_index([one.astype(np.intp) for one in labels], shape)
        return np.bincount(cells, minlength=self.n_labels ** len(labels)).reshape(shape)

    def work(self, blocks: Blocks) -> float:
        return 10.0 * blocks.n_rows


def _same_partition(data: Data, left: RowState, right: RowState, n_labels: int) -> bool:
    """Return whether two labelings differ in numbering only."""
    pairs = data.reduce(CrossCounts(n_labels), left, right)
    return bool((np.count_nonzero(pairs, axis=1) <= 1).all())
