"""The index table of market research: each segment against the total, with letters for significant differences.

An index is 100 times the value in a segment over that among all customers. A letter in a cell names a segment whose
value is significantly lower; a sign says that the segment differs from all other customers. Means are compared by
Welch's test, shares by the test of two proportions with their pooled share; bases are effective ones (Kish 1965), since
weights make samples smaller. Within a row, p-values are adjusted by Holm's (1979) method: of all pairs, and of all
segments against the rest. Bases below 30 are not tested.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from scipy.special import ndtr, stdtr

from mixtura._typing import FloatArray
from mixtura.segments.profiles.profile import Population, SegmentProfile

__all__ = [
    "ALPHA",
    "LEAST_BASE",
    "IndexCell",
    "IndexRow",
    "holm",
    "index_table",
    "mean_p_value",
    "share_p_value",
]

ALPHA = 0.05
LEAST_BASE = 30.0
"""Effective base below which nothing is tested."""


@dataclass(frozen=True, slots=True)
class IndexCell:
    """A segment's cell of a row.

    Parameters
    ----------
    value : float
        Mean, or share.
    index : float
        100 times it over that of all customers; NaN where that is not above zero.
    base : float
        Effective number of customers with a value.
    above : tuple of int
        Numbers of the segments whose value is significantly lower.
    against_rest : int
        1 where the segment is significantly above all other customers, -1 where it is below, else 0.
    """

    value: float
    index: float
    base: float
    above: tuple[int, ...]
    against_rest: int


@dataclass(frozen=True, slots=True)
class IndexRow:
    """A row: the mean of a column, or the share of a level.

    Parameters
    ----------
    column : str
    level : str or None
        None for a mean.
    active : bool
        Whether the column builds the segments, which then differ by construction.
    population : float
    cells : tuple of IndexCell
    """

    column: str
    level: str | None
    active: bool
    population: float
    cells: tuple[IndexCell, ...]


@dataclass(frozen=True, slots=True, eq=False)
class _Groups:
    """A row's numbers by segment, (K,): effective bases, weights, means, and variances (divisor: the weight)."""

    bases: FloatArray
    weights: FloatArray
    means: FloatArray
    variances: FloatArray

    def rest(self, k: int) -> tuple[float, float, float]:
        """Return base, mean and variance of all customers of other segments."""
        others = (np.arange(self.bases.size) != k) & (self.weights > 0)
        weights, means = self.weights[others], self.means[others]
        total = float(weights.sum())
        if not total > 0:
            return 0.0, float("nan"), float("nan")
        mean = float(weights @ means) / total
        variance = float(weights @ (self.variances[others] + (means - mean) ** 2)) / total
        return total**2 / float((weights**2 / self.bases[others]).sum()), mean, variance


def index_table(
    segments: Sequence[SegmentProfile], population: Population, discrete: Sequence[str] = ()
) -> tuple[IndexRow, ...]:
    """Return a row per numeric column and per level of each categorical one, in the order of the population.

    Parameters
    ----------
    segments : sequence of SegmentProfile
    population : Population
    discrete : sequence of str, default=()
        Categorical columns that build the segments.
    """
    rows = [_mean_row(name, segments, population) for name in population.numbers]
    for name, levels in population.categories.items():
        rows += [_share_row(name, place, segments, population, discrete) for place in range(len(levels))]
    return tuple(rows)


def _mean_row(name: str, segments: Sequence[SegmentProfile], population: Population) -> IndexRow:
    held = [next(one for one in segment.numbers if one.column == name) for segment in segments]
    known = np.array([one.summary.count / max(one.summary.count + one.summary.missing, 1) for one in held])
    groups = _Groups(
        np.array([one.effective_base for one in segments]) * known,
        np.array([one.share for one in segments]) * known,
        np.array([one.summary.mean for one in held]),
        np.array([one.summary.sd for one in held]) ** 2,
    )
    overall = population.numbers[name].mean
    return IndexRow(name, None, held[0].role == "active", overall, _cells(groups, overall, mean_p_value))


