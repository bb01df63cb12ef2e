"""Models of a discrete column within a component: how the probabilities of its levels follow from their counts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from mixtura._typing import FloatArray

__all__ = [
    "CATEGORICAL",
    "KNOWN",
    "LEVEL_MODELS",
    "NEGATIVE_BINOMIAL",
    "POISSON",
    "LevelModel",
    "count_parameters",
]

_TINY = float(np.finfo(np.float64).tiny)

_LEAST_SIZE, _LARGEST_SIZE = 1e-3, 1e6
"""Of negative binomials; at the largest they are Poisson distributions."""

_MOST_STEPS, _PRECISE = 60, 1e-5
"""Of the logarithm of a size: the error after a step of Newton's method is about its square."""
_NO_SLOPE = 1e-15


class LevelModel(Protocol):
    """The distribution of one column in every component."""

    @property
    def name(self) -> str: ...

    def log_probabilities(self, counts: Sequence[FloatArray]) -> list[FloatArray]:
        """Return the log probabilities that maximize the likelihood of weighted counts of levels.

        Both have an array for each column of this model, (L, K).
        """

    def n_parameters(self, n_levels: int) -> int:
        """Return the number of free parameters of one component."""

    def extended(self, logs: FloatArray, size: int) -> FloatArray:
        """Return log probabilities, (size + 1, K), of more numbers than those of the levels, (L, K), of a count."""


@dataclass(frozen=True, slots=True)
class _Categorical:
    """A probability for each level: ``theta_l = h_l / sum_m h_m``."""

    name: str = "category"

    def log_probabilities(self, counts: Sequence[FloatArray]) -> list[FloatArray]:
        with np.errstate(divide="ignore"):
            return [np.log(one / np.maximum(one.sum(axis=0), _TINY)) for one in counts]

    def n_parameters(self, n_levels: int) -> int:
        return n_levels - 1

    def extended(self, logs: FloatArray, size: int) -> FloatArray:
        return logs


@dataclass(frozen=True, slots=True)
class _Known:
    """Level l is seen in component l alone, so that the level of a row says where it belongs; nothing is estimated.

    Of fewer components than levels it says nothing: the levels are then certain in all of them.
    """

    name: str = "known"

    def log_probabilities(self, counts: Sequence[FloatArray]) -> list[FloatArray]:
        with np.errstate(divide="ignore"):
            return [np.log(_indicators(*one.shape)) for one in counts]

    def n_parameters(self, n_levels: int) -> int:
        return 0

    def extended(self, logs: FloatArray, size: int) -> FloatArray:
        return logs


def _indicators(n_levels: int, n_components: int) -> FloatArray:
    return np.ones((n_levels, n_components)) if n_components < n_levels else np.eye(n_levels, n_components)


