"""Covariances of one volume, each of its own shape and orientation (EVV)."""

from __future__ import annotations

import numpy as np

from mixtura._typing import FloatArray
from mixtura.core.covariance.algebra.volumes import matrix_volumes
from mixtura.core.covariance.base import Maps, Structure
from mixtura.core.covariance.scatter import NO_RIDGE, component_covariances
from mixtura.core.covariance.storage import MATRICES
from mixtura.core.floor import CovarianceFloor
from mixtura.core.prior import Prior
from mixtura.core.statistics import Statistics
from mixtura.kernels import CommonForm
from mixtura.kernels.iterations.sweeps import floored_equal_volume

__all__ = ["EVV"]

_ROUNDING = 16 * float(np.finfo(np.float64).eps)
"""Share of the largest eigenvalue below which rounding is all that there is."""


class EVV(Structure):
    """``Sigma_k = lambda C_k`` with ``|C_k| = 1``.

    With S_k the covariance of component k about its mean: ``C_k = S_k / |S_k|^(1/D)`` and
    ``lambda = sum_k n_k |S_k|^(1/D) / n`` (Celeux and Govaert 1995, section 3.3).
    """

    name, storage, general, maps = "EVV", MATRICES, "full", Maps.SQUARE
    common_form = CommonForm(diagonal=False, equal_volume=True, equal_shape=False, own_axes=True)

    def n_parameters(self, n_components: int, n_features: int) -> int:
        return 1 + n_components * (n_features * (n_features + 1) // 2 - 1)

    def estimate(
        self, statistics: Statistics, means: FloatArray, prior: Prior, previous: FloatArray | None = None
    ) -> FloatArray:
        own = component_covariances(statistics, means, prior, previous)
        volumes = matrix_volumes(own, prior.ridge)
        counts = statistics.counts
        return np.asarray(own * (counts.dot(volumes) / counts.sum() / volumes)[:, None, None])

    def estimate_constrained(
        self,
        statistics: Statistics,
        means: FloatArray,
        floor: CovarianceFloor,
        previous: FloatArray | None = None,
    ) -> FloatArray:
        """The eigenvectors stay; a component whose volume is small is scaled up, but for its axes on the floor.

        ``Sigma_k = e^c S_k`` and what lifts those axes: put together from eigenvectors, a narrow axis would lose its
        digits beside wide ones that are scaled up.
        """
        own = component_covariances(statistics, means, NO_RIDGE, previous)
        values, axes = np.linalg.eigh(floor.whiten(own))
        values = np.where(values > _ROUNDING * values[:, -1:], values, 0.0)
        spread = floored_equal_volume(values, statistics.counts)
        widest = values[:, -1]
        scale = np.where(widest > 0, spread[:, -1] / widest, 0.0)[:, None]
        lift = (axes * (spread - scale * values)[:, None, :]) @ axes.transpose(0, 2, 1)
        return np.asarray(scale[:, :, None] * own + floor.color(lift))
