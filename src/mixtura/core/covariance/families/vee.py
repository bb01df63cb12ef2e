"""Covariances of one shape and orientation and different volumes (VEE)."""

from __future__ import annotations

import numpy as np

from mixtura._typing import FloatArray
from mixtura.core.covariance.algebra.constrained import one_matrix
from mixtura.core.covariance.algebra.volumes import alternate_volumes, matrix_volumes
from mixtura.core.covariance.base import Maps, Structure
from mixtura.core.covariance.scatter import NO_RIDGE, component_covariances
from mixtura.core.covariance.storage import MATRICES
from mixtura.core.floor import CovarianceFloor
from mixtura.core.prior import Prior
from mixtura.core.statistics import Statistics
from mixtura.kernels import CommonForm, get_algebra

__all__ = ["VEE"]


class VEE(Structure):
    """``Sigma_k = lambda_k C`` with ``|C| = 1``.

    With S_k the covariance of component k about its mean: ``C`` is proportional to ``sum_k n_k S_k / lambda_k`` and
    ``lambda_k = tr(S_k C^-1) / D``, in turn (Celeux and Govaert 1995, section 3.1).
    """

    name, storage, general, maps = "VEE", MATRICES, "VEE", Maps.LINEAR
    common_form = CommonForm(diagonal=False, equal_volume=False, equal_shape=True, own_axes=False)

    def n_parameters(self, n_components: int, n_features: int) -> int:
        return n_components - 1 + n_features * (n_features + 1) // 2

    def estimate(
        self, statistics: Statistics, means: FloatArray, prior: Prior, previous: FloatArray | None = None
    ) -> FloatArray:
        own, counts = component_covariances(statistics, means, prior, previous), statistics.counts
        n_components, n_features = means.shape
        flat = own.reshape(n_components, -1)

        def weighted(volumes: FloatArray) -> FloatArray:
            return np.asarray((counts / volumes).dot(flat).reshape(n_features, n_features))

        def volumes_of(shape: FloatArray) -> FloatArray:
            return np.asarray(flat.dot(_inverse(shape).reshape(-1)) / n_features)

        # With the last shape the best volumes are known: to begin there is no worse than with the last volumes.
        start = np.array([np.nan]) if previous is None else volumes_of(previous[0])
        if not start[0] > 0:
            start = np.einsum("kii->k", own if previous is None else previous)
        volumes = get_algebra().volumes(start, counts, own)
        if volumes is not None:
            return np.asarray(volumes[:, None, None] * (weighted(volumes) / counts.sum()))
        volumes, shape = alternate_volumes(
            start, lambda volumes: _unit_volume(weighted(volumes), prior.ridge), volumes_of
        )
        return np.asarray(volumes[:, None, None] * shape)

    def estimate_constrained(
        self,
        statistics: Statistics,
        means: FloatArray,
        floor: CovarianceFloor,
        previous: FloatArray | None = None,
    ) -> FloatArray:
        own = floor.whiten(component_covariances(statistics, means, NO_RIDGE, previous))
        before = None if previous is None else matrix_volumes(floor.whiten(previous), 1.0)
        return floor.color(one_matrix(own, statistics.counts, before))


def _unit_volume(matrix: FloatArray, ridge: float) -> FloatArray:
    return np.asarray(matrix / matrix_volumes(matrix, ridge))


def _inverse(matrix: FloatArray) -> FloatArray:
    """Return the inverse of a positive definite matrix (D, D), NaN where it is none."""
    (lower,), _, trouble = get_algebra().factor(matrix[None])
    return np.full_like(matrix, np.nan) if trouble else np.asarray(lower.T @ lower)
