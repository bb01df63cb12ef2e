"""Start from single rows: each component begins on one, with no width of its own."""

from __future__ import annotations

import numpy as np

from mixtura._typing import FloatArray, IntArray
from mixtura.core.moments import DIAGONAL
from mixtura.core.statistics import Statistics
from mixtura.fit.init.base import Initializer, InitialStatistics
from mixtura.fit.kmeans.plusplus import kmeans_plusplus, random_rows
from mixtura.fit.steps.em import Problem

__all__ = ["FromRandomRows", "KMeansPlusPlus", "seed_statistics"]

_LARGEST_OFFSET = 1e4
"""Means this many deviations from the origin make second moments about the origin lose half their digits."""


class FromRandomRows:
    """Rows drawn evenly (scikit-learn's ``random_from_data``)."""

    def prepare(self, problem: Problem, rng: np.random.RandomState) -> Initializer:
        seeds = random_rows(problem.data.n_rows, problem.model.n_components, rng)
        return lambda problem: InitialStatistics(seed_statistics(problem, seeds))


class KMeansPlusPlus:
    """Rows drawn far apart (scikit-learn's ``k-means++``)."""

    def prepare(self, problem: Problem, rng: np.random.RandomState) -> Initializer:
        seeds = kmeans_plusplus(problem.data, problem.model.n_components, rng)
        return lambda problem: InitialStatistics(seed_statistics(problem, seeds))


def seed_statistics(problem: Problem, seeds: IntArray) -> Statistics:
    """Return the statistics of one row per component; the weights of the mixture are then equal.

    Where one covariance is shared, its first value is scikit-learn's: all second moments about the origin, less
    those of the seeds, over K. Far from the origin that loses its digits; then the mean takes the origin's place.

    Variances of single rows are zero, and the ridge is all the width there is. scikit-learn's are rounding,
    ``x^2 / n - (x / n)^2`` with ``n = 1 + 10 eps``, which settles rows equally far from two seeds: to end where it
    ends that is added, as long as the ridge is larger.
    """
    count = 1.0 + 10 * float(np.finfo(np.float64).eps)
    rows = problem.data.rows(seeds)
    moments = problem.model.structure.moments[0]
    statistics = Statistics.zero(moments.gathered, rows)
    statistics.counts[...] = 1.0
    statistics.sums[1] = float(seeds.size)
    if moments is DIAGONAL:
        with np.errstate(over="ignore", invalid="ignore"):
            rounding = rows**2 / count - (rows / count) ** 2
        statistics.second[...] = np.where(rounding < problem.model.prior.ridge, rounding, 0.0)
    if not moments.needs_total:
        return statistics
    return statistics.complete(_about_origin(problem.data.total))


def _about_origin(total: Statistics) -> Statistics:
    variances: FloatArray = total.second_matrices()[0].diagonal() / total.total_weight
    near = (np.abs(total.means[0]) <= _LARGEST_OFFSET * np.sqrt(variances)).all()
    return total.rebase(np.zeros_like(total.means)) if near else total
