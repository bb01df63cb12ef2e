"""Common axes of covariances by Newton's method on the angles between them: the twin that defines them."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from mixtura._lazy import load_lapack
from mixtura._typing import FloatArray, IntArray

__all__ = ["Planes", "axes_loss", "cayley", "newton_axes", "newton_step", "planes_of"]

_TOLERANCE = 1e-10
"""Increase of the mean log-volume, in nats, that is rounding."""

_SETTLED = 1e-6
"""Decrease promised by a last Newton step: its errors are squared by each step."""

_MOST_STEPS = 20

_MOST_HALVINGS = 8
"""How often a step that does not lower the loss is halved; along a descent some length does."""

_FLAT = 1e-10
"""Curvature below this share of the largest is treated as zero."""


class Planes(NamedTuple):
    """Positions of the P planes of two axes i < j in arrays over axes.

    Parameters
    ----------
    first, second : ndarray of shape (P,)
        The axes i and j.
    entries : ndarray of shape (P,)
        Of (i, j) in a flat (D, D) matrix.
    positions, turns : ndarray of shape (D, D)
        Of the plane of two axes among all, and the sign of its skew matrix: 1 above and -1 below the diagonal.
    pairs, signs : ndarray of shape (P, P)
        Of (i, b, c) in a flat (D, D, D) array for the planes of i and b and of i and c, and the product of their
        turns; a plane is paired with itself at (i, j, j). The sign is 0 where the planes share no axis.
    mirrored : ndarray of shape (P,)
        Of (j, i, i).
    """

    first: IntArray
    second: IntArray
    entries: IntArray
    positions: IntArray
    turns: FloatArray
    pairs: IntArray
    signs: FloatArray
    mirrored: IntArray


@lru_cache(maxsize=64)
def planes_of(n_features: int) -> Planes:
    """Return the planes of a number of axes."""
    first, second = np.triu_indices(n_features, 1)
    own = np.arange(first.size)
    positions = np.zeros((n_features, n_features), dtype=np.intp)
    positions[first, second] = positions[second, first] = own
    turns = np.sign(np.arange(n_features) - np.arange(n_features)[:, None]).astype(np.float64)
    pairs, signs = np.zeros((first.size, first.size), dtype=np.intp), np.zeros((first.size, first.size))
    shared, left, right = np.nonzero((turns[:, :, None] != 0) & (turns[:, None, :] != 0))
    both = positions[shared, left], positions[shared, right]
    pairs[both] = (shared * n_features + left) * n_features + right
    signs[both] = turns[shared, left] * turns[shared, right]
    pairs[own, own] = (first * n_features + second) * n_features + second
    mirrored = (second * n_features + first) * n_features + first
    return Planes(first, second, first * n_features + second, positions, turns, pairs, signs, mirrored)


def axes_loss(variances: FloatArray, counts: FloatArray, *, equal_volume: bool) -> tuple[float, FloatArray]:
    """Return the mean log-volume that variances (K, D) along common axes leave, in nats, and its derivatives u_k (K,).

    With variances of any size it is ``sum_k n_k log |v_k| / n``; with one volume for all components
    ``D log sum_k n_k |v_k|^(1/D) / n``. A change of ``sum_i log v_ki`` by q_k, for every k, changes it by
    ``sum_k u_k q_k + c/2 (sum_k u_k q_k^2 - (sum_k u_k q_k)^2)``, with c = 1/D with one volume, zero otherwise.
    """
    logs, total, n_features = (
        np.add.reduce(np.log(variances), axis=1),
        np.add.reduce(counts),
        variances.shape[1],
    )
    if not equal_volume:
        shares = counts / total
        return float(shares.dot(logs)), shares
    volumes = counts * np.exp(logs / n_features)
    size = np.add.reduce(volumes)
    return float(n_features * np.log(size / total)), volumes / size


def newton_axes(
    axes: FloatArray, counts: FloatArray, own: FloatArray, *, equal_volume: bool
) -> tuple[FloatArray, bool]:
    """Return axes (D, D), as columns, turned by Newton steps while each lowers the loss; and whether they have settled.

    Newton's method on the angles of all planes of two axes needs a step or two near the best axes (as in Ablin, Cardoso
    and Gramfort 2018, with the whole Hessian).

    Parameters
    ----------
    axes : ndarray of shape (D, D)
        To begin with.
    counts : ndarray of shape (K,)
    own : ndarray of shape (K, D, D)
        Covariances of the components by themselves.
    equal_volume : bool
        Whether all are to have one volume.
    """
    rotated = axes.T @ own @ axes
    before, shares = axes_loss(_diagonals(rotated), counts, equal_volume=equal_volume)
    for _ in range(_MOST_STEPS):
        step, promised = newton_step(rotated, shares, equal_volume=equal_volume)
        if not math.isfinite(promised):
            return axes, False
        for _ in range(_MOST_HALVINGS):
            rotation = cayley(step)
            tried = rotation.T @ rotated @ rotation
            after, shares = axes_loss(_diagonals(tried), counts, equal_volume=equal_volume)
            if after <= before + _TOLERANCE:
                break
            step = 0.5 * step
        else:
            return axes, False
        axes, rotated, before = axes.dot(rotation), tried, after
        if promised < _SETTLED:
            return axes, True
    return axes, False


def newton_step(rotated: FloatArray, shares: FloatArray, *, equal_volume: bool) -> tuple[FloatArray, float]:
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
    if equal_volume:
        apart = inverse.take(planes.second, axis=1) - inverse.take(planes.first, axis=1)
        apart = flat.take(planes.entries, axis=1) * apart - gradient
        curvature += ((2.0 / n_features * shares)[:, None] * apart).T.dot(apart)
    angles = _solve(curvature, gradient)
    return angles.take(planes.positions) * planes.turns, -float(gradient.dot(angles))


def cayley(skew: FloatArray) -> FloatArray:
    """Return the rotation ``(I - X/2)^-1 (I + X/2)``, which is exp(X) to second order."""
    below = np.eye(len(skew)) - 0.5 * skew
    return np.asarray(load_lapack().dgesv(below, below.T)[2])


def _solve(curvature: FloatArray, gradient: FloatArray) -> FloatArray:
    """Return ``-H^-1 g``, with the absolute eigenvalues of H unless it is clearly positive definite; NaN if none."""
    lower, angles, info = load_lapack().dposv(curvature, gradient, lower=1)
    pivots = lower.diagonal().tolist() if info == 0 else [0.0]
    if min(pivots) ** 2 > _FLAT * max(pivots) ** 2:
        return np.asarray(-angles)
    if not np.isfinite(curvature).all():
        return np.full_like(gradient, np.nan)
    values, vectors = np.linalg.eigh(curvature)
    sizes = np.abs(values)
    return np.asarray(-vectors @ (vectors.T @ gradient / np.maximum(sizes, _FLAT * sizes.max())))


def _diagonals(matrices: FloatArray) -> FloatArray:
    """Return a view of the diagonals (K, D) of contiguous matrices (K, D, D)."""
    return matrices.reshape(len(matrices), -1)[:, :: matrices.shape[1] + 1]
