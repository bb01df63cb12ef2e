"""Axis-parallel covariances of one volume and different shapes (EVI)."""

from __future__ import annotations

import numpy as np

from mixtura._typing import FloatArray
from mixtura.core.covariance.algebra.volumes import geometric_mean
from mixtura.core.covariance.base import Maps, Structure
from mixtura.core.covariance.scatter import NO_RIDGE, component_variances
from mixtura.core.covariance.storage import VARIANCES
from mixtura.core.floor import CovarianceFloor
from mixtura.core.prior import Prior
from mixtura.core.statistics import Statistics
from mixtura.kernels import CommonForm
from mixtura.kernels.iterations.sweeps import floored_equal_volume

__all__ = ["EVI"]


class EVI(Structure):
    """``Sigma_k = lambda A_k`` with A_k diagonal, ``|A_k| = 1``.

    With ``s_k`` the variances of component k about its mean: ``A_k = s_k / |s_k|^(1/D)`` and
    ``lambda = sum_k n_k |s_k|^(1/D) / n`` (Celeux and Govaert 1995, section 3.2).
    """

    name, storage, general, maps = "EVI", VARIANCES, "diag", Maps.SCALINGS
    common_form = CommonForm(diagonal=True, equal_volume=True, equal_shape=False, own_axes=False)

    def n_parameters(self, n_components: int, n_features: int) -> int:
        return 1 + n_components * (n_features - 1)

    def estimate(
        self, statistics: Statistics, means: FloatArray, prior: Prior, previous: FloatArray | None = None
    ) -> FloatArray:
        variances, counts = component_variances(statistics, means, prior, previous), statistics.counts
        volumes = geometric_mean(variances)
        return np.asarray(variances * (counts.dot(volumes) / np.add.reduce(counts) / volumes)[:, None])

    def estimate_constrained(
        self,
        statistics: Statistics,
        means: FloatArray,
        floor: CovarianceFloor,
        previous: FloatArray | None = None,
    ) -> FloatArray:
        own = component_variances(statistics, means, NO_RIDGE, previous)
        return floored_equal_volume(own / floor.variances, statistics.counts) * floor.variances
