"""Weighted statistics of one column. A weight of 3 counts as three equal rows, exactly."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce

import numpy as np

from mixtura._typing import FloatArray, IntArray

__all__ = [
    "NumericSummary",
    "effective_counts",
    "group_sums",
    "has_few_values",
    "known",
    "mean_and_sd",
    "percentile",
    "quantiles",
    "row_maxima",
    "skewness",
]


@dataclass(frozen=True, slots=True)
class NumericSummary:
    """Statistics of a column over some customers, in its units; NaN where no value is known.

    Parameters
    ----------
    count, missing : int
        Customers with a value, and without.
    mean, sd : float
        The standard deviation has the total weight as its divisor.
    minimum, q1, median, q3, maximum : float
        Quartiles as of `quantiles`.
    """

    count: int
    missing: int
    mean: float
    sd: float
    minimum: float
    q1: float
    median: float
    q3: float
    maximum: float

    @property
    def iqr(self) -> float:
        """The distance of the quartiles: the width of the middle half."""
        return self.q3 - self.q1


def known(values: FloatArray, weights: FloatArray | None) -> tuple[FloatArray, FloatArray | None]:
    """Return the values of a column, shape (N,), that are not NaN, and their weights."""
    there = ~np.isnan(values)
    if there.all():
        return values, weights
    return values[there], None if weights is None else weights[there]


def mean_and_sd(values: FloatArray, weights: FloatArray | None) -> tuple[float, float]:
    """Return mean and standard deviation (divisor: the total weight) of values, shape (N,), N at least 1."""
    unit = float(np.abs(values).max()) or 1.0
    mean = float(np.average(values / unit, weights=weights)) * unit
    deviations = values - mean
    unit = float(np.abs(deviations).max()) or 1.0
    return mean, float(np.sqrt(np.average(np.square(deviations / unit), weights=weights))) * unit


def quantiles(values: FloatArray, shares: FloatArray, weights: FloatArray | None = None) -> FloatArray:
    """Return quantiles of a column: where the distribution function passes the share, the middle where it rests there.

    Medians are the usual medians. Quartiles are those of type 2 of Hyndman and Fan (1996), NumPy's
    ``averaged_inverted_cdf``: repeating all rows, or all weights times a constant, does not change them.

    Parameters
    ----------
    values : ndarray of shape (N,), N at least 1
    shares : ndarray of shape (Q,), from 0 to 1
    weights : ndarray of shape (N,) or None, default=None
        Not all zero.
    """
    if weights is None:
        ordered, ends = np.sort(values), np.arange(1.0, values.size + 1)
    else:
        order = np.argsort(values)
        order = order[weights[order] > 0]
        ordered, ends = values[order], np.cumsum(weights[order])
    # Sums of fractional weights equal a share up to rounding.
    slack = 1e-12 * ends[-1]
    targets = np.asarray(shares) * ends[-1]
    first = np.searchsorted(ends, targets - slack)
    after = np.searchsorted(ends, targets + slack, side="right")
    last = ordered.size - 1
    return np.asarray(0.5 * ordered[np.minimum(first, last)] + 0.5 * ordered[np.minimum(after, last)])


def percentile(values: FloatArray, percent: float, weights: FloatArray | None) -> float:
    """Return a percentile of values, shape (N,): ``numpy.percentile``'s of each value as often as its weight says.

    It lies between the values at places ``floor(h)`` and ``floor(h) + 1``, from 0, of those in their order, where
    ``h = (n - 1) percent / 100`` and n is the total weight (type 7 of Hyndman and Fan 1996).
    """
    if weights is None:
        return float(np.percentile(values, percent))
    order = np.argsort(values, kind="stable")
    order = order[weights[order] > 0]
    ends = np.cumsum(effective_counts(weights)[order])
    place = (ends[-1] - 1) * percent / 100
    # Sums of weights round: a place that is reached but for rounding is reached.
    before = np.floor(place + 1e-12 * ends[-1])
    found = np.searchsorted(ends, np.array([before, before + 1]) + 1e-12 * ends[-1], side="right")
    low, high = values[order][np.minimum(found, order.size - 1)]
    return float(low + max(place - before, 0.0) * (high - low))


def skewness(values: FloatArray, weights: FloatArray | None = None) -> float:
    """Return the third central moment over the cubed standard deviation; 0 where all values are equal."""
    mean, sd = mean_and_sd(values, weights)
    if sd == 0:
        return 0.0
    z = (values - mean) / sd
    # Not ``z**3``, which calls a general power for each value.
    return float(np.average(z * z * z, weights=weights))


def has_few_values(values: FloatArray, limit: int) -> bool:
    """Return whether a column, shape (N,), has fewer different values than the limit."""
    # The first rows nearly always show enough: sorting all is for the others.
    return np.unique(values[: 8 * limit]).size < limit and np.unique(values).size < limit


def effective_counts(weights: FloatArray) -> FloatArray:
    """Return weights as numbers of customers, shape (N,): as they are, unless they sum to less than the rows there are.

    Where statistics speak of pairs of customers, or of one customer less, shares of one would make nonsense; such
    weights are raised until they sum to the number of rows with a weight above zero.
    """
    total, n_rows = float(weights.sum()), int(np.count_nonzero(weights))
    return weights if total >= n_rows else np.asarray(weights * (n_rows / total))


def row_maxima(values: FloatArray) -> FloatArray:
    """Return the largest value of each row, shape (N,), of a table of shape (N, K) with K at least 1.

    Column by column: ``values.max(axis=1)`` loops over rows of a few numbers each, and takes twice as long.
    """
    return np.asarray(reduce(np.maximum, values.T)) if values.shape[1] > 1 else values[:, 0].copy()


def group_sums(groups: IntArray, values: FloatArray | None, n_groups: int) -> FloatArray:
    """Return the sum of the values of each group, shape (G,); numbers of rows where there are no values.

    Parameters
    ----------
    groups : ndarray of shape (N,)
        Numbered from 0.
    values : ndarray of shape (N,) or None
    n_groups : int
    """
    return np.bincount(groups, values, minlength=n_groups).astype(np.float64, copy=False)
