"""Models of a discrete column within a component: how the probabilities of its levels follow from their counts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy.special import betainc, gammainc, gammaln, xlogy

from mixtura._typing import FloatArray

__all__ = ["CATEGORICAL", "LEVEL_MODELS", "NEGATIVE_BINOMIAL", "POISSON", "LevelModel", "count_parameters"]

_TINY = float(np.finfo(np.float64).tiny)

_LEAST_SIZE, _LARGEST_SIZE = 1e-3, 1e6
"""Of negative binomials; at the largest they are Poisson distributions."""

_HALVINGS = 60


class LevelModel(Protocol):
    """The distribution of one column in every component."""

    @property
    def name(self) -> str: ...

    def log_probabilities(self, counts: FloatArray) -> FloatArray:
        """Return the log probabilities that maximize the likelihood of weighted counts of levels, both (L, K)."""

    def n_parameters(self, n_levels: int) -> int:
        """Return the number of free parameters of one component."""


@dataclass(frozen=True, slots=True)
class _Categorical:
    """A probability for each level: ``theta_l = h_l / sum_m h_m``."""

    name: str = "category"

    def log_probabilities(self, counts: FloatArray) -> FloatArray:
        total = np.maximum(counts.sum(axis=0), _TINY)
        with np.errstate(divide="ignore"):
            return np.asarray(np.log(counts / total))

    def n_parameters(self, n_levels: int) -> int:
        return n_levels - 1


@dataclass(frozen=True, slots=True)
class _Count:
    """Levels are the numbers 0, 1, 2, ..., the last stands for all that are larger.

    Parameters
    ----------
    name : str
    parameters : int
    fit : callable
        From weighted counts of the numbers, (V, K), to the log probabilities of the numbers and the probabilities of
        larger ones, (V, K) and (K,).
    """

    name: str
    parameters: int
    fit: Callable[[FloatArray], tuple[FloatArray, FloatArray]]

    def log_probabilities(self, counts: FloatArray) -> FloatArray:
        # What lies beyond the largest number that was seen was not seen.
        logs, beyond = self.fit(counts[:-1])
        return np.vstack([logs, np.log(np.maximum(beyond, _TINY))])

    def n_parameters(self, n_levels: int) -> int:
        return self.parameters


def count_parameters(counts: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return means and sizes of the negative binomials that fit weighted counts of 0, 1, ..., (V, K), best.

    ``P(x) = Gamma(x + r) / (Gamma(r) x!) (r / (r + mu))^r (mu / (r + mu))^x`` with mean mu and variance
    ``mu + mu^2 / r``. The likeliest mean is the average whatever r; r is the root of
    ``sum_i S_i / (r + i) = n log(1 + mu / r)``, with S_i the weighted count of numbers above i (Fisher 1941). There is
    none where the variance is not larger than the mean: r is then infinite, here 10^6, a Poisson distribution.

    Returns
    -------
    means, sizes : ndarray of shape (K,)
    """
    numbers = np.arange(len(counts), dtype=np.float64)[:, None]
    total = np.maximum(counts.sum(axis=0), _TINY)
    means = (numbers * counts).sum(axis=0) / total
    above = total - np.cumsum(counts, axis=0)
    low = np.full(counts.shape[1], np.log(_LEAST_SIZE))
    high = np.full(counts.shape[1], np.log(_LARGEST_SIZE))
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        size = np.exp(middle)
        slope = (above / (size + numbers)).sum(axis=0) - total * np.log1p(means / size)
        low, high = np.where(slope > 0, middle, low), np.where(slope > 0, high, middle)
    variances = ((numbers - means) ** 2 * counts).sum(axis=0) / total
    return means, np.where(variances > means, np.exp(0.5 * (low + high)), _LARGEST_SIZE)


def _negative_binomial(counts: FloatArray) -> tuple[FloatArray, FloatArray]:
    means, size = count_parameters(counts)
    x = np.arange(len(counts), dtype=np.float64)[:, None]
    share = means / (size + means)
    logs = gammaln(x + size) - gammaln(size) - gammaln(x + 1.0) - size * np.log1p(means / size)
    return logs + xlogy(x, share), betainc(float(len(counts)), size, share)


def _poisson(counts: FloatArray) -> tuple[FloatArray, FloatArray]:
    x = np.arange(len(counts), dtype=np.float64)[:, None]
    means = (x * counts).sum(axis=0) / np.maximum(counts.sum(axis=0), _TINY)
    return xlogy(x, means) - means - gammaln(x + 1.0), gammainc(float(len(counts)), means)


CATEGORICAL: LevelModel = _Categorical()
NEGATIVE_BINOMIAL: LevelModel = _Count("negative binomial", 2, _negative_binomial)
POISSON: LevelModel = _Count("poisson", 1, _poisson)

LEVEL_MODELS: dict[str, LevelModel] = {one.name: one for one in (CATEGORICAL, NEGATIVE_BINOMIAL, POISSON)}
