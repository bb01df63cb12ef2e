"""Forgetting: how much a row still counts, by its age and a half-life."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np

from mixtura._typing import BoolArray, FloatArray
from mixtura.exceptions import DataError, ParameterError
from mixtura.segments.change.periods import times_of

__all__ = ["Ages", "ages_of", "parse_half_life"]

_DAYS = {"d": 1.0, "w": 7.0, "m": 30.436875, "y": 365.2425}
"""Of a unit; months and years are those of the Gregorian calendar on average."""

_TEXT = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(d|w|m|y)?[a-z]*\s*", re.I)

_DAY = timedelta(days=1)

_EPOCH = date(1970, 1, 1).toordinal()

_SAID = 3
"""Latest times that messages name."""


@dataclass(frozen=True, slots=True, eq=False)
class Ages:
    """How much rows count, and earlier rows beside them.

    Parameters
    ----------
    factors : ndarray of shape (N,)
        ``2^(-age / half-life)`` of each row; one without a half-life, 0 where the time of a row is not known.
    kept : float
        The same of what was learned before.
    as_of : str or float
        The latest time: of the rows, or of what was learned before if that is later; ISO 8601, or a number.
    known : ndarray of shape (N,), bool
        Which rows have a time.
    latest : tuple of str
        The latest times known, the very latest first.
    """

    factors: FloatArray
    kept: float
    as_of: str | float
    known: BoolArray
    latest: tuple[str, ...]


def ages_of(
    frame: Any, time: str, half_life: float | str | timedelta | None, known: str | float | None, created: str
) -> Ages:
    """Return how much the rows of a table count beside what was learned before.

    Parameters
    ----------
    frame : pandas, polars or pyarrow table
        N rows.
    time : str
        The column that says when.
    half_life : float, str, timedelta or None
        See `parse_half_life`; None to forget nothing.
    known : str, float or None
        The latest time of the rows learned from before, ISO 8601 or a number. Where it is not known, they count as
        being from when the model was created, or from the earliest row of the table if that is earlier.
    created : str
        When that was, ISO 8601.

    Raises
    ------
    ColumnError, DataError
        The column is missing or does not hold times.
    ParameterError
        The half-life is not a positive time, or the column holds numbers and earlier ones held dates.
    """
    times, are_dates = times_of(frame, time)
    there = np.isfinite(times)
    if not there.any():
        raise DataError(f"No row has a time in {time!r}. Times are required. Name another column as `time`.")
    first, last = float(times[there].min()), float(times[there].max())
    before = _known(known, time, are_dates=are_dates)
    if before is None:
        before = min(first, _day_of(created)) if are_dates else first
    now = max(last, before)
    as_of = _date_of(now) if are_dates else now
    said = _said({*times[there].tolist(), *(() if known is None else (before,))}, are_dates=are_dates)
    if half_life is None:
        return Ages(there.astype(np.float64), 1.0, as_of, there, said)
    length = parse_half_life(half_life, are_dates=are_dates)
    factors = np.where(there, np.exp2((np.where(there, times, now) - now) / length), 0.0)
    return Ages(factors, float(np.exp2((before - now) / length)), as_of, there, said)


def _said(times: set[float], *, are_dates: bool) -> tuple[str, ...]:
    """Return the latest of some times as they are read."""
    latest = sorted(times, reverse=True)[:_SAID]
    return tuple(_date_of(one).removesuffix("T00:00:00") if are_dates else f"{one:g}" for one in latest)


def _known(known: str | float | None, time: str, *, are_dates: bool) -> float | None:
    """Return the latest time of earlier rows in the units of the column."""
    if known is not None and isinstance(known, str) != are_dates:
        kinds = ("dates", "numbers") if are_dates else ("numbers", "dates")
        latest = known.removesuffix("T00:00:00") if isinstance(known, str) else f"{known:g}"
        raise ParameterError(
            f"`time` must be of one kind in all updates: {time!r} holds {kinds[0]}, and the times of the model are "
            f"{kinds[1]}, the latest {latest}. Name a column of {kinds[1]}."
        )
    return _day_of(known) if isinstance(known, str) else known


def _date_of(day: float) -> str:
    return (datetime(1970, 1, 1) + timedelta(days=day)).isoformat(timespec="seconds")


def _day_of(created: str) -> float:
    try:
        found = datetime.fromisoformat(created)
        return (
            float(found.date().toordinal() - _EPOCH)
            + (found - found.replace(hour=0, minute=0, second=0)) / _DAY
        )
    except ValueError:
        return math.inf


def parse_half_life(half_life: float | str | timedelta, *, are_dates: bool = True) -> float:
    """Return a half-life in days, or in the units of a column of numbers.

    Parameters
    ----------
    half_life : float, str or timedelta
        Days, or text such as ``"90d"``, ``"12w"``, ``"6m"`` or ``"1y"``.
    are_dates : bool, default=True
        Whether the time column holds dates.

    Raises
    ------
    ParameterError
        It is not a positive time.

    Examples
    --------
    >>> from mixtura.segments.updating.half_life import parse_half_life
    >>> parse_half_life("90d"), parse_half_life("2 weeks"), parse_half_life(3, are_dates=False)
    (90.0, 14.0, 3.0)
    """
    number, unit = math.nan, ""
    if isinstance(half_life, timedelta):
        number, unit = half_life / timedelta(days=1), "d"
    elif isinstance(half_life, str):
        found = _TEXT.fullmatch(half_life)
        if found is not None:
            number, unit = float(found[1]), (found[2] or "").lower()
    else:
        number = float(half_life)
    if not (0 < number < math.inf):
        raise ParameterError(
            f"`half_life` must be a positive time such as 90d, 12w, 6m or 1y; got {half_life!r}. Try `half_life='90d'`."
        )
    if unit and not are_dates:
        raise ParameterError(
            f"`half_life` must be a number in the units of the time column, which holds numbers; got {half_life!r}. "
            "Try `half_life=3`."
        )
    return number * _DAYS.get(unit, 1.0)
