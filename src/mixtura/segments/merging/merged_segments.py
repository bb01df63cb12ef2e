"""The order in which components become segments: parts of one group first, and no segment without customers."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from mixtura._typing import BoolArray, FloatArray, IntArray
from mixtura.segments.merging.grouped import grouped
from mixtura.select import Merging, Pair, merge_components

__all__ = ["drawn_customers", "has_customers", "merge_segments"]

_ROWS = 20_000
"""Of more customers this many are drawn: merging compares all pairs of segments in each."""


def merge_segments(
    memberships: FloatArray,
    weights: FloatArray | None,
    is_one_group: Callable[[Pair], bool],
) -> Merging:
    """Merge clusters one pair at a time: those that are one group first, then the others, by the entropy.

    Of the pairs that are one group the first is merged that leaves no cluster without customers, or else the one that
    leaves the fewest. A cluster that has none already is one group with any other.

    Parameters
    ----------
    memberships : ndarray of shape (N, K)
    weights : ndarray of shape (N,) or None
    is_one_group : callable
        Given a pair of clusters, says whether they are parts of one group. A pair that is not is merged once no other
        is left.

    Examples
    --------
    >>> import numpy as np
    >>> from mixtura.segments.merging.merged_segments import merge_segments
    >>> halves = np.repeat([[0.5, 0.5, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0], [0.0, 0.0, 0.0, 1.0]], 20, axis=0)
    >>> merge_segments(halves, None, lambda pair: pair.overlap > 0.05).groups(3)
    ((0, 1), (2,), (3,))
    """

    def choose(pairs: Sequence[Pair]) -> Pair:
        clusters = sorted({cluster for pair in pairs for cluster in (pair.left, pair.right)})
        shares = grouped(memberships, tuple(clusters))
        empty = {
            cluster for cluster, any_of in zip(clusters, has_customers(shares), strict=True) if not any_of
        }
        joined = [pair for pair in pairs if {pair.left, pair.right} & empty or is_one_group(pair)]
        fewest, chosen = len(clusters), pairs[0]
        for pair in joined or pairs:
            left, right = clusters.index(pair.left), clusters.index(pair.right)
            number = _empty_after(shares, left, right)
            if number < fewest:
                fewest, chosen = number, pair
            if number == 0:
                break
        return chosen

    return merge_components(memberships, weights, choose=choose)


def has_customers(memberships: FloatArray) -> BoolArray:
    """Return whether each segment is the most probable of some customer, shape (K,).

    Examples
    --------
    >>> import numpy as np
    >>> from mixtura.segments.merging.merged_segments import has_customers
    >>> has_customers(np.array([[0.4, 0.35, 0.25], [0.2, 0.5, 0.3]]))
    array([ True,  True, False])
    """
    n_segments = memberships.shape[1]
    return np.bincount(memberships.argmax(axis=1), minlength=n_segments) > 0


def drawn_customers(memberships: FloatArray, seed: int) -> IntArray | None:
    """Return the rows of at most 20,000 customers, in order: the surest of each segment, others at random.

    None where there are no more. With the surest of each a small segment does not look like one without customers.
    """
    n_rows = len(memberships)
    if n_rows <= _ROWS:
        return None
    surest = np.unique(memberships.argmax(axis=0))
    others = np.setdiff1d(np.arange(n_rows), surest, assume_unique=True)
    chosen = np.random.RandomState(seed).choice(others, _ROWS - surest.size, replace=False)
    return np.sort(np.concatenate([surest, chosen]))


def _empty_after(shares: FloatArray, left: int, right: int) -> int:
    """Return how many clusters have no customers once two of them are one."""
    joined = np.delete(shares, right, axis=1)
    joined[:, left - (right < left)] += shares[:, right]
    return int(np.count_nonzero(~has_customers(joined)))
