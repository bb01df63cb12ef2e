"""Tail probabilities: how likely a row of the mixture has a density as low as a given one, or lower."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
from scipy.special import chdtrc, gammaln

from mixtura._typing import FloatArray, IntArray
from mixtura.anomaly.normal_mixture import log_density
from mixtura.anomaly.rank_table import RankTable, rank_table, rounding
from mixtura.core.mixture import Mixture

__all__ = [
    "ChiSquareTail",
    "ExponentialTail",
    "SimulatedTail",
    "Tail",
    "exponential_tail",
    "sample_tail",
    "tail_of",
]

_CELLS = 2_000_000
_FEWEST, _MOST = 10_000, 100_000
"""Rows that are drawn, between these two, of as many cells."""

_BEYOND = 0.01
"""Share of the draws, those of the lowest density, from which the tail beyond the draws is continued."""

_SMALLEST = 1e-290
"""Smaller probabilities of chi-square come from its asymptotic series."""

_LARGEST = 1e300
"""Larger halves of squared distances, infinite ones among them, count as this one."""


class Tail(ABC):
    """The distribution of the log density of rows that come from a mixture."""

    @abstractmethod
    def log_probability(self, log_densities: FloatArray, n_missing: IntArray | int = 0) -> FloatArray:
        """Return the log probability that a row's log density is not above each of some, (N,); at most zero.

        Parameters
        ----------
        log_densities : ndarray of shape (N,)
            As `mixtura.anomaly.normal_mixture.log_density` has them.
        n_missing : int or ndarray of shape (N,), default=0
            How many values each row lacks.
        """


@dataclass(frozen=True, slots=True)
class ChiSquareTail(Tail):
    """The tail of one component: its squared distance has a chi-square distribution, with a degree per value.

    Parameters
    ----------
    peak : float
        Log density at the mean.
    n_features : int
    """

    peak: float
    n_features: int

    def log_probability(self, log_densities: FloatArray, n_missing: IntArray | int = 0) -> FloatArray:
        # The log density that is expected of a row that lacks m values counts m / 2 for them.
        squared = np.maximum(2.0 * (self.peak - log_densities) - n_missing, 0.0)
        freedom = np.maximum(self.n_features - np.broadcast_to(n_missing, squared.shape), 1)
        return _log_chi_square_tail(freedom, squared)


@dataclass(frozen=True, slots=True, eq=False)
class SimulatedTail(Tail):
    """The tail of a sample: ranks among it, and an exponential tail from where they end.

    For mixtures of several components the sample is drawn from them, and the exponential tail takes over at the lowest
    hundredth: the log density of a Gaussian falls as half a chi-square variable, whose tail is a little lighter.

    Parameters
    ----------
    ranks : RankTable
        Of the M log densities of the sample.
    beyond : ExponentialTail
    """

    ranks: RankTable
    beyond: ExponentialTail

    @classmethod
    def of_ranks(cls, ordered: FloatArray, scale: float) -> SimulatedTail:
        """Return ranks among log densities (M,) in ascending order, continued below the lowest with a given scale."""
        beyond = ExponentialTail(-float(ordered[0]), 1.0 / (ordered.size + 1.0), scale)
        return cls(rank_table(ordered), beyond)

    def log_probability(self, log_densities: FloatArray, n_missing: IntArray | int = 0) -> FloatArray:
        del n_missing  # the expected log density stands in for missing values
        by_rank = np.log((self.ranks.below(log_densities) + 1.0) / (self.ranks.values.size + 1.0))
        far = -log_densities > self.beyond.start + rounding(self.beyond.start)
        return np.where(far, self.beyond.log_probability(-log_densities), by_rank)


@dataclass(frozen=True, slots=True)
class ExponentialTail:
    """``P(e > x) = share exp(-(x - start) / scale)`` for x above the start.

    Parameters
    ----------
    start, share, scale : float
    """

    start: float
    share: float
    scale: float

    def log_probability(self, values: FloatArray) -> FloatArray:
        return np.asarray(np.log(self.share) - np.maximum(values - self.start, 0.0) / self.scale)


def exponential_tail(values: FloatArray, start_share: float, censored_share: float = 0.0) -> ExponentialTail:
    """Fit an exponential tail to the largest of some values by maximum likelihood, the very largest censored.

    With r of m excesses observed and the rest known only to be larger than the largest observed one, the scale is the
    sum of all excesses, each cut there, over r (Lawless 2003, section 4.1).

    Parameters
    ----------
    values : ndarray of shape (N,)
    start_share : float
        Share of the values that lie beyond the start of the tail.
    censored_share : float, default=0
        Share of which only is used that they are large: they may come from another distribution.
    """
    ordered = np.sort(values)
    m = min(max(2, round(start_share * ordered.size)), ordered.size)
    n_censored = min(round(censored_share * ordered.size), m - 1)
    start = ordered[-m - 1] if m < ordered.size else ordered[0]
    excess = ordered[-m:] - start
    observed = m - n_censored
    total = np.minimum(excess, excess[observed - 1]).sum()
    return ExponentialTail(float(start), m / ordered.size, max(float(total / observed), 1e-12))


def tail_of(mixture: Mixture, seed: int) -> Tail:
    """Return the tail of a mixture: exact for one component, simulated for several.

    Parameters
    ----------
    mixture : Mixture
    seed : int
        Of the simulation.
    """
    if mixture.n_components == 1:
        return ChiSquareTail(float(mixture.log_density(mixture.means)[0]), mixture.n_features)
    n_draws = int(np.clip(_CELLS // mixture.n_features, _FEWEST, _MOST))
    return sample_tail(log_density(mixture, np.ascontiguousarray(mixture.sample(n_draws, seed)[0])))


def sample_tail(log_densities: FloatArray) -> SimulatedTail:
    """Return the tail of a sample, (M,): ranks, and an exponential from its lowest hundredth on."""
    return SimulatedTail(rank_table(np.sort(log_densities)), exponential_tail(-log_densities, _BEYOND))


def _log_chi_square_tail(freedom: FloatArray | IntArray, values: FloatArray) -> FloatArray:
    """Return the log of the upper tail; where it underflows, ``(h - 1) log x - x - log Gamma(h)`` with halves."""
    tail = chdtrc(freedom, values)
    half, x = freedom / 2.0, np.clip(values / 2.0, 1.0, _LARGEST)
    far = (half - 1.0) * np.log(x) - x - gammaln(half)
    with np.errstate(divide="ignore"):
        return np.asarray(np.where(tail > _SMALLEST, np.log(tail), far))
