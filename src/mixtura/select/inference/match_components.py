"""Which component of one mixture stands for each of another."""

from __future__ import annotations

import numpy as np

from mixtura._typing import FloatArray, IntArray
from mixtura.core.mixture import Mixture

__all__ = ["match_components"]


def match_components(found: Mixture, reference: Mixture) -> IntArray:
    """Return which component of one mixture stands for each of another, (K,).

    The assignment that makes the sum of the Kullback-Leibler distances of pairs least,
    ``[tr(S^-1 T) + (m - v)' S^-1 (m - v) - D + log|S| - log|T|] / 2`` from the reference N(m, S) to N(v, T), and
    ``sum_l p_l log(p_l / q_l)`` from its probabilities of each discrete column. It is that of the closest means where
    these differ, in units of the widths, and of the covariances and levels where they do not.

    Parameters
    ----------
    found, reference : Mixture
        With as many components and columns.

    Examples
    --------
    >>> from mixtura import Mixture
    >>> from mixtura.select.inference.match_components import match_components
    >>> one = Mixture.from_parameters([0.5, 0.5], [[0.0], [9.0]], [1.0, 1.0], "spherical")
    >>> other = Mixture.from_parameters([0.4, 0.6], [[8.5], [0.5]], [1.0, 1.0], "spherical")
    >>> match_components(other, one)
    array([1, 0])
    """
    from scipy.optimize import linear_sum_assignment

    costs = _of_levels(found, reference)
    full = found.full_covariances()
    _, log_found = np.linalg.slogdet(full)
    for k, inverse in enumerate(np.linalg.inv(reference.full_covariances())):
        apart = found.means - reference.means[k]
        squares = np.add.reduce(apart @ inverse * apart, axis=1)
        traces = np.add.reduce((inverse * full).reshape(len(full), -1), axis=1)
        costs[k] += traces + squares - log_found
    return np.asarray(linear_sum_assignment(costs)[1], dtype=np.intp)


def _of_levels(found: Mixture, reference: Mixture) -> FloatArray:
    """Return twice the distances of the discrete columns, (K, K); probabilities of one level in all are none."""
    costs = np.zeros((reference.n_components, found.n_components))
    if found.levels is None or reference.levels is None:
        return costs
    logs, others = reference.levels.logs[:-1], found.levels.logs[:-1]
    shares = np.exp(logs)
    # Levels that a component never has, with the logarithm of zero, add nothing.
    own = (shares * np.where(shares > 0, logs, 0.0)).sum(axis=0)
    return np.asarray(2.0 * (own[:, None] - shares.T @ np.maximum(others, -700.0)))
