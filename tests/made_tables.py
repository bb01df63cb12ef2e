"""Tables made to deserve a verdict, seeded: what advice must recognize."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

__all__ = ["MADE", "make_table"]

Rows = np.ndarray
Maker = Callable[[np.random.Generator, int], Rows]


def ellipses(rng: np.random.Generator, n: int) -> Rows:
    """Three stretched, tilted groups of different sizes and orientations."""
    parts = []
    for share, center, long, angle in (
        (0.5, (0, 0), 4, 0.6),
        (0.3, (6, -5), 3, -0.9),
        (0.2, (-5, 7), 3, 0.1),
    ):
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        size = round(share * n)
        parts.append(rng.normal(size=(size, 2)) * [long, 0.8] @ turn.T + center)
    return np.vstack(parts)


def ellipses_wide(rng: np.random.Generator, n: int) -> Rows:
    """Four groups in six columns, each with a covariance of its own."""
    parts = []
    for k in range(4):
        mix = rng.normal(size=(6, 6)) * 0.8 + np.eye(6)
        parts.append(rng.normal(size=(n // 4, 6)) @ mix.T + 5 * rng.normal(size=6) + 3 * k)
    return np.vstack(parts)


def round_groups(rng: np.random.Generator, n: int) -> Rows:
    """Four round groups of one size and spread."""
    centers = np.array([[0, 0], [9, 1], [1, 8], [8, 9]])
    return np.vstack([rng.normal(size=(n // 4, 2)) + center for center in centers])


def round_groups_wide(rng: np.random.Generator, n: int) -> Rows:
    """Three round groups in five columns of one unit."""
    centers = 4 * np.eye(3, 5)
    return np.vstack([rng.normal(size=(n // 3, 5)) * 0.8 + center for center in centers])


def crescents(rng: np.random.Generator, n: int) -> Rows:
    """Two interlocked half moons."""
    angle = np.pi * rng.random(n)
    upper = np.arange(n) < n // 2
    x = np.where(upper, np.cos(angle), 1 - np.cos(angle))
    y = np.where(upper, np.sin(angle), 0.5 - np.sin(angle))
    return np.column_stack([x, y]) + 0.07 * rng.normal(size=(n, 2))


def rings(rng: np.random.Generator, n: int) -> Rows:
    """Two rings, one around the other."""
    angle = 2 * np.pi * rng.random(n)
    radius = np.where(np.arange(n) < 0.4 * n, 1.0, 2.5)
    return radius[:, None] * np.column_stack([np.cos(angle), np.sin(angle)]) + 0.1 * rng.normal(size=(n, 2))


def nested(rng: np.random.Generator, n: int) -> Rows:
    """Three groups of three groups."""
    corners = np.array([[0, 0], [40, 0], [20, 35]])
    inner = np.array([[0, 0], [7, 0], [3.5, 6]])
    centers = (corners[:, None] + inner[None]).reshape(-1, 2)
    return np.vstack([rng.normal(size=(n // 9, 2)) + center for center in centers])


def nested_uneven(rng: np.random.Generator, n: int) -> Rows:
    """A pair, a triple and a single group, far apart, in three columns."""
    centers = np.array([[0, 0, 0], [6, 0, 0], [50, 0, 0], [50, 7, 0], [50, 0, 7], [20, 45, 10]])
    return np.vstack([rng.normal(size=(n // 6, 3)) + center for center in centers])


def uniform(rng: np.random.Generator, n: int) -> Rows:
    """Noise in a square."""
    return rng.random((n, 2))


def uniform_wide(rng: np.random.Generator, n: int) -> Rows:
    """Noise in a box of five columns."""
    return rng.random((n, 5)) * [1, 5, 2, 9, 3]


def one_gaussian(rng: np.random.Generator, n: int) -> Rows:
    """One tilted bell in three columns."""
    mix = np.array([[2, 0, 0], [1.5, 1, 0], [-1, 0.5, 0.7]])
    return rng.normal(size=(n, 3)) @ mix.T


def many_columns(rng: np.random.Generator, n: int) -> Rows:
    """Fifty columns made of three hidden ones with two groups, in few rows."""
    hidden = rng.normal(size=(n, 3)) + np.where(np.arange(n) < n // 2, 0, 6)[:, None]
    return hidden @ rng.normal(size=(3, 50)) + 0.5 * rng.normal(size=(n, 50))


MADE: dict[str, tuple[str, tuple[Maker, ...], tuple[int, ...]]] = {
    "gmm": ("correlated ellipses", (ellipses, ellipses_wide), (300, 800)),
    "kmeans": ("round equal groups", (round_groups, round_groups_wide), (240, 720)),
    "hdbscan": ("crescents and rings", (crescents, rings), (400, 800)),
    "hierarchical": ("groups of groups", (nested, nested_uneven), (360, 900)),
    "none": ("noise without clusters", (uniform, uniform_wide, one_gaussian), (150, 500)),
    "pca": ("many columns, few rows", (many_columns,), (60, 200)),
}
"""For each verdict: what the tables are, who makes them, and with how many rows."""


def make_table(maker: Maker, n_rows: int, seed: int) -> Rows:
    """Return the rows of a made table, shuffled."""
    rng = np.random.default_rng(seed)
    return rng.permutation(maker(rng, n_rows))
