"""Covariances and a bound B B^T of them: in coordinates in which it is the identity, and raised to it."""

from __future__ import annotations

import numpy as np

from mixtura._lazy import load_lapack
from mixtura._typing import FloatArray

__all__ = ["color", "raised", "whiten"]

_FEW = 32
"""Columns up to which substitution row by row is as quick as LAPACK, which takes longer to import than many a fit."""


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
    values, axes = np.linalg.eigh(np.nan_to_num(whiten(matrices, root), posinf=0.0, neginf=0.0))
    lifted = color((axes * np.maximum(values, 1.0)[:, None, :]) @ axes.swapaxes(1, 2), root)
    return np.where((values[:, 0] < 1.0)[:, None, None], lifted, matrices)


def whiten(matrices: FloatArray, root: FloatArray) -> FloatArray:
    """Return ``B^-1 M B^-T`` of symmetric matrices (..., D, D)."""
    half = _solve(root, matrices)
    found = _solve(root, half.swapaxes(-1, -2))
    return np.asarray(0.5 * (found + found.swapaxes(-1, -2)))


def color(matrices: FloatArray, root: FloatArray) -> FloatArray:
    """Return ``B M B^T`` of symmetric matrices (..., D, D), which undoes `whiten`."""
    found = root @ matrices @ root.T
    return np.asarray(0.5 * (found + found.swapaxes(-1, -2)))


def _solve(root: FloatArray, matrices: FloatArray) -> FloatArray:
    """Return ``B^-1 M`` of each matrix (..., D, D)."""
    size = root.shape[0]
    flat = np.moveaxis(np.atleast_3d(matrices).reshape(-1, size, size), 0, 1).reshape(size, -1)
    if size > _FEW:
        solved, _ = load_lapack().dtrtrs(root, flat, lower=1)
    else:
        solved = flat / root.diagonal()[:, None]
        for j in range(1, size):
            solved[j] -= root[j, :j] / root[j, j] @ solved[:j]
    return np.asarray(np.moveaxis(solved.reshape(size, -1, size), 1, 0).reshape(matrices.shape))
