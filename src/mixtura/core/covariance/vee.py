"""Covariances of one shape and orientation and different volumes (VEE)."""

from __future__ import annotations

import numpy as np
from scipy.linalg import lapack

from mixtura._typing import FloatArray
from mixtura.core.bound import Bound
from mixtura.core.covariance.base import symmetric
from mixtura.core.covariance.bounded import one_matrix
from mixtura.core.covariance.matrices import NO_RIDGE, MatrixFamily, component_covariances
from mixtura.core.covariance.volumes import alternate_volumes, matrix_volumes, settle_volumes
from mixtura.core.prior import Prior
from mixtura.core.statistics import Statistics

__all__ = ["VEE"]

_NEARLY_SINGULAR = 1e-4
"""Share of the largest pivot of a Cholesky factor below which its inverse has lost half its digits."""


class VEE(MatrixFamily):
    """``Sigma_k = lambda_k C`` with ``|C| = 1``.

    With S_k the covariance of component k about its mean: ``C`` is proportional to ``sum_k n_k S_k / lambda_k`` and
    ``lambda_k = tr(S_k C^-1) / D``, in turn (Celeux and Govaert 1995, section 3.1).
    """

    name = "VEE"
    general = "VEE"

    def n_parameters(self, n_components: int, n_features: int) -> int:
        return n_components - 1 + n_features * (n_features + 1) // 2

    def estimate(
        self, statistics: Statistics, means: FloatArray, prior: Prior, previous: FloatArray | None = None
    ) -> FloatArray:
        own, counts = component_covariances(statistics, means, prior, previous), statistics.counts
        # Columns in equal units: the eigenvalues of others would lose the digits of the small ones.
        deviations = np.sqrt(np.average(np.einsum("kii->ki", own), axis=0, weights=counts))
        units = deviations[:, None] * deviations[None, :]
        with np.errstate(all="ignore"):
            own = own / units
            start = np.einsum("kii->k", own if previous is None else previous / units)
            volumes = settle_volumes(
                start, counts, len(units), lambda volumes: _shares(counts / volumes, own)
            )
            if volumes is not None:
                shared = np.einsum("k,kij->ij", counts / volumes, own) / counts.sum()
                return np.asarray(volumes[:, None, None] * (shared * units))
            volumes, shape = alternate_volumes(
                start,
                lambda volumes: _unit_volume(np.einsum("k,kij->ij", counts / volumes, own), prior.ridge),
                lambda shape: np.einsum("kij,ij->k", own, _inverse(shape)) / len(shape),
            )
            return np.asarray(volumes[:, None, None] * (shape * units))

    def estimate_above(
        self, statistics: Statistics, means: FloatArray, bound: Bound, previous: FloatArray | None = None
    ) -> FloatArray:
        own = bound.whiten(component_covariances(statistics, means, NO_RIDGE, previous))
        before = None if previous is None else matrix_volumes(bound.whiten(previous), 1.0)
        return bound.color(one_matrix(own, statistics.counts, before))

    def rescale(self, covariances: FloatArray, scale: FloatArray) -> FloatArray | None:
        return covariances * scale[:, None] * scale[None, :]

    def transform(self, covariances: FloatArray, matrix: FloatArray) -> FloatArray | None:
        return symmetric(matrix @ covariances @ matrix.T)


def _unit_volume(matrix: FloatArray, ridge: float) -> FloatArray:
    return np.asarray(matrix / matrix_volumes(matrix, ridge))


def _shares(rates: FloatArray, own: FloatArray) -> tuple[float, FloatArray, FloatArray]:
    """Return what `settle_volumes` asks of ``M = sum_k rate_k S_k``; NaN where M is nearly singular."""
    weighted = rates[:, None, None] * own
    lower, info = lapack.dpotrf(weighted.sum(axis=0), lower=1, clean=1)
    diagonal = lower.diagonal()
    if info != 0 or not diagonal.min() > _NEARLY_SINGULAR * diagonal.max():
        return np.nan, np.full(len(own), np.nan), np.full((len(own), 1), np.nan)
    log_determinant = 2 * float(np.log(diagonal).sum())
    inverse, _ = lapack.dtrtri(lower, lower=1)
    whitened = inverse @ weighted @ inverse.T
    return log_determinant, np.einsum("kii->k", whitened), whitened.reshape(len(own), -1)


def _inverse(matrix: FloatArray) -> FloatArray:
    """Return the inverse of a positive definite matrix (D, D), NaN where it is none."""
    lower, info = lapack.dpotrf(matrix, lower=1, clean=1)
    if info == 0:
        lower, info = lapack.dtrtri(lower, lower=1, overwrite_c=1)
    return np.asarray(lower.T @ lower) if info == 0 else np.full_like(matrix, np.nan)
