"""Negative binomial distributions of counts, whose sizes have no closed form: the twin that defines them."""

from __future__ import annotations

import numpy as np

from mixtura._typing import FloatArray

__all__ = ["LARGEST_SIZE", "negative_binomials"]

_TINY = float(np.finfo(np.float64).tiny)

LARGEST_SIZE = 1e6
"""Of a negative binomial distribution; it is then a Poisson distribution."""

_LEAST_SIZE = 1e-3

_MOST_STEPS, _PRECISE = 60, 1e-5
"""Of the logarithm of a size: the error after a step of Newton's method is about its square."""

_NO_SLOPE = 1e-15


def negative_binomials(counts: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the negative binomial distributions that fit weighted counts of the numbers 0, 1, ... best.

    ``P(x) = Gamma(x + r) / (Gamma(r) x!) (r / (r + mu))^r (mu / (r + mu))^x`` with mean mu and variance
    ``mu + mu^2 / r``. The likeliest mean is the average whatever r; r is the root of
    ``sum_i S_i / (r + i) = n log(1 + mu / r)``, with S_i the weighted count of numbers above i (Fisher 1941). There is
    none where the variance is not larger than the mean: r is then infinite, here 10^6, a Poisson distribution.

    Parameters
    ----------
    counts : ndarray of shape (V, K)
        Of the numbers 0 to V - 1 in each component.

    Returns
    -------
    logs : ndarray of shape (V, K)
        Log probabilities of the numbers.
    means, sizes : ndarray of shape (K,)
    """
    numbers = np.arange(len(counts), dtype=np.float64)[:, None]
    total = np.maximum(counts.sum(axis=0), _TINY)
    means = (numbers * counts).sum(axis=0) / total
    above = np.cumsum(counts[::-1], axis=0)[::-1] - counts
    variances = ((numbers - means) ** 2 * counts).sum(axis=0) / total
    spread = variances > means
    sizes = np.full(means.size, LARGEST_SIZE)
    if spread.any():
        mean, moments = means[spread], means[spread] ** 2 / (variances - means)[spread]
        start = np.clip(moments, _LEAST_SIZE, LARGEST_SIZE)
        sizes[spread] = _root_of_sizes(numbers, above[:, spread], total[spread], mean, start)
    with np.errstate(divide="ignore"):
        steps = np.log((sizes + numbers) / (numbers + 1.0)) + np.log(means / (sizes + means))
    return np.cumsum(np.vstack([-sizes * np.log1p(means / sizes), steps[:-1]]), axis=0), means, sizes


def _root_of_sizes(
    numbers: FloatArray, above: FloatArray, total: FloatArray, means: FloatArray, size: FloatArray
) -> FloatArray:
    """Return the roots by Newton's method in the logarithm of the size, kept within an interval that holds them."""
    low, high = np.full_like(size, np.log(_LEAST_SIZE)), np.full_like(size, np.log(LARGEST_SIZE))
    at, done = np.log(size), np.zeros(size.shape, dtype=bool)
    for _ in range(_MOST_STEPS):
        size = np.exp(at)
        terms = above / (size + numbers)
        slope = terms.sum(axis=0) - total * np.log1p(means / size)
        bend = size * (total * means / (size * (size + means)) - (terms / (size + numbers)).sum(axis=0))
        low, high = np.where(slope > 0, at, low), np.where(slope > 0, high, at)
        with np.errstate(all="ignore"):
            newton = at - slope / bend
        step = np.where((newton > low) & (newton < high), newton, 0.5 * (low + high))
        settled = (np.abs(step - at) <= _PRECISE) | (np.abs(slope) <= _NO_SLOPE * total)
        at = np.where(done, at, step)
        done |= settled
        if done.all():
            break
    return np.exp(at)
