"""Which columns of a table describe customers, and which do not, with the reason."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import narwhals as nw
import numpy as np

from mixtura.exceptions import TableError
from mixtura.io import looks_like_date, looks_like_id, to_float64
from mixtura.segments.table.roles import Roles

__all__ = ["ColumnChoice", "LeftOut", "choose_columns"]

Frame = nw.DataFrame[Any]
Series = nw.Series[Any]

_CODE_VALUES = 3
"""Whole numbers with at most so many different values are codes; a density on them is a row of spikes."""

_DATE = re.compile(r"\s*(\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4})\b")

_CODE_ROWS = 30
"""In shorter tables few different values say nothing."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A column that is not used, and why."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class ColumnChoice:
    """The columns of a table, sorted out.

    Parameters
    ----------
    used : tuple of str
        Numeric columns that the segments are made from.
    left_out : tuple of LeftOut
        All others, in the order of the table.
    id_column : str or None
        What names a customer in the output; None for the row number.
    describe : tuple of str, default=()
        Columns that tell about the segments and do not build them.
    value, weight : str or None, default=None
        What a customer is worth; how much a customer counts.
    """

    used: tuple[str, ...]
    left_out: tuple[LeftOut, ...]
    id_column: str | None
    describe: tuple[str, ...] = ()
    value: str | None = None
    weight: str | None = None


def choose_columns(
    frame: Any,
    *,
    columns: Sequence[str] | None = None,
    id_column: str | None = None,
    describe: Sequence[str] = (),
    value: str | None = None,
    weight: str | None = None,
) -> ColumnChoice:
    """Sort out the columns of a table.

    Unless told, every numeric column is used, except ids, constants, codes with a few values, and
    dates written as numbers.

    Parameters
    ----------
    frame : pandas, polars or pyarrow table
        N rows.
    columns : sequence of str or None, default=None
        Use these and no others.
    id_column : str or None, default=None
        The column that names customers. Unless told: one whose name says so, or a first column in which every value
        is different text.
    describe : sequence of str, default=()
        Columns of any type that only describe the segments.
    value : str or None, default=None
        A numeric column that says what a customer is worth. Unless it is named in `columns`, it builds no segments.
    weight : str or None, default=None
        A numeric column that says how much a customer counts.

    Raises
    ------
    ColumnError
        A named column is missing, named twice, in two roles, or not numeric.
    TableError
        No numeric column is left.

    Examples
    --------
    >>> import polars
    >>> from mixtura.segments import choose_columns
    >>> frame = polars.DataFrame({"customer": [1, 2, 3], "income": [31.5, 60.0, 45.2], "shop": [7, 7, 7]})
    >>> choice = choose_columns(frame)
    >>> choice.used, choice.id_column
    (('income',), 'customer')
    >>> [(column.name, column.reason) for column in choice.left_out]
    [('customer', 'an id'), ('shop', 'the same value in every row: 7')]
    """
    table: Frame = nw.from_native(frame, eager_only=True)
    roles = Roles(columns, id_column, tuple(describe), value, weight)
    roles.check(table)
    reserved = roles.reserved
    if columns is not None:
        reasons = {name: "not asked for" for name in table.columns if name not in columns}
        used = tuple(columns)
    else:
        found = {name: why_not(table[name]) for name in table.columns if name not in reserved}
        reasons = {name: reason for name, reason in found.items() if reason is not None}
        used = tuple(name for name, reason in found.items() if reason is None)
    reasons |= reserved
    if not used:
        raise TableError(_nothing_left(reasons))
    left_out = tuple(LeftOut(name, reasons[name]) for name in table.columns if name in reasons)
    candidates = [name for name in table.columns if name not in used and name not in reserved]
    return ColumnChoice(
        used, left_out, id_column or _guess_id(table, candidates), roles.describe, value, weight
    )


def why_not(column: Series) -> str | None:
    """Return why a column is not used, or None if it is."""
    if column.dtype == nw.Boolean:
        return "true or false"
    if column.dtype.is_temporal():
        return "dates or times"
    present = column.drop_nulls()
    if len(present) == 0:
        return "no values"
    if not column.dtype.is_numeric():
        return _text_reason(column, present)
    values = to_float64(present)
    values = values[np.isfinite(values)]
    if values.size == 0:
        return "no values"
    return _numeric_reason(column.name, values)


def _numeric_reason(name: str, values: np.ndarray[Any, np.dtype[np.float64]]) -> str | None:
    different = np.unique(values)
    whole = bool(np.all(values == np.rint(values)))
    all_different = different.size == values.size
    if different.size == 1 and values.size > 1:
        return f"the same value in every row: {different[0]:g}"
    if whole and looks_like_id(name):
        return "an id"
    if whole and all_different and values.size > 2 and values[0] in {0, 1} and np.all(np.diff(values) == 1):
        return "row numbers"
    if whole and looks_like_date(name) and values.min() > 1_000_000:
        return "dates written as numbers"
    if whole and different.size <= _CODE_VALUES and values.size >= _CODE_ROWS:
        return f"only {different.size} different values ({', '.join(f'{value:g}' for value in different)}): a code"
    return None


def _text_reason(column: Series, present: Series) -> str:
    if looks_like_id(column.name):
        return "an id"
    example = str(present.head(1).to_list()[0])
    if _DATE.match(example):
        return f"dates, such as {example[:30]!r}"
    return f"text, such as {example[:30]!r}"


def _guess_id(table: Frame, candidates: Sequence[str]) -> str | None:
    """Return the most telling column among those that are not used."""
    named = [name for name in candidates if looks_like_id(name)]
    rows = [name for name in candidates if name not in named and table[name].dtype.is_integer()]
    first = [name for name in table.columns[:1] if name in candidates and table[name].dtype == nw.String]
    for name in (*named, *first, *rows):
        column = table[name]
        if len(table) > 1 and column.null_count() == 0 and column.n_unique() == len(table):
            return name
    return None


def _nothing_left(reasons: dict[str, str]) -> str:
    why = "; ".join(f"{name!r}: {reason}" for name, reason in list(reasons.items())[:8])
    return (
        f"No numeric column is left to make segments from ({why}). At least one column of different numbers is "
        "required. Name columns to use with --columns."
    )
