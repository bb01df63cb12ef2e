"""Axis-parallel covariances of one shape and different volumes (VEI)."""

from __future__ import annotations

import numpy as np

from mixtura._typing import FloatArray
from mixtura.core.covariance.algebra.constrained import constrained_equal_shape
from mixtura.core.covariance.algebra.volumes import diagonal_volumes, geometric_mean
from mixtura.core.covariance.base import Maps, Structure
from mixtura.core.covariance.scatter import NO_RIDGE, component_variances
from mixtura.core.covariance.storage import VARIANCES
from mixtura.core.floor import CovarianceFloor
from mixtura.core.prior import Prior
from mixtura.core.statistics import Statistics
from mixtura.kernels import CommonForm

__all__ = ["VEI"]


class VEI(Structure):
    """``Sigma_k = lambda_k A`` with A diagonal, ``|A| = 1``.

    With ``s_k`` the variances of component k about its mean: ``A`` is proportional to ``sum_k n_k s_k / lambda_k`` and
    ``lambda_k = mean_j(s_kj / A_j)``, in turn (Celeux and Govaert 1995, section 3.2).
    """

    name, storage, general, maps = "VEI", VARIANCES, "VEI", Maps.SCALINGS
    common_form = CommonForm(diagonal=True, equal_volume=False, equal_shape=True, own_axes=False)

    def n_parameters(self, n_components: int, n_features: int) -> int:
        return n_components + n_features - 1

    def estimate(
        self, statistics: Statistics, means: FloatArray, prior: Prior, previous: FloatArray | None = None
    ) -> FloatArray:
        variances, counts = component_variances(statistics, means, prior, previous), statistics.counts
        # With the last shape the best volumes are known: to begin there is no worse than with the last volumes.
        start = variances.mean(axis=1) if previous is None else variances.dot(1.0 / previous[0])
        volumes, shape = diagonal_volumes(start, counts, variances)
        return np.asarray(volumes[:, None] * shape)

    def estimate_constrained(
        self,
        statistics: Statistics,
        means: FloatArray,
        floor: CovarianceFloor,
        previous: FloatArray | None = None,
    ) -> FloatArray:
        own = component_variances(statistics, means, NO_RIDGE, previous) / floor.variances
        before = None if previous is None else geometric_mean(previous / floor.variances)
        return constrained_equal_shape(own, statistics.counts, before) * floor.variances
