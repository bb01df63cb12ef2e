"""Levels of the discrete columns of a table: how they are read, and what is modeled of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import narwhals as nw
import numpy as np

from mixtura._typing import Array, FloatArray, IntArray
from mixtura.core.parts.discrete import DiscreteColumns, LevelTable
from mixtura.core.parts.level_models import CATEGORICAL, NEGATIVE_BINOMIAL, POISSON, LevelModel
from mixtura.io import NO_CODEBOOK, Codebook, CodebookColumn, to_float64
from mixtura.segments.table.discrete.cells import texts_of
from mixtura.segments.table.discrete.kinds import ColumnKind

__all__ = [
    "CodedColumn",
    "Coding",
    "coding_of",
    "names_by_levels",
    "standard_moments",
    "with_missing_levels",
]

_ELSEWHERE, _MORE = "other values", "more"

_COPY = 0.95
"""Lambda from which on a point mass follows from another column's, so that it says nothing more."""


@dataclass(frozen=True, slots=True)
class CodedColumn:
    """A discrete column, and what its levels are called.

    Parameters
    ----------
    name : str
        Of the column in the table.
    kind : {"category", "ordered", "count", "spike"}
        A spike says at which of its point masses a continuous column is, if at any.
    levels : tuple of str
        The text of each level; numbers in their order. Those of a count begin with the smallest number that it can be,
        and its last level stands for all larger ones. The first of a spike stands for all other values.
    model : LevelModel
        How it is distributed within a segment.
    labels : tuple of str, default=()
        What levels are called where that is not their text; empty for no labels. A table may hold either.
    """

    name: str
    kind: str
    levels: tuple[str, ...]
    model: LevelModel
    labels: tuple[str, ...] = ()

    @property
    def first(self) -> int:
        """The smallest number that a count can be, 0 or 1; 0 of other columns."""
        return int(self.levels[0]) if self.kind == "count" else 0

    @property
    def numbers(self) -> FloatArray | None:
        """The number that each level stands for; None where levels are words or point masses."""
        if self.kind == "count":
            return np.arange(float(self.first), float(self.first + len(self.levels)))
        return np.array([float(one) for one in self.levels]) if self.kind == "ordered" else None

    def read(self, column: nw.Series[Any], chosen: Array) -> IntArray:
        """Return the level of each chosen row, (n,), from 0; -1 where it is missing, or was never seen."""
        if self.kind == "spike":
            values = to_float64(column)[chosen]
            found = np.where(np.isfinite(values), 0, -1).astype(np.intp)
            for level, text in enumerate(self.levels[1:], 1):
                found[values == float(text)] = level
            return found
        if self.kind == "count":
            values = to_float64(column)[chosen]
            known = np.isfinite(values) & (values >= self.first) & (values == np.rint(values))
            above = np.where(known, values, self.first) - self.first
            return np.where(known, np.minimum(above, len(self.levels) - 1), -1).astype(np.intp)
        number = {text: level for level, text in enumerate(self.labels)} | _numbers_of(self.levels)
        texts = (text for text, kept in zip(texts_of(column), chosen, strict=True) if kept)
        return np.array([-1 if text is None else number.get(text, -1) for text in texts], dtype=np.intp)


_YES_NO = (("false", "0", "False", "FALSE"), ("true", "1", "True", "TRUE"))
"""Spellings of truth values: one table has them as numbers, another one as words."""


def _numbers_of(levels: Sequence[str]) -> dict[str, int]:
    """Return the number of each level by its text, and by other spellings where levels are two truth values."""
    numbers = {text: level for level, text in enumerate(levels)}
    no, yes = _YES_NO
    if len(levels) == 2 and levels[0] in no and levels[1] in yes:
        numbers = dict.fromkeys(no, 0) | dict.fromkeys(yes, 1) | numbers
    return numbers


