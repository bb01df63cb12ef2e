"""One covariance matrix for all components (``tied``, EEE)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mixtura._typing import FloatArray, IntArray
from mixtura.core.covariance.base import (
    CovarianceFamily,
    Factors,
    NotPositiveDefiniteError,
    lift_eigenvalues,
    scatter_matrices,
    symmetric,
    whiten,
)
from mixtura.core.covariance.full import Full
from mixtura.core.prior import Ridge
from mixtura.core.statistics import Statistics
from mixtura.exceptions import ParameterError
from mixtura.kernels import Layout

__all__ = ["Tied"]

_LARGEST_CANCELLATION = 1e-8
"""A variance within components below this share of the total variance has lost half its digits."""


class Tied(CovarianceFamily):
    """``Sigma = W / n + ridge I``, W the scatter within components; stored as (D, D).

    The total scatter T about one point c does not change between passes, and
    ``W = T - sum_k n_k (m_k - c)(m_k - c)^T``: a pass need gather no second moments. Where the
    subtraction cancels (components far apart for their width) the dense layout gathers W itself.
    """

    name = "tied"
    layouts = (Layout.SHARED, Layout.DENSE)
    stores_matrices = True

    def shape(self, n_components: int, n_features: int) -> tuple[int, ...]:
        return (n_features, n_features)

    def n_parameters(self, n_components: int, n_features: int) -> int:
        return n_features * (n_features + 1) // 2

    def estimate(self, statistics: Statistics, means: FloatArray, prior: Ridge) -> FloatArray:
        if statistics.layout is Layout.DENSE:
            within = scatter_matrices(statistics, means).sum(axis=0)
        else:
            within = self._within_from_total(statistics, means)
        covariance = symmetric(within / statistics.counts.sum())
        covariance[np.diag_indices_from(covariance)] += prior.ridge
        return covariance

    @staticmethod
    def _within_from_total(statistics: Statistics, means: FloatArray) -> FloatArray:
        total = statistics.total
        if total is None:
            raise ParameterError(
                "Statistics of the shared layout were given without the total scatter; a tied covariance needs it. "
                "Attach the dense one-component statistics of all rows as `total`."
            )
        apart = means - total.means
        within: FloatArray = total.second_matrices()[0] - (statistics.counts[:, None] * apart).T @ apart
        return within

    def is_precise(self, statistics: Statistics, covariances: FloatArray) -> bool:
        if statistics.layout is Layout.DENSE or statistics.total is None:
            return True
        total = statistics.total.second_matrices()[0].diagonal() / statistics.counts.sum()
        return bool((covariances.diagonal() > _LARGEST_CANCELLATION * total).all())

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

    def keep(
        self, covariances: FloatArray, previous: FloatArray, components: IntArray, n_components: int
    ) -> FloatArray:
        """All components share one covariance: it is kept only where it is that of all."""
        return previous if components.size == n_components else covariances

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

    def precisions_cholesky(self, factors: Factors) -> FloatArray:
        return np.ascontiguousarray(factors.whitening.T)

    def from_precisions_cholesky(self, precisions_cholesky: FloatArray, n_features: int) -> Factors:
        log_determinant = np.log(np.abs(precisions_cholesky.diagonal())).sum()
        return Factors(np.ascontiguousarray(precisions_cholesky.T), np.atleast_1d(log_determinant))

    def precisions(self, precisions_cholesky: FloatArray) -> FloatArray:
        return precisions_cholesky @ precisions_cholesky.T

    def covariances(self, factors: Factors) -> FloatArray:
        one = Factors(factors.whitening[None], factors.log_determinants[:1])
        return np.asarray(Full().covariances(one)[0])
