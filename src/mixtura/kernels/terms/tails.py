"""Multivariate t distributions as scale mixtures of Gaussians: densities and weights from squared distances.

A row of a t component is Gaussian with the covariance ``Sigma / u``, where u has a gamma distribution with shape and
rate ``nu / 2``. Given the row, whose squared distance in p columns is q, it has one with shape ``(nu + p) / 2`` and
rate ``(nu + q) / 2``, so that ``E[u] = (nu + p) / (nu + q)`` (Peel and McLachlan 2000).
"""

from __future__ import annotations

import numpy as np

from mixtura._typing import FloatArray

__all__ = ["expected_sums", "tail_tables", "with_tails"]


def tail_tables(freedom: FloatArray, n_features: int) -> FloatArray:
    """Return what depends on the number p of columns that a row has, 0 to D, for each component: (2, K, D + 1).

    The first is what the log density of a t distribution has more than that of a Gaussian without the distance,
    ``log Gamma((nu + p) / 2) - log Gamma(nu / 2) - p / 2 log(nu / 2)``; the second what ``E[log u]`` has more than
    ``log E[u]``, ``psi((nu + p) / 2) - log((nu + p) / 2)``.

    Parameters
    ----------
    freedom : ndarray of shape (K,)
        Degrees of freedom nu.
    n_features : int
    """
    from scipy.special import digamma, gammaln  # takes longer than many a fit

    half, columns = 0.5 * freedom[:, None], np.arange(n_features + 1.0)
    shape = half + 0.5 * columns
    constants = gammaln(shape) - gammaln(half) - 0.5 * columns * np.log(half)
    return np.ascontiguousarray([constants, digamma(shape) - np.log(shape)])


def with_tails(
    logs: FloatArray, offsets: FloatArray, freedom: FloatArray, n_features: int
) -> tuple[FloatArray, FloatArray]:
    """Return log densities of t components and the weights u, both (K, B), from those of Gaussians with D columns.

    Parameters
    ----------
    logs : ndarray of shape (K, B)
        ``offsets - q / 2``.
    offsets : ndarray of shape (K,)
        It may be ``-inf``.
    freedom : ndarray of shape (K,)
    n_features : int
    """
    nu, top = freedom[:, None], offsets[:, None]
    distances = np.where(np.isneginf(top), 0.0, 2.0 * (top - logs))
    distances = np.where(distances < 0, 0.0, distances)
    constants = tail_tables(freedom, n_features)[0, :, -1:]
    found = top + constants - 0.5 * (nu + n_features) * np.log1p(distances / nu)
    return found, (nu + n_features) / (nu + distances)


def expected_sums(
    shares: FloatArray, weights: FloatArray, freedom: FloatArray, n_features: int
) -> FloatArray:
    """Return ``sum_n s_n u_n`` and ``sum_n s_n (E[log u_n] - u_n)``, (2, K), of responsibilities s and weights u."""
    more = np.log(weights) - weights + tail_tables(freedom, n_features)[1, :, -1:]
    used = shares != 0
    return np.stack([np.where(used, shares * each, 0.0).sum(axis=1) for each in (weights, more)])
