"""Covariances raised to a bound: the maximum of the likelihood among those that keep it."""

from __future__ import annotations

import numpy as np

from mixtura._typing import FloatArray

__all__ = ["raised"]


def raised(matrices: FloatArray, root: FloatArray) -> FloatArray:
    """Return symmetric matrices (K, D, D) with their eigenvalues relative to ``B B^T`` raised to one.

    In coordinates in which the bound is the identity, the eigenvectors of the best ``Sigma`` with ``Sigma - B B^T``
    positive semidefinite are those of the matrix, and each eigenvalue is the larger of its own and one. Matrices above
    the bound are returned as they are. What is not a finite number in these coordinates counts as zero.

    Parameters
    ----------
    matrices : ndarray of shape (K, D, D)
    root : ndarray of shape (D, D)
        Lower triangular B.

    Examples
    --------
    >>> import numpy as np
    >>> from mixtura.kernels.iterations.bound import raised
    >>> raised(np.array([[[4.0, 0.0], [0.0, 0.25]]]), np.eye(2))[0].diagonal()
    array([4., 1.])
    """
    values, axes = np.linalg.eigh(np.nan_to_num(_within(matrices, root), posinf=0.0, neginf=0.0))
    colored = root @ ((axes * np.maximum(values, 1.0)[:, None, :]) @ axes.swapaxes(1, 2)) @ root.T
    lifted = 0.5 * (colored + colored.swapaxes(1, 2))
    return np.where((values[:, 0] < 1.0)[:, None, None], lifted, matrices)


def _within(matrices: FloatArray, root: FloatArray) -> FloatArray:
    """Return ``B^-1 M B^-T`` of each matrix."""
    half = _solve(root, matrices)
    found = _solve(root, half.swapaxes(1, 2))
    return np.asarray(0.5 * (found + found.swapaxes(1, 2)))


def _solve(root: FloatArray, matrices: FloatArray) -> FloatArray:
    """Return ``B^-1 M`` of each matrix, row by row."""
    found = np.empty_like(matrices)
    for i, row in enumerate(root):
        found[:, i] = (matrices[:, i] - row[:i] @ found[:, :i]) / row[i]
    return found
