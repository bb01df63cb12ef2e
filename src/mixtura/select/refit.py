"""Fits of many samples, each from a mixture that is near: warm starts, on one worker each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mixtura._typing import FloatArray, RowArray
from mixtura.core.mixture import Mixture
from mixtura.core.prior import Ridge
from mixtura.data import ArrayBlocks
from mixtura.exceptions import MixturaError
from mixtura.fit import FitResult, Problem, RemainingGain, Settings, continue_fit
from mixtura.kernels import get_kernel
from mixtura.run import SerialRunner

__all__ = ["Refit", "generator", "split_components"]

_MAX_ITER = 1000

_HALF_DISTANCE = 0.7
"""Standard deviations from the mean of a component to those of its halves."""


@dataclass(frozen=True, slots=True)
class Refit:
    """How samples are fitted: until less than 0.01 nats of the total log-likelihood are to be gained, each on the calling thread.

    Parameters
    ----------
    reg_covar : float, default=1e-6
        Added to every variance, in squared units of the data.
    """

    reg_covar: float = 1e-6

    def from_mixture(self, rows: RowArray, weights: FloatArray | None, start: Mixture) -> FitResult:
        """Fit from a given mixture: a warm start.

        Parameters
        ----------
        rows : ndarray of shape (N, D), float64 or float32, C-contiguous
        weights : ndarray of shape (N,), or None
        start : Mixture
        """
        kernel, blocks = get_kernel(n_features=rows.shape[1]), ArrayBlocks(rows, weights)
        prior = Ridge(self.reg_covar)
        problem = Problem(blocks, start.n_components, start.family, prior, kernel, SerialRunner())
        return continue_fit(problem, start, Settings(RemainingGain(blocks.total_weight), _MAX_ITER))

    def best(
        self, rows: RowArray, weights: FloatArray | None, starts: Sequence[Mixture]
    ) -> tuple[float, Mixture]:
        """Return the largest log-likelihood that any of the starts leads to, in nats, and its mixture.

        Raises
        ------
        MixturaError
            No fit succeeds; the first reason is told.
        """
        ends = list[tuple[float, Mixture]]()
        errors = list[MixturaError]()
        for start in starts:
            try:
                found = self.from_mixture(rows, weights, start).mixture
            except MixturaError as error:
                errors.append(error)
            else:
                ends.append((found.log_likelihood(rows, weights), found))
        if not ends:
            raise errors[0]
        return max(ends, key=lambda end: end[0])


def generator(seed: np.random.SeedSequence) -> np.random.RandomState:
    """Return a generator of its own for one sample, so that samples do not depend on who draws them when."""
    return np.random.RandomState(np.random.MT19937(seed))


def split_components(mixture: Mixture) -> list[Mixture]:
    """Return mixtures of one component more: each component in turn becomes two halves, side by side.

    The halves keep its covariance and lie 0.7 standard deviations to both sides of its mean, along the axis on which
    its columns, each in units of its own deviation, vary most together. Iterating from there finds what a start of its
    own may miss, and does not end below the mixture of fewer components.
    """
    family, k = mixture.family, mixture.n_components
    own = family.shape(k, mixture.n_features) != family.shape(k + 1, mixture.n_features)
    found = []
    for j, covariance in enumerate(mixture.full_covariances()):
        if mixture.weights[j] <= 0:
            continue
        scale = np.sqrt(covariance.diagonal())
        values, axes = np.linalg.eigh(covariance / np.outer(scale, scale))
        step = _HALF_DISTANCE * np.sqrt(values[-1]) * axes[:, -1] * scale
        weights = np.append(mixture.weights, mixture.weights[j] / 2)
        means = np.vstack([mixture.means, mixture.means[j] + step])
        weights[j] /= 2
        means[j] -= step
        stored = mixture.covariances
        covariances = np.concatenate([stored, stored[j : j + 1]]) if own else stored
        factors = family.factor(covariances, k + 1, mixture.n_features)
        found.append(Mixture(weights, means, covariances, family, factors))
    return found
