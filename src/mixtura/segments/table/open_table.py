"""The table as it is used: text names, numbers where numbers are meant, without a row of totals."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from numbers import Real
from types import MappingProxyType
from typing import Any

import narwhals as nw
import numpy as np
from narwhals.exceptions import DuplicateError

from mixtura._typing import FloatArray
from mixtura.engine import is_distributed
from mixtura.exceptions import ColumnError, TableError
from mixtura.io import NO_CODEBOOK, Codebook, codebook_of, looks_like_id, read_numbers, to_float64
from mixtura.segments.table.column_kinds import is_key
from mixtura.segments.table.survey.missing_codes import (
    SuspectedCodes,
    codes_of,
    declared_notes,
    suspected_codes,
    suspected_notes,
)
from mixtura.segments.table.survey.sentinel import Sentinel, sentinel_notes, sentinel_of

__all__ = [
    "OddCell",
    "OpenTable",
    "column_name",
    "open_table",
]

Frame = nw.DataFrame[Any]
Series = nw.Series[Any]

_TOTAL = re.compile(
    r"(grand |overall |sub)?(total|sum|summe|gesamt|gesamtsumme|insgesamt|totals|all customers"
    r"|average|mean|durchschnitt|mittelwert|somme|moyenne|suma|promedio|media)s?:?",
    re.I,
)
_UNLABELED = "without a label"
_ON_A_CLUSTER = (
    "A table in memory is required here; got a dataframe of {}. Use mixtura.Segmentation.fit(frame), which leaves its "
    "rows where they are, or take a sample of them."
)
_SHOWN = 5
_FIRST = 1000
"""Cells that decide whether the others are looked at."""


@dataclass(frozen=True, slots=True)
class OddCell:
    """A cell of a column of numbers that does not hold a number.

    Parameters
    ----------
    column : str
    row : int
        From 1, the first row of data.
    text : str
        What stands there.
    """

    column: str
    row: int
    text: str


@dataclass(frozen=True, slots=True, eq=False)
class OpenTable:
    """A table as it is used.

    Parameters
    ----------
    frame : dataframe
        Of the library it came in. Column names are text; columns that hold numbers as text are numbers.
    odd_cells : tuple of OddCell, default=()
        Cells that are missing because they do not hold a number.
    sentinels : tuple of Sentinel, default=()
        Numbers that stand for missing values.
    total : str, default=""
        The label of a last row that was left out because it holds totals, or "without a label".
    suspected : tuple of SuspectedCodes, default=()
        Numbers that may stand for missing values, and are used as numbers.
    codebook : Codebook, default=NO_CODEBOOK
        What the file says of its columns.
    """

    frame: Any
    odd_cells: tuple[OddCell, ...] = ()
    sentinels: tuple[Sentinel, ...] = ()
    total: str = ""
    suspected: tuple[SuspectedCodes, ...] = ()
    codebook: Codebook = NO_CODEBOOK

    def notes(self, columns: Collection[str]) -> tuple[str, ...]:
        """Return what was changed, in sentences, as far as it concerns some columns."""
        odd = [cell for cell in self.odd_cells if cell.column in columns]
        sentences = [_odd_note(odd)] if odd else []
        sentences += sentinel_notes([one for one in self.sentinels if one.column in columns])
        sentences += declared_notes(
            self.codebook, [name for name in self.codebook.columns if name in columns]
        )
        sentences += suspected_notes([one for one in self.suspected if one.column in columns])
        if self.total:
            label = self.total if self.total == _UNLABELED else repr(self.total)
            sentences.append(f"The last row, {label}, holds totals and not a customer: left out.")
        return tuple(sentences)


def column_name(label: Any) -> str:
    """Return the name of a column as text; the levels of a MultiIndex are joined.

    Examples
    --------
    >>> from mixtura.segments.table.open_table import column_name
    >>> column_name("income"), column_name(0), column_name(("spent", "sum"))
    ('income', '0', 'spent sum')
    """
    if isinstance(label, tuple):
        return " ".join(str(part) for part in label if str(part))
    return str(label)


def open_table(
    frame: Any,
    *,
    keep: Collection[str] = (),
    numbers: Collection[str] = (),
    only: Collection[str] | None = None,
    missing_codes: Mapping[str, Sequence[float]] | None = None,
) -> OpenTable:
    """Read a dataframe as people have them.

    Parameters
    ----------
    frame : pandas, polars or pyarrow table
        N rows.
    keep : collection of str, default=()
        Columns that are not read as numbers: ids, and columns that describe.
    numbers : collection of str, default=()
        Columns that must be numbers, even if many of their cells are not.
    only : collection of str or None, default=None
        Columns that are looked at; None for all.
    missing_codes : mapping of str to sequence of float, or None, default=None
        Numbers that stand for missing values, by column; ``"*"`` for all columns that are read as numbers.

    Raises
    ------
    TableError
        It is not a dataframe.
    ColumnError
        Two columns have the same name.
    """
    codebook, asked = codebook_of(frame), missing_codes or {}
    table, total = _without_total(_named(frame))
    odd: list[OddCell] = []
    sentinels: list[Sentinel] = []
    suspected: list[SuspectedCodes] = []
    for name in table.columns:
        kept = name in keep
        if (kept and name not in asked) or (only is not None and name not in only) or len(table) == 0:
            continue
        codes_by_label = {label: code for code, label in codebook.column(name).labels.items()}
        read = None if kept else _as_numbers(table[name], must=name in numbers, codes=codes_by_label)
        if read is not None:
            odd += [OddCell(name, row + 1, text) for row, text in read[1]]
            table = _with_column(table, name, read[0])
        if table[name].dtype.is_numeric():
            values = to_float64(table[name])
            codes = codes_of(asked, name, own=kept)
            found = _sentinels(name, values, codes, guess=not kept)
            if found:
                sentinels += found
                values = np.where(np.isin(values, [one.value for one in found]), np.nan, values)
                table = _with_column(table, name, values)
            doubt = None if kept else suspected_codes(name, values, codebook.column(name))
            suspected += [] if doubt is None else [doubt]
    return OpenTable(table.to_native(), tuple(odd), tuple(sentinels), total, tuple(suspected), codebook)


def _named(frame: Any) -> Frame:
    """Return the table with names that are text."""
    labels = list(getattr(frame, "columns", ()))
    if any(not isinstance(label, str) for label in labels) and hasattr(frame, "set_axis"):
        frame = frame.set_axis([column_name(label) for label in labels], axis=1)
    try:
        table: Frame = nw.from_native(frame, eager_only=True)
        names = table.columns
    except (DuplicateError, ValueError) as error:
        raise ColumnError(
            f"Names of columns must be unique ({error}). Rename one of them.", column=""
        ) from error
    except TypeError as error:
        if is_distributed(frame):
            raise TableError(_ON_A_CLUSTER.format(type(frame).__module__.partition(".")[0])) from error
        raise TableError(
            f"A dataframe (pandas, polars or pyarrow) is required; got {type(frame).__name__}. For an array try "
            "pandas.DataFrame(X), after pip install pandas."
        ) from error
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ColumnError(
            f"Names of columns must be unique; {twice[0]!r} stands {names.count(twice[0])} times. Rename one of them.",
            column=twice[0],
        )
    return table


def _with_column(table: Frame, name: str, values: FloatArray) -> Frame:
    present = values[np.isfinite(values)]
    if present.size == values.size and np.all(present == np.rint(present)) and np.abs(present).max() < 2**53:
        column = nw.new_series(name, values.astype(np.int64), nw.Int64, backend=table.implementation)
    else:
        column = nw.new_series(name, values, nw.Float64, backend=table.implementation)
    return table.with_columns(column)


# ---------------------------------------------------------------------------------------- numbers as text


def _as_numbers(
    column: Series, *, must: bool, codes: Mapping[str, str] = MappingProxyType({})
) -> tuple[FloatArray, list[tuple[int, str]]] | None:
    """Return the numbers of a column of text or objects, and its odd cells; None where it does not hold numbers.

    Labels that stand in the place of codes are read as these.
    """
    if not (column.dtype in {nw.String, nw.Categorical, nw.Object} or isinstance(column.dtype, nw.Enum)):
        return None
    # Long columns of words are recognized by their beginning.
    if len(column) > _FIRST and _as_numbers(column.drop_nulls().head(_FIRST), must=True, codes=codes) is None:
        return None
    cells: list[Any] = (
        [_plain(value) for value in column.to_list()]
        if column.dtype == nw.Object
        else column.cast(nw.String).to_list()
    )
    if any(isinstance(cell, bool) or not isinstance(cell, str | float | None) for cell in cells):
        return None
    texts = [
        codes.get(cell, cell) if isinstance(cell, str) else None if cell is None else repr(cell)
        for cell in cells
    ]
    found = read_numbers(texts)
    if not (found.are_numbers or (must and found.share >= 0.5)):
        return None
    if not must and _names_rows(column.name, found.values):
        return None
    return found.values, [(row, str(texts[row])) for row in found.odd]


def _plain(value: Any) -> Any:
    """Return a Python object as float, text, or None where it is missing; others as they are."""
    if value is None or isinstance(value, str | bool | np.bool_):
        return bool(value) if isinstance(value, np.bool_) else value
    if isinstance(value, Real | Decimal | np.number):
        number = float(value)
        return None if np.isnan(number) else number
    # NaT and NA differ from themselves, or will not say.
    return None if type(value).__name__ in {"NAType", "NaTType"} else value


def _names_rows(name: str, values: FloatArray) -> bool:
    """Return whether numbers written as text are ids, which must come back as they stand."""
    if looks_like_id(name):
        return True
    different = np.unique(values)
    whole = not np.isnan(values).any() and np.all(values == np.rint(values))
    return bool(whole) and different.size == values.size and is_key(different)


def _odd_note(odd: Sequence[OddCell]) -> str:
    shown = ", ".join(f"{cell.text[:30]!r} in row {cell.row} of {cell.column!r}" for cell in odd[:_SHOWN])
    more = f" and {len(odd) - _SHOWN:,} more" if len(odd) > _SHOWN else ""
    said = (
        "1 cell is not a number and counts"
        if len(odd) == 1
        else f"{len(odd):,} cells are not numbers and count"
    )
    return f"{said} as missing: {shown}{more}."


# ---------------------------------------------------------------------------------------- sentinels and totals


def _sentinels(name: str, values: FloatArray, codes: Sequence[float], *, guess: bool) -> list[Sentinel]:
    """Return the numbers that stand for missing values: those that were said, or else one that is recognized."""
    guessed = sentinel_of(values) if guess and not codes else None
    taken = codes if guessed is None else [guessed]
    counted = [(code, int(np.count_nonzero(values == code))) for code in dict.fromkeys(taken)]
    return [Sentinel(name, float(code), count) for code, count in counted if count]


def _without_total(table: Frame) -> tuple[Frame, str]:
    """Leave out a last row that holds the totals of the others."""
    if len(table) < 3:
        return table, ""
    # Not `row`, for which Arrow loads pandas.
    last = [table[name].tail(1).to_list()[0] for name in table.columns]
    labels = [
        value
        for value in last
        if isinstance(value, str) and value.strip() and read_numbers([value]).share == 0
    ]
    rows = table.head(len(table) - 1)
    if not labels and _are_sums(rows, last):
        return rows, _UNLABELED
    if len(labels) != 1 or not _TOTAL.fullmatch(labels[0].strip()):
        return table, ""
    sums = [_is_total(rows[name], value) for name, value in zip(table.columns, last, strict=True)]
    if not any(sums):
        return table, ""
    return rows, labels[0].strip()


def _are_sums(rows: Frame, last: Sequence[Any]) -> bool:
    """Return whether a row without a label holds sums: all its numbers, two or more, or one beside an empty cell."""
    filled = [i for i, value in enumerate(last) if value is not None and str(value).strip()]
    if not filled or len(last) < 2:
        return False
    found = [_numbers_and_total(rows[rows.columns[i]], last[i]) for i in filled]
    return all(
        values.size > 2
        and np.isclose(values.sum(), total, rtol=1e-6, atol=0.51)
        and abs(total) > 2 * np.abs(values).max()
        for values, total in found
    )


def _is_total(column: Series, value: Any) -> bool:
    """Return whether a value is the sum or the mean of a column, or larger than everything in it."""
    values, total = _numbers_and_total(column, value)
    if values.size == 0:
        return False
    near = np.isclose([values.sum(), values.mean()], total, rtol=1e-3, atol=0.51).any()
    return bool(near) or bool(values.min() >= 0 and total > 2 * values.max())


def _numbers_and_total(column: Series, value: Any) -> tuple[FloatArray, float]:
    """Return the numbers of a column, and a cell as one; no numbers where either is text or missing."""
    if isinstance(value, str):
        value = read_numbers([value]).values[0]
    read = _as_numbers(column, must=False)
    numeric = read is not None or column.dtype.is_numeric()
    if not numeric or value is None or not np.isfinite(float(value)):
        return np.empty(0), 0.0
    values = to_float64(column) if read is None else read[0]
    return values[np.isfinite(values)], float(value)
