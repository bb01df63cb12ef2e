"""Short runs from several starts, of which the best goes on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mixtura._typing import FloatArray, RowArray
from mixtura.core.data import Data
from mixtura.core.mixture import Mixture
from mixtura.core.moments import DIAGONAL
from mixtura.fit.init.base import Initialization, Initializer, InitialStatistics
from mixtura.fit.init.from_kmeans import FromKMeans, partition_statistics
from mixtura.fit.init.sample import fill_with_pooled_covariance
from mixtura.fit.init.shared import FromSample
from mixtura.fit.kmeans.lloyd import nearest
from mixtura.fit.kmeans.plusplus import kmeans_plusplus, random_rows
from mixtura.fit.loop.driver import iterate
from mixtura.fit.loop.state import begin
from mixtura.fit.loop.stopping import RemainingGain
from mixtura.fit.steps.em import EMStep, Problem

__all__ = ["BestOf", "FromNearestRows", "ScaleColumns", "SmallEM"]


class BestOf:
    """Draw several starts, run each a short while, go on with the one that is most likely by then.

    One after the other: below a millisecond a pass threads do not pay, and above it every pass uses all of them.

    Parameters
    ----------
    initializations : sequence of Initialization
        At least one; of equally likely ends the first is kept.
    n_passes : int, default=10
        How many passes each is given; fewer where less than 0.01 nats are still to be gained.
    """

    def __init__(self, initializations: Sequence[Initialization], n_passes: int = 10) -> None:
        self._initializations, self._n_passes = tuple(initializations), n_passes

    def prepare(self, problem: Problem, rng: np.random.RandomState) -> Initializer:
        initializers = [one.prepare(problem, rng) for one in self._initializations]
        return lambda problem: self._best(problem, initializers)

    def _best(self, problem: Problem, initializers: Sequence[Initializer]) -> InitialStatistics:
        best, highest, made = None, -np.inf, 0
        for initializer in initializers:
            start = initializer(problem)
            mixture, objective, n_passes = self._run(problem, start)
            made += start.n_passes + n_passes
            if best is None or objective > highest:
                highest, best = objective, (start, mixture)
        assert best is not None
        start, mixture = best
        return InitialStatistics(start.statistics, start.notes, mixture, made)

    def _run(self, problem: Problem, start: InitialStatistics) -> tuple[Mixture, float, int]:
        """Return where a start leads, the objective of the mixture before the last step, and the passes made."""
        step = EMStep(problem)
        run = iterate(
            begin(step, start.first_mixture(problem)),
            step,
            RemainingGain(problem.data.total_weight),
            self._n_passes,
        )
        return run.model, run.trace.objectives[-1], len(run.trace.events)


class SmallEM(BestOf):
    """Short runs of EM from random starts, of which the best goes on (Biernacki, Celeux and Govaert 2003).

    Every start gives the rows to the nearest of K rows drawn from them, as `FromNearestRows`; the first draws them far
    apart, the others evenly.

    Parameters
    ----------
    n_starts : int, default=10
    n_passes : int, default=10
        Of each short run.
    """

    def __init__(self, n_starts: int = 10, n_passes: int = 10) -> None:
        super().__init__([FromNearestRows(far=number == 0) for number in range(n_starts)], n_passes)


class FromNearestRows:
    """Give every row to the nearest of K rows drawn from them, distances in units of the columns' deviations.

    Parameters
    ----------
    far : bool, default=False
        Draw them far apart, by k-means++ with the same distances, instead of evenly.
    """

    def __init__(self, far: bool = False) -> None:
        self._far = far

    def prepare(self, problem: Problem, rng: np.random.RandomState) -> Initializer:
        k, scale = problem.model.n_components, ScaleColumns(1.0 / _deviations(problem.data))
        if self._far:
            seeds = kmeans_plusplus(problem.data.mapped(scale), k, rng)
        else:
            seeds = random_rows(problem.data.n_rows, k, rng)

        def finish(problem: Problem) -> InitialStatistics:
            scaled = problem.data.mapped(scale)
            labels, _ = nearest(scaled, scaled.rows(seeds))
            statistics = partition_statistics(problem, labels, problem.data.rows(seeds))
            if not problem.model.structure.pooled:
                fill_with_pooled_covariance(statistics)
            return InitialStatistics(statistics)

        return finish


@dataclass(frozen=True, slots=True, eq=False)
class ScaleColumns:
    """Multiply every column by a factor.

    Parameters
    ----------
    factors : ndarray of shape (D,)
    """

    factors: FloatArray

    def __call__(self, rows: RowArray) -> RowArray:
        return rows * self.factors


def _deviations(data: Data) -> FloatArray:
    """Return the standard deviation of each column, (D,); one for constant columns."""
    rows = data.describe(DIAGONAL)
    variances = rows.second[0] / rows.total_weight - (rows.first[0] / rows.total_weight) ** 2
    lost = (np.abs(rows.means[0]) * np.finfo(np.float64).eps) ** 2
    return np.sqrt(np.where(variances > lost, variances, 1.0))


ROBUST_KMEANS: Initialization = BestOf([FromSample(5, dense=True), FromKMeans()])
"""What ``"kmeans"`` is where there may be outliers: of the rows that lie densely, or of all, whichever goes better."""
