"""Covariances of one shape and orientation and different volumes (VEE)."""

from __future__ import annotations

import numpy as np

from mixtura._typing import FloatArray
from mixtura.core.covariance.matrices import MatrixFamily, component_covariances
from mixtura.core.covariance.volumes import alternate_volumes, geometric_mean
from mixtura.core.prior import Ridge
from mixtura.core.statistics import Statistics

__all__ = ["VEE"]


class VEE(MatrixFamily):
    """``Sigma_k = lambda_k C`` with ``|C| = 1``.

    With S_k the covariance of component k about its mean: ``C`` is proportional to ``sum_k n_k S_k / lambda_k`` and
    ``lambda_k = tr(S_k C^-1) / D``, in turn (Celeux and Govaert 1995, section 3.1).
    """

    name = "VEE"

    def n_parameters(self, n_components: int, n_features: int) -> int:
        return n_components - 1 + n_features * (n_features + 1) // 2

    def estimate(
        self, statistics: Statistics, means: FloatArray, prior: Ridge, previous: FloatArray | None = None
    ) -> FloatArray:
        own, counts = component_covariances(statistics, means, prior), statistics.counts

        def shape_of(volumes: FloatArray) -> FloatArray:
            pooled = np.einsum("k,kij->ij", counts / volumes, own)
            return np.asarray(pooled / geometric_mean(np.linalg.eigvalsh(pooled)))

        def volumes_of(shape: FloatArray) -> FloatArray:
            return np.asarray(
                np.einsum("kij,ji->k", own, np.linalg.pinv(shape, hermitian=True)) / shape.shape[0]
            )

        if previous is None:
            start = np.einsum("kii->k", own) / means.shape[1]
        else:
            start = geometric_mean(np.linalg.eigvalsh(previous))
        with np.errstate(all="ignore"):
            volumes, shape = alternate_volumes(start, shape_of, volumes_of)
            return volumes[:, None, None] * shape
