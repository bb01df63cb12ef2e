"""Segments that may be parts of one cluster: merging by the entropy of the memberships."""

from __future__ import annotations

import numpy as np

from mixtura._typing import FloatArray
from mixtura.select import Merging, merge_components

__all__ = ["merge_segments"]

_ROWS = 20_000
"""Of more customers this many are drawn: merging compares all pairs of segments in each."""


def merge_segments(memberships: FloatArray, weights: FloatArray | None, seed: int) -> Merging:
    """Merge segments one pair at a time, as `merge_components` does, by the memberships of at most 20,000 customers.

    Parameters
    ----------
    memberships : ndarray of shape (N, K)
    weights : ndarray of shape (N,) or None
    seed : int
        Of the sample.

    Examples
    --------
    >>> import numpy as np
    >>> from mixtura.segments.merging.merged_segments import merge_segments
    >>> halves = np.repeat([[0.5, 0.5, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0], [0.0, 0.0, 0.0, 1.0]], 20, axis=0)
    >>> merge_segments(halves, None, 0).groups(3)
    ((0, 1), (2,), (3,))
    """
    if len(memberships) > _ROWS:
        chosen = np.sort(np.random.RandomState(seed).choice(len(memberships), _ROWS, replace=False))
        memberships, weights = memberships[chosen], None if weights is None else weights[chosen]
    return merge_components(memberships, weights)
