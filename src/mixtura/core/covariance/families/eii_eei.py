"""One axis-parallel covariance for all components: a ball (EII) or an ellipsoid (EEI)."""

from __future__ import annotations

from abc import abstractmethod

import numpy as np

from mixtura._typing import FloatArray
from mixtura.core.covariance.base import Factors, keeps_digits, within_scatter
from mixtura.core.covariance.storage.variances import NO_RIDGE, VarianceFamily
from mixtura.core.floor import CovarianceFloor
from mixtura.core.prior import Prior
from mixtura.core.statistics import Statistics
from mixtura.kernels import Layout

__all__ = ["EEI", "EII"]


class _SharedVariances(VarianceFamily):
    """Variances (K, D) with equal rows, evaluated in the shared layout (Celeux and Govaert 1995, section 3.2)."""

    layouts = (Layout.SHARED, Layout.DENSE)
    pooled = True

    @abstractmethod
    def pool(self, variances: FloatArray) -> FloatArray:
        """Return what all components share, (D,), from the variances within components, (D,)."""

    def estimate(
        self, statistics: Statistics, means: FloatArray, prior: Prior, previous: FloatArray | None = None
    ) -> FloatArray:
        within = np.maximum(within_scatter(statistics, means).diagonal(), 0.0) / statistics.counts.sum()
        return np.repeat(self.pool(within + prior.ridge)[None], means.shape[0], axis=0)

    def estimate_constrained(
        self,
        statistics: Statistics,
        means: FloatArray,
        bound: CovarianceFloor,
        previous: FloatArray | None = None,
    ) -> FloatArray:
        lowest = bound.ball if self.isotropic else bound.variances
        return np.maximum(self.estimate(statistics, means, NO_RIDGE, previous), lowest)

    def is_precise(self, statistics: Statistics, covariances: FloatArray) -> bool:
        return keeps_digits(statistics, covariances[0])

    def whitening(self, factors: Factors, layout: Layout, n_components: int) -> FloatArray:
        lower = np.diag(factors.whitening[0])
        return lower if layout is Layout.SHARED else np.repeat(lower[None], n_components, axis=0)


class EII(_SharedVariances):
    """``Sigma_k = lambda I`` with ``lambda = tr W / (n D)``."""

    name = "EII"
    general = "EII"
    isotropic = True

    def n_parameters(self, n_components: int, n_features: int) -> int:
        return 1

    def pool(self, variances: FloatArray) -> FloatArray:
        return np.full(len(variances), np.add.reduce(variances) / len(variances))

    def is_above_floor(self, factors: Factors, bound: CovarianceFloor) -> bool:
        return bool(np.vdot(factors.whitening, factors.whitening) * bound.ball <= 1.0)

    def rescale(self, covariances: FloatArray, scale: FloatArray) -> FloatArray | None:
        return super().rescale(covariances, scale) if np.ptp(scale**2) == 0 else None


class EEI(_SharedVariances):
    """``Sigma_k = lambda A = diag(W) / n``."""

    name = "EEI"
    general = "EEI"

    def n_parameters(self, n_components: int, n_features: int) -> int:
        return n_features

    def pool(self, variances: FloatArray) -> FloatArray:
        return variances
