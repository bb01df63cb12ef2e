"""One axis-parallel covariance for all components: spherical (EII) or of any variances (EEI)."""

from __future__ import annotations

from abc import abstractmethod

import numpy as np

from mixtura._typing import FloatArray
from mixtura.core.covariance.base import Maps, Structure
from mixtura.core.covariance.factors import Factors
from mixtura.core.covariance.scatter import NO_RIDGE, within_scatter
from mixtura.core.covariance.storage import VARIANCES
from mixtura.core.floor import CovarianceFloor
from mixtura.core.moments import DENSE, POOLED
from mixtura.core.prior import Prior
from mixtura.core.statistics import Statistics
from mixtura.kernels import ClosedForm

__all__ = ["EEI", "EII"]


class _SharedVariances(Structure):
    """Variances (K, D) with equal rows: one factor for all components (Celeux and Govaert 1995, section 3.2)."""

    storage, pooled = VARIANCES, True
    moments = (POOLED, DENSE)

    @abstractmethod
    def pool(self, variances: FloatArray) -> FloatArray:
        """Return the variances of all components, (D,), from those within components, (D,)."""

    def estimate(
        self, statistics: Statistics, means: FloatArray, prior: Prior, previous: FloatArray | None = None
    ) -> FloatArray:
        scatter = within_scatter(statistics, means).diagonal()
        within = np.maximum(scatter, 0.0) / np.add.reduce(statistics.counts)
        return np.repeat(self.pool(within + prior.ridge)[None], means.shape[0], axis=0)

    def estimate_constrained(
        self,
        statistics: Statistics,
        means: FloatArray,
        floor: CovarianceFloor,
        previous: FloatArray | None = None,
    ) -> FloatArray:
        lowest = floor.spherical if self.isotropic else floor.variances
        return np.maximum(self.estimate(statistics, means, NO_RIDGE, previous), lowest)


class EII(_SharedVariances):
    """``Sigma_k = lambda I`` with ``lambda = tr W / (n D)``."""

    name = general = "EII"
    isotropic = True
    closed_form = ClosedForm(pooled=True, diagonal=True, averaged=True)

    def n_parameters(self, n_components: int, n_features: int) -> int:
        return 1

    def pool(self, variances: FloatArray) -> FloatArray:
        return np.full(len(variances), np.add.reduce(variances) / len(variances))

    def is_above_floor(self, factors: Factors, floor: CovarianceFloor) -> bool:
        return floor.is_below_spheres(factors.whitening)


class EEI(_SharedVariances):
    """``Sigma_k = lambda A = diag(W) / n``."""

    name = general = "EEI"
    maps = Maps.SCALINGS
    closed_form = ClosedForm(pooled=True, diagonal=True, averaged=False)

    def n_parameters(self, n_components: int, n_features: int) -> int:
        return n_features

    def pool(self, variances: FloatArray) -> FloatArray:
        return variances
