"""Newton's step as far as differences of sums in whitened coordinates show it: the twin that defines it."""

from __future__ import annotations

import numpy as np

from mixtura._lazy import load_lapack
from mixtura._typing import FloatArray

__all__ = ["largest_change", "newton_direction"]


def newton_direction(moves: FloatArray, drops: FloatArray, gradient: FloatArray) -> FloatArray:
    """Return ``H gradient`` by limited-memory BFGS in its compact form (Byrd, Nocedal and Schnabel 1994, eq. 3.1).

    Parameters
    ----------
    moves, drops : ndarray of shape (H, P)
        Differences of points, and by how much the gradient fell along them, the latest last; none is the identity.
    gradient : ndarray of shape (P,)
    """
    if not len(moves):
        return gradient
    lapack, cross = load_lapack(), (drops @ moves.T).T
    # EM's own step is never too long where all eigenvalues of its rate matrix lie between 0 and 1.
    scale = max(1.0, cross[-1, -1] / (drops[-1] @ drops[-1]))
    # Of the products only the upper triangle is read.
    along, _ = lapack.dtrtrs(cross, moves @ gradient)
    left = gradient - along @ drops
    across, _ = lapack.dtrtrs(cross, cross.diagonal() * along - scale * (drops @ left), trans=1)
    return np.asarray(scale * left + across @ moves)


def largest_change(step: FloatArray, roots: FloatArray, n_features: int) -> float:
    """Return by what share of itself a step changes the count, mean or covariance that it changes most.

    Parameters
    ----------
    step : ndarray of shape (P,)
        In coordinates as `whiten_sums` has them.
    roots : ndarray of shape (K,)
    n_features : int
    """
    n_components = len(roots)
    squares = step[n_components:].reshape(n_components, -1) ** 2
    moments = np.maximum(squares[:, :n_features].sum(axis=1), 2.0 * squares[:, n_features:].sum(axis=1))
    return float((np.maximum(np.abs(step[:n_components]), np.sqrt(moments)) / roots).max())
