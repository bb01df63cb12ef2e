"""Each component its own single variance (``spherical``, VII)."""

from __future__ import annotations

import numpy as np

from mixtura._typing import FloatArray
from mixtura.core.covariance.base import Structure
from mixtura.core.covariance.scatter import NO_RIDGE, component_variances
from mixtura.core.covariance.storage import ONE_VARIANCE
from mixtura.core.floor import CovarianceFloor
from mixtura.core.prior import Prior
from mixtura.core.statistics import Statistics
from mixtura.kernels import ClosedForm

__all__ = ["Spherical"]


class Spherical(Structure):
    """``Sigma_k = (tr S_k / (n_k D) + ridge) I``, S_k about the new mean."""

    name, storage, general = "spherical", ONE_VARIANCE, "spherical"
    free, coupled, isotropic = True, False, True
    closed_form = ClosedForm(pooled=False, diagonal=True, averaged=True)

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
        floor: CovarianceFloor,
        previous: FloatArray | None = None,
    ) -> FloatArray:
        return np.maximum(self.estimate(statistics, means, NO_RIDGE, previous), floor.spherical)
