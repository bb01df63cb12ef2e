"""Each component its own covariance matrix (``full``, VVV)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.linalg import lapack

from mixtura._typing import FloatArray, IntArray
from mixtura.core.covariance.base import (
    CovarianceFamily,
    Factors,
    lift_eigenvalues,
    scatter_matrices,
    symmetric,
    whiten,
)
from mixtura.core.prior import Ridge
from mixtura.core.statistics import Statistics
from mixtura.kernels import Layout

__all__ = ["Full"]


class Full(CovarianceFamily):
    """``Sigma_k = S_k / n_k + ridge I``, with S_k the scatter about the new mean; stored as (K, D, D)."""

    name = "full"
    layouts = (Layout.DENSE,)
    stores_matrices = True

    def shape(self, n_components: int, n_features: int) -> tuple[int, ...]:
        return (n_components, n_features, n_features)

    def n_parameters(self, n_components: int, n_features: int) -> int:
        return n_components * n_features * (n_features + 1) // 2

    def estimate(self, statistics: Statistics, means: FloatArray, prior: Ridge) -> FloatArray:
        covariances = scatter_matrices(statistics, means)
        counts = np.maximum(statistics.counts, np.finfo(np.float64).tiny)
        covariances /= counts[:, None, None]
        n_components, n_features = means.shape
        covariances.reshape(n_components, -1)[:, :: n_features + 1] += prior.ridge
        return covariances

    def factor(self, covariances: FloatArray, n_components: int, n_features: int) -> Factors:
        return whiten(covariances)

    def whitening(self, factors: Factors, layout: Layout, n_components: int) -> FloatArray:
        return factors.whitening

    def repair(
        self, covariances: FloatArray, components: Sequence[int], floor: float, magnitude: FloatArray
    ) -> FloatArray:
        for k in components:
            covariances[k] = lift_eigenvalues(covariances[k], floor, magnitude)
        return covariances

    def keep(
        self, covariances: FloatArray, previous: FloatArray, components: IntArray, n_components: int
    ) -> FloatArray:
        covariances[components] = previous[components]
        return covariances

    def full(self, covariances: FloatArray, n_components: int, n_features: int) -> FloatArray:
        return covariances.copy()

    def marginal(self, covariances: FloatArray, columns: IntArray) -> FloatArray:
        return covariances[:, columns[:, None], columns[None, :]]

    def rescale(self, covariances: FloatArray, scale: FloatArray) -> FloatArray | None:
        return covariances * scale[:, None] * scale[None, :]

    def transform(self, covariances: FloatArray, matrix: FloatArray) -> FloatArray | None:
        return symmetric(matrix @ covariances @ matrix.T)

    def condition(
        self, covariances: FloatArray, given: IntArray, rest: IntArray, n_components: int
    ) -> tuple[FloatArray, FloatArray]:
        cross = covariances[:, rest[:, None], given[None, :]]
        gain = np.linalg.solve(self.marginal(covariances, given), cross.transpose(0, 2, 1)).transpose(0, 2, 1)
        return np.asarray(gain), symmetric(self.marginal(covariances, rest) - gain @ cross.transpose(0, 2, 1))

    def draw(
        self, rng: np.random.RandomState, mean: FloatArray, covariances: FloatArray, component: int, size: int
    ) -> FloatArray:
        return rng.multivariate_normal(mean, covariances[component], size)

    def precisions_cholesky(self, factors: Factors) -> FloatArray:
        return np.ascontiguousarray(factors.whitening.transpose(0, 2, 1))

    def from_precisions_cholesky(self, precisions_cholesky: FloatArray, n_features: int) -> Factors:
        diagonal = np.einsum("kii->ki", precisions_cholesky)
        return Factors(
            np.ascontiguousarray(precisions_cholesky.transpose(0, 2, 1)), np.log(np.abs(diagonal)).sum(axis=1)
        )

    def precisions(self, precisions_cholesky: FloatArray) -> FloatArray:
        return precisions_cholesky @ precisions_cholesky.transpose(0, 2, 1)

    def covariances(self, factors: Factors) -> FloatArray:
        lower = np.stack([lapack.dtrtri(matrix, lower=1)[0] for matrix in factors.whitening])
        return np.asarray(lower @ lower.transpose(0, 2, 1))
