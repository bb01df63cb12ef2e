"""Dates of statistics programs: numbers counted from a day of the program's own, in a unit that the format names.

SPSS counts seconds from 14 October 1582. Stata counts from 1960 in the unit of the format: days (%td), milliseconds
(%tc), weeks of which a year has 52 (%tw), months (%tm), quarters (%tq), half-years (%th). SAS counts days or seconds
from 1960. Times of day and durations stay numbers.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Literal

import numpy as np

from mixtura._typing import Array, FloatArray

__all__ = ["Program", "dates_of"]

Program = Literal["spss", "stata", "sas"]

_SPSS_DAY = re.compile(r"(A|E|J|S)?DATE\d*|QYR\d*|MOYR\d*|WKYR\d*")
_SPSS_TIME = re.compile(r"(DATETIME|YMDHMS)[\d.]*")
_STATA = re.compile(r"%-?\d*(t(?P<unit>[cCdwmqh])|d)")
_SAS_DAY = re.compile(
    r"(DATE|DAY|DDMMYY|MMDDYY|YYMMDD|YYMM|MMYY|MONYY|MONNAME|YYMON|YYQ|YYQR|YEAR|JULIAN|JULDAY|WEEKDATE|WEEKDATX|"
    r"WORDDATE|WORDDATX|E8601DA|B8601DA|NENGO|MINGUO|EURDFDD|EURDFDE|EURDFMY|NLDATE)[A-Z]?[\d.]*"
)
_SAS_TIME = re.compile(r"(DATETIME|DATEAMPM|E8601DT|B8601DT|DTDATE|DTMONYY|DTYEAR|NLDATM)[A-Z]?[\d.]*")

_FIRST_SPSS = np.datetime64("1582-10-14")
_FIRST = np.datetime64("1960-01-01")
_WEEKS = 52


def dates_of(values: FloatArray, program: Program, form: str) -> Array | None:
    """Return the dates that numbers stand for, in days or, with a time of day, in microseconds; None for other formats.

    Parameters
    ----------
    values : ndarray of shape (N,)
        NaN where there is none.
    program : {"spss", "stata", "sas"}
    form : str
        The format of the column, such as ``MOYR8`` or ``%tm``.

    Returns
    -------
    ndarray of shape (N,), datetime64, or None
        NaT where there is none.

    Examples
    --------
    >>> import numpy as np
    >>> from mixtura.io.survey.file_dates import dates_of
    >>> dates_of(np.array([708.0, np.nan]), "stata", "%tm")
    array(['2019-01-01',        'NaT'], dtype='datetime64[D]')
    >>> dates_of(np.array([13765680000.0]), "spss", "MOYR8")
    array(['2019-01-01'], dtype='datetime64[D]')
    """
    read = _reader(program, form)
    if read is None:
        return None
    known = np.isfinite(values)
    found = read(np.where(known, values, 0.0))
    return np.where(known, found, np.datetime64("NaT"))


def _reader(program: Program, form: str) -> Callable[[FloatArray], Any] | None:
    if program == "stata":
        found = _STATA.match(form)
        return None if found is None else _STATA_UNITS[found["unit"] or "d"]
    form = form.upper()
    days, times = (_SPSS_DAY, _SPSS_TIME) if program == "spss" else (_SAS_DAY, _SAS_TIME)
    if times.fullmatch(form):
        first = _FIRST_SPSS if program == "spss" else _FIRST
        return lambda seconds: first + _ticks(seconds * 1e6, "us")
    if days.fullmatch(form):
        return _spss_days if program == "spss" else _days
    return None


def _ticks(values: FloatArray, unit: Literal["us", "D", "M"]) -> Any:
    return np.rint(values).astype(np.int64).astype(f"timedelta64[{unit}]")


def _spss_days(seconds: FloatArray) -> Any:
    return _FIRST_SPSS + _ticks(np.floor(seconds / 86_400), "D")


def _days(days: FloatArray) -> Any:
    return _FIRST + _ticks(np.floor(days), "D")


def _months(months: FloatArray) -> Any:
    return (_FIRST.astype("datetime64[M]") + _ticks(np.floor(months), "M")).astype("datetime64[D]")


def _stata_weeks(weeks: FloatArray) -> Any:
    """Return the first day of each week; Stata's last week of a year has eight or nine days."""
    years = np.floor(weeks / _WEEKS)
    return _months(12 * years) + _ticks(7 * (weeks - _WEEKS * years), "D")


_STATA_UNITS: dict[str, Callable[[FloatArray], Any]] = {
    "d": _days,
    "c": lambda thousandths: _FIRST + _ticks(thousandths * 1e3, "us"),
    "C": lambda thousandths: _FIRST + _ticks(thousandths * 1e3, "us"),
    "w": _stata_weeks,
    "m": _months,
    "q": lambda quarters: _months(3 * np.floor(quarters)),
    "h": lambda halves: _months(6 * np.floor(halves)),
}
