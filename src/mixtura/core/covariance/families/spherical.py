"""Each component its own single variance (``spherical``, VII)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mixtura._typing import FloatArray, IntArray
from mixtura.core.covariance.base import Factors
from mixtura.core.covariance.storage.variances import (
    NO_RIDGE,
    VarianceFamily,
    component_variances,
    whiten_variances,
)
from mixtura.core.floor import CovarianceFloor
from mixtura.core.prior import Prior
from mixtura.core.statistics import Statistics

__all__ = ["Spherical"]


class Spherical(VarianceFamily):
    """``Sigma_k = (tr S_k / (n_k D) + ridge) I``, S_k about the new mean; stored as variances (K,)."""

    name = "spherical"
    general = "spherical"
    coupled = False
    isotropic = True

    def shape(self, n_components: int, n_features: int) -> tuple[int, ...]:
        return (n_components,)

    def n_parameters(self, n_components: int, n_features: int) -> int:
        return n_components

    def estimate(
        self, statistics: Statistics, means: FloatArray, prior: Prior, previous: FloatArray | None = None
    ) -> FloatArray:
        before = None if previous is None else previous[:, None]
        variances = component_variances(statistics, means, prior, before)
        return np.asarray(np.add.reduce(variances, axis=1) / variances.shape[1])

    def estimate_constrained(
        self,
        statistics: Statistics,
        means: FloatArray,
        bound: CovarianceFloor,
        previous: FloatArray | None = None,
    ) -> FloatArray:
        return np.maximum(self.estimate(statistics, means, NO_RIDGE, previous), bound.ball)

    def is_above_floor(self, factors: Factors, bound: CovarianceFloor) -> bool:
        return bool(np.vdot(factors.whitening, factors.whitening) * bound.ball <= 1.0)

    def factor(self, covariances: FloatArray, n_components: int, n_features: int) -> Factors:
        return whiten_variances(np.repeat(covariances[:, None], n_features, axis=1))

    def repair(
        self, covariances: FloatArray, components: Sequence[int], floor: float, magnitude: FloatArray
    ) -> FloatArray:
        return np.fmax(covariances, floor)

    def full(self, covariances: FloatArray, n_components: int, n_features: int) -> FloatArray:
        return covariances[:, None, None] * np.eye(n_features)

    def marginal(self, covariances: FloatArray, columns: IntArray) -> FloatArray:
        return covariances.copy()

    def rescale(self, covariances: FloatArray, scale: FloatArray) -> FloatArray | None:
        square = scale**2
        return covariances * square[0] if np.ptp(square) == 0 else None
