"""Bivariate residuals: how far pairs of discrete columns depend within segments, though the model says they do not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from scipy.special import chdtrc

from mixtura._typing import FloatArray, IntArray
from mixtura.core.parts.discrete import DiscreteColumns, LevelTable
from mixtura.segments.scan import Scored
from mixtura.segments.table.discrete.coding import Coding

__all__ = ["PairResidual", "PairSummary", "groups_of_levels", "residual_notes"]

_GROUPS = 10
"""Groups that the numbers of a count are put in, at most."""

_LARGE, _STRONG, _CHANCE = 4.0, 0.1, 1e-3
"""From which residual and which Cramer's V on a pair is named, and how rare it has to be by chance among all pairs."""

_NAMED = 3
_RAKES = 200
"""Steps to the observed margins, at most."""


@dataclass(frozen=True, slots=True)
class PairResidual:
    """What a mixture leaves unexplained of two discrete columns.

    Parameters
    ----------
    first, second : str
        Names of the columns.
    residual : float
        Pearson's chi-square of the observed against the expected table, over its degrees of freedom (Vermunt and
        Magidson 2016): about 1 or less where the columns are independent within segments. It grows with the number of
        rows.
    chi_square : float
    freedom : int
        ``(L_1 - 1) (L_2 - 1)``.
    strength : float
        Cramer's V of what is left, from 0 to about 1: it does not grow with the number of rows.
    """

    first: str
    second: str
    residual: float
    chi_square: float
    freedom: int
    strength: float

    @property
    def is_large(self) -> bool:
        """Whether the columns depend within segments by more than chance, and strongly enough to matter."""
        return self.residual >= _LARGE and self.strength >= _STRONG


def groups_of_levels(coding: Coding) -> tuple[IntArray, ...]:
    """Return the group of each level of each column: numbers of counts in at most ten of like shares, others alone."""
    found = []
    for column, shares in zip(coding.columns, coding.discrete.shares, strict=True):
        if column.kind != "count":
            found.append(np.arange(len(shares)))
            continue
        before = np.cumsum(shares) - shares
        cuts = np.minimum((before * _GROUPS).astype(np.intp), _GROUPS - 1)
        found.append(np.unique(cuts, return_inverse=True)[1].astype(np.intp))
    return tuple(found)


class PairSummary:
    """The observed tables of all pairs of discrete columns; the result is a tuple of `PairResidual`, the largest first.

    With o the weighted number of rows at two levels and ``n_k = sum_n w_n r_nk`` over the rows that have both,
    ``e = sum_k n_k theta_k1 theta_k2`` is expected, raked to the margins of o, and the residual is
    ``sum (o - e)^2 / e`` over the degrees of freedom. Categories have these margins anyway; a count that does not vary
    as its distribution does would otherwise look as if it depended on every other column.

    Parameters
    ----------
    coding : Coding
    table : LevelTable
        Of the mixture.
    """

    def __init__(self, coding: Coding, table: LevelTable) -> None:
        self._coding, self._table = coding, table
        self._groups = groups_of_levels(coding)
        sizes = [int(one.max()) + 1 for one in self._groups]
        self._pairs = list(combinations(range(len(sizes)), 2))
        self._observed = [np.zeros((sizes[i], sizes[j])) for i, j in self._pairs]
        self._both = np.zeros((len(self._pairs), int(table.logs.shape[1])))

    def __deepcopy__(self, memo: object) -> PairSummary:
        return PairSummary(self._coding, self._table)

    def add(self, scored: Scored) -> None:
        if scored.levels is None:
            return
        levels, discrete = scored.levels
        columns = list(_grouped(levels, discrete, self._groups))
        known = np.array([one >= 0 for one in columns])
        memberships = np.nan_to_num(scored.memberships)
        weights = memberships.sum(axis=1)
        if scored.weights is not None:
            weights, memberships = weights * scored.weights, memberships * scored.weights[:, None]
        total = memberships.sum(axis=0)
        for number, (i, j) in enumerate(self._pairs):
            both = known[i] & known[j]
            observed = self._observed[number]
            cells = columns[i] * observed.shape[1] + columns[j]
            if both.all():
                self._both[number] += total
                counts = np.bincount(cells, weights, minlength=observed.size)
            else:
                self._both[number] += memberships[both].sum(axis=0)
                counts = np.bincount(cells[both], weights[both], minlength=observed.size)
            observed += counts.reshape(observed.shape)

    def merge(self, other: PairSummary) -> None:
        self._both += other._both
        for mine, theirs in zip(self._observed, other._observed, strict=True):
            mine += theirs

    def result(self) -> tuple[PairResidual, ...]:
        names = [one.name for one in self._coding.columns]
        tables = list(_probabilities(self._table, self._groups))
        found = [
            _residual(names[i], names[j], observed, (tables[i] * counts) @ tables[j].T)
            for (i, j), observed, counts in zip(self._pairs, self._observed, self._both, strict=True)
        ]
        return tuple(sorted((one for one in found if one.freedom > 0), key=lambda one: -one.residual))


