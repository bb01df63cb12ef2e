"""Each component its own axis-parallel covariance (``diag``, VVI)."""

from __future__ import annotations

import numpy as np

from mixtura._typing import FloatArray
from mixtura.core.covariance.base import Maps, Structure
from mixtura.core.covariance.scatter import NO_RIDGE, component_variances
from mixtura.core.covariance.storage import VARIANCES
from mixtura.core.floor import CovarianceFloor
from mixtura.core.prior import Prior
from mixtura.core.statistics import Statistics
from mixtura.kernels import ClosedForm

__all__ = ["Diag"]


class Diag(Structure):
    """``Sigma_k = diag(S_k) / n_k + ridge I``, S_k about the new mean."""

    name, storage, general, maps = "diag", VARIANCES, "diag", Maps.SCALINGS
    free, coupled = True, False
    closed_form = ClosedForm(pooled=False, diagonal=True, averaged=False)

    def n_parameters(self, n_components: int, n_features: int) -> int:
        return n_components * n_features

    def estimate(
        self, statistics: Statistics, means: FloatArray, prior: Prior, previous: FloatArray | None = None
    ) -> FloatArray:
        return component_variances(statistics, means, prior, previous)

    def estimate_constrained(
        self,
        statistics: Statistics,
        means: FloatArray,
        floor: CovarianceFloor,
        previous: FloatArray | None = None,
    ) -> FloatArray:
        own = component_variances(statistics, means, NO_RIDGE, previous)
        return np.asarray(np.maximum(own, floor.variances))
