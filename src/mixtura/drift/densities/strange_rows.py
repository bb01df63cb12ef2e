"""Whether more rows than chance explains lie where the rows that are compared with hardly ever do.

Of m rows exchangeable with n others, the number below the j-th smallest of those has the beta-binomial distribution
with parameters m, j and n + 1 - j, whatever the rows' distribution. A new kind of row, far from all others, is below
every such limit: the lower the limit, the fewer others are there beside it, and the smaller its p-value. One that is
only less expected than most is below the highest limit alone. So several limits are looked at, and the smallest
p-value is judged by what it is without change: numbers between limits are multinomial, with probabilities from the
Dirichlet distribution of the ranks in between.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mixtura._typing import FloatArray

__all__ = ["strange_rows_p_value"]

_DRAWS = 20_000
_MANY = 20_000
"""New rows from which on the highest limit alone finds one strange row more in a hundred."""


def strange_rows_p_value(
    n_before: float, n_after: int, below_before: Sequence[float], below_after: Sequence[float]
) -> float:
    """Return the p-value of an increase of the share of rows below any of some limits.

    Parameters
    ----------
    n_before : float
        Rows that are compared with, n; each limit is one of them.
    n_after : int
        New rows, m.
    below_before, below_after : sequence of float
        How many lie below each limit, the lowest first.

    Examples
    --------
    >>> from mixtura.drift.densities.strange_rows import strange_rows_p_value
    >>> round(strange_rows_p_value(300, 300, [0], [10]), 5)
    0.0009
    >>> strange_rows_p_value(300, 300, [0, 1, 5], [10, 11, 15]) < 0.003
    True
    """
    from scipy.stats import betabinom

    if n_after > _MANY:
        below_before, below_after = below_before[-1:], below_after[-1:]
    # Where a reference undoes that its model has seen the rows, numbers are not whole, and may fall.
    ranks = np.maximum.accumulate(np.clip(below_before, 0.0, max(n_before - 1.0, 0.0))) + 1.0
    counts = np.ceil(np.clip(below_after, 0.0, n_after) - 1e-9).astype(np.intp)
    distributions = [betabinom(n_after, one, max(n_before + 1.0 - one, 1.0)) for one in ranks.tolist()]
    if len(distributions) == 1:
        return float(distributions[0].sf(counts[0] - 1))
    tails = [_at_least(one.pmf(np.arange(n_after + 1))) for one in distributions]
    smallest = min(float(tail[count]) for tail, count in zip(tails, counts.tolist(), strict=True))
    by_chance = min(1.0, len(tails) * smallest)
    if by_chance < 1.0 / _DRAWS:
        return by_chance
    drawn = _smallest_without_change(n_before, n_after, ranks, tails)
    return min(by_chance, float((1 + np.count_nonzero(drawn <= smallest * (1 + 1e-9))) / (_DRAWS + 1)))


def _at_least(probabilities: FloatArray) -> FloatArray:
    """Return the probability of every number or a larger one."""
    return np.asarray(np.minimum(np.cumsum(probabilities[::-1])[::-1], 1.0))


def _smallest_without_change(
    n_before: float, n_after: int, ranks: FloatArray, tails: Sequence[FloatArray]
) -> FloatArray:
    """Return the smallest p-value of draws without change, (R,)."""
    rng = np.random.default_rng(0)
    gaps = np.diff(ranks, prepend=0.0, append=max(n_before, ranks[-1]) + 1.0)
    shares = rng.standard_gamma(gaps, size=(_DRAWS, gaps.size))
    counts = rng.multinomial(n_after, shares / shares.sum(axis=1, keepdims=True))[:, :-1].cumsum(axis=1)
    of_limits = [tail[count] for tail, count in zip(tails, counts.T, strict=True)]
    return np.asarray(np.min(of_limits, axis=0))