def _grouped(levels: IntArray, discrete: DiscreteColumns, groups: Sequence[IntArray]) -> Iterator[IntArray]:
    """Yield the group of each row of each column, (n,), -1 where the level is missing."""
    missing = discrete.starts[-1]
    for column, start, group in zip(levels.T, discrete.starts[:-1], groups, strict=True):
        gone = column == missing
        yield np.where(gone, -1, group[np.where(gone, 0, column - start)])


def _probabilities(table: LevelTable, groups: Sequence[IntArray]) -> Iterator[FloatArray]:
    """Yield the probabilities of the groups of each column, (groups, K)."""
    starts = table.columns.starts
    for begin, end, group in zip(starts[:-1], starts[1:], groups, strict=True):
        found = np.zeros((int(group.max()) + 1, int(table.logs.shape[1])))
        np.add.at(found, group, np.exp(table.logs[begin:end]))
        yield found


def _residual(first: str, second: str, observed: FloatArray, expected: FloatArray) -> PairResidual:
    rows, columns = expected.sum(axis=1) > 0, expected.sum(axis=0) > 0
    observed, expected = observed[np.ix_(rows, columns)], expected[np.ix_(rows, columns)]
    expected = _raked(expected, observed)
    freedom = int(max(rows.sum() - 1, 0) * max(columns.sum() - 1, 0))
    with np.errstate(invalid="ignore", divide="ignore"):
        chi_square = float(np.nansum((observed - expected) ** 2 / expected))
    total, least = float(observed.sum()), int(min(expected.shape)) - 1
    if not (freedom and total > 0):
        return PairResidual(first, second, 0.0, 0.0, 0, 0.0)
    strength = float(np.sqrt(chi_square / (total * least)))
    return PairResidual(first, second, chi_square / freedom, chi_square, freedom, strength)


def _raked(expected: FloatArray, observed: FloatArray) -> FloatArray:
    """Return a table with the margins of another, and its own odds ratios (iterative proportional fitting)."""
    found = expected.copy()
    for _ in range(_RAKES):
        for axis in (0, 1):
            sums = found.sum(axis=axis, keepdims=True)
            found *= observed.sum(axis=axis, keepdims=True) / np.where(sums > 0, sums, 1.0)
        if np.abs(found.sum(axis=0) - observed.sum(axis=0)).max(initial=0.0) <= 1e-10 * observed.sum():
            break
    return found


def residual_notes(residuals: Sequence[PairResidual], n_segments: int) -> tuple[str, ...]:
    """Return a sentence on pairs of columns that depend within segments, and what to do; none where none does.

    Parameters
    ----------
    residuals : sequence of PairResidual
        The largest first.
    n_segments : int
    """
    large = [
        one
        for one in residuals
        if one.is_large and float(chdtrc(one.freedom, one.chi_square)) * len(residuals) < _CHANCE
    ]
    if not large:
        return ()
    said = "; ".join(f"{one.first} and {one.second} ({one.residual:.1f})" for one in large[:_NAMED])
    more = f"; and {len(large) - _NAMED} more" if len(large) > _NAMED else ""
    where = "within segments" if n_segments > 1 else "and one segment does not explain it"
    note = (
        f"Columns that depend on each other {where}, though the model takes them as independent: {said}{more} "
        "(bivariate residual; 1 is expected). The number of segments may be larger than that of groups because of it. "
        "Leave one of each two columns out, or make them one category with a level for each combination."
    )
    return (note,)
