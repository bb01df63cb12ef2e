"""Covariances of one shape, each in its own orientation; of one volume (EEV) or different ones (VEV)."""

from __future__ import annotations

from abc import abstractmethod

import numpy as np

from mixtura._typing import FloatArray
from mixtura.core.covariance.algebra.constrained import constrained_equal_shape
from mixtura.core.covariance.algebra.volumes import ROUNDING, diagonal_volumes, geometric_mean, resolvable
from mixtura.core.covariance.base import Structure
from mixtura.core.covariance.scatter import NO_RIDGE, component_covariances
from mixtura.core.covariance.storage import MATRICES
from mixtura.core.floor import CovarianceFloor
from mixtura.core.prior import Prior
from mixtura.core.statistics import Statistics
from mixtura.kernels import CommonForm, get_algebra

__all__ = ["EEV", "VEV"]

_HINT = 1e-6
"""Share of a floor that rotates the axes of what is far below it and leaves all others."""


class _SharedShape(Structure):
    """``Sigma_k = lambda_k D_k A D_k^T`` with A diagonal, ``|A| = 1``.

    With ``S_k = D_k diag(e_k) D_k^T`` the covariance of component k about its mean, its eigenvalues in descending
    order, D_k is the best orientation for every A in that order (Celeux and Govaert 1995, section 3.3).
    """

    storage, general = MATRICES, "full"

    @abstractmethod
    def spread(self, eigenvalues: FloatArray, counts: FloatArray, previous: FloatArray | None) -> FloatArray:
        """Return the eigenvalues ``lambda_k A`` that the structure allows, from each component's own (K, D).

        They are of shape (K, D), or (1, D) where all components have the same.
        """

    @abstractmethod
    def spread_above(
        self, eigenvalues: FloatArray, counts: FloatArray, lowest: FloatArray, previous: FloatArray | None
    ) -> FloatArray:
        """Return the same where each is to be at least the lowest, (D,), all in ascending order."""

    def estimate_constrained(
        self,
        statistics: Statistics,
        means: FloatArray,
        floor: CovarianceFloor,
        previous: FloatArray | None = None,
    ) -> FloatArray:
        own = component_covariances(statistics, means, NO_RIDGE, previous)
        # Where a component has no width, rounding would choose its axes: they are then the floor's.
        axes = get_algebra().eigen(own + _HINT * (floor.root @ floor.root.T))[1]
        along = np.maximum(np.einsum("kji,kjl,kli->ki", axes, own, axes), 0.0)
        spread = self.spread_above(along, statistics.counts, floor.spectrum, previous)
        return np.asarray((axes * spread[:, None, :]) @ axes.transpose(0, 2, 1))

    def estimate(
        self, statistics: Statistics, means: FloatArray, prior: Prior, previous: FloatArray | None = None
    ) -> FloatArray:
        eigenvalues, axes = get_algebra().eigen(component_covariances(statistics, means, prior, previous))
        spread = self.spread(np.maximum(eigenvalues, 0.0), statistics.counts, previous)
        spread = resolvable(spread, prior.ridge)
        return np.asarray((axes * spread[:, None, :]) @ axes.transpose(0, 2, 1))


class EEV(_SharedShape):
    """``Sigma_k = lambda D_k A D_k^T``: ``lambda A = sum_k n_k e_k / n``."""

    name = "EEV"
    common_form = CommonForm(diagonal=False, equal_volume=True, equal_shape=True, own_axes=True)

    def n_parameters(self, n_components: int, n_features: int) -> int:
        return n_features + n_components * n_features * (n_features - 1) // 2

    def spread(self, eigenvalues: FloatArray, counts: FloatArray, previous: FloatArray | None) -> FloatArray:
        return np.asarray(counts.dot(eigenvalues) / counts.sum())[None]

    def spread_above(
        self, eigenvalues: FloatArray, counts: FloatArray, lowest: FloatArray, previous: FloatArray | None
    ) -> FloatArray:
        return np.maximum(self.spread(eigenvalues, counts, previous), lowest)


class VEV(_SharedShape):
    """``Sigma_k = lambda_k D_k A D_k^T``.

    ``A`` is proportional to ``sum_k n_k e_k / lambda_k``, and ``lambda_k = mean_j(e_kj / A_j)``, in turn.
    """

    name = "VEV"
    common_form = CommonForm(diagonal=False, equal_volume=False, equal_shape=True, own_axes=True)

    def n_parameters(self, n_components: int, n_features: int) -> int:
        return n_components + n_features - 1 + n_components * n_features * (n_features - 1) // 2

    def spread(self, eigenvalues: FloatArray, counts: FloatArray, previous: FloatArray | None) -> FloatArray:
        # With the last shape the best volumes are known: to begin there is no worse than with the last volumes.
        start = (
            eigenvalues.mean(axis=1) if previous is None else eigenvalues.dot(1.0 / _spectrum(previous[0]))
        )
        volumes, shape = diagonal_volumes(start, counts, eigenvalues)
        return np.asarray(volumes[:, None] * shape)

    def spread_above(
        self, eigenvalues: FloatArray, counts: FloatArray, lowest: FloatArray, previous: FloatArray | None
    ) -> FloatArray:
        before = None if previous is None else geometric_mean(np.linalg.eigvalsh(previous) / lowest)
        return constrained_equal_shape(eigenvalues / lowest, counts, before) * lowest


def _spectrum(matrix: FloatArray) -> FloatArray:
    """Return the eigenvalues of a covariance (D, D) in ascending order, none below what rounding leaves."""
    (values,), _ = get_algebra().eigen(matrix[None])
    return np.asarray(np.maximum(values, ROUNDING * values[-1]))
