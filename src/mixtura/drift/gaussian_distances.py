"""Distances between Gaussians in closed form."""

from __future__ import annotations

import numpy as np

from mixtura._typing import FloatArray

__all__ = ["hellinger_distance", "symmetric_divergence"]


def hellinger_distance(
    mean: FloatArray, covariance: FloatArray, other_mean: FloatArray, other_covariance: FloatArray
) -> float:
    """Return the Hellinger distance of two Gaussians, from 0 (equal) to 1 (no overlap).

    ``H^2 = 1 - |A|^(1/4) |B|^(1/4) |M|^(-1/2) exp(-(a - b)^T M^-1 (a - b) / 8)`` with ``M = (A + B) / 2`` (Pardo 2006,
    Statistical Inference Based on Divergence Measures, section 1.3).

    Parameters
    ----------
    mean, other_mean : ndarray of shape (D,)
    covariance, other_covariance : ndarray of shape (D, D), positive definite

    Examples
    --------
    >>> import numpy as np
    >>> from mixtura.drift import hellinger_distance
    >>> round(hellinger_distance(np.zeros(1), np.eye(1), np.ones(1), np.eye(1)), 6)
    0.342787
    """
    middle, apart = (covariance + other_covariance) / 2, mean - other_mean
    logs = [_log_determinant(one) for one in (covariance, other_covariance, middle)]
    exponent = (logs[0] + logs[1]) / 4 - logs[2] / 2 - apart @ np.linalg.solve(middle, apart) / 8
    return float(np.sqrt(max(0.0, float(-np.expm1(exponent)))))


def symmetric_divergence(
    mean: FloatArray, covariance: FloatArray, other_mean: FloatArray, other_covariance: FloatArray
) -> float:
    """Return the sum of both Kullback-Leibler divergences of two Gaussians, in nats (Jeffreys 1946).

    ``J = (tr(A^-1 B) + tr(B^-1 A)) / 2 - D + (a - b)^T (A^-1 + B^-1) (a - b) / 2``.

    Parameters
    ----------
    mean, other_mean : ndarray of shape (D,)
    covariance, other_covariance : ndarray of shape (D, D), positive definite

    Examples
    --------
    >>> import numpy as np
    >>> from mixtura.drift import symmetric_divergence
    >>> symmetric_divergence(np.zeros(2), np.eye(2), np.array([0.5, 0.0]), np.eye(2))
    0.25
    """
    apart = mean - other_mean
    traces = np.trace(np.linalg.solve(covariance, other_covariance)) + np.trace(
        np.linalg.solve(other_covariance, covariance)
    )
    distances = apart @ (np.linalg.solve(covariance, apart) + np.linalg.solve(other_covariance, apart))
    return float(max(0.0, traces / 2 - apart.size + distances / 2))


def _log_determinant(matrix: FloatArray) -> float:
    return float(np.linalg.slogdet(matrix)[1])
