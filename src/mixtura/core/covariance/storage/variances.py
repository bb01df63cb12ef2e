"""What families stored as variances share: their axes are parallel to the columns."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mixtura._typing import FloatArray, IntArray
from mixtura.core.covariance.algebra.volumes import geometric_mean
from mixtura.core.covariance.base import (
    EMPTY,
    LARGEST_FACTOR,
    LARGEST_VARIANCE,
    CovarianceFamily,
    Factors,
    NotPositiveDefiniteError,
)
from mixtura.core.floor import CovarianceFloor
from mixtura.core.prior import Prior, Ridge
from mixtura.core.statistics import Statistics
from mixtura.kernels import Layout

__all__ = ["NO_RIDGE", "VarianceFamily", "component_variances", "whiten_variances"]

NO_RIDGE = Ridge(0.0)

_TINY = float(np.finfo(np.float64).tiny)


def component_variances(
    statistics: Statistics, means: FloatArray, prior: Prior, previous: FloatArray | None
) -> FloatArray:
    """Return the variance of each column in each component about the new means, and the ridge, (K, D).

    A component that has lost its rows stands in with its previous variances.
    """
    shift, counts = means - statistics.means, statistics.counts[:, None]
    scatter = statistics.second + shift * (counts * shift - 2.0 * statistics.first)
    variances = np.maximum(scatter / np.maximum(counts, _TINY), 0.0)
    variances += prior.ridge
    if previous is None or np.minimum.reduce(counts, axis=None) > EMPTY:
        return variances
    return np.where(counts > EMPTY, variances, previous)


def whiten_variances(variances: FloatArray) -> Factors:
    """Return reciprocal deviations and log-determinants for variances of shape (K, D)."""
    good = (variances > LARGEST_FACTOR**-2) & np.isfinite(variances)
    if not good.all():
        raise NotPositiveDefiniteError(np.flatnonzero(~good.all(axis=1)).tolist())
    return Factors(1.0 / np.sqrt(variances), -0.5 * np.log(variances).sum(axis=1))


class VarianceFamily(CovarianceFamily):
    """Stored as variances (K, D), evaluated in the diagonal layout."""

    layouts: tuple[Layout, ...] = (Layout.DIAGONAL,)
    stores_matrices = False
    general = "diag"
    coupled = True

    def shape(self, n_components: int, n_features: int) -> tuple[int, ...]:
        return (n_components, n_features)

    def factor(self, covariances: FloatArray, n_components: int, n_features: int) -> Factors:
        return whiten_variances(covariances)

    def is_above_floor(self, factors: Factors, bound: CovarianceFloor) -> bool:
        scaled = factors.whitening * bound.deviations
        return bool(np.vdot(scaled, scaled) <= 1.0)

    def whitening(self, factors: Factors, layout: Layout, n_components: int) -> FloatArray:
        return factors.whitening

    def repair(
        self, covariances: FloatArray, components: Sequence[int], floor: float, magnitude: FloatArray
    ) -> FloatArray:
        clip_eigenvalues = np.fmax(np.nan_to_num(covariances, posinf=0.0), floor)
        if not self.coupled:
            return clip_eigenvalues
        # The projection may overflow; then all begin anew from the same variances: these every family has.
        projected = self.project(clip_eigenvalues, *clip_eigenvalues.shape)
        try:
            whiten_variances(projected)
        except NotPositiveDefiniteError:
            return np.repeat(
                geometric_mean(clip_eigenvalues.T.clip(max=LARGEST_VARIANCE))[None],
                len(clip_eigenvalues),
                axis=0,
            )
        return projected

    def keep(self, covariances: FloatArray, previous: FloatArray, components: IntArray) -> FloatArray:
        covariances[components] = previous[components]
        return covariances

    def full(self, covariances: FloatArray, n_components: int, n_features: int) -> FloatArray:
        return covariances[:, :, None] * np.eye(n_features)

    def marginal(self, covariances: FloatArray, columns: IntArray) -> FloatArray:
        return covariances[:, columns]

    def rescale(self, covariances: FloatArray, scale: FloatArray) -> FloatArray | None:
        return covariances * scale**2

    def transform(self, covariances: FloatArray, matrix: FloatArray) -> FloatArray | None:
        return None

    def condition(
        self, covariances: FloatArray, given: IntArray, rest: IntArray, n_components: int
    ) -> tuple[FloatArray, FloatArray]:
        return np.zeros((n_components, rest.size, given.size)), self.marginal(covariances, rest)

    def draw(
        self, rng: np.random.RandomState, mean: FloatArray, covariances: FloatArray, component: int, size: int
    ) -> FloatArray:
        deviations = np.sqrt(covariances[component])
        return np.asarray(mean + rng.standard_normal(size=(size, mean.shape[0])) * deviations)
