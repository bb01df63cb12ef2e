"""Volumes of covariances, and the alternation that finds a shape which components of different volume share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from mixtura._typing import FloatArray

__all__ = ["MOST_ROUNDS", "alternate_volumes", "geometric_mean", "matrix_volumes", "unit_volume"]

MOST_ROUNDS = 1000
"""Rounds after which an iterative M-step ends; the next one goes on from there."""

_TOLERANCE = 1e-12
"""Relative change of the volumes at which the alternation has converged."""

_PATIENCE = 10
"""Rounds without a smaller change after which what is left is rounding, as where a shape is nearly singular."""


def geometric_mean(values: npt.NDArray[np.floating[Any]]) -> FloatArray:
    """Return ``(prod_j v_j)^(1/D)`` along the last axis; zero where a value is not positive."""
    with np.errstate(divide="ignore"):
        logs = np.log(np.maximum(values, 0.0))
    return np.asarray(np.exp(logs.mean(axis=-1)))


def matrix_volumes(matrices: FloatArray) -> FloatArray:
    """Return ``|S|^(1/D)`` of symmetric matrices (..., D, D); zero where one is not positive definite.

    The determinant is that of the correlations, so that columns in small units keep their digits.
    """
    variances = np.maximum(np.diagonal(matrices, axis1=-2, axis2=-1), 0.0)
    scale = np.sqrt(np.where(variances > 0, variances, 1.0))
    sign, log_determinant = np.linalg.slogdet(matrices / scale[..., :, None] / scale[..., None, :])
    usable = (sign > 0) & (variances > 0).all(axis=-1)
    log_volume = log_determinant / matrices.shape[-1] + 2 * np.log(scale).mean(axis=-1)
    return np.asarray(np.where(usable, np.exp(np.where(usable, log_volume, 0.0)), 0.0))


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
