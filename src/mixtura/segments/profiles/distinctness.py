"""How far the customers of a segment differ from the others in one column, as numbers that can be compared.

Both measures look at shares of customers in bins, so that they do not depend on units, transforms or normality:
an overlap of distributions (Inman and Bradley 1989), and a divergence (Kullback and Leibler 1951).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log, log2

import numpy as np

from mixtura._typing import FloatArray

__all__ = ["BINS", "Distinctness", "distinctness_of"]

BINS = 20
"""Equally filled with the whole population; fewer where many values are equal."""


@dataclass(frozen=True, slots=True)
class Distinctness:
    """How a segment differs in a column.

    Parameters
    ----------
    overlap : float
        ``sum_i min(s_i, r_i)`` of the shares of the segment and of the rest in each bin: 1 where they are alike, 0
        where no value is found in both.
    divergence : float
        Of the segment against the population, in bits: ``sum_i s_i log2(s_i / p_i)``, less what a random group of this
        size shows on average, at least 0. Knowing the segment of a customer saves this many yes-or-no questions
        about the column.
    distinctness : float
        `divergence` in percent of its maximum, ``log2(1 / share of the segment)``. 0: as all customers. 100: the
        column alone separates the segment from all others.
    """

    overlap: float
    divergence: float
    distinctness: float


def distinctness_of(table: FloatArray, sizes: FloatArray) -> list[Distinctness]:
    """Return how each segment differs from the others.

    Parameters
    ----------
    table : ndarray of shape (B, K)
        Weight of each segment in each bin, or level.
    sizes : ndarray of shape (K,)
        Customers of each segment, or what their weights stand for; see `mixtura.segments.weighted.effective_counts`.

    Notes
    -----
    A group of n customers drawn from the population at random shows ``(B - 1) (1 - share) / (2 n ln 2)`` bits in B
    bins, though it differs in nothing (the expectation of a likelihood ratio); that much is subtracted.

    Examples
    --------
    >>> import numpy as np
    >>> from mixtura.segments.profiles.distinctness import distinctness_of
    >>> first, second = distinctness_of(np.array([[90.0, 10.0], [10.0, 90.0]]), np.array([100.0, 100.0]))
    >>> round(first.overlap, 6), round(first.divergence, 3)
    (0.2, 0.527)
    """
    overall = table.sum(axis=1).astype(np.float64)
    used = int(np.count_nonzero(overall))
    return [_one(table[:, k], overall, used, float(size)) for k, size in enumerate(sizes)]


def _one(segment: FloatArray, overall: FloatArray, used: int, size: float) -> Distinctness:
    inside, total = float(segment.sum()), float(overall.sum())
    if inside <= 0:
        return Distinctness(float("nan"), float("nan"), float("nan"))
    outside = total - inside
    if outside <= 1e-12 * total:
        return Distinctness(1.0, 0.0, 0.0)
    shares, rest, all_shares = segment / inside, (overall - segment) / outside, overall / total
    seen = shares > 0
    raw = float(np.sum(shares[seen] * np.log2(shares[seen] / all_shares[seen])))
    by_chance = (used - 1) * (outside / total) / (2 * size * log(2))
    divergence = max(raw - by_chance, 0.0)
    return Distinctness(
        overlap=float(np.minimum(shares, rest).sum()),
        divergence=divergence,
        distinctness=100 * divergence / log2(total / inside),
    )
