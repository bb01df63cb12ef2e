"""Each component its own covariance matrix (``full``, VVV)."""

from __future__ import annotations

from mixtura._typing import FloatArray
from mixtura.core.covariance.base import Maps, Structure
from mixtura.core.covariance.scatter import NO_RIDGE, component_covariances
from mixtura.core.covariance.storage import MATRICES
from mixtura.core.floor import CovarianceFloor
from mixtura.core.prior import Prior
from mixtura.core.statistics import Statistics
from mixtura.kernels import ClosedForm
from mixtura.kernels.iterations.bound import raised

__all__ = ["Full"]


class Full(Structure):
    """``Sigma_k = S_k / n_k + ridge I``, with S_k the scatter about the new mean."""

    name, storage, general, maps = "full", MATRICES, "full", Maps.LINEAR
    free, coupled = True, False
    closed_form = ClosedForm(pooled=False, diagonal=False, averaged=False)

    def n_parameters(self, n_components: int, n_features: int) -> int:
        return n_components * n_features * (n_features + 1) // 2

    def estimate(
        self, statistics: Statistics, means: FloatArray, prior: Prior, previous: FloatArray | None = None
    ) -> FloatArray:
        return component_covariances(statistics, means, prior, previous)

    def estimate_constrained(
        self,
        statistics: Statistics,
        means: FloatArray,
        floor: CovarianceFloor,
        previous: FloatArray | None = None,
    ) -> FloatArray:
        return raised(component_covariances(statistics, means, NO_RIDGE, previous), floor.root)
