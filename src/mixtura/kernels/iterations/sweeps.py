"""Common axes of covariances by sweeps over planes of two axes, with and without a floor: the twin that defines them.

In the plane of axes i and j the loss ``sum_k r_ki w_kii + r_kj w_kjj``, with rates ``r_ki = n_k / g_ki``, is, but for a
constant, ``P cos 2t + Q sin 2t`` of the angle t, with ``P = sum_k (r_ki - r_kj)(w_kii - w_kjj) / 2`` and
``Q = sum_k (r_ki - r_kj) w_kij``: the best angle is known, and all disjoint planes are turned at once (Flury and
Gautschi 1986).
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from mixtura._typing import FloatArray, IntArray
from mixtura.kernels.iterations.angles import axes_loss

__all__ = [
    "disjoint_planes",
    "floored_axes",
    "floored_equal_volume",
    "spread_along",
    "sweep_axes",
]

_TOLERANCE = 1e-10
"""Decrease of the mean log-volume in a sweep, in nats, at which the axes have converged."""

_MOST_FLOORED_SWEEPS = 2

_MOST_STEPS = 200
"""Newton steps for a volume; a handful is enough, as each rank that is passed costs one."""

_LEAST = 1e-300

_EPSILON = float(np.finfo(np.float64).eps)

_NONE = np.array([], dtype=np.intp)


@lru_cache(maxsize=64)
def disjoint_planes(n_features: int) -> tuple[tuple[IntArray, IntArray], ...]:
    """Return all pairs of axes, in rounds of disjoint pairs (a round-robin tournament)."""
    players = list(range(n_features)) + [-1] * (n_features % 2)
    rounds = []
    for _ in range(len(players) - 1):
        half = len(players) // 2
        pairs = [
            (a, b) for a, b in zip(players[:half], reversed(players[half:]), strict=True) if min(a, b) >= 0
        ]
        if pairs:
            rounds.append((np.array([a for a, _ in pairs]), np.array([b for _, b in pairs])))
        players = [players[0], players[-1], *players[1:-1]]
    return tuple(rounds)


def spread_along(variances: FloatArray, counts: FloatArray, *, equal_volume: bool) -> FloatArray:
    """Return the best variances (K, D) along common axes, from those of each component by itself, v_k.

    They are v_k; or, with one volume, ``lambda v_k / |v_k|^(1/D)`` with ``lambda = sum_k n_k |v_k|^(1/D) / n``. NaN
    where a variance is negative.
    """
    if not equal_volume:
        return variances
    volumes = np.exp(np.add.reduce(np.log(variances), axis=1) / variances.shape[1])
    return np.asarray(variances * (counts.dot(volumes) / np.add.reduce(counts) / volumes)[:, None])


def sweep_axes(
    axes: FloatArray, counts: FloatArray, own: FloatArray, most_sweeps: int, *, equal_volume: bool
) -> FloatArray:
    """Return axes (D, D), as columns, turned in one plane after another until the loss has converged.

    Each rotation lowers ``sum_k n_k tr(D^T S_k D A_k^-1) / lambda_k``.

    Parameters
    ----------
    axes : ndarray of shape (D, D)
        To begin with.
    counts : ndarray of shape (K,)
    own : ndarray of shape (K, D, D)
        Covariances of the components by themselves.
    most_sweeps : int
        Sweeps over all planes after which it ends all the same.
    equal_volume : bool
        Whether all are to have one volume.
    """
    axes, rotated = axes.copy(), _rotated(own, axes)
    before, _ = axes_loss(_diagonals(rotated), counts, equal_volume=equal_volume)
    for _ in range(most_sweeps):
        for left, right in disjoint_planes(len(axes)):
            spread = spread_along(_diagonals(rotated), counts, equal_volume=equal_volume)
            turns = _best_turns(rotated, counts[:, None] / spread, left, right)
            _turn(axes, left, right, *turns)
            _turn_both(rotated, left, right, *turns)
        after, _ = axes_loss(_diagonals(rotated), counts, equal_volume=equal_volume)
        if not before - after > _TOLERANCE:
            break
        before = after
    return axes


def floored_axes(
    axes: FloatArray,
    counts: FloatArray,
    own: FloatArray,
    root: FloatArray,
    least: float,
    *,
    equal_volume: bool,
) -> tuple[FloatArray, FloatArray, float]:
    """Return common axes (D, D), the variances along them (K, D) that keep a floor, and their loss.

    The loss is ``sum_k n_k sum_j (log g_kj + v_kj / g_kj) / n``, in nats. The floor ``B = R R^T`` holds along the axes
    and rotates with them, so a rotation may lose: the best of all is returned where it is below ``least`` by more than
    rounding, otherwise arrays that say nothing and ``least``.

    Parameters
    ----------
    axes, counts, own, equal_volume
        As of `sweep_axes`.
    root : ndarray of shape (D, D)
        R.
    least : float
        The loss that is to be improved.
    """
    axes, rotated, turned = axes.copy(), _rotated(own, axes), root.T @ axes
    best = axes.copy(), np.full((len(own), len(axes)), np.nan)
    for _ in range(_MOST_FLOORED_SWEEPS):
        before = least
        for left, right in ((_NONE, _NONE), *disjoint_planes(len(axes))):
            variances, lowest = _diagonals(rotated), np.add.reduce(turned**2, axis=0)
            if equal_volume:
                spread = floored_equal_volume(variances / lowest, counts) * lowest
            else:
                spread = np.maximum(variances, lowest)
            loss, rounding = _floored_loss(spread, variances, counts)
            if loss < least - rounding:
                least, best = loss, (axes.copy(), spread)
            turns = _best_turns(rotated, counts[:, None] / spread, left, right)
            for one in (axes, turned):
                _turn(one, left, right, *turns)
            _turn_both(rotated, left, right, *turns)
        if not before - least > _TOLERANCE:
            break
    return *best, least


def floored_equal_volume(own: FloatArray, counts: FloatArray) -> FloatArray:
    """Return the best ``g_k >= 1`` (K, D) of one volume, ``prod_j g_kj`` equal in all components.

    The best minimize ``sum_k n_k sum_j (log g_kj + e_kj / g_kj)`` of variances e. For a given volume ``exp v``,
    ``g_kj = max(e_kj exp c_k, 1)``, with c_k such that the product is right: with S_kr the sum of the r largest of
    ``log e_kj``, ``c_k = min_r (v - S_kr) / r``. The sum over components has the derivative
    ``sum_k n_k (1 - exp(-c_k))`` in v, which increases: its root, or ``v = 0``. As c_k is concave in v,
    ``log(sum_k n_k exp(-c_k) / n)`` is convex, and Newton's method from v = 0 never passes its root.

    Parameters
    ----------
    own : ndarray of shape (K, D)
    counts : ndarray of shape (K,)
    """
    logs = np.log(np.maximum(own, _LEAST))
    sums = np.cumsum(np.sort(logs, axis=1)[:, ::-1], axis=1)
    ranks = np.arange(1.0, logs.shape[1] + 1)
    volume, components = 0.0, np.arange(len(logs))
    for _ in range(_MOST_STEPS):
        shifts = (volume - sums) / ranks
        rank = shifts.argmin(axis=1)
        shift = shifts[components, rank]
        low = np.minimum.reduce(shift)
        shares = counts * np.exp(low - shift)
        excess = np.log(np.add.reduce(shares) / np.add.reduce(counts)) - low
        step = excess * np.add.reduce(shares) / shares.dot(1.0 / ranks[rank])
        if not step > _EPSILON * max(1.0, volume):
            break
        volume += step
    return np.asarray(np.exp(np.maximum(logs + shift[:, None], 0.0)))


def _floored_loss(spread: FloatArray, variances: FloatArray, counts: FloatArray) -> tuple[float, float]:
    """Return the loss, and what is rounding in it: the smallest variances have lost the digits of the largest."""
    total = np.add.reduce(counts)
    losses = np.add.reduce(np.log(spread) + variances / spread, axis=1)
    lost = np.add.reduce(np.maximum.reduce(spread, axis=1)[:, None] / spread, axis=1)
    return float(counts.dot(losses) / total), float(_EPSILON * counts.dot(lost) / total)


def _best_turns(
    rotated: FloatArray, rates: FloatArray, left: IntArray, right: IntArray
) -> tuple[FloatArray, FloatArray]:
    """Return the cosines and sines of the best angles in some planes."""
    unlike = rates[:, left] - rates[:, right]
    cosine = 0.5 * (unlike * (rotated[:, left, left] - rotated[:, right, right])).sum(axis=0)
    sine = (unlike * rotated[:, left, right]).sum(axis=0)
    angle = np.where((cosine == 0) & (sine == 0), 0.0, 0.5 * np.arctan2(-sine, -cosine))
    return np.cos(angle), np.sin(angle)


def _turn(columns: FloatArray, left: IntArray, right: IntArray, cosine: FloatArray, sine: FloatArray) -> None:
    """Turn the columns of matrices (..., D, D), in place, in disjoint planes."""
    first, second = columns[..., left], columns[..., right]
    columns[..., left] = cosine * first + sine * second
    columns[..., right] = cosine * second - sine * first


def _turn_both(
    matrices: FloatArray, left: IntArray, right: IntArray, cosine: FloatArray, sine: FloatArray
) -> None:
    """Turn rows and columns of symmetric matrices (K, D, D), in place."""
    _turn(matrices, left, right, cosine, sine)
    _turn(matrices.swapaxes(1, 2), left, right, cosine, sine)


def _rotated(matrices: FloatArray, axes: FloatArray) -> FloatArray:
    """Return ``D^T S D`` of the matrices S (K, D, D) for axes D."""
    return np.ascontiguousarray(axes.T @ matrices @ axes)


def _diagonals(matrices: FloatArray) -> FloatArray:
    """Return a view of the diagonals (K, D) of contiguous matrices (K, D, D)."""
    return matrices.reshape(len(matrices), -1)[:, :: matrices.shape[1] + 1]
