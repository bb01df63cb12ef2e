"""Columns as a profile reads them: numbers, or levels with their customers counted. No customer is ever dropped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import narwhals as nw
import numpy as np

from mixtura._typing import Array, FloatArray, IntArray
from mixtura.io import CodebookColumn, to_float64
from mixtura.segments.profiles.leading_level import MISSING, OTHER
from mixtura.segments.table.columns import ColumnChoice
from mixtura.segments.table.discrete.cells import texts_of
from mixtura.segments.table.survey.proposals import proposed_kind

__all__ = ["MISSING", "MOST_LEVELS", "OTHER", "Categories", "Numbers", "Role", "read_columns"]

Role = Literal["active", "descriptive", "value"]

MOST_LEVELS = 10
"""Most frequent levels of a column that are shown one by one; the rest are shown together."""

_MOST_CODES = 10
"""Whole numbers with at most this many different values are codes, and shown as levels."""


@dataclass(frozen=True, slots=True, eq=False)
class Numbers:
    """A numeric column.

    Parameters
    ----------
    name : str
    role : {"active", "descriptive", "value"}
    values : ndarray of shape (n_complete,)
        NaN where there is none.
    """

    name: str
    role: Role
    values: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Categories:
    """A column of words, codes, dates or truth values.

    Parameters
    ----------
    name : str
    levels : tuple of str
        Numbers in their order, others the most frequent first; then `OTHER` and `MISSING`, where there are such.
    codes : ndarray of shape (n_complete,)
        The level of each customer.
    """

    name: str
    levels: tuple[str, ...]
    codes: IntArray


def read_columns(
    frame: Any,
    choice: ColumnChoice,
    rows: FloatArray,
    complete: Array,
    weights: FloatArray | None = None,
) -> tuple[list[Numbers], list[Categories]]:
    """Return the columns to profile, in the order of their roles: what builds, what describes, the value.

    Parameters
    ----------
    frame : pandas, polars or pyarrow table
        N rows.
    choice : ColumnChoice
    rows : ndarray of shape (n_complete, D)
        The columns that build.
    complete : ndarray of shape (N,), bool
    weights : ndarray of shape (n_complete,) or None, default=None
        By which levels are frequent; without, customers count one each.
    """
    counted = np.ones(len(rows)) if weights is None else weights
    table: nw.DataFrame[Any] = nw.from_native(frame, eager_only=True)
    numbers = [Numbers(name, "active", rows[:, d]) for d, name in enumerate(choice.used)]
    levels: list[Categories] = []
    for name in (*choice.discrete, *(one for one in choice.describe if one not in choice.discrete)):
        column, known = table[name], choice.codebook.column(name)
        values = _numbers_of(column, complete, known)
        if values is None:
            levels.append(_levels_of(column, complete, counted, known))
        else:
            numbers.append(Numbers(name, "active" if name in choice.discrete else "descriptive", values))
    if choice.value is not None and choice.value not in choice.used:
        values = to_float64(table[choice.value])[complete]
        numbers.append(Numbers(choice.value, "value", np.where(np.isfinite(values), values, np.nan)))
    return numbers, levels


def _numbers_of(column: nw.Series[Any], complete: Array, known: CodebookColumn) -> FloatArray | None:
    """Return the numbers of a column, or None where levels describe it better."""
    if not column.dtype.is_numeric() or proposed_kind(column, known) == "category":
        return None
    values = to_float64(column)[complete]
    values = np.where(np.isfinite(values), values, np.nan)
    different = np.unique(values[~np.isnan(values)])
    if different.size <= _MOST_CODES and np.all(different == np.rint(different)):
        return None
    return values


def _levels_of(
    column: nw.Series[Any], complete: Array, weights: FloatArray, codebook: CodebookColumn
) -> Categories:
    texts = [text for text, kept in zip(texts_of(column), complete, strict=True) if kept]
    counts: dict[str | None, float] = {}
    for text, weight in zip(texts, weights.tolist(), strict=True):
        counts[text] = counts.get(text, 0.0) + weight
    missing = counts.pop(None, None) is not None
    frequent = sorted((text for text in counts if text is not None), key=lambda text: (-counts[text], text))
    shown = frequent if len(frequent) <= MOST_LEVELS + 1 else frequent[:MOST_LEVELS]
    if column.dtype.is_numeric():
        shown.sort(key=float)
    known: dict[str | None, int] = {text: code for code, text in enumerate(shown)}
    extra = [OTHER] if len(shown) < len(frequent) else []
    if missing:
        known[None] = len(shown) + len(extra)
        extra.append(MISSING)
    codes = np.array([known.get(text, len(shown)) for text in texts], dtype=np.intp)
    return Categories(column.name, (*_apart(codebook.shown(shown)), *extra), codes)


def _apart(levels: Sequence[str]) -> list[str]:
    """Keep levels of the table apart from those that stand for the rest."""
    return [f"{level!r}" if level in {OTHER, MISSING} else level for level in levels]