@dataclass(frozen=True, slots=True)
class _Count:
    """Levels are the numbers 0, 1, 2, ..., the last stands for all that are larger.

    Of counts that begin at 1 they are the numbers above it: customers who bought have further purchases of this
    distribution (Ehrenberg 1959; Fader, Hardie and Lee 2005).

    Parameters
    ----------
    name : str
    parameters : int
    fit : callable
        From weighted counts of the numbers, (V, M), and how many of them each column has, (M,), to the log
        probabilities of the numbers and the probabilities of larger ones, (V, M) and (M,).
    """

    name: str
    parameters: int
    fit: Callable[[FloatArray, FloatArray], tuple[FloatArray, FloatArray]]

    def log_probabilities(self, counts: Sequence[FloatArray]) -> list[FloatArray]:
        # All columns side by side: one search for roots. What lies beyond the largest number seen was not seen.
        sizes, k = [len(one) - 1 for one in counts], counts[0].shape[1]
        padded = np.zeros((max(sizes), len(counts), k))
        for j, (one, size) in enumerate(zip(counts, sizes, strict=True)):
            padded[:size, j] = one[:-1]
        logs, beyond = self.fit(padded.reshape(max(sizes), -1), np.repeat(np.array(sizes, dtype=float), k))
        logs, rest = logs.reshape(padded.shape), np.log(np.maximum(beyond, _TINY)).reshape(len(counts), k)
        return [np.vstack([logs[:size, j], rest[j]]) for j, size in enumerate(sizes)]

    def extended(self, logs: FloatArray, size: int) -> FloatArray:
        """Return the log probabilities of more numbers, (size + 1, K), the last of all that are larger still.

        The parameters follow from those of 0, 1 and 2: ``P(1) / P(0)`` is the mean of a Poisson distribution, and of a
        negative binomial with share q it is ``r q``, while ``P(2) / P(1) = (r + 1) q / 2``.

        Parameters
        ----------
        logs : ndarray of shape (L, K)
            Of the numbers to L - 2, at least 0, 1 and 2, which stay as they are.
        size : int
            At least L - 1.
        """
        from scipy.special import betainc, gammainc, gammaln, xlogy

        first, second = np.exp(logs[1] - logs[0]), np.exp(logs[2] - logs[1])
        share = np.full_like(first, _TINY) if self.parameters == 1 else 2.0 * second - first
        numbers, means = np.arange(len(logs) - 1, size, dtype=np.float64)[:, None], first
        more, beyond = xlogy(numbers, means) - means - gammaln(numbers + 1.0), gammainc(float(size), means)
        wide = share > first / _LARGEST_SIZE
        r, q = np.where(wide, first / np.where(wide, share, 1.0), 1.0), np.where(wide, share, 0.5)
        spread = (
            gammaln(numbers + r)
            - gammaln(r)
            - gammaln(numbers + 1.0)
            + r * np.log1p(-q)
            + numbers * np.log(q)
        )
        more, beyond = np.where(wide, spread, more), np.where(wide, betainc(float(size), r, q), beyond)
        return np.vstack([logs[:-1], more, np.log(np.maximum(beyond, _TINY))])

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
    variances = ((numbers - means) ** 2 * counts).sum(axis=0) / total
    spread = variances > means
    sizes = np.full(means.size, _LARGEST_SIZE)
    if spread.any():
        mean, moments = means[spread], means[spread] ** 2 / (variances - means)[spread]
        start = np.clip(moments, _LEAST_SIZE, _LARGEST_SIZE)
        sizes[spread] = _root_of_sizes(numbers, above[:, spread], total[spread], mean, start)
    return means, sizes


def _root_of_sizes(
    numbers: FloatArray, above: FloatArray, total: FloatArray, means: FloatArray, size: FloatArray
) -> FloatArray:
    """Return the roots by Newton's method in the logarithm of the size, kept within an interval that holds them."""
    low, high = np.full_like(size, np.log(_LEAST_SIZE)), np.full_like(size, np.log(_LARGEST_SIZE))
    at = np.log(size)
    for _ in range(_MOST_STEPS):
        size = np.exp(at)
        terms = above / (size + numbers)
        slope = terms.sum(axis=0) - total * np.log1p(means / size)
        bend = size * (total * means / (size * (size + means)) - (terms / (size + numbers)).sum(axis=0))
        low, high = np.where(slope > 0, at, low), np.where(slope > 0, high, at)
        with np.errstate(all="ignore"):
            newton = at - slope / bend
        step = np.where((newton > low) & (newton < high), newton, 0.5 * (low + high))
        done = (np.abs(step - at) <= _PRECISE) | (np.abs(slope) <= _NO_SLOPE * total)
        at = step
        if done.all():
            break
    return np.exp(at)


def _negative_binomial(counts: FloatArray, n_numbers: FloatArray) -> tuple[FloatArray, FloatArray]:
    from scipy.special import betainc, gammaln, xlogy

    means, size = count_parameters(counts)
    x = np.arange(len(counts), dtype=np.float64)[:, None]
    share = means / (size + means)
    logs = gammaln(x + size) - gammaln(size) - gammaln(x + 1.0) - size * np.log1p(means / size)
    return logs + xlogy(x, share), betainc(n_numbers, size, share)


def _poisson(counts: FloatArray, n_numbers: FloatArray) -> tuple[FloatArray, FloatArray]:
    from scipy.special import gammainc, gammaln, xlogy

    x = np.arange(len(counts), dtype=np.float64)[:, None]
    means = (x * counts).sum(axis=0) / np.maximum(counts.sum(axis=0), _TINY)
    return xlogy(x, means) - means - gammaln(x + 1.0), gammainc(n_numbers, means)


CATEGORICAL: LevelModel = _Categorical()
NEGATIVE_BINOMIAL: LevelModel = _Count("negative binomial", 2, _negative_binomial)
POISSON: LevelModel = _Count("poisson", 1, _poisson)
KNOWN: LevelModel = _Known()

LEVEL_MODELS: dict[str, LevelModel] = {one.name: one for one in (CATEGORICAL, NEGATIVE_BINOMIAL, POISSON)}
