"""The periods of a table: rows by the time that a column says."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypeAlias

import narwhals as nw
import numpy as np

from mixtura._typing import FloatArray, IntArray
from mixtura.exceptions import ColumnError, DataError
from mixtura.validation import require

__all__ = ["EVERY", "Period", "periods_of", "times_of"]

_Reader: TypeAlias = Callable[[Any], date | None]

EVERY = ("auto", "value", "day", "week", "month", "quarter", "year")
"""What `every` may be."""

_MOST_VALUES = 200
_FEWEST, _MOST = 2, 40
"""Periods that are chosen without being asked for."""
_CORRECT = "Correct them, or leave the rows without a time."
_FIRST_DAY = date(1970, 1, 1).toordinal()
_LABEL = re.compile(r"\d{4}([-/ ]?(Q[1-4]|W\d{1,2}|\d{1,2}))?", re.I)
_FORMATS = (
    "%Y/%m/%d",
    "%d.%m.%Y",
    "%m/%d/%Y",
    "%d/%m/%Y",
    "%Y%m%d",
    "%Y-%m",
    "%Y/%m",
    "%b %Y",
    "%B %Y",
    "%d-%b-%Y",
)


@dataclass(frozen=True, slots=True, eq=False)
class Period:
    """A period, and which rows are of it.

    Parameters
    ----------
    label : str
    rows : ndarray of shape (n,), int
        From 0.
    """

    label: str
    rows: IntArray


def periods_of(frame: Any, time: str, every: str = "auto") -> tuple[tuple[Period, ...], int]:
    """Return the periods of a table, the earliest first, and the number of rows that have no time.

    Parameters
    ----------
    frame : pandas, polars or pyarrow table
    time : str
        A column of dates, of text that is one, or of numbers such as years or months.
    every : {"auto", "value", "day", "week", "month", "quarter", "year"}, default="auto"
        How long a period is. ``"value"``: each value of the column is one. ``"auto"`` does so for numbers and for
        labels such as 2024-05, and for dates takes months, unless there are less than two or more than forty of them:
        then quarters, years, weeks or days.

    Raises
    ------
    ColumnError
        There is no such column, or a value is not a time.
    DataError
        There are fewer than two periods.

    Examples
    --------
    >>> import polars
    >>> from mixtura.segments.change import periods_of
    >>> found, without = periods_of(polars.DataFrame({"day": ["2024-01-30", "2024-02-01", "2024-02-05"]}), "day")
    >>> [(one.label, one.rows.tolist()) for one in found], without
    ([('2024-01', [0]), ('2024-02', [1, 2])], 0)
    """
    require("every", every, EVERY, "Try `every='month'`.")
    table: nw.DataFrame[Any] = nw.from_native(frame, eager_only=True)
    if time not in table.columns:
        raise ColumnError.missing(time, table.columns, "time")
    values = table[time].to_list()
    present = [row for row, value in enumerate(values) if not _is_missing(value)]
    keys = _keys([values[row] for row in present], time, every)
    labels = sorted(set(keys))
    if len(labels) < _FEWEST:
        raise DataError(
            f"The time column {time!r} has {len(labels)} period{'' if len(labels) == 1 else 's'}"
            f"{f', {labels[0][1]}' if labels else ''}. At least two are required, to be compared. Try a smaller "
            "`every`, or another column for `time`."
        )
    rows: dict[tuple[Any, str], list[int]] = {label: [] for label in labels}
    for row, key in zip(present, keys, strict=True):
        rows[key].append(row)
    found = tuple(Period(label[1], np.array(rows[label], dtype=np.intp)) for label in labels)
    return found, len(values) - len(present)


def times_of(frame: Any, time: str) -> tuple[FloatArray, bool]:
    """Return when each row is of, (N,), NaN where that is not known, and whether these are days since 1970.

    Otherwise they are the numbers that a column of numbers holds.

    Parameters
    ----------
    frame : pandas, polars or pyarrow table
        N rows.
    time : str
        A column of dates, of text that is one, or of numbers such as years or months.

    Raises
    ------
    ColumnError
        There is no such column, or a value is not a time.

    Examples
    --------
    >>> import polars
    >>> from mixtura.segments.change.periods import times_of
    >>> times_of(polars.DataFrame({"day": ["1970-01-03", None]}), "day")
    (array([ 2., nan]), True)
    """
    table: nw.DataFrame[Any] = nw.from_native(frame, eager_only=True)
    if time not in table.columns:
        raise ColumnError.missing(time, table.columns, "time")
    values = table[time].to_list()
    present = [row for row, value in enumerate(values) if not _is_missing(value)]
    found, known = np.full(len(values), np.nan), [values[row] for row in present]
    are_dates = not _are_numbers(known) or _are_days(known)
    found[present] = [_as_number(day) for day in _days(known, time, remedy=_CORRECT)] if are_dates else known
    return found, are_dates


def _as_number(day: date) -> float:
    """Return the days since 1970, with the part of the day where it is known."""
    number = float(day.toordinal() - _FIRST_DAY)
    if isinstance(day, datetime):
        number += (day.hour * 3600 + day.minute * 60 + day.second) / 86_400
    return number


def _are_numbers(values: Sequence[Any]) -> bool:
    return all(isinstance(one, int | float) and not isinstance(one, bool) for one in values)


def _is_missing(value: Any) -> bool:
    return value is None or value != value or (isinstance(value, str) and not value.strip())


def _keys(values: Sequence[Any], time: str, every: str) -> list[tuple[Any, str]]:
    """Return what periods are ordered by, and what they are called."""
    if _are_numbers(values) and not (every != "value" and _are_days(values)):
        _check_values(values, time, every)
        return [(float(one), f"{one:g}") for one in values]
    if every == "value" or (every == "auto" and _are_labels(values)):
        texts = [str(one).strip() for one in values]
        _check_values(texts, time, "value")
        return [(one, one) for one in texts]
    labels = "`every='value'` takes each text as a period, in alphabetical order."
    days = _days(values, time, remedy=f"{_CORRECT[:-1]}; {labels}")
    lengths = [every] if every != "auto" else ["month", "quarter", "year", "week", "day"]
    for length in lengths:
        keys = [_NAMES[length](day) for day in days]
        if every != "auto" or _FEWEST <= len(set(keys)) <= _MOST:
            return [(one, one) for one in keys]
    return [(one, one) for one in (_NAMES["year"](day) for day in days)]


def _are_days(values: Sequence[Any]) -> bool:
    """Return whether numbers are days such as 20240131."""
    return all(19000101 <= one <= 22001231 and one == int(one) for one in values)


def _are_labels(values: Sequence[Any]) -> bool:
    """Return whether all values are labels of periods, such as 2024, 2024-05, 2024-Q1 or 2024W07."""
    return all(isinstance(one, str) and _LABEL.fullmatch(one.strip()) for one in values)


def _check_values(values: Sequence[Any], time: str, every: str) -> None:
    different = len(set(values))
    if different > _MOST_VALUES:
        raise DataError(
            f"The time column {time!r} has {different:,} different values, and each would be a period. At most "
            f"{_MOST_VALUES} periods can be compared. Name a column of dates or of months as `time`."
        )
    if every not in {"auto", "value"}:
        examples = ", ".join(f"{one:g}" for one in sorted(set(values))[:3])
        raise ColumnError(
            f"`every={every!r}` requires a column of dates; {time!r} holds numbers: {examples}. Try `every='value'`.",
            column=time,
        )


def _days(values: Sequence[Any], time: str, *, remedy: str) -> list[date]:
    """Return the day of each value, in the one format in which most of them can be read."""
    first = [one for one in values if not isinstance(one, date)][:200]
    readers = [_from_iso, *(_reader(text) for text in _FORMATS)]
    reader = max(readers, key=lambda one: sum(one(value) is not None for value in first))
    _require_clear(first, reader, time)
    days = [one if isinstance(one, date) else reader(one) for one in values]
    odd = [str(value)[:30] for value, day in zip(values, days, strict=True) if day is None]
    if odd:
        examples = ", ".join(map(repr, list(dict.fromkeys(odd))[:3]))
        raise ColumnError(
            f"The time column {time!r} does not hold times in {len(odd):,} of {len(values):,} rows: {examples}. Dates "
            f"in one format such as 2024-01-31, months such as 2024-01, or numbers are required. {remedy}",
            column=time,
        )
    return [one for one in days if one is not None]


def _require_clear(values: Sequence[Any], reader: _Reader, time: str) -> None:
    """Raise `ColumnError` where dates with slashes may begin with the month as well as with the day."""
    month, day = _reader("%m/%d/%Y"), _reader("%d/%m/%Y")
    if not values or any(reader(one) != month(one) for one in values):
        return
    if all(day(one) is not None for one in values) and any(day(one) != month(one) for one in values):
        shown = next(str(one).strip() for one in values if day(one) != month(one))
        raise ColumnError(
            f"The time column {time!r} holds dates such as {shown!r}, and no value says whether the month or the day "
            f"stands first. Dates such as {day(shown):%Y-%m-%d} or {month(shown):%Y-%m-%d} are required. Write them.",
            column=time,
        )


def _from_iso(value: Any) -> date | None:
    try:
        return datetime.fromisoformat(str(value).strip())
    except ValueError:
        return None


def _reader(form: str) -> _Reader:
    def read(value: Any) -> date | None:
        text = f"{value:.0f}" if isinstance(value, float) else str(value).strip()
        try:
            return datetime.strptime(text, form)
        except ValueError:
            return None

    return read


def _week(day: date) -> str:
    year, week, _ = day.isocalendar()
    return f"{year}-W{week:02}"


_NAMES: dict[str, Callable[[date], str]] = {
    "day": lambda day: f"{day.year:04}-{day.month:02}-{day.day:02}",
    "week": _week,
    "month": lambda day: f"{day.year:04}-{day.month:02}",
    "quarter": lambda day: f"{day.year:04}-Q{(day.month + 2) // 3}",
    "year": lambda day: f"{day.year:04}",
}
