"""Whitening factors of covariances, and positive definite neighbors of matrices that are not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mixtura._typing import FloatArray
from mixtura.exceptions import MixturaError
from mixtura.kernels import get_algebra

__all__ = [
    "LARGEST_VARIANCE",
    "RELATIVE_FLOOR",
    "Factors",
    "NotPositiveDefiniteError",
    "lift_eigenvalues",
    "symmetric",
    "whiten",
    "whiten_variances",
]

_LARGEST_FACTOR = 1e153
"""Squares of larger whitening factors, the precisions, overflow."""

LARGEST_VARIANCE = 1e305
"""Larger variances have no factors."""

RELATIVE_FLOOR = 1e-12
"""Eigenvalues below this share of the largest are lost in the rounding of a Cholesky factorization."""


class NotPositiveDefiniteError(MixturaError, ValueError):
    """Some covariances are not positive definite; `components` says whose."""

    def __init__(self, components: Sequence[int]) -> None:
        super().__init__(f"The covariances of components {list(components)!r} are not positive definite.")
        self.components = tuple(components)


@dataclass(frozen=True, slots=True, eq=False)
class Factors:
    """What whitens the rows: ``z_k = L_k (x - mu_k)`` has covariance I.

    Parameters
    ----------
    whitening : ndarray
        Lower triangular ``L_k`` of shape (K, D, D), one ``L`` of shape (D, D), or reciprocal deviations of shape
        (K, D), as the storage has matrices, one matrix or variances.
    log_determinants : ndarray of shape (K,), or (1,) where all components share it
        ``log |L_k|``, which is ``-log |Sigma_k| / 2``.
    """

    whitening: FloatArray
    log_determinants: FloatArray


def whiten(covariances: FloatArray) -> Factors:
    """Return ``L_k`` with ``L_k Sigma_k L_k^T = I`` for matrices of shape (K, D, D).

    ``Sigma = C C^T`` (Cholesky) gives ``L = C^{-1}``.

    Raises
    ------
    NotPositiveDefiniteError
        Naming every component whose factorization fails, or whose precisions would overflow.
    """
    if not covariances.size:
        return Factors(np.zeros_like(covariances), np.zeros(len(covariances)))
    whitening, log_determinants, trouble = get_algebra().factor(covariances)
    if trouble:
        raise NotPositiveDefiniteError([k for k, each in enumerate(trouble) if each])
    return Factors(whitening, log_determinants)


def whiten_variances(variances: FloatArray) -> Factors:
    """Return reciprocal deviations and log-determinants for variances of shape (K, D).

    Raises
    ------
    NotPositiveDefiniteError
        Naming every component with a variance that is not positive, or whose precision would overflow.
    """
    least = np.minimum.reduce(variances, axis=None, initial=np.inf)
    largest = np.maximum.reduce(variances, axis=None, initial=-np.inf)
    if not (least > _LARGEST_FACTOR**-2 and largest < np.inf):
        good = (variances > _LARGEST_FACTOR**-2) & np.isfinite(variances)
        raise NotPositiveDefiniteError(np.flatnonzero(~good.all(axis=1)).tolist())
    return Factors(1.0 / np.sqrt(variances), -0.5 * np.add.reduce(np.log(variances), axis=1))


def lift_eigenvalues(matrix: FloatArray, floor: float, magnitude: FloatArray) -> FloatArray:
    """Return the symmetric (D, D) matrix with its smallest eigenvalues raised to a floor.

    No variance stays below ``floor``, nor below what rounding leaves of values of the given magnitude; no
    eigenvalue below 1e-12 of the largest. The latter holds in coordinates scaled by the standard deviations, so
    that columns in small units keep their variances.

    Parameters
    ----------
    matrix : ndarray of shape (D, D)
    floor : float
        In squared units of the data.
    magnitude : ndarray of shape (D,)
        Largest absolute value of each column.
    """
    rounding = (np.finfo(np.float64).eps * magnitude) ** 2
    variances = np.maximum(matrix.diagonal(), np.maximum(rounding, floor))
    scale = np.sqrt(variances)
    correlation = matrix / scale[:, None] / scale[None, :]
    values, vectors = np.linalg.eigh((correlation + correlation.T) / 2)
    values = np.maximum(values, RELATIVE_FLOOR * max(float(values[-1]), 1.0))
    lifted = symmetric((vectors * values) @ vectors.T * scale[:, None] * scale[None, :])
    lifted[np.diag_indices_from(lifted)] = np.maximum(lifted.diagonal(), variances)
    return lifted


def symmetric(matrices: FloatArray) -> FloatArray:
    """Return the symmetric part of matrices (..., D, D)."""
    return 0.5 * (matrices + np.swapaxes(matrices, -1, -2))