@dataclass(frozen=True, eq=False)
class Coding:
    """The discrete columns of a table.

    Parameters
    ----------
    columns : tuple of CodedColumn
    discrete : DiscreteColumns
        What is modeled of them, in the same order.
    """

    columns: tuple[CodedColumn, ...]
    discrete: DiscreteColumns

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns in the table that have levels alone: all but spikes."""
        return tuple(one.name for one in self.columns if one.kind != "spike")

    def levels(self, frame: Any, chosen: Array) -> IntArray:
        """Return the levels of the chosen rows of a table, (n, J), as `DiscreteColumns.numbered`."""
        return self.discrete.numbered(read_levels(self.columns, frame, chosen))


def with_missing_levels(
    rows: FloatArray, columns: Sequence[str], coding: Coding | None, levels: IntArray | None
) -> tuple[FloatArray, list[str]]:
    """Return rows of numbers beside a column for each discrete one, NaN where its level is missing, and all names."""
    if coding is None or levels is None:
        return rows, list(columns)
    beside = [j for j, one in enumerate(coding.columns) if one.kind != "spike"]
    missing = np.where(levels[:, beside] == coding.discrete.size - 1, np.nan, 0.0)
    return np.hstack([rows, missing]), [*columns, *(coding.columns[j].name for j in beside)]


def standard_moments(coding: Coding, table: LevelTable) -> tuple[list[str], FloatArray, FloatArray]:
    """Return the names of the columns whose levels are numbers, and their means and deviations in every component.

    Both have the shape (K, J): means less the mean of the whole table, over its standard deviation, and deviations over
    it.
    """
    names, means, spreads = list[str](), list[FloatArray](), list[FloatArray]()
    starts = coding.discrete.starts
    for j, column in enumerate(coding.columns):
        numbers = column.numbers
        if numbers is None:
            continue
        shares = coding.discrete.shares[j]
        probabilities = np.exp(table.logs[starts[j] : starts[j + 1]])
        mean = shares @ numbers
        deviation = np.sqrt(shares @ (numbers - mean) ** 2)
        within = numbers @ probabilities
        variances = ((numbers[:, None] - within) ** 2 * probabilities).sum(axis=0)
        names.append(column.name)
        means.append((within - mean) / deviation)
        spreads.append(np.sqrt(variances) / deviation)
    shape = (len(names), int(table.logs.shape[1]))
    return names, np.reshape(means, shape).T, np.reshape(spreads, shape).T


def names_by_levels(coding: Coding, table: LevelTable) -> tuple[str, ...]:
    """Return a name per segment, each different, of the levels that are more frequent in it than in the whole table.

    It has the two levels, of different columns, whose probabilities lie farthest above the table's, in their standard
    deviations; more, where two segments would share a name.

    Parameters
    ----------
    coding : Coding
        Of columns whose levels are words.
    table : LevelTable

    Examples
    --------
    >>> import numpy as np
    >>> from mixtura.core.parts.discrete import DiscreteColumns, LevelTable
    >>> from mixtura.core.parts.level_models import CATEGORICAL
    >>> from mixtura.segments.table.discrete.coding import CodedColumn, Coding, names_by_levels
    >>> columns = tuple(CodedColumn(name, "category", ("no", "yes"), CATEGORICAL) for name in ("app", "car"))
    >>> discrete = DiscreteColumns((CATEGORICAL,) * 2, (np.array([0.5, 0.5]),) * 2)
    >>> logs = np.log([[0.9, 0.1], [0.1, 0.9], [0.2, 0.8], [0.8, 0.2], [1.0, 1.0]])
    >>> names_by_levels(Coding(columns, discrete), LevelTable(discrete, logs))
    ('app no, car yes', 'app yes, car no')
    """
    k = int(table.logs.shape[1])
    if k == 1:
        return ("all customers",)
    starts, found = coding.discrete.starts, [list[tuple[float, str]]() for _ in range(k)]
    for j, column in enumerate(coding.columns):
        share = coding.discrete.shares[j][:, None]
        apart = np.exp(table.logs[starts[j] : starts[j + 1]]) - share
        strength = apart / np.sqrt(np.maximum(share * (1.0 - share), np.finfo(np.float64).tiny))
        shown = column.labels or column.levels
        for segment, level in enumerate(strength.argmax(axis=0)):
            found[segment].append((float(strength[level, segment]), f"{column.name} {shown[level]}"))
    words = [[word for _, word in sorted(each, key=lambda one: -one[0])] for each in found]
    for parts in range(2, len(coding.columns) + 1):
        names = [", ".join(each[:parts]) for each in words]
        if len(set(names)) == k:
            return tuple(names)
    names = [", ".join(each[:2]) for each in words]
    return tuple(f"{name} ({1 + names[:i].count(name)})" for i, name in enumerate(names))


def read_levels(columns: Sequence[CodedColumn], frame: Any, chosen: Array) -> IntArray:
    """Return the levels of the chosen rows of a table, (n, J), -1 where one is missing or was never seen."""
    table: nw.DataFrame[Any] = nw.from_native(frame, eager_only=True)
    return np.column_stack([one.read(table[one.name], chosen) for one in columns])


def coding_of(
    kinds: Sequence[ColumnKind],
    frame: Any,
    chosen: Array,
    weights: FloatArray | None,
    codebook: Codebook = NO_CODEBOOK,
) -> Coding | None:
    """Return the levels of the columns that have some in the chosen rows of a table; None where none has.

    Parameters
    ----------
    kinds : sequence of ColumnKind
    frame : pandas, polars or pyarrow table
        N rows.
    chosen : ndarray of shape (N,), bool
    weights : ndarray of shape (n,) or None
        Of the chosen rows.
    codebook : Codebook, default=NO_CODEBOOK
        With labels of the levels.
    """
    table: nw.DataFrame[Any] = nw.from_native(frame, eager_only=True)
    counted = chosen
    if weights is not None:  # A level that no row counts for would be impossible, and is none.
        counted = chosen.copy()
        counted[np.flatnonzero(chosen)[weights <= 0]] = False
    coded = [
        _coded(one, table[one.name], counted, codebook.column(one.name))
        for one in kinds
        if one.kind != "continuous"
    ]
    columns = tuple(one for one in coded if one is not None)
    if not columns:
        return None
    columns, levels = _without_copies(columns, read_levels(columns, frame, chosen))
    shares = []
    for codes, column in zip(levels.T, columns, strict=True):
        known = codes >= 0
        counts = np.bincount(
            codes[known], None if weights is None else weights[known], minlength=len(column.levels)
        )
        shares.append(counts / max(counts.sum(), np.finfo(np.float64).tiny))
    return Coding(columns, DiscreteColumns(tuple(one.model for one in columns), tuple(shares)))


def _without_copies(
    columns: tuple[CodedColumn, ...], levels: IntArray
) -> tuple[tuple[CodedColumn, ...], IntArray]:
    """Leave out point masses that follow from another column: amounts and frequencies that are zero in the same rows.

    Columns are modeled as independent within a segment; what is counted twice would make segments of itself. Of two
    that follow from each other the first stays; a count, a category and a column with more point masses say more.
    """
    kept = list(range(len(columns)))
    for j in reversed(range(len(columns))):
        if columns[j].kind == "spike" and any(_follows(levels[:, i], levels[:, j]) for i in kept if i != j):
            kept.remove(j)
    return tuple(columns[j] for j in kept), levels[:, kept]


def _follows(first: IntArray, second: IntArray) -> bool:
    """Return whether the levels of the second column follow from those of the first in nearly all rows.

    That is Goodman and Kruskal's lambda: the share of the errors of guessing a level, the most frequent one, that
    knowing the other column spares. A missing level is known to be missing.
    """
    known = second >= 0
    table = np.zeros((first.max(initial=0) + 2, second.max(initial=0) + 1))
    np.add.at(table, (first[known] + 1, second[known]), 1.0)
    errors, guessed = known.sum() - table.max(axis=1).sum(), known.sum() - table.sum(axis=0).max()
    return bool(errors <= (1.0 - _COPY) * guessed)


def _coded(
    kind: ColumnKind, column: nw.Series[Any], chosen: Array, known: CodebookColumn
) -> CodedColumn | None:
    """Return what the levels of a column are; None where the chosen rows have one at most."""
    name = kind.name
    if kind.kind == "spike":
        return CodedColumn(
            name, "spike", (_ELSEWHERE, *(repr(float(one)) for one in kind.spikes)), CATEGORICAL
        )
    if kind.kind == "count":
        values = to_float64(column)[chosen]
        values = values[np.isfinite(values)]
        if not np.unique(values).size > 1:
            return None
        numbers = tuple(str(number) for number in range(kind.first, int(values.max()) + 1))
        # A mixture of Poisson distributions varies more than its mean; what varies no more needs no second parameter.
        model = NEGATIVE_BINOMIAL if values.var() > values.mean() - kind.first else POISSON
        return CodedColumn(name, "count", (*numbers, _MORE), model)
    texts = {text for text, kept in zip(texts_of(column), chosen, strict=True) if kept and text is not None}
    if len(texts) < 2:
        return None
    levels = sorted(texts, key=float) if column.dtype.is_numeric() else sorted(texts)
    labels = known.shown(levels) if any(level in known.labels for level in levels) else ()
    return CodedColumn(name, kind.kind, tuple(levels), CATEGORICAL, labels)