def _share_row(
    name: str,
    place: int,
    segments: Sequence[SegmentProfile],
    population: Population,
    discrete: Sequence[str],
) -> IndexRow:
    held = [next(one for one in segment.categories if one.column == name) for segment in segments]
    shares = np.array([one.levels[place].share for one in held])
    groups = _Groups(
        np.array([one.effective_base for one in segments]),
        np.array([one.share for one in segments]),
        shares,
        shares * (1 - shares),
    )
    whole = population.categories[name][place]
    cells = _cells(groups, whole.share, share_p_value)
    return IndexRow(name, whole.level, name in discrete, whole.share, cells)


PValue = Callable[[float, float, float, float, float, float], float]
"""From base, mean and variance of two groups to the p-value of no difference."""


def _cells(groups: _Groups, overall: float, p_value: PValue) -> tuple[IndexCell, ...]:
    n = groups.bases.size
    own = list(zip(groups.bases.tolist(), groups.means.tolist(), groups.variances.tolist(), strict=True))
    pairs = list(combinations(range(n), 2))
    above: list[list[int]] = [[] for _ in range(n)]
    different = holm([_tested(p_value, own[i], own[j]) for i, j in pairs])
    for (i, j), significant in zip(pairs, different, strict=True):
        if significant:
            high, low = (i, j) if groups.means[i] > groups.means[j] else (j, i)
            above[high].append(low + 1)
    rests = [groups.rest(k) for k in range(n)]
    apart = holm([_tested(p_value, own[k], rests[k]) for k in range(n)])
    return tuple(
        IndexCell(
            value=own[k][1],
            index=100 * own[k][1] / overall if overall > 0 else float("nan"),
            base=own[k][0],
            above=tuple(sorted(above[k])),
            against_rest=int(np.sign(own[k][1] - rests[k][1])) if apart[k] else 0,
        )
        for k in range(n)
    )


def _tested(p_value: PValue, first: tuple[float, float, float], second: tuple[float, float, float]) -> float:
    """Return the p-value; NaN where a base is too small or a value is missing."""
    if not min(first[0], second[0]) >= LEAST_BASE or np.isnan([*first, *second]).any():
        return float("nan")
    return p_value(*first, *second)


def mean_p_value(n1: float, m1: float, v1: float, n2: float, m2: float, v2: float) -> float:
    """Return the two-sided p-value of Welch's test; variances have the divisor n.

    Examples
    --------
    >>> from mixtura.segments.profiles.index_table import mean_p_value
    >>> round(mean_p_value(50, 1.0, 4.0, 40, 2.0, 4.0), 4)
    0.0222
    >>> round(mean_p_value(50, 1e100, 4e200, 40, 2e100, 4e200), 4)
    0.0222
    """
    e1, e2 = v1 / (n1 - 1), v2 / (n2 - 1)
    error = e1 + e2
    if not error > 0:
        return float(m1 == m2)
    # Of shares, whose squares are numbers whatever the units.
    freedom = 1 / ((e1 / error) ** 2 / (n1 - 1) + (e2 / error) ** 2 / (n2 - 1))
    return float(2 * stdtr(freedom, -abs(m1 - m2) / np.sqrt(error)))


def share_p_value(n1: float, p1: float, _v1: float, n2: float, p2: float, _v2: float) -> float:
    """Return the two-sided p-value of the test of two proportions, with their pooled share and without correction.

    Examples
    --------
    >>> from mixtura.segments.profiles.index_table import share_p_value
    >>> round(share_p_value(100, 0.3, 0.0, 100, 0.5, 0.0), 4)
    0.0039
    """
    pooled = (n1 * p1 + n2 * p2) / (n1 + n2)
    variance = pooled * (1 - pooled) * (1 / n1 + 1 / n2)
    if not variance > 0:
        return 1.0
    return float(2 * ndtr(-abs(p1 - p2) / np.sqrt(variance)))


def holm(p_values: Sequence[float], alpha: float = ALPHA) -> list[bool]:
    """Return which of several hypotheses Holm's method rejects; NaN is not tested and does not count.

    Examples
    --------
    >>> from mixtura.segments.profiles.index_table import holm
    >>> holm([0.04, 0.01, 0.03, float("nan")])
    [False, True, False, False]
    """
    values = np.asarray(p_values, dtype=np.float64)
    rejected = np.zeros(values.size, dtype=bool)
    tested = np.flatnonzero(~np.isnan(values))
    for rank, place in enumerate(tested[np.argsort(values[tested], kind="stable")]):
        if values[place] > alpha / (tested.size - rank):
            break
        rejected[place] = True
    return [bool(one) for one in rejected]
