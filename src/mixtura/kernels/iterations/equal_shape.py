"""Volumes of covariances that have one shape and orientation, by Newton's method: the twin that defines them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from mixtura._lazy import load_lapack
from mixtura._typing import FloatArray

__all__ = ["newton_volumes"]

_SETTLED = 1e-6
"""Newton step of the log-volumes after which, its errors being squared by each step, they have converged as well."""

_MOST_STEPS = 30

_LOSS_ROUNDING = 1e-13

_NEARLY_SINGULAR = 1e-8
"""Share of a column's variance that the columns before it leave, below which an inverse has lost half its digits."""

_Shares: TypeAlias = tuple[float, FloatArray, FloatArray]


def newton_volumes(volumes: FloatArray, counts: FloatArray, own: FloatArray) -> FloatArray | None:
    """Return the best volumes of ``Sigma_k = lambda_k C``, a fixed point in turn with C; None where it fails.

    With ``M(lambda) = sum_k n_k S_k / lambda_k`` the best shape is M's, and what is left to minimize over
    ``theta = log lambda`` is ``f = D sum_k n_k theta_k + n log |M|``: convex, as it is a log-determinant of a sum of
    exponentials. With ``P_k = n_k / lambda_k M^(-1/2) S_k M^(-1/2)``, which add up to I, its derivatives are
    ``D n_k - n tr P_k`` and ``n (tr P_k [k = l] - tr P_k P_l)``. Only ratios of volumes matter to f.

    Parameters
    ----------
    volumes : ndarray of shape (K,)
        To begin with; positive.
    counts : ndarray of shape (K,)
    own : ndarray of shape (K, D, D), or (K, D) for variances
        Covariances S_k of each component by itself.
    """
    n_features = own.shape[1]
    shares: Callable[[FloatArray, FloatArray], _Shares] = _of_variances if own.ndim == 2 else _of_matrices
    theta, last, step = np.log(volumes), math.inf, np.zeros_like(volumes)
    wanted = counts * (n_features / np.add.reduce(counts))
    for _ in range(_MOST_STEPS):
        log_determinant, traces, vectors = shares(counts / np.exp(theta), own)
        loss = float(wanted.dot(theta)) + log_determinant
        if not math.isfinite(loss) or not np.minimum.reduce(traces) > 0:
            return None
        if loss > last + _LOSS_ROUNDING * max(1.0, abs(last)):
            step = 0.25 * step
            theta = theta - 3 * step
        else:
            last = loss
            # The traces add up to D; their mean, added everywhere, carries the direction in which f does not change.
            curvature = n_features / len(counts) - vectors.dot(vectors.T)
            curvature.reshape(-1)[:: len(counts) + 1] += traces
            _, step, info = load_lapack().dposv(curvature, traces - wanted)
            if info != 0:
                return None
            theta = theta + step
        if step.dot(step) <= _SETTLED**2:
            return np.asarray(np.exp(theta))
    return None


def _of_variances(rates: FloatArray, own: FloatArray) -> _Shares:
    """Return ``log |M|``, the traces of P_k (K,), and P_k as vectors (K, D), of diagonal matrices."""
    total = rates.dot(own)
    weighted = own / total
    weighted *= rates[:, None]
    return float(np.add.reduce(np.log(total))), np.add.reduce(weighted, axis=1), weighted


def _of_matrices(rates: FloatArray, own: FloatArray) -> _Shares:
    """Return the same of matrices, P_k as vectors (K, D D); NaN where M is nearly singular."""
    n_components, n_features, _ = own.shape
    matrix = rates.dot(own.reshape(n_components, -1)).reshape(n_features, n_features)
    lapack = load_lapack()
    lower, info = lapack.dpotrf(matrix, lower=1, clean=1)
    squares = lower.diagonal() ** 2
    if info != 0 or not np.minimum.reduce(squares / matrix.diagonal()) > _NEARLY_SINGULAR:
        return np.nan, np.full(n_components, np.nan), np.full((n_components, 1), np.nan)
    log_determinant = float(np.add.reduce(np.log(squares)))
    upper = lapack.dtrtri(lower, lower=1)[0].T
    half = own.reshape(-1, n_features).dot(upper).reshape(own.shape).transpose(0, 2, 1)
    whitened = half.reshape(-1, n_features).dot(upper).reshape(n_components, -1) * rates[:, None]
    return log_determinant, np.add.reduce(whitened[:, :: n_features + 1], axis=1), whitened
