"""How far the customers of a segment differ from the others in one column, as numbers that can be compared.

Both measures look at shares of customers in bins, so that they do not depend on units, transforms or bells:
an overlap of distributions (Inman and Bradley 1989), and a divergence (Kullback and Leibler 1951).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log, log2

import numpy as np

from mixtura._typing import FloatArray, IntArray
from mixtura.segments.weighted import effective_counts, quantiles

__all__ = ["BINS", "Distinctness", "bins_of", "distinguish"]

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
        size shows on average, at least 0. Knowing that somebody is in the segment saves so many yes-or-no questions
        about the column.
    distinctness : float
        `divergence` in percent of the most it can be, ``log2(1 / share of the segment)``. 0: as everybody. 100: the
        column alone tells the segment from all others.
    """

    overlap: float
    divergence: float
    distinctness: float


def bins_of(values: FloatArray, weights: FloatArray | None = None) -> IntArray:
    """Return the bin of each value, shape (N,): each value its own up to `BINS` different ones, else equally filled.

    Examples
    --------
    >>> import numpy as np
    >>> from mixtura.segments.profiles.distinctness import bins_of
    >>> bins_of(np.array([5.0, 0.0, 0.0, 7.5]))
    array([1, 0, 0, 2])
    >>> np.bincount(bins_of(np.arange(1000.0)))[:4]
    array([50, 50, 50, 50])
    """
    edges = np.unique(values)
    if edges.size > BINS:
        edges = np.unique(quantiles(values, np.arange(1, BINS) / BINS, weights))
    # A bin ends with its edge, so that a spike at the least value has a bin of its own.
    return np.asarray(np.searchsorted(edges, values), dtype=np.intp)


def distinguish(
    bins: IntArray, labels: IntArray, n_segments: int, weights: FloatArray | None = None
) -> list[Distinctness]:
    """Return how each segment differs from the others.

    Parameters
    ----------
    bins : ndarray of shape (N,)
        Bins, or levels, numbered from 0.
    labels : ndarray of shape (N,)
        Segments, numbered from 0.
    n_segments : int
    weights : ndarray of shape (N,) or None, default=None

    Notes
    -----
    A group of n customers drawn from the population at random shows ``(B - 1) (1 - share) / (2 n ln 2)`` bits in B
    bins, though it differs in nothing (the expectation of a likelihood ratio); that much is subtracted. With weights n
    is that of the group, see `mixtura.segments.weighted.effective_counts`.
    """
    n_bins = int(bins.max(initial=0)) + 1
    cells = np.bincount(bins * n_segments + labels, weights=weights, minlength=n_bins * n_segments)
    table = cells.reshape(n_bins, n_segments).astype(np.float64)
    everybody = table.sum(axis=1)
    used = int(np.count_nonzero(everybody))
    sizes = _sizes(labels, n_segments, weights)
    return [_one(table[:, k], everybody, used, float(sizes[k])) for k in range(n_segments)]


def _sizes(labels: IntArray, n_segments: int, weights: FloatArray | None) -> FloatArray:
    if weights is None:
        return np.bincount(labels, minlength=n_segments).astype(np.float64)
    return np.bincount(labels, weights=effective_counts(weights), minlength=n_segments).astype(np.float64)


def _one(segment: FloatArray, everybody: FloatArray, used: int, size: float) -> Distinctness:
    inside, total = float(segment.sum()), float(everybody.sum())
    if inside <= 0:
        return Distinctness(float("nan"), float("nan"), float("nan"))
    outside = total - inside
    if outside <= 1e-12 * total:
        return Distinctness(1.0, 0.0, 0.0)
    shares, rest, population = segment / inside, (everybody - segment) / outside, everybody / total
    seen = shares > 0
    raw = float(np.sum(shares[seen] * np.log2(shares[seen] / population[seen])))
    by_chance = (used - 1) * (outside / total) / (2 * size * log(2))
    divergence = max(raw - by_chance, 0.0)
    return Distinctness(
        overlap=float(np.minimum(shares, rest).sum()),
        divergence=divergence,
        distinctness=100 * divergence / log2(total / inside),
    )
