"""Axis-parallel covariances of one shape and different volumes (VEI)."""

from __future__ import annotations

from mixtura._typing import FloatArray
from mixtura.core.covariance.variances import VarianceFamily, component_variances
from mixtura.core.covariance.volumes import diagonal_volumes, geometric_mean
from mixtura.core.prior import Ridge
from mixtura.core.statistics import Statistics

__all__ = ["VEI"]


class VEI(VarianceFamily):
    """``Sigma_k = lambda_k A`` with A diagonal, ``|A| = 1``.

    With ``s_k`` the variances of component k about its mean: ``A`` is proportional to ``sum_k n_k s_k / lambda_k`` and
    ``lambda_k = mean_j(s_kj / A_j)``, in turn (Celeux and Govaert 1995, section 3.2).
    """

    name = "VEI"
    general = "VEI"

    def n_parameters(self, n_components: int, n_features: int) -> int:
        return n_components + n_features - 1

    def estimate(
        self, statistics: Statistics, means: FloatArray, prior: Ridge, previous: FloatArray | None = None
    ) -> FloatArray:
        variances, counts = component_variances(statistics, means, prior, previous), statistics.counts
        start = variances.mean(axis=1) if previous is None else geometric_mean(previous)
        volumes, shape = diagonal_volumes(start, counts, variances)
        return volumes[:, None] * shape
