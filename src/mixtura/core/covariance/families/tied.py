"""One covariance matrix for all components (``tied``, EEE)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mixtura._typing import FloatArray, IntArray
from mixtura.core.covariance.algebra.constrained import clip_eigenvalues
from mixtura.core.covariance.base import (
    CovarianceFamily,
    Factors,
    NotPositiveDefiniteError,
    keeps_digits,
    lift_eigenvalues,
    symmetric,
    whiten,
    within_scatter,
)
from mixtura.core.covariance.families.full import Full
from mixtura.core.floor import CovarianceFloor
from mixtura.core.prior import Prior
from mixtura.core.statistics import Statistics
from mixtura.kernels import Layout

__all__ = ["Tied"]


class Tied(CovarianceFamily):
    """``Sigma = W / n + ridge I``, W the scatter within components; stored as (D, D)."""

    name = "tied"
    layouts = (Layout.SHARED, Layout.DENSE)
    stores_matrices = True
    general = "tied"
    coupled = True
    pooled = True

    def shape(self, n_components: int, n_features: int) -> tuple[int, ...]:
        return (n_features, n_features)

    def n_parameters(self, n_components: int, n_features: int) -> int:
        return n_features * (n_features + 1) // 2

    def estimate(
        self, statistics: Statistics, means: FloatArray, prior: Prior, previous: FloatArray | None = None
    ) -> FloatArray:
        covariance = symmetric(within_scatter(statistics, means) / np.add.reduce(statistics.counts))
        covariance.ravel()[:: means.shape[1] + 1] += prior.ridge
        return covariance

    def estimate_constrained(
        self,
        statistics: Statistics,
        means: FloatArray,
        bound: CovarianceFloor,
        previous: FloatArray | None = None,
    ) -> FloatArray:
        own = symmetric(within_scatter(statistics, means) / statistics.counts.sum())
        return np.asarray(clip_eigenvalues(own[None], bound)[0])

    def is_precise(self, statistics: Statistics, covariances: FloatArray) -> bool:
        return keeps_digits(statistics, covariances.diagonal())

    def factor(self, covariances: FloatArray, n_components: int, n_features: int) -> Factors:
        try:
            one = whiten(covariances[None])
        except NotPositiveDefiniteError as error:
            raise NotPositiveDefiniteError(range(n_components)) from error
        return Factors(one.whitening[0], one.log_determinants)

    def whitening(self, factors: Factors, layout: Layout, n_components: int) -> FloatArray:
        if layout is Layout.SHARED:
            return factors.whitening
        return np.repeat(factors.whitening[None], n_components, axis=0)

    def repair(
        self, covariances: FloatArray, components: Sequence[int], floor: float, magnitude: FloatArray
    ) -> FloatArray:
        return lift_eigenvalues(covariances, floor, magnitude)

    def keep(self, covariances: FloatArray, previous: FloatArray, components: IntArray) -> FloatArray:
        return previous

    def full(self, covariances: FloatArray, n_components: int, n_features: int) -> FloatArray:
        return np.repeat(covariances[None], n_components, axis=0)

    def marginal(self, covariances: FloatArray, columns: IntArray) -> FloatArray:
        return covariances[np.ix_(columns, columns)]

    def rescale(self, covariances: FloatArray, scale: FloatArray) -> FloatArray | None:
        return covariances * scale[:, None] * scale[None, :]

    def transform(self, covariances: FloatArray, matrix: FloatArray) -> FloatArray | None:
        return symmetric(matrix @ covariances @ matrix.T)

    def condition(
        self, covariances: FloatArray, given: IntArray, rest: IntArray, n_components: int
    ) -> tuple[FloatArray, FloatArray]:
        gain, conditional = Full().condition(covariances[None], given, rest, 1)
        return np.repeat(gain, n_components, axis=0), conditional[0]

    def draw(
        self, rng: np.random.RandomState, mean: FloatArray, covariances: FloatArray, component: int, size: int
    ) -> FloatArray:
        return rng.multivariate_normal(mean, covariances, size)
