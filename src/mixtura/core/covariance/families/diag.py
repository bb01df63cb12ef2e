"""Each component its own axis-parallel covariance (``diag``, VVI)."""

from __future__ import annotations

import numpy as np

from mixtura._typing import FloatArray
from mixtura.core.covariance.storage.variances import NO_RIDGE, VarianceFamily, component_variances
from mixtura.core.floor import CovarianceFloor
from mixtura.core.prior import Prior
from mixtura.core.statistics import Statistics

__all__ = ["Diag"]


class Diag(VarianceFamily):
    """``Sigma_k = diag(S_k) / n_k + ridge I``, S_k about the new mean; stored as variances (K, D)."""

    name = "diag"
    coupled = False

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
        bound: CovarianceFloor,
        previous: FloatArray | None = None,
    ) -> FloatArray:
        own = component_variances(statistics, means, NO_RIDGE, previous)
        return np.asarray(np.maximum(own, bound.variances))
