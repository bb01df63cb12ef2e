"""Axes that several covariances share: the rotation at which a loss of the variances along the axes is least."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Protocol

import numpy as np
from scipy.linalg import lapack

from mixtura._typing import FloatArray
from mixtura.core.covariance.algebra.rotations import (
    cayley,
    disjoint_planes,
    identity,
    planes_of,
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
    "newton_step",
    "pooled_axes",
    "sweep_axes",
]

_TOLERANCE = 1e-10
"""Decrease of the mean log-volume in a sweep, in nats, at which the axes have converged."""

_SETTLED = 1e-6
"""Decrease promised by a last Newton step: its errors are squared by each step."""

_MOST_STEPS = 20

_MOST_HALVINGS = 8
"""How often a step that does not lower the loss is halved; along a descent some length does."""

_FLAT = 1e-10
"""Curvature below this share of the largest is treated as zero."""

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

    Newton's method on the angles of all planes of two axes needs a step or two near the best axes (as in Ablin, Cardoso
    and Gramfort 2018, with the whole Hessian).

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
    rotated = _rotated(own, axes)
    before, shares = loss.loss_and_shares(_diagonals(rotated), counts)
    for _ in range(_MOST_STEPS):
        step, promised = newton_step(loss, rotated, shares)
        if not math.isfinite(promised):
            break
        for _ in range(_MOST_HALVINGS):
            rotation = cayley(step)
            tried = _rotated(rotated, rotation)
            after, shares = loss.loss_and_shares(_diagonals(tried), counts)
            if after <= before + _TOLERANCE:
                break
            step = 0.5 * step
        else:
            break
        axes, rotated, before = axes.dot(rotation), tried, after
        if promised < _SETTLED:
            return axes
    return sweep_axes(loss, axes, own, counts, most_sweeps)


def newton_step(loss: AxesLoss, rotated: FloatArray, shares: FloatArray) -> tuple[FloatArray, float]:
    """Return the skew matrix X (D, D) of a Newton step, and the decrease of the loss it promises; infinite if none.

    ``exp(-X) W exp(X) = W + [W, X] + [[W, X], X] / 2 + ...`` gives both derivatives of ``log v_ki``. Let
    ``T_ibc = sum_k u_k W_kbc / v_ki`` and ``F_ibc = sum_k u_k W_kib W_kic / v_ki^2``. Half the derivative in the
    plane of b and c is ``T_ccb - T_bbc``. Half the second derivative is ``H_ibc = T_ibc - 2 F_ibc - (T_bbc + T_ccb)
    / 2`` in the planes of i and b and of i and c, which share one axis; ``H_ibb + H_bii`` where they share both;
    zero where they share none.
    """
    n_features = rotated.shape[1]
    planes, variances, flat = planes_of(n_features), _diagonals(rotated), rotated.reshape(len(rotated), -1)
    inverse = 1.0 / variances
    rates = shares[:, None] * inverse
    half = rates.T.dot(flat).reshape(n_features, n_features, n_features)
    own = half.reshape(-1, n_features)[:: n_features + 1]
    gradient = (own.T - own).take(planes.entries)
    scaled = (2.0 * rates * inverse)[:, :, None] * rotated
    both = 0.5 * (own + own.T)
    half -= scaled.transpose(1, 2, 0) @ rotated.transpose(1, 0, 2)
    half -= both
    curvature = half.take(planes.pairs) * planes.signs
    curvature.reshape(-1)[:: len(gradient) + 1] += half.take(planes.mirrored)
    if loss.equal_volume:
        apart = inverse.take(planes.second, axis=1) - inverse.take(planes.first, axis=1)
        apart = flat.take(planes.entries, axis=1) * apart - gradient
        curvature += ((2.0 / n_features * shares)[:, None] * apart).T.dot(apart)
    angles = _solve(curvature, gradient)
    return angles.take(planes.positions) * planes.turns, -float(gradient.dot(angles))


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


def _solve(curvature: FloatArray, gradient: FloatArray) -> FloatArray:
    """Return ``-H^-1 g``, with the absolute eigenvalues of H unless it is clearly positive definite; NaN if none."""
    lower, angles, info = lapack.dposv(curvature, gradient, lower=1)
    pivots = lower.diagonal().tolist() if info == 0 else [0.0]
    if min(pivots) ** 2 > _FLAT * max(pivots) ** 2:
        return np.asarray(-angles)
    if not np.isfinite(curvature).all():
        return np.full_like(gradient, np.nan)
    values, vectors = np.linalg.eigh(curvature)
    sizes = np.abs(values)
    return np.asarray(-vectors @ (vectors.T @ gradient / np.maximum(sizes, _FLAT * sizes.max())))


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
