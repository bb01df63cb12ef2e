"""Volumes of covariances, and the alternation that finds a shape which components of different volume share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from mixtura._typing import FloatArray
from mixtura.kernels import get_algebra

__all__ = [
    "MOST_ROUNDS",
    "ROUNDING",
    "alternate_volumes",
    "diagonal_volumes",
    "geometric_mean",
    "matrix_volumes",
    "resolvable",
    "unit_volume",
]

MOST_ROUNDS = 1000
"""Rounds after which an iterative M-step ends; the next one continues from there."""

_TOLERANCE = 1e-12
"""Relative change of the volumes at which the alternation has converged."""

ROUNDING = 1e-14
"""Share of the largest variance below which the variance along an axis is rounding."""

_CLEAR = 1e-8
"""Determinant of correlations above which half the digits of their smallest eigenvalue are left, at the least."""

_PATIENCE = 10
"""Rounds without a smaller change after which what is left is rounding, as where a shape is nearly singular."""


def geometric_mean(values: npt.NDArray[np.floating[Any]]) -> FloatArray:
    """Return ``(prod_j v_j)^(1/D)`` along the last axis; zero where a value is not positive."""
    logs = np.log(np.maximum(values, 0.0))
    return np.asarray(np.exp(np.add.reduce(logs, axis=-1) / values.shape[-1]))


def matrix_volumes(matrices: FloatArray, ridge: float) -> FloatArray:
    """Return ``|S|^(1/D)`` of symmetric matrices (..., D, D); zero, or NaN as in `resolvable`, where one is singular.

    The determinant of the correlations says whether one may be: none of their eigenvalues is below ``1 / e`` of it, as
    the others have at most the product ``(D / (D - 1))^(D - 1)``. It is that of a Cholesky factor where it is clear.
    """
    try:
        squares = np.linalg.cholesky(matrices).diagonal(axis1=-2, axis2=-1) ** 2
    except np.linalg.LinAlgError:
        return _spectral_volumes(matrices, ridge)
    unexplained = squares / matrices.diagonal(axis1=-2, axis2=-1)
    if np.minimum.reduce(np.multiply.reduce(unexplained, axis=-1), axis=None) > _CLEAR:
        return np.asarray(np.exp(np.add.reduce(np.log(squares), axis=-1) / squares.shape[-1]))
    return _spectral_volumes(matrices, ridge)


def _spectral_volumes(matrices: FloatArray, ridge: float) -> FloatArray:
    """Return the same by the eigenvalues of the correlations, so that columns in small units keep their digits."""
    variances = np.maximum(matrices.diagonal(axis1=-2, axis2=-1), 0.0)
    scale = np.sqrt(variances)
    correlations = np.nan_to_num(matrices / scale[..., :, None] / scale[..., None, :], posinf=0, neginf=0)
    spread = resolvable(np.asarray(np.linalg.eigvalsh(correlations), dtype=np.float64), ridge)
    return np.asarray(geometric_mean(spread) * geometric_mean(variances))


def resolvable(variances: FloatArray, ridge: float) -> FloatArray:
    """Return variances along axes (..., D), NaN where they are rounding and a ridge does not carry them.

    A covariance assembled from rounding may pass for positive definite, with a likelihood that is noise.
    """
    largest = np.maximum.reduce(variances, axis=None)
    if ridge > 0 or np.minimum.reduce(variances, axis=None) > ROUNDING * largest:
        return variances
    return np.where(variances > ROUNDING * variances.max(axis=-1, keepdims=True), variances, np.nan)


def unit_volume(values: FloatArray) -> FloatArray:
    """Return the values divided by their geometric mean along the last axis."""
    return np.asarray(values / geometric_mean(values)[..., None])


def alternate_volumes(
    volumes: FloatArray,
    shape_of: Callable[[FloatArray], FloatArray],
    volumes_of: Callable[[FloatArray], FloatArray],
) -> tuple[FloatArray, FloatArray]:
    """Alternate between the volumes lambda_k and the shape that all components share until neither moves.

    Each half maximizes the likelihood given the other half, so it never falls (Celeux and Govaert 1995, section 3.4).

    Parameters
    ----------
    volumes : ndarray of shape (K,)
        To begin with; positive.
    shape_of : callable
        Takes the volumes, returns the shape of unit volume.
    volumes_of : callable
        Takes the shape, returns the volumes.

    Returns
    -------
    volumes, shape
    """
    shape = shape_of(volumes)
    least, since = np.inf, 0
    for _ in range(MOST_ROUNDS):
        before, volumes = volumes, volumes_of(shape)
        shape = shape_of(volumes)
        change = np.abs(volumes - before).max() / np.abs(volumes).max()
        least, since = (change, 0) if change < least else (least, since + 1)
        if not change > _TOLERANCE or since >= _PATIENCE:
            break
    return volumes, shape


def diagonal_volumes(
    volumes: FloatArray, counts: FloatArray, variances: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return the volumes (K,) and the shape (D,) they share of variances (K, D) along axes: ``lambda_k A``.

    ``A`` is proportional to ``sum_k n_k s_k / lambda_k`` and ``lambda_k = mean_j(s_kj / A_j)``.
    """

    def shape_of(volumes: FloatArray) -> FloatArray:
        return unit_volume((counts / volumes) @ variances)

    def volumes_of(shape: FloatArray) -> FloatArray:
        return np.asarray(np.add.reduce(variances / shape, axis=1) / len(shape))

    settled = get_algebra().volumes(volumes, counts, variances)
    if settled is None:
        return alternate_volumes(volumes, shape_of, volumes_of)
    shape = shape_of(settled)
    return volumes_of(shape), shape
