"""Axes that several covariances share: the rotation at which a loss of the variances along the axes is least."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from mixtura._typing import FloatArray
from mixtura.core.floor import CovarianceFloor
from mixtura.kernels import get_algebra

__all__ = [
    "along_axes",
    "best_axes",
    "common_axes",
    "constrained_axes",
    "from_axes",
    "pooled_axes",
]

_MOST_PLANES = 66
"""Newton's method solves for the angles of all planes at once; beyond 12 columns sweeps are quicker."""


def best_axes(
    axes: FloatArray, counts: FloatArray, own: FloatArray, most_sweeps: int, *, equal_volume: bool
) -> FloatArray:
    """Return the best axes near some, (D, D), as columns: by Newton steps while each lowers the loss, else by sweeps.

    Parameters
    ----------
    axes : ndarray of shape (D, D)
    counts : ndarray of shape (K,)
    own : ndarray of shape (K, D, D)
        Covariances of the components by themselves.
    most_sweeps : int
    equal_volume : bool
        Whether all components have one volume.
    """
    n_features = len(axes)
    if 0 < n_features * (n_features - 1) // 2 <= _MOST_PLANES:
        axes, settled = get_algebra().turn_axes(axes, counts, own, equal_volume=equal_volume)
        if settled:
            return axes
    return get_algebra().sweep_axes(axes, counts, own, most_sweeps, equal_volume=equal_volume)


def constrained_axes(
    counts: FloatArray,
    own: FloatArray,
    floor: CovarianceFloor,
    previous: FloatArray | None,
    *,
    equal_volume: bool,
) -> FloatArray:
    """Return the best covariances (K, D, D) with common axes whose variances along the axes keep a floor.

    They are the previous ones where no axes near theirs are better.
    """
    if previous is None:
        axes, least = pooled_axes(own, counts), np.inf
    else:
        axes = common_axes(previous)
        spread, variances = along_axes(previous, axes), along_axes(own, axes)
        least = float(counts @ (np.log(spread) + variances / spread).sum(axis=1) / counts.sum())
    axes, spread, loss = get_algebra().floored_axes(
        axes, counts, own, floor.root, least, equal_volume=equal_volume
    )
    if loss < least:
        return from_axes(axes, spread)
    return np.full_like(own, np.nan) if previous is None else previous


def pooled_axes(own: FloatArray, counts: FloatArray) -> FloatArray:
    """Return the eigenvectors of the mean of matrices (K, D, D), weighted by counts."""
    mean = counts.dot(own.reshape(len(counts), -1)) / counts.sum()
    return _eigenvectors(np.nan_to_num(mean, posinf=0.0, neginf=0.0).reshape(own.shape[1:]))


def common_axes(covariances: FloatArray) -> FloatArray:
    """Return the axes that matrices (K, D, D) share, from a sum of them whose eigenvalues hardly coincide."""
    traces = np.add.reduce(_diagonals(covariances), axis=1)
    mixed = (_unlike(len(traces)) / traces).dot(covariances.reshape(len(traces), -1))
    return _eigenvectors(mixed.reshape(covariances.shape[1:]))


def along_axes(matrices: FloatArray, axes: FloatArray) -> FloatArray:
    """Return the variances (K, D) of matrices (K, D, D) along axes."""
    return _diagonals(_rotated(matrices, axes))


def from_axes(axes: FloatArray, spread: FloatArray) -> FloatArray:
    """Return the matrices (K, D, D) with common axes and the variances (K, D) along them."""
    return _times(axes * spread[:, None, :], axes.T)


@lru_cache(maxsize=64)
def _unlike(n_components: int) -> FloatArray:
    return 1.0 + np.sqrt(np.arange(1, n_components + 1)) / 7.0


def _eigenvectors(matrix: FloatArray) -> FloatArray:
    """Return the eigenvectors of a symmetric matrix (D, D) as columns; the identity where there are none."""
    values, axes = get_algebra().eigen(matrix[None])
    return axes[0] if math.isfinite(values[0, 0]) else np.eye(len(matrix))


def _diagonals(matrices: FloatArray) -> FloatArray:
    """Return a view of the diagonals (K, D) of contiguous matrices (K, D, D)."""
    return matrices.reshape(len(matrices), -1)[:, :: matrices.shape[1] + 1]


def _times(matrices: FloatArray, matrix: FloatArray) -> FloatArray:
    """Return each of the matrices (K, D, D) times one: as one product."""
    return np.asarray(matrices.reshape(-1, len(matrix)).dot(matrix).reshape(matrices.shape))


def _rotated(matrices: FloatArray, axes: FloatArray) -> FloatArray:
    """Return ``D^T S D`` of the matrices S (K, D, D) for axes D."""
    return get_algebra().congruence(axes, matrices)
