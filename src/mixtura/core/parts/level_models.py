"""Models of a discrete column within a component: how the probabilities of its levels follow from their counts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from mixtura._typing import FloatArray
from mixtura.kernels import get_algebra
from mixtura.kernels.iterations.negative_binomials import LARGEST_SIZE

__all__ = [
    "CATEGORICAL",
    "KNOWN",
    "LEVEL_MODELS",
    "NEGATIVE_BINOMIAL",
    "POISSON",
    "LevelModel",
]

_TINY = float(np.finfo(np.float64).tiny)


class LevelModel(Protocol):
    """The distribution of one column in every component."""

    @property
    def name(self) -> str: ...

    def log_probabilities(self, counts: FloatArray) -> FloatArray:
        """Return the log probabilities that maximize the likelihood of weighted counts of levels, both (L, K)."""

    def n_parameters(self, n_levels: int) -> int:
        """Return the number of free parameters of one component."""

    def extended(self, logs: FloatArray, size: int) -> FloatArray:
        """Return log probabilities, (size + 1, K), of more numbers than those of the levels, (L, K), of a count."""


@dataclass(frozen=True, slots=True)
class _Categorical:
    """A probability for each level: ``theta_l = h_l / sum_m h_m``."""

    name: str = "category"

    def log_probabilities(self, counts: FloatArray) -> FloatArray:
        with np.errstate(divide="ignore"):
            return np.asarray(np.log(counts / np.maximum(counts.sum(axis=0), _TINY)))

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

    def log_probabilities(self, counts: FloatArray) -> FloatArray:
        with np.errstate(divide="ignore"):
            return np.log(_indicators(*counts.shape))

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
        From weighted counts of the numbers, (V, K), to the log probabilities of the numbers and the probabilities of
        larger ones, (V, K) and (K,).
    """

    name: str
    parameters: int
    fit: Callable[[FloatArray], tuple[FloatArray, FloatArray]]

    def log_probabilities(self, counts: FloatArray) -> FloatArray:
        # What lies beyond the largest number was not seen.
        logs, beyond = self.fit(np.ascontiguousarray(counts[:-1]))
        return np.vstack([logs, np.log(np.maximum(beyond, _TINY))])

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
        wide = share > first / (2.0 * LARGEST_SIZE)  # no size is larger, but for rounding
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


def _negative_binomial(counts: FloatArray) -> tuple[FloatArray, FloatArray]:
    from scipy.special import betainc

    logs, means, sizes = get_algebra().negative_binomials(counts)
    return logs, betainc(float(len(counts)), sizes, means / (sizes + means))


def _poisson(counts: FloatArray) -> tuple[FloatArray, FloatArray]:
    from scipy.special import gammainc, gammaln, xlogy

    x = np.arange(len(counts), dtype=np.float64)[:, None]
    means = (x * counts).sum(axis=0) / np.maximum(counts.sum(axis=0), _TINY)
    return xlogy(x, means) - means - gammaln(x + 1.0), gammainc(float(len(counts)), means)


CATEGORICAL: LevelModel = _Categorical()
NEGATIVE_BINOMIAL: LevelModel = _Count("negative binomial", 2, _negative_binomial)
POISSON: LevelModel = _Count("poisson", 1, _poisson)
KNOWN: LevelModel = _Known()

LEVEL_MODELS: dict[str, LevelModel] = {one.name: one for one in (CATEGORICAL, NEGATIVE_BINOMIAL, POISSON)}
