"""Coordinates in which rows are compared before anything is known of their groups."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from mixtura._typing import FloatArray

__all__ = ["TRANSFORMS"]


def keep(rows: FloatArray, weights: FloatArray) -> FloatArray:
    """Return the rows as they are."""
    return rows


def standardize(rows: FloatArray, weights: FloatArray) -> FloatArray:
    """Return the rows with every column centered and of unit variance; constant columns are left out.

    Where all are constant, one column of zeros is left.
    """
    apart = rows - weights @ rows / weights.sum()
    deviations = np.sqrt(weights @ apart**2 / max(weights.sum() - 1.0, np.finfo(np.float64).tiny))
    spread = deviations > np.abs(rows).max(axis=0) * np.finfo(np.float64).eps
    if not spread.any():
        return np.zeros((len(rows), 1))
    return np.asarray(apart[:, spread] / deviations[spread])


def scale_singular(rows: FloatArray, weights: FloatArray) -> FloatArray:
    """Return the coordinates of the standardized rows along their principal axes, over the root of the singular value.

    With ``X = U S V'`` the singular value decomposition of the standardized rows these are ``X V S^(-1/2)``: halfway
    between the rows and their whitening (mclust's ``"SVD"``; Scrucca and Raftery 2015). Axes without spread are left
    out.
    """
    standard = standardize(rows, weights)
    values, axes = np.linalg.svd(np.sqrt(weights)[:, None] * standard, full_matrices=False)[1:]
    if values[0] == 0:
        return standard
    spread = values > values[0] * np.finfo(np.float64).eps * max(standard.shape)
    return np.asarray(standard @ (axes[spread].T / np.sqrt(values[spread])))


TRANSFORMS: dict[str, Callable[[FloatArray, FloatArray], FloatArray]] = {
    "svd": scale_singular,
    "std": standardize,
    "none": keep,
}
"""From rows (n, D) and weights (n,) to rows (n, d), d at most D; every transform by its name."""
