"""Volumes of covariances, and the alternation that finds a shape which components of different volume share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from mixtura._typing import FloatArray

__all__ = [
    "MOST_ROUNDS",
    "alternate_volumes",
    "geometric_mean",
    "matrix_volumes",
    "told_apart",
    "unit_volume",
]

MOST_ROUNDS = 1000
"""Rounds after which an iterative M-step ends; the next one goes on from there."""

_TOLERANCE = 1e-12
"""Relative change of the volumes at which the alternation has converged."""

_ROUNDING = 1e-14
"""Share of the largest variance below which the variance along an axis is rounding."""

_PATIENCE = 10
"""Rounds without a smaller change after which what is left is rounding, as where a shape is nearly singular."""


def geometric_mean(values: npt.NDArray[np.floating[Any]]) -> FloatArray:
    """Return ``(prod_j v_j)^(1/D)`` along the last axis; zero where a value is not positive."""
    with np.errstate(divide="ignore"):
        logs = np.log(np.maximum(values, 0.0))
    return np.asarray(np.exp(logs.mean(axis=-1)))


def matrix_volumes(matrices: FloatArray, ridge: float) -> FloatArray:
    """Return ``|S|^(1/D)`` of symmetric matrices (..., D, D); zero, or NaN as in `told_apart`, where one is singular.

    The determinant is that of the correlations, so that columns in small units keep their digits.
    """
    variances = np.maximum(np.diagonal(matrices, axis1=-2, axis2=-1), 0.0)
    with np.errstate(all="ignore"):
        scale = np.sqrt(variances)
        correlations = np.nan_to_num(matrices / scale[..., :, None] / scale[..., None, :], posinf=0, neginf=0)
    spread = told_apart(np.asarray(np.linalg.eigvalsh(correlations), dtype=np.float64), ridge)
    return np.asarray(geometric_mean(spread) * geometric_mean(variances))


def told_apart(variances: FloatArray, ridge: float) -> FloatArray:
    """Return variances along axes (..., D), NaN where they cannot be told from zero and no ridge carries them.

    A covariance assembled from rounding may pass for positive definite, with a likelihood that is noise.
    """
    if ridge > 0:
        return variances
    return np.where(variances > _ROUNDING * variances.max(axis=-1, keepdims=True), variances, np.nan)


def unit_volume(values: FloatArray) -> FloatArray:
    """Return the values divided by their geometric mean along the last axis."""
    with np.errstate(divide="ignore", invalid="ignore"):
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
