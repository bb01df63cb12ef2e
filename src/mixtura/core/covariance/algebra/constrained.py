"""M-steps where a floor is near, in units of the floor: all variances are at least one.

With ``e_k`` the variances of component k by itself and ``g_k`` those that are sought, each maximizes the expected
log-likelihood, that is, minimizes ``sum_k n_k sum_j (log g_kj + e_kj / g_kj)``, over what a structure allows. In
``log g`` the sum is convex, and so are the constraints.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias, TypeVar

import numpy as np

from mixtura._typing import FloatArray
from mixtura.core.covariance.algebra.volumes import MOST_ROUNDS
from mixtura.kernels import get_algebra

__all__ = ["constrained_equal_shape", "one_matrix"]

_TOLERANCE = 1e-12
_MOST_WARM_ROUNDS = 10
"""Rounds of an M-step that begins at the last one; the next goes on from there, and none lowers the likelihood."""

_Axes: TypeAlias = tuple[FloatArray, FloatArray]
"""Eigenvalues (D,), in ascending order, and eigenvectors (D, D) as columns."""

T = TypeVar("T")


def constrained_equal_shape(own: FloatArray, counts: FloatArray, volumes: FloatArray | None) -> FloatArray:
    """Return ``g_k = lambda_k A >= 1`` (K, D), in turn the best A for the volumes and the best volumes for A.

    ``A_j = max(sum_k n_k e_kj / lambda_k / n, 1 / min_k lambda_k)`` and
    ``lambda_k = max(mean_j e_kj / A_j, 1 / min_j A_j)``.

    Parameters
    ----------
    own : ndarray of shape (K, D)
    counts : ndarray of shape (K,)
    volumes : ndarray of shape (K,), or None
        To begin with; from those of an earlier step that kept the floor it never ends below it.
    """
    shares = counts / counts.sum()
    volumes, shape = _alternate(
        np.maximum(own.mean(axis=1), 1.0) if volumes is None else volumes,
        lambda volumes: np.maximum((shares / volumes) @ own, 1 / volumes.min()),
        lambda shape: np.maximum((own / shape).mean(axis=1), 1 / shape.min()),
        MOST_ROUNDS if volumes is None else _MOST_WARM_ROUNDS,
    )
    return np.asarray(volumes[:, None] * shape)


def one_matrix(own: FloatArray, counts: FloatArray, volumes: FloatArray | None) -> FloatArray:
    """Return ``Sigma_k = lambda_k C >= I`` (K, D, D), as in `constrained_equal_shape`; A: eigenvalues of C."""
    n_components, n_features = own.shape[:2]
    flat, shares = own.reshape(n_components, -1), counts / counts.sum()

    def shape_of(volumes: FloatArray) -> _Axes:
        matrix = (shares / volumes).dot(flat).reshape(1, n_features, n_features)
        values, axes = get_algebra().eigen(matrix)
        return np.maximum(values[0], 1 / volumes.min()), axes[0]

    def volumes_of(shape: _Axes) -> FloatArray:
        values, axes = shape
        inverse = (axes / values) @ axes.T
        return np.asarray(np.maximum(flat.dot(inverse.reshape(-1)) / n_features, 1 / values[0]))

    volumes, (values, axes) = _alternate(
        np.maximum(np.einsum("kii->k", own) / n_features, 1.0) if volumes is None else volumes,
        shape_of,
        volumes_of,
        MOST_ROUNDS if volumes is None else _MOST_WARM_ROUNDS,
    )
    return np.asarray(volumes[:, None, None] * ((axes * values) @ axes.T))


def _alternate(
    volumes: FloatArray,
    shape_of: Callable[[FloatArray], T],
    volumes_of: Callable[[T], FloatArray],
    most: int,
) -> tuple[FloatArray, T]:
    """Alternate until no volume moves by more than 1e-12 of itself, or for the most rounds allowed."""
    shape = shape_of(volumes)
    for _ in range(most):
        before, volumes = volumes, volumes_of(shape)
        shape = shape_of(volumes)
        if not np.abs(volumes / before - 1.0).max() > _TOLERANCE:
            break
    return volumes, shape
