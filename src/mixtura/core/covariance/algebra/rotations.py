"""Planes of two axes: where they are found in arrays over axes, and the rotations in them."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from scipy.linalg import lapack

from mixtura._typing import FloatArray, IntArray

__all__ = ["Planes", "cayley", "disjoint_planes", "identity", "planes_of", "rotation_in"]


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


def rotation_in(rotated: FloatArray, rates: FloatArray, left: IntArray, right: IntArray) -> FloatArray:
    """Return the rotation (D, D) that is best in each of some disjoint planes.

    In the plane of axes i and j the sum is, but for a constant, ``P cos 2t + Q sin 2t`` with
    ``P = sum_k (r_ki - r_kj)(w_kii - w_kjj) / 2`` and ``Q = sum_k (r_ki - r_kj) w_kij``.
    """
    unlike = rates[:, left] - rates[:, right]
    cosine = 0.5 * (unlike * (rotated[:, left, left] - rotated[:, right, right])).sum(axis=0)
    sine = (unlike * rotated[:, left, right]).sum(axis=0)
    angle = 0.5 * np.arctan2(-sine, -cosine)
    angle = np.where((cosine == 0) & (sine == 0), 0.0, angle)
    rotation = np.eye(rotated.shape[1])
    rotation[left, left] = rotation[right, right] = np.cos(angle)
    rotation[left, right], rotation[right, left] = -np.sin(angle), np.sin(angle)
    return rotation


def cayley(skew: FloatArray) -> FloatArray:
    """Return the rotation ``(I - X/2)^-1 (I + X/2)``, which is exp(X) to second order."""
    below = identity(len(skew)) - 0.5 * skew
    return np.asarray(lapack.dgesv(below, below.T)[2])


@lru_cache(maxsize=64)
def identity(size: int) -> FloatArray:
    """Return the identity (D, D); it is cached and must not be changed."""
    return np.eye(size)
