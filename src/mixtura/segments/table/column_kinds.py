"""Numeric columns that are not measurements: keys, dates, parts of the calendar, codes, earlier results."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from math import gcd
from typing import NamedTuple

import numpy as np

from mixtura._typing import FloatArray
from mixtura.io import calendar_part, looks_like_code, looks_like_date, looks_like_id

__all__ = ["NotMeasured", "is_key", "is_random_key", "not_measured", "own_columns"]

_CODE_VALUES = 3
"""Whole numbers with at most this many different values are codes; a density on them is a row of point masses."""
_CODE_ROWS = 30
"""In shorter tables a small number of different values is not evidence."""
_CODE_LEVELS = 12
"""A column named after categories has at most this many levels, or is one of the places below."""
_KEY_ROWS = 20
_RANDOM_KEY_ROWS = 50
_BY_CHANCE = 14.0
"""Minus the log probability from which on it is not chance that whole numbers never repeat (one in a million)."""

_LARGEST = 1e100
"""Squares of larger numbers, and their sums, have no place in double precision."""

_RANGES = {
    "year": (1900, 2100), "month": (0, 12), "day": (1, 31), "weekday": (0, 7), "hour": (0, 24), "minute": (0, 59),
    "week": (0, 53), "quarter": (1, 4), "day of the year": (1, 366),
}  # fmt: skip

_OWN = re.compile(r"(probability_\d+|log_density|segment|segment_name|certainty|anomaly)(_[xy]|_right)?")
_CERTAINLY_OWN = re.compile(r"(probability_\d+|log_density)(_[xy]|_right)?")


def own_columns(names: Collection[str]) -> set[str]:
    """Return the columns that an earlier segmentation added, by name.

    `segment`, `certainty` and `anomaly` count only beside others: alone they may be the user's own.

    Examples
    --------
    >>> from mixtura.segments.table.column_kinds import own_columns
    >>> sorted(own_columns(["income", "segment", "certainty", "probability_1", "log_density"]))
    ['certainty', 'log_density', 'probability_1', 'segment']
    >>> own_columns(["income", "segment"])
    set()
    """
    own = {name for name in names if _OWN.fullmatch(name)}
    return own if len(own) > 1 else {name for name in own if _CERTAINLY_OWN.fullmatch(name)}


class NotMeasured(NamedTuple):
    """Why numbers are not measurements, and whether they may be levels of a category."""

    reason: str
    is_category: bool = False


def not_measured(name: str, values: FloatArray, *, measured: bool = False) -> NotMeasured | None:
    """Return why a column of finite numbers, shape (N,), is not a measurement, or None if it is.

    With `measured`, its file says that it is one: its name does not make it a code or a part of a date.
    """
    low, high = values.min(), values.max()
    if low == high and values.size > 1:
        return NotMeasured(f"the same value in every row: {low:g}")
    if max(-low, high) > _LARGEST:
        return NotMeasured(f"numbers beyond {_LARGEST:g}, which cannot be squared: rescale them")
    if not np.all(values == np.rint(values)):
        return None
    different = np.unique(values)
    part = None if measured else calendar_part(name)
    if part is not None and _RANGES[part][0] <= low and high <= _RANGES[part][1]:
        return NotMeasured(f"part of a date ({part}), not a measurement")
    reason = _date_reason(name, different)
    if reason is not None:
        return NotMeasured(reason)
    if different.size <= _CODE_VALUES and values.size >= _CODE_ROWS:
        listed = ", ".join(f"{value:g}" for value in different)
        return NotMeasured(f"only {different.size} different values ({listed}): a code", part is None)
    reason = _key_reason(name, values, different)
    if reason is not None:
        return NotMeasured(reason)
    if (
        not measured
        and looks_like_code(name)
        and (different.size <= _CODE_LEVELS or _is_place(name, low, high))
    ):
        return NotMeasured(
            f"codes of categories ({different.size} different values), not a measurement", True
        )
    return None


def _key_reason(name: str, values: FloatArray, different: FloatArray) -> str | None:
    if looks_like_id(name):
        return "an id"
    if different.size < values.size or values.size < 3:
        return None
    if values[0] in {0, 1} and np.all(np.diff(values) == 1):
        return "row numbers"
    return "an id: whole numbers that never repeat" if is_key(different) else None


def is_key(different: FloatArray) -> bool:
    """Return whether whole numbers that are all different are so by design, as keys are, and not by chance.

    Among m possible values, n drawn at random are all different with a probability of at most
    ``exp(-n (n - 1) / (2 m))``. Keys that leave hardly any gap, such as 1000, 1001, ..., are far below; unique incomes
    are not.

    Parameters
    ----------
    different : ndarray of shape (N,)
        Sorted, without repetitions.

    Examples
    --------
    >>> import numpy as np
    >>> from mixtura.segments.table.column_kinds import is_key
    >>> is_key(np.arange(1000.0, 1300.0)), is_key(np.sort(np.random.default_rng(0).permutation(90_000)[:300] + 2e4))
    (True, False)
    """
    n_rows = different.size
    if n_rows < _KEY_ROWS or np.abs(different).max() > 2**53:
        return n_rows >= _KEY_ROWS
    steps = np.diff(different).astype(np.int64)
    possible = int(steps.sum()) // gcd(*steps.tolist()) + 1
    return n_rows * (n_rows - 1) / (2 * possible) > _BY_CHANCE


def is_random_key(values: FloatArray, others: Sequence[FloatArray]) -> bool:
    """Return whether whole numbers are keys drawn at random: unique, of one length, uniform, unrelated to the others.

    Parameters
    ----------
    values : ndarray of shape (N,)
    others : sequence of ndarrays of shape (N,)
        Other columns of numbers.
    """
    n_rows = values.size
    if n_rows < _RANDOM_KEY_ROWS or not np.all(values == np.rint(values)) or values.min() < 10_000:
        return False
    if len(str(int(values.min()))) != len(str(int(values.max()))) or np.unique(values).size < n_rows:
        return False
    ordered = np.sort(values)
    uniform = (ordered - ordered[0]) / (ordered[-1] - ordered[0])
    far = np.abs(uniform - np.linspace(0, 1, n_rows)).max()
    if far > 1.36 / np.sqrt(n_rows):  # Kolmogorov and Smirnov, at 5 percent
        return False
    return all(abs(_rank_correlation(values, other)) < 3.5 / np.sqrt(n_rows) for other in others)


def _rank_correlation(first: FloatArray, second: FloatArray) -> float:
    known = np.isfinite(second)
    a, b = (np.argsort(np.argsort(one[known], kind="stable")) for one in (first, second))
    return 0.0 if a.size < 2 else float(np.corrcoef(a, b)[0, 1])


def _date_reason(name: str, different: FloatArray) -> str | None:
    low, high = different[0], different[-1]
    spread = f"({low:.0f} to {high:.0f})"
    if low >= 19000101 and high <= 21001231 and _are_dates(different):
        return f"dates written as numbers {spread}; days since then would be a measurement"
    if low >= 190001 and high <= 210012 and different.size >= 8 and _are_dates(different * 100 + 1):
        return f"months written as numbers {spread}; months since then would be a measurement"
    if looks_like_date(name) and (low > 1_000_000 or 20_000 <= low <= high <= 60_000):
        return f"dates written as numbers {spread}; days since then would be a measurement"
    return None


def _are_dates(numbers: FloatArray) -> bool:
    months, days = numbers // 100 % 100, numbers % 100
    return bool(np.all((months >= 1) & (months <= 12) & (days >= 1) & (days <= 31)))


def _is_place(name: str, low: float, high: float) -> bool:
    """Return whether numbers may be postal codes or numbers of shops; those have many levels."""
    name = name.lower()
    return low >= 0 and any(
        word in name for word in ("zip", "post", "plz", "store", "branch", "filiale", "product")
    )
