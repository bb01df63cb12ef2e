"""Categories that go with nothing else in a table, or repeat another: they cannot help to find segments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import narwhals as nw
import numpy as np
from scipy.special import chdtrc

from mixtura._typing import FloatArray, IntArray
from mixtura.io import to_float64
from mixtura.segments.table.discrete.cells import texts_of
from mixtura.segments.table.discrete.kinds import ColumnKind

__all__ = ["repeated_categories", "unrelated_categories"]

_ROWS = 5_000
"""Rows, evenly spaced, that a relation is looked for in."""

_LEAST_CRAMER, _LEAST_EXPLAINED = 0.1, 0.01
"""Cramer's V of two columns of levels, and the share of the variance of ranks that levels explain: Cohen's small
effects. In a long table every pair of columns is related a little."""

_BY_CHANCE, _LEAST_TOGETHER = 1e-3, 0.02
"""Of the likelihood ratios with all other columns together: the probability of their sum by chance, and the least sum
for a row, in nats."""


class _Relation(NamedTuple):
    """Likelihood ratio of two columns, its degrees of freedom, and whether it is at least a small effect."""

    gain: float
    freedom: int
    n_rows: int
    is_small_effect: bool

    def holds(self, penalty: float) -> bool:
        return self.is_small_effect and self.gain > self.freedom * np.log(self.n_rows) + penalty


def repeated_categories(table: nw.DataFrame[Any], kinds: Mapping[str, ColumnKind]) -> dict[str, str]:
    """Return the categories that say what another column of levels says, level by level, and that other column.

    A code beside its name is one column twice: within no segment are the two independent, so that segments would be
    the levels, whatever else is in the table. Of two such columns the one with more missing values repeats the other.

    Parameters
    ----------
    table : narwhals DataFrame
    kinds : mapping of str to ColumnKind
        Of the columns that would build.
    """
    names = [name for name, one in kinds.items() if one.kind not in ("continuous", "spike")]
    names.sort(key=lambda name: (kinds[name].kind == "category", table[name].null_count()))
    some = table.gather_every(max(1, len(table) // _ROWS))
    levels = {name: _levels(some[name]) for name in names}
    found: dict[str, str] = {}
    for number, name in enumerate(names):
        for other in names[:number] if kinds[name].kind == "category" else ():
            if (
                other not in found
                and _repeats(levels[name], levels[other])
                and _repeats(_levels(table[name]), _levels(table[other]))
            ):
                found[name] = other
                break
    return found


def _repeats(codes: IntArray, other: IntArray) -> bool:
    """Return whether each level goes with one level of the other column, and this one with it alone."""
    known = codes >= 0
    if np.any(other[known] < 0):
        return False
    n_levels = np.unique(codes[known]).size
    pairs = np.unique(np.stack([codes[known], other[known]]), axis=1).shape[1]
    return n_levels > 1 and n_levels == pairs == np.unique(other[known]).size


def unrelated_categories(table: nw.DataFrame[Any], kinds: Mapping[str, ColumnKind]) -> tuple[str, ...]:
    """Return the categories that are related to none of the other columns that build segments.

    Within a segment columns are independent, so that a segmentation shows as relations between columns, and only as
    these: what is related to nothing carries no information on segments, and adds noise. Two columns are related if
    the BIC of a model that relates them is smaller, by the logarithm of the square of the number of comparisons more
    (Chen and Chen 2008), and if the relation is at least a small one. A column is related to the others also if their
    likelihood ratios together are not chance: groups that overlap much leave many weak relations. Numbers are compared
    by ranks.

    Parameters
    ----------
    table : narwhals DataFrame
    kinds : mapping of str to ColumnKind
        Of the columns that would build.
    """
    asked = [name for name, one in kinds.items() if one.kind == "category"]
    if not asked or len(kinds) < 2:
        return ()
    table = table.gather_every(max(1, len(table) // _ROWS))
    levels = {
        name: _levels(table[name]) for name, one in kinds.items() if one.kind not in ("continuous", "spike")
    }
    numbers = {name: _numbers(table[name]) for name in kinds if name not in levels}
    penalty = 2.0 * np.log(len(asked) * (len(kinds) - 1))
    return tuple(name for name in asked if not _is_related(name, levels, numbers, penalty))


def _is_related(
    name: str, levels: Mapping[str, IntArray], numbers: Mapping[str, FloatArray], penalty: float
) -> bool:
    codes = levels[name]
    found = [
        *(_explains(codes, values) for values in numbers.values()),
        *(_goes_with(codes, other) for key, other in levels.items() if key != name),
    ]
    known = [one for one in found if one is not None]
    if any(one.holds(penalty) for one in known):
        return True
    together, freedom = sum(one.gain for one in known), sum(one.freedom for one in known)
    per_row = sum(one.gain / one.n_rows for one in known)
    return bool(known) and per_row >= _LEAST_TOGETHER and bool(chdtrc(freedom, together) < _BY_CHANCE)


def _levels(column: nw.Series[Any]) -> IntArray:
    """Return the level of each row, from 0; -1 where it is missing."""
    number: dict[str | None, int] = {None: -1}
    texts = texts_of(column)
    for text in texts:
        number.setdefault(text, len(number) - 1)
    return np.array([number[text] for text in texts], dtype=np.intp)


def _numbers(column: nw.Series[Any]) -> FloatArray:
    """Return the numbers of each row; a point mass counts as a value like others."""
    values = to_float64(column)
    return np.where(np.isfinite(values), values, np.nan)


def _explains(codes: IntArray, values: FloatArray) -> _Relation | None:
    """Compare the mean ranks of numbers between levels: analysis of variance."""
    from scipy.stats import rankdata

    known = (codes >= 0) & ~np.isnan(values)
    n, present = int(known.sum()), np.unique(codes[known])
    if present.size < 2 or n <= present.size:
        return None
    ranks = rankdata(values[known]) - 0.5 * (n + 1)
    sums = np.bincount(codes[known], ranks)[present]
    sizes = np.bincount(codes[known])[present]
    total = float(ranks @ ranks)
    explained = float((sums**2 / sizes).sum()) / total if total > 0 else 0.0
    gain = -n * float(np.log1p(-min(explained, 1.0 - 1e-12)))
    return _Relation(gain, present.size - 1, n, explained >= _LEAST_EXPLAINED)


def _goes_with(first: IntArray, second: IntArray) -> _Relation | None:
    """Compare two columns of levels: the likelihood ratio of their table."""
    known = (first >= 0) & (second >= 0)
    n = int(known.sum())
    if n == 0:
        return None
    table = np.zeros((first.max() + 1, second.max() + 1))
    np.add.at(table, (first[known], second[known]), 1.0)
    table = table[table.sum(axis=1) > 0][:, table.sum(axis=0) > 0]
    smaller = min(table.shape) - 1
    if smaller < 1:
        return None
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / n
    seen = table > 0
    gain = 2.0 * float((table[seen] * np.log(table[seen] / expected[seen])).sum())
    strength = float(((table - expected) ** 2 / expected).sum()) / (n * smaller)
    freedom = (table.shape[0] - 1) * (table.shape[1] - 1)
    return _Relation(gain, freedom, n, strength >= _LEAST_CRAMER**2)
