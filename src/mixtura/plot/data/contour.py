"""Values on a grid as level lines and as bands."""

from __future__ import annotations

from typing import Any

import numpy as np

from mixtura._typing import Array, FloatArray

__all__ = ["bands", "level_lines"]


def level_lines(x: FloatArray, y: FloatArray, values: FloatArray, level: float) -> FloatArray:
    """Return pieces of the line on which a surface has a value, by marching squares.

    Every cell is cut into four triangles at its center, so that no case is ambiguous; within a triangle the surface is
    a plane.

    Parameters
    ----------
    x : ndarray of shape (n,), y : ndarray of shape (m,)
        The grid.
    values : ndarray of shape (m, n)
    level : float

    Returns
    -------
    ndarray of shape (pieces, 4)
        ``x, y, x2, y2`` of each straight piece.
    """
    columns, rows = np.meshgrid(x, y)
    surface = np.stack([columns, rows, values - level], axis=-1)
    corners = [surface[:-1, :-1], surface[:-1, 1:], surface[1:, 1:], surface[1:, :-1]]
    center = sum(corners[1:], corners[0]) / 4
    pieces = []
    for i in range(4):
        triangle = np.stack([corners[i], corners[(i + 1) % 4], center], axis=-2).reshape(-1, 3, 3)
        pieces.append(_cut(triangle))
    return np.concatenate(pieces)


def _cut(triangles: FloatArray) -> FloatArray:
    """Return where triangles of points (x, y, height), shape (T, 3, 3), cross height zero."""
    above = triangles[:, :, 2] > 0
    mixed = above.any(axis=1) & ~above.all(axis=1)
    triangles, above = triangles[mixed], above[mixed]
    # The corner that lies alone on its side comes first.
    lonely = np.where((above.sum(axis=1) == 1)[:, None], above, ~above).argmax(axis=1)
    order = (lonely[:, None] + np.arange(3)) % 3
    first, second, third = np.take_along_axis(triangles, order[:, :, None], axis=1).transpose(1, 0, 2)

    def crossing(other: FloatArray) -> FloatArray:
        share = first[:, 2] / (first[:, 2] - other[:, 2])
        return np.asarray(first[:, :2] + share[:, None] * (other[:, :2] - first[:, :2]))

    return np.column_stack([crossing(second), crossing(third)])


def bands(classes: Array, edges_x: FloatArray, edges_y: FloatArray) -> list[dict[str, Any]]:
    """Return rectangles of neighbors in a row of the same class; class 0 is left out.

    Parameters
    ----------
    classes : ndarray of shape (m, n) of int
        Of each cell.
    edges_x : ndarray of shape (n + 1,), edges_y : ndarray of shape (m + 1,)
    """
    found = []
    for j, row in enumerate(classes):
        starts = np.flatnonzero(np.r_[True, row[1:] != row[:-1]])
        ends = np.r_[starts[1:], len(row)]
        found += [
            {
                "x": float(edges_x[start]),
                "x2": float(edges_x[end]),
                "y": float(edges_y[j]),
                "y2": float(edges_y[j + 1]),
                "class": int(row[start]),
            }
            for start, end in zip(starts, ends, strict=True)
            if row[start]
        ]
    return found
