"""Rotations in disjoint planes of two axes."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from mixtura._typing import FloatArray, IntArray

__all__ = ["disjoint_planes", "identity", "rotation_in"]


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


@lru_cache(maxsize=64)
def identity(size: int) -> FloatArray:
    """Return the identity (D, D); it is cached and must not be changed."""
    return np.eye(size)
