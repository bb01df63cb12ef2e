"""Choice of columns: those that describe customers, and the others with the reason why they are left out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import narwhals as nw
import numpy as np

from mixtura._typing import FloatArray
from mixtura.exceptions import TableError
from mixtura.io import NO_CODEBOOK, Codebook, CodebookColumn, looks_like_id, read_numbers, to_float64
from mixtura.segments.table.column_kinds import NotMeasured, is_random_key, not_measured, own_columns
from mixtura.segments.table.discrete.kinds import ColumnKind
from mixtura.segments.table.open_table import OpenTable
from mixtura.segments.table.roles import Roles
from mixtura.segments.table.survey.proposals import labelled_example, looks_like_weight, proposed_kind

__all__ = ["ONE_CONTINUOUS", "ColumnChoice", "LeftOut", "choose", "choose_columns", "guess_id"]

Frame = nw.DataFrame[Any]
Series = nw.Series[Any]

ONE_CONTINUOUS = (
    "At least one continuous column is required here: add one, such as an amount or an age. Categories alone can be "
    "segmented, as latent classes, where columns are taken for what they look like, and nothing else."
)
"""What errors say of a table that has none."""

_TEXT_ROWS = 1000
"""Cells that decide on what a column of text holds."""

_DATE = re.compile(r"\s*(\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4})(T\d|\b)")


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A column that is not used, and why.

    Parameters
    ----------
    name, reason : str
    numeric : bool, default=False
        Whether it holds numbers other than ids and constants, so that leaving it out may surprise.
    is_category : bool, default=False
        Whether its values may be levels of a category: words, codes, truth values.
    """

    name: str
    reason: str
    numeric: bool = False
    is_category: bool = False


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
        Columns that describe the segments and do not build them.
    value, weight : str or None, default=None
        What a customer is worth; how much a customer counts.
    discrete : tuple of str, default=()
        Columns of counts and categories that build the segments too.
    kinds : tuple of ColumnKind, default=()
        What the columns that build are taken for; empty where only numbers were asked for.
    codebook : Codebook, default=NO_CODEBOOK
        What the file says of its columns.
    """

    used: tuple[str, ...]
    left_out: tuple[LeftOut, ...]
    id_column: str | None
    describe: tuple[str, ...] = ()
    value: str | None = None
    weight: str | None = None
    discrete: tuple[str, ...] = ()
    kinds: tuple[ColumnKind, ...] = ()
    codebook: Codebook = NO_CODEBOOK

    @property
    def building(self) -> tuple[str, ...]:
        """All columns that build the segments, the discrete ones last."""
        return (*self.used, *self.discrete)


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

    Unless `columns` is given, every numeric column is used, except ids, constants, codes of categories, dates and
    parts of dates written as numbers, and columns that an earlier segmentation added.

    Parameters
    ----------
    frame : pandas, polars or pyarrow table
        N rows.
    columns : sequence of str or None, default=None
        Use these and no others.
    id_column : str or None, default=None
        The column that names customers. Where None is given: one whose name says so, whole numbers that never repeat,
        or a first column in which every value is different text.
    describe : sequence of str, default=()
        Columns of any type that only describe the segments.
    value : str or None, default=None
        A numeric column that says what a customer is worth. It builds segments only where it is named in `columns`.
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
    roles = Roles(columns, id_column, describe, value, weight)
    return choose(roles.open(frame), roles)


def choose(opened: OpenTable, roles: Roles) -> ColumnChoice:
    """Sort out the columns of a table that `Roles.open` has read."""
    table: Frame = nw.from_native(opened.frame, eager_only=True)
    if not table.columns:
        raise TableError("The table has no columns; at least one column of different numbers is required.")
    roles.check(table)
    reserved = {name: LeftOut(name, reason) for name, reason in roles.reserved.items()}
    weight, building = opened.codebook.weight, roles.columns or ()
    if weight in table.columns and weight not in (*reserved, *building):
        reserved[weight] = LeftOut(weight, "the weight that the file declares, which was not asked for")
    if roles.columns is not None:
        left_out = {
            name: LeftOut(name, "not asked for") for name in table.columns if name not in roles.columns
        }
        used = tuple(roles.columns)
    else:
        open_names = [name for name in table.columns if name not in reserved]
        left_out = _left_out(table, open_names, opened.codebook)
        used = tuple(name for name in table.columns if name not in left_out and name not in reserved)
    left_out |= reserved
    if not used and not roles.may_be_discrete(left_out.values()):
        raise TableError(_nothing_left(list(left_out.values())))
    candidates = [name for name in table.columns if name not in used and name not in reserved]
    return ColumnChoice(
        used,
        tuple(left_out[name] for name in table.columns if name in left_out),
        roles.id_column or guess_id(table, candidates),
        tuple(roles.describe),
        roles.value,
        roles.weight,
        codebook=opened.codebook,
    )


def _left_out(table: Frame, names: Sequence[str], codebook: Codebook) -> dict[str, LeftOut]:
    own = own_columns(table.columns)
    found = {
        name: LeftOut(name, "added by an earlier segmentation", numeric=True)
        if name in own
        else LeftOut(
            name, "a weight, by its name and values: `weight` would weigh the rows by it", numeric=True
        )
        if codebook.columns and looks_like_weight(name, table[name])
        else why_not(table[name], codebook.column(name))
        for name in names
    }
    left_out = {name: one for name, one in found.items() if one is not None}
    first, numeric = table.columns[0], [name for name in names if name not in left_out]
    if numeric and first == numeric[0] and len(numeric) > 1:
        others = [to_float64(table[name]) for name in numeric[1:]]
        if is_random_key(to_float64(table[first]), others):
            left_out[first] = LeftOut(
                first, "an id: whole numbers that never repeat, without relation to anything"
            )
    return left_out


def why_not(column: Series, known: CodebookColumn | None = None) -> LeftOut | None:
    """Return why a column is not used, or None if it is; `known` is what its file says of it."""
    name = column.name
    if column.dtype == nw.Boolean:
        return LeftOut(name, "true or false", is_category=True)
    if column.dtype == nw.Duration:
        return LeftOut(name, "durations, which are used where they are numbers, such as of minutes")
    if column.dtype.is_temporal():
        return LeftOut(name, "dates or times")
    present = column.drop_nulls()
    if len(present) == 0:
        return LeftOut(name, "no values")
    if not column.dtype.is_numeric():
        return _text_reason(column, present)
    values = to_float64(present)
    values = values[np.isfinite(values)]
    if values.size == 0:
        return LeftOut(name, "no values")
    known = known or CodebookColumn()
    proposed = proposed_kind(column, known)
    found = not_measured(name, values, measured=proposed in ("continuous", "ordered"))
    if proposed == "category" and not ("" if found is None else found.reason).startswith(
        ("an id", "the same value")
    ):
        found = NotMeasured(f"codes of categories{labelled_example(known)}", True)
    if found is None:
        return None
    expected = found.reason.startswith(("an id", "row numbers", "the same value"))
    return LeftOut(name, found.reason, numeric=not expected, is_category=found.is_category)


def _text_reason(column: Series, present: Series) -> LeftOut:
    name, cells = column.name, [str(value) for value in present.head(_TEXT_ROWS).to_list()]
    if looks_like_id(name):
        return LeftOut(name, "an id")
    if _DATE.match(cells[0]):
        return LeftOut(name, f"dates, such as {cells[0][:30]!r}")
    if set(cells) <= {"True", "False"}:
        return LeftOut(name, "true or false", is_category=True)
    if len(present) < len(column) and present.n_unique() == 1:
        return LeftOut(
            name, f"{cells[0][:30]!r} or missing: with a word where it is missing it is a category"
        )
    found = read_numbers(cells)
    if 0.2 <= found.share < 1 and not found.is_code:
        return LeftOut(name, f"numbers and text, such as {cells[found.odd[0]][:30]!r}", numeric=True)
    return LeftOut(name, f"text, such as {cells[0][:30]!r}", is_category=True)


def guess_id(table: Frame, candidates: Sequence[str]) -> str | None:
    """Return the column among those not used that names customers best."""
    named = [name for name in candidates if looks_like_id(name)]
    rows = [name for name in candidates if name not in named and _is_whole(table[name])]
    first = [name for name in table.columns[:1] if name in candidates and table[name].dtype == nw.String]
    for name in (*named, *first, *rows):
        column = table[name]
        if len(table) > 1 and column.null_count() == 0 and column.n_unique() == len(table):
            return name
    return None


def _is_whole(column: Series) -> bool:
    if not column.dtype.is_numeric():
        return False
    values: FloatArray = to_float64(column)
    return bool(np.all(values == np.rint(values)))


def _nothing_left(left_out: Sequence[LeftOut]) -> str:
    why = "; ".join(f"{one.name!r}: {one.reason}" for one in left_out[:8])
    said = f"No numeric column is left to make segments from ({why}). "
    if any(one.is_category for one in left_out):
        return (
            f"{said}{ONE_CONTINUOUS} Answers that have an order can also be written as numbers, such as 1, 2 and 3, "
            "and named with `columns`."
        )
    return f"{said}At least one column of different numbers is required. Name columns to use with `columns`."
