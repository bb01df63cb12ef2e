"""What families stored as one matrix per component share."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mixtura._typing import FloatArray, IntArray
from mixtura.core.covariance.algebra.volumes import geometric_mean
from mixtura.core.covariance.base import (
    EMPTY,
    LARGEST_VARIANCE,
    CovarianceFamily,
    Factors,
    NotPositiveDefiniteError,
    lift_eigenvalues,
    scatter_matrices,
    symmetric,
    whiten,
)
from mixtura.core.prior import Prior, Ridge
from mixtura.core.statistics import Statistics
from mixtura.kernels import Layout

__all__ = ["NO_RIDGE", "MatrixFamily", "component_covariances"]

NO_RIDGE = Ridge(0.0)


def component_covariances(
    statistics: Statistics, means: FloatArray, prior: Prior, previous: FloatArray | None
) -> FloatArray:
    """Return ``S_k / n_k + ridge I`` of each component, S_k the scatter about its new mean, (K, D, D).

    A component that has lost its rows stands in with its previous covariance.
    """
    covariances = scatter_matrices(statistics, means)
    counts = np.maximum(statistics.counts, np.finfo(np.float64).tiny)
    covariances /= counts[:, None, None]
    n_components, n_features = means.shape
    covariances.reshape(n_components, -1)[:, :: n_features + 1] += prior.ridge
    if previous is not None and np.minimum.reduce(statistics.counts) <= EMPTY:
        empty = statistics.counts <= EMPTY
        covariances[empty] = previous[empty]
    return covariances


class MatrixFamily(CovarianceFamily):
    """Stored as (K, D, D), evaluated in the dense layout."""

    layouts = (Layout.DENSE,)
    stores_matrices = True
    general = "full"
    coupled = True

    def shape(self, n_components: int, n_features: int) -> tuple[int, ...]:
        return (n_components, n_features, n_features)

    def factor(self, covariances: FloatArray, n_components: int, n_features: int) -> Factors:
        return whiten(covariances)

    def whitening(self, factors: Factors, layout: Layout, n_components: int) -> FloatArray:
        return factors.whitening

    def repair(
        self, covariances: FloatArray, components: Sequence[int], floor: float, magnitude: FloatArray
    ) -> FloatArray:
        for k in components:
            finite = np.nan_to_num(covariances[k], posinf=0.0, neginf=0.0)
            covariances[k] = lift_eigenvalues(finite, floor, magnitude)
        if not self.coupled:
            return covariances
        # The projection may lose the digits again; then all begin anew from the same variances: these every family has.
        try:
            projected = self.project(covariances, *covariances.shape[:2])
            whiten(projected)
        except (NotPositiveDefiniteError, np.linalg.LinAlgError):
            variances = geometric_mean(covariances.diagonal(axis1=1, axis2=2).T.clip(max=LARGEST_VARIANCE))
            return np.repeat(np.diag(variances)[None], len(covariances), axis=0)
        return projected

    def keep(self, covariances: FloatArray, previous: FloatArray, components: IntArray) -> FloatArray:
        covariances[components] = previous[components]
        return covariances

    def full(self, covariances: FloatArray, n_components: int, n_features: int) -> FloatArray:
        return covariances.copy()

    def marginal(self, covariances: FloatArray, columns: IntArray) -> FloatArray:
        return covariances[:, columns[:, None], columns[None, :]]

    def rescale(self, covariances: FloatArray, scale: FloatArray) -> FloatArray | None:
        square = scale**2
        return covariances * square[0] if np.ptp(square) == 0 else None

    def transform(self, covariances: FloatArray, matrix: FloatArray) -> FloatArray | None:
        """Rotations, reflections and one scale for all columns keep volumes, shapes and orientations alike."""
        square = matrix @ matrix.T
        turns = matrix.shape[0] == matrix.shape[1] and np.allclose(
            square, square[0, 0] * np.eye(len(square)), rtol=0, atol=1e-12 * abs(square[0, 0])
        )
        return symmetric(matrix @ covariances @ matrix.T) if turns else None

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
