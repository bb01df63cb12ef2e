"""Axes that several covariances share: the rotation at which a loss of the variances along the axes is least."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Protocol

import numpy as np

from mixtura._typing import FloatArray
from mixtura.core.covariance.algebra.rotations import (
    disjoint_planes,
    identity,
    rotation_in,
)
from mixtura.core.floor import CovarianceFloor
from mixtura.kernels import get_algebra

__all__ = [
    "AxesLoss",
    "along_axes",
    "best_axes",
    "common_axes",
    "constrained_axes",
    "from_axes",
    "pooled_axes",
    "sweep_axes",
]

_TOLERANCE = 1e-10
"""Decrease of the mean log-volume in a sweep, in nats, at which the axes have converged."""

_MOST_PLANES = 66
"""Newton's method solves for the angles of all planes at once; beyond 12 columns sweeps are quicker."""

_MOST_CONSTRAINED_SWEEPS = 2

_EPSILON = float(np.finfo(np.float64).eps)

_NONE = np.array([], dtype=np.intp)


class AxesLoss(Protocol):
    """What is minimized over the axes, as a function of the variances along them.

    Attributes
    ----------
    equal_volume : bool
        Whether all components have one volume.
    """

    equal_volume: bool

    def spread(self, variances: FloatArray, counts: FloatArray) -> FloatArray:
        """Return ``lambda_k A_k`` (K, D) that the structure allows, from the variances along the axes (K, D)."""

    def spread_above(self, variances: FloatArray, counts: FloatArray, lowest: FloatArray) -> FloatArray:
        """Return the same where each is to be at least the lowest along its axis, (D,)."""

    def loss_and_shares(self, variances: FloatArray, counts: FloatArray) -> tuple[float, FloatArray]:
        """Return the loss, the mean log-volume that is left, in nats, and its derivatives u_k (K,).

        A change of ``sum_i log v_ki`` by q_k, for every k, changes the loss by
        ``sum_k u_k q_k + c/2 (sum_k u_k q_k^2 - (sum_k u_k q_k)^2)``, with c = 1/D with one volume, zero otherwise.
        """


def best_axes(
    loss: AxesLoss, axes: FloatArray, own: FloatArray, counts: FloatArray, most_sweeps: int
) -> FloatArray:
    """Return the best axes near some, (D, D), as columns: by Newton steps while each lowers the loss, else by sweeps.

    Parameters
    ----------
    loss : AxesLoss
    axes : ndarray of shape (D, D)
    own : ndarray of shape (K, D, D)
        Covariances of the components by themselves.
    counts : ndarray of shape (K,)
    most_sweeps : int
    """
    n_features = len(axes)
    if n_features * (n_features - 1) // 2 > _MOST_PLANES or n_features == 1:
        return sweep_axes(loss, axes, own, counts, most_sweeps)
    axes, settled = get_algebra().turn_axes(axes, counts, own, equal_volume=loss.equal_volume)
    return axes if settled else sweep_axes(loss, axes, own, counts, most_sweeps)


def sweep_axes(
    loss: AxesLoss, axes: FloatArray, own: FloatArray, counts: FloatArray, most_sweeps: int
) -> FloatArray:
    """Return the axes rotated in one plane after another until the loss has converged, or after the most sweeps.

    In each plane of two axes the best angle is known, and all disjoint planes are turned at once (Flury and Gautschi
    1986). Each rotation lowers ``sum_k n_k tr(D^T S_k D A_k^-1) / lambda_k``.
    """
    rotated = _rotated(own, axes)
    before, _ = loss.loss_and_shares(_diagonals(rotated), counts)
    for _ in range(most_sweeps):
        for left, right in disjoint_planes(axes.shape[0]):
            rates = counts[:, None] / loss.spread(_diagonals(rotated), counts)
            rotation = rotation_in(rotated, rates, left, right)
            axes, rotated = axes @ rotation, _rotated(rotated, rotation)
        after, _ = loss.loss_and_shares(_diagonals(rotated), counts)
        if not before - after > _TOLERANCE:
            break
        before = after
    return axes


def constrained_axes(
    loss: AxesLoss,
    own: FloatArray,
    counts: FloatArray,
    floor: CovarianceFloor,
    previous: FloatArray | None,
) -> FloatArray:
    """Return the best covariances (K, D, D) with common axes whose variances along the axes keep a floor.

    The floor holds along the axes and rotates with them, so a rotation may lose: the best of all is kept.
    """
    axes = pooled_axes(own, counts) if previous is None else common_axes(previous)
    rotated = _rotated(own, axes)
    least, best = np.inf, np.array(np.nan)
    if previous is not None:
        least, best = _remaining(along_axes(previous, axes), rotated, counts), previous
    for _ in range(_MOST_CONSTRAINED_SWEEPS):
        before = least
        for left, right in ((_NONE, _NONE), *disjoint_planes(axes.shape[0])):
            spread = loss.spread_above(_diagonals(rotated), counts, floor.along(axes))
            remaining = _remaining(spread, rotated, counts)
            if remaining < least - _rounding(spread, counts):
                least, best = remaining, (axes * spread[:, None, :]) @ axes.T
            rotation = rotation_in(rotated, counts[:, None] / spread, left, right)
            axes, rotated = axes @ rotation, _rotated(rotated, rotation)
        if not before - least > _TOLERANCE:
            break
    return best


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


def _remaining(spread: FloatArray, rotated: FloatArray, counts: FloatArray) -> float:
    """Return ``sum_k n_k sum_j (log g_kj + v_kj / g_kj) / n`` of variances along axes, in nats."""
    per_component = np.log(spread) + _diagonals(rotated) / spread
    return float(counts @ per_component.sum(axis=1) / counts.sum())


def _rounding(spread: FloatArray, counts: FloatArray) -> float:
    """Return what is rounding in `_remaining`: the smallest variances have lost the digits of the largest."""
    lost = np.add.reduce(np.maximum.reduce(spread, axis=1)[:, None] / spread, axis=1)
    return float(_EPSILON * counts.dot(lost) / counts.sum())


@lru_cache(maxsize=64)
def _unlike(n_components: int) -> FloatArray:
    return 1.0 + np.sqrt(np.arange(1, n_components + 1)) / 7.0


def _eigenvectors(matrix: FloatArray) -> FloatArray:
    """Return the eigenvectors of a symmetric matrix (D, D) as columns; the identity where there are none."""
    values, axes = get_algebra().eigen(matrix[None])
    return axes[0] if math.isfinite(values[0, 0]) else identity(len(matrix))


def _diagonals(matrices: FloatArray) -> FloatArray:
    """Return a view of the diagonals (K, D) of contiguous matrices (K, D, D)."""
    return matrices.reshape(len(matrices), -1)[:, :: matrices.shape[1] + 1]


def _times(matrices: FloatArray, matrix: FloatArray) -> FloatArray:
    """Return each of the matrices (K, D, D) times one: as one product."""
    return np.asarray(matrices.reshape(-1, len(matrix)).dot(matrix).reshape(matrices.shape))


def _rotated(matrices: FloatArray, axes: FloatArray) -> FloatArray:
    """Return ``D^T S D`` of the matrices S (K, D, D) for axes D."""
    return get_algebra().congruence(axes, matrices)
