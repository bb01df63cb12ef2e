"""Hartigan's dip: how far a sample is from having a single mode.

The dip of a sample is the largest difference between its empirical distribution function and the unimodal distribution
function that makes that largest difference smallest (Hartigan and Hartigan 1985, The dip test of unimodality, Annals of
Statistics 13, 70-84). It is found between the greatest convex minorant and the least concave majorant of the empirical
distribution function, on a modal interval that shrinks until the two agree (Hartigan 1985, algorithm AS 217, as
corrected by Maechler in R's ``diptest``).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from mixtura._typing import FloatArray
from mixtura.segments.advice.evidence.dip_quantiles import PROBABILITIES, SCALED_DIPS, SIZES

__all__ = ["dip_p_value", "dip_statistic"]


def dip_statistic(values: FloatArray) -> float:
    """Return the dip of a sample, between ``1 / (2 N)`` and 1/4.

    Parameters
    ----------
    values : ndarray of shape (N,)
        Finite numbers, at least one, in any order and unit.

    Examples
    --------
    >>> import numpy as np
    >>> from mixtura.segments.advice import dip_statistic
    >>> round(dip_statistic(np.array([0.0, 0.1, 0.2, 9.8, 9.9, 10.0])), 4)
    0.2449
    """
    x = np.sort(np.asarray(values, dtype=np.float64))
    n = len(x)
    if x[0] == x[-1]:
        return 1 / (2 * n)
    minorant = _hull(x)
    majorant = [n - 1 - j for j in reversed(_hull(-x[::-1]))]
    low, high, dip = 0, n - 1, 1.0
    while True:
        left = _path(high, low, minorant)
        right = _path(low, high, majorant)
        gap, i, j = _largest_gap(x, left, right)
        if gap < dip:
            break
        dip = max(dip, _excess(x, left[i:][::-1], below=False), _excess(x, right[j:], below=True))
        if low == left[i] and high == right[j]:
            break
        low, high = left[i], right[j]
    return dip / (2 * n)


def _hull(x: FloatArray) -> list[int]:
    """Return, for each point, the knot before it on the greatest convex minorant of the points up to it."""
    before = [0] * len(x)
    at = x.tolist()
    for j in range(1, len(at)):
        knot = j - 1
        while knot != 0:
            earlier = before[knot]
            if (at[j] - at[knot]) * (knot - earlier) < (at[knot] - at[earlier]) * (j - knot):
                break
            knot = earlier
        before[j] = knot
    return before


def _path(start: int, end: int, following: Sequence[int]) -> list[int]:
    knots = [start]
    while knots[-1] != end:
        knots.append(following[knots[-1]])
    return knots


def _largest_gap(x: FloatArray, left: Sequence[int], right: Sequence[int]) -> tuple[float, int, int]:
    """Return the largest distance of majorant and minorant, in rows, and where on each path it is reached."""
    if len(left) == 2 and len(right) == 2:
        return 1.0, 1, 1
    ix, iv = len(left) - 2, 1
    gap, i, j = 0.0, len(left) - 1, len(right) - 1
    while True:
        lower, upper = left[ix], right[iv]
        if lower > upper:
            earlier = left[ix + 1]
            slope = (lower - earlier) / (x[lower] - x[earlier])
            distance = (upper - earlier + 1) - (x[upper] - x[earlier]) * slope
            iv += 1
            reached = (ix + 1, iv - 1)
        else:
            earlier = right[iv - 1]
            slope = (upper - earlier) / (x[upper] - x[earlier])
            distance = (x[lower] - x[earlier]) * slope - (lower - earlier - 1)
            ix -= 1
            reached = (ix + 1, iv)
        if distance >= gap:
            gap, (i, j) = float(distance), reached
        ix, iv = max(ix, 0), min(iv, len(right) - 1)
        if left[ix] == right[iv]:
            return gap, i, j


def _excess(x: FloatArray, knots: Sequence[int], *, below: bool) -> float:
    """Return how far the empirical distribution function leaves the line between knots, in rows, at least 1."""
    largest = 0.0
    for begin, end in pairwise(knots):
        largest = max(largest, 1.0)
        if end - begin > 1 and x[end] != x[begin]:
            steps = np.arange(end - begin + 1)
            line = (x[begin : end + 1] - x[begin]) * ((end - begin) / (x[end] - x[begin]))
            largest = max(largest, float((line - steps + 1 if below else steps + 1 - line).max()))
    return largest


def dip_p_value(dip: float, n_rows: int) -> float:
    """Return the probability that a sample of the uniform distribution has a dip at least as large.

    The uniform distribution is the unimodal one with the largest dips asymptotically, so the test is conservative for
    others. ``sqrt(N)`` times the dip is compared with its quantiles in simulated samples, interpolated between
    sample sizes and, in the logarithm of the probability, between quantiles; below the smallest probability kept,
    0.0001, that one is returned.

    Parameters
    ----------
    dip : float
        From `dip_statistic`.
    n_rows : int
        Size of the sample.

    Examples
    --------
    >>> from mixtura.segments.advice import dip_p_value
    >>> round(dip_p_value(0.037, 200), 2), round(dip_p_value(0.2, 200), 6)
    (0.05, 0.0001)
    """
    quantiles = _quantiles_for(n_rows)
    return float(np.exp(np.interp(math.sqrt(n_rows) * dip, quantiles, np.log(PROBABILITIES))))


def _quantiles_for(n_rows: int) -> FloatArray:
    """Return the quantiles of ``sqrt(N) dip`` for a sample size, linear in ``1 / sqrt(N)`` between sizes."""
    at = 1 / math.sqrt(n_rows)
    sizes = 1 / np.sqrt(np.array(SIZES, dtype=np.float64))
    table = np.array(SCALED_DIPS)
    return np.array([np.interp(at, sizes[::-1], column[::-1]) for column in table.T])
