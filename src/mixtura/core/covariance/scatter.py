"""Covariances of the rows about new means, from statistics: what every structure is estimated from."""

from __future__ import annotations

import numpy as np

from mixtura._typing import FloatArray
from mixtura.core.moments import FIRST
from mixtura.core.prior import Prior, Ridge
from mixtura.core.statistics import Statistics
from mixtura.exceptions import ParameterError
from mixtura.kernels import get_algebra

__all__ = [
    "EMPTY",
    "NO_RIDGE",
    "component_covariances",
    "component_variances",
    "within_scatter",
]

EMPTY = 10 * float(np.finfo(np.float64).eps)
"""Largest effective count of a component without rows: what rounding leaves of zero."""

NO_RIDGE = Ridge(0.0)
"""Estimates without regularization."""

_TINY = float(np.finfo(np.float64).tiny)


def component_covariances(
    statistics: Statistics, means: FloatArray, prior: Prior, previous: FloatArray | None
) -> FloatArray:
    """Return ``S_k / n_k + ridge I`` of each component, S_k the scatter about its new mean, (K, D, D).

    A component that has lost its rows keeps its previous covariance. Statistics are dense.
    """
    covariances = get_algebra().scatter(statistics.means, statistics.sums, means)
    covariances /= np.maximum(statistics.counts, _TINY)[:, None, None]
    n_components, n_features = means.shape
    if prior.ridge:
        covariances.reshape(n_components, -1)[:, :: n_features + 1] += prior.ridge
    if previous is not None and np.minimum.reduce(statistics.counts) <= EMPTY:
        empty = statistics.counts <= EMPTY
        covariances[empty] = previous[empty]
    return covariances


def component_variances(
    statistics: Statistics, means: FloatArray, prior: Prior, previous: FloatArray | None
) -> FloatArray:
    """Return the variance of each column in each component about the new means, and the ridge, (K, D).

    A component that has lost its rows keeps its previous variances.
    """
    shift, counts = means - statistics.means, statistics.counts[:, None]
    scatter = statistics.moments.diagonal(statistics.second)
    scatter = scatter + shift * (counts * shift - 2.0 * statistics.first)
    variances = np.maximum(scatter / np.maximum(counts, _TINY), 0.0)
    variances += prior.ridge
    if previous is None or np.minimum.reduce(counts, axis=None) > EMPTY:
        return variances
    return np.where(counts > EMPTY, variances, previous)


def within_scatter(statistics: Statistics, means: FloatArray) -> FloatArray:
    """Return the scatter within components, ``W = sum_k sum_n r_nk (x_n - m_k)(x_n - m_k)^T``, (D, D).

    Raises
    ------
    ParameterError
        The statistics have first moments alone.
    """
    moments = statistics.moments
    if moments is FIRST:
        raise ParameterError(
            "`statistics` must have second moments; a covariance that all components share is estimated from them. "
            "Try statistics.complete(total) with the dense statistics of all rows as one component."
        )
    by = statistics.means - means
    return moments.within(statistics.counts, statistics.first, statistics.second, by)
