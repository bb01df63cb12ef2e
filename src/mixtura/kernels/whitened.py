"""Sums in coordinates in which components are whitened, and back: the twin that defines them.

With ``L_k (x - mu_k)`` whitening component k, and sums ``n_k``, ``s_k``, ``S_k`` about ``mu_k``, coordinates are
``n_k``, ``L_k s_k`` and ``(L_k S_k L_k^T - n_k I) / sqrt(2)``, each over a root of component k: first all counts, then
the others of each component. The layout says which second moments there are, see `mixtura.kernels.sums_size`.
"""

from __future__ import annotations

from math import sqrt

import numpy as np

from mixtura._typing import FloatArray
from mixtura.kernels.contract import Layout, moment_size

__all__ = ["color_sums", "whiten_sums"]

_ROOT_HALF = sqrt(0.5)


def whiten_sums(
    layout: Layout,
    means: FloatArray,
    sums: FloatArray,
    about: FloatArray,
    factors: FloatArray,
    roots: FloatArray,
) -> FloatArray:
    """Return the coordinates (H, P) of the sums of H passes.

    Parameters
    ----------
    layout : Layout
    means : ndarray of shape (H, K, D)
        What the sums of each pass are about.
    sums : ndarray of shape (H, S)
    about : ndarray of shape (K, D)
        The points mu_k that coordinates are about: sums are brought there, exactly.
    factors : ndarray
        L_k, as a pass in this layout reads them.
    roots : ndarray of shape (K,)
    """
    n_components, n_features = about.shape
    counts, first, second = _parts(layout, sums, n_components, n_features)
    shift = means - about
    moved = first + counts[..., None] * shift
    if layout is Layout.SHARED:
        whitened = moved @ factors.T
    elif layout is Layout.DIAGONAL:
        second = second + shift * (2 * first + counts[..., None] * shift)
        white = (second * factors**2 - counts[..., None]) * _ROOT_HALF
        whitened = np.concatenate([moved * factors, white], axis=-1)
    else:
        cross = (first + 0.5 * counts[..., None] * shift)[..., :, None] * shift[..., None, :]
        matrices = _unpacked(second, n_features) + (cross + cross.swapaxes(-1, -2))
        white = (
            factors @ matrices @ factors.swapaxes(-1, -2) - counts[..., None, None] * np.eye(n_features)
        ) * (1.0 - (1.0 - _ROOT_HALF) * np.eye(n_features))
        low = np.tril_indices(n_features)
        whitened = np.concatenate([(factors @ moved[..., None])[..., 0], white[..., low[0], low[1]]], axis=-1)
    rest = whitened * (1.0 / roots[:, None])
    return np.concatenate([counts / roots, rest.reshape(*counts.shape[:-1], -1)], axis=-1)


def color_sums(layout: Layout, point: FloatArray, inverse: FloatArray, roots: FloatArray) -> FloatArray:
    """Return the sums (S,) at a point (P,), about the points of its coordinates; the first two numbers are zero.

    Parameters
    ----------
    layout : Layout
    point : ndarray of shape (P,)
    inverse : ndarray
        The inverse of the factors, in their shape.
    roots : ndarray of shape (K,)
    """
    n_components, n_features = len(roots), inverse.shape[-1]
    counts = point[:n_components] * roots
    whitened = point[n_components:].reshape(n_components, -1) * roots[:, None]
    first, white = whitened[:, :n_features], whitened[:, n_features:]
    if layout is Layout.SHARED:
        first, second = first @ inverse.T, white
    elif layout is Layout.DIAGONAL:
        first, second = first * inverse, (white / _ROOT_HALF + counts[:, None]) * inverse**2
    else:
        matrices = _unpacked(white, n_features) * (1.0 + (1.0 / _ROOT_HALF - 1.0) * np.eye(n_features))
        matrices = (
            inverse @ (matrices + counts[:, None, None] * np.eye(n_features)) @ inverse.transpose(0, 2, 1)
        )
        first, low = (inverse @ first[:, :, None])[:, :, 0], np.tril_indices(n_features)
        second = matrices[:, low[0], low[1]]
    return np.concatenate([np.zeros(2), counts, first.ravel(), second.ravel()])


def _parts(
    layout: Layout, sums: FloatArray, n_components: int, n_features: int
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return counts (..., K), first moments (..., K, D), and second moments (..., K, M)."""
    start = 2 + n_components
    first = sums[..., start : start + n_components * n_features]
    second = sums[..., start + n_components * n_features :]
    before = (*sums.shape[:-1], n_components)
    size = moment_size(layout, n_features)
    return sums[..., 2:start], first.reshape(*before, n_features), second.reshape(*before, size)


def _unpacked(packed: FloatArray, n_features: int) -> FloatArray:
    """Return symmetric matrices (..., D, D) from packed lower halves."""
    matrices = np.zeros((*packed.shape[:-1], n_features, n_features))
    row, column = np.tril_indices(n_features)
    matrices[..., row, column] = matrices[..., column, row] = packed
    return matrices
