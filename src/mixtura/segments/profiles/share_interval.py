"""Bootstrap confidence interval of a segment's share."""

from __future__ import annotations

import numpy as np

from mixtura.segments.profiles.segment_statistics import SegmentSizes

__all__ = ["share_interval"]

_TAILS = (0.025, 0.975)


def share_interval(sizes: SegmentSizes, segment: int) -> tuple[float, float]:
    """Return the 95 % bootstrap interval of a segment's share, in closed form: nothing is drawn.

    Customers drawn again, N of N with replacement, hold a binomial number of a segment's members, so that the
    percentile bootstrap is the binomial's quantiles over N. With weights, the share is a ratio of sums; its
    bootstrap variance to first order is ``sum w^2 (member - share)^2 / (sum w)^2`` (Efron and Tibshirani 1993,
    section 10), and the interval the normal one; where all weights are equal, they do not matter. A customer is
    drawn or not with all its weight: a row of weight 3 is one customer who counts three times, and says less
    than three customers.

    The model is held fixed: this is what another sample of customers would change, not what a new fit would.

    Parameters
    ----------
    sizes : SegmentSizes
    segment : int

    Examples
    --------
    >>> import numpy as np
    >>> from mixtura.segments.profiles.segment_statistics import sizes_of
    >>> from mixtura.segments.profiles.share_interval import share_interval
    >>> share_interval(sizes_of(np.repeat([0, 1], [30, 70]), 2), 0)
    (0.21, 0.39)
    """
    from scipy.special import bdtr, ndtri

    if sizes.largest > sizes.smallest:
        share, squares = float(sizes.shares[segment]), float(sizes.squares[segment])
        rest = float(sizes.squares.sum()) - squares
        error = float(np.sqrt((1 - share) ** 2 * squares + share**2 * rest) / sizes.weights.sum())
        low, high = (share + float(ndtri(tail)) * error for tail in _TAILS)
        return max(low, 0.0), min(high, 1.0)
    n_rows = int(sizes.positive.sum())
    share = int(sizes.positive[segment]) / n_rows
    # Eight standard deviations hold all but 1e-15 of a binomial.
    reach = 8 * float(np.sqrt(n_rows * share * (1 - share))) + 2
    counts = np.arange(max(0, int(n_rows * share - reach)), min(n_rows, int(n_rows * share + reach)) + 1)
    below = bdtr(counts.astype(np.float64), n_rows, share)
    found = np.minimum(np.searchsorted(below, _TAILS), counts.size - 1)
    low, high = (counts[found] / n_rows).tolist()
    return low, high
