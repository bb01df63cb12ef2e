"""Columns that are the quotient of two others, as an average basket is of what was spent and how often."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import narwhals as nw
import numpy as np

from mixtura._typing import Array, FloatArray
from mixtura.io import to_float64
from mixtura.segments.table.columns import ColumnChoice, LeftOut
from mixtura.segments.table.rounding import rounding_step

__all__ = ["QUOTIENT_REASON", "Quotient", "drop_quotients", "find_quotient"]

QUOTIENT_REASON = "the quotient of "
"""How the reason begins."""

_ROWS = 200
"""A quotient is looked for in at most this many rows, evenly spaced, and then verified in all."""
_LEAST_ROWS = 30
_EXPLAINED = 0.99
"""Share of variance that the quotient must explain beside the count alone: rounding is not a dependence."""
_EXACT = 1e-9
"""Differences below this share of a value are rounding of floating-point numbers."""
_EXCEPTIONS = 0.01
"""Share of rows in which it may not hold: returns, corrections and typing errors in real tables."""
_MOST = 60
"""Of more columns none is looked for: all pairs are tried."""


@dataclass(frozen=True, slots=True)
class Quotient:
    """A column that is a total divided by a count, to within its rounding.

    Parameters
    ----------
    column : int
        Position of the quotient, which can be left out.
    total, count : int
        Positions of the columns that it is computed from.
    n_exceptions : int
        Rows in which it does not hold, at most one in a hundred.
    """

    column: int
    total: int
    count: int
    n_exceptions: int


def find_quotient(rows: FloatArray) -> Quotient | None:
    """Return a column that is one of the others divided by another, whose values are whole numbers; or None.

    Parameters
    ----------
    rows : ndarray of shape (N, D)
        Rows that lack a value in one of the three columns are not looked at.

    Examples
    --------
    >>> import numpy as np
    >>> from mixtura.segments.table.quotient_columns import find_quotient
    >>> rng = np.random.default_rng(0)
    >>> orders, spent = rng.integers(1, 9, 200), rng.lognormal(4.0, 1.0, 200).round(2)
    >>> find_quotient(np.column_stack([spent, orders, (spent / orders).round(2)]))
    Quotient(column=2, total=0, count=1, n_exceptions=0)
    """
    n_rows, n_columns = rows.shape
    if not 3 <= n_columns <= _MOST or n_rows < _LEAST_ROWS:
        return None
    sample, steps = rows[:: -(-n_rows // _ROWS)], _steps(rows)
    for count in _counts(rows):
        for column in range(n_columns):
            near = _differences(sample, steps, sample[:, column], steps[column], sample[:, count])[1]
            for total in np.flatnonzero(near.mean(axis=0) >= 1 - 5 * _EXCEPTIONS):
                three = [int(total), column, count]
                if len(set(three)) == 3 and (one := _checked(rows, steps, three)) is not None:
                    return one
    return None


def _steps(rows: FloatArray) -> FloatArray:
    """Return the rounding step of each column."""
    known = (column[np.isfinite(column)] for column in rows.T)
    return np.array([rounding_step(column) if column.size else 0.0 for column in known])


def _counts(rows: FloatArray) -> list[int]:
    """Return the columns of whole numbers from zero on, of which some are larger than one."""
    with np.errstate(invalid="ignore"):
        whole = (((rows >= 0) & (rows == np.rint(rows))) | np.isnan(rows)).all(axis=0) & (rows > 1).any(
            axis=0
        )
    return [int(one) for one in np.flatnonzero(whole)]


def _differences(
    totals: FloatArray, steps: FloatArray, values: FloatArray, step: float, counts: FloatArray
) -> tuple[FloatArray, Array]:
    """Return totals, (n, T), less counts times values, and where these are within rounding, or missing."""
    product = (counts * values)[:, None]
    left = totals - product
    allowed = steps / 2 + step / 2 * counts[:, None]
    allowed = allowed + _EXACT * np.maximum(np.abs(totals), np.abs(product))
    with np.errstate(invalid="ignore"):
        return left, (np.abs(left) <= allowed) | np.isnan(left)


def _checked(rows: FloatArray, steps: FloatArray, three: list[int]) -> Quotient | None:
    """Return the quotient if it holds in all rows but a few, and says more than the count alone."""
    known = rows[:, three]
    known = known[np.isfinite(known).all(axis=1)]
    if len(known) < _LEAST_ROWS:
        return None
    totals, values, counts = known.T
    left, near = _differences(known[:, :1], steps[three[:1]], values, float(steps[three[1]]), counts)
    n_exceptions = int((~near).sum())
    if n_exceptions > _EXCEPTIONS * len(known):
        return None
    by_count = (totals - counts * np.median(values))[near[:, 0]]
    if not left[near].var() < (1 - _EXPLAINED) * by_count.var():
        return None
    total, column, count = three
    return Quotient(column, total, count, n_exceptions)


def drop_quotients(
    choice: ColumnChoice, rows: FloatArray, frame: Any, usable: Array, *, explicit: bool
) -> tuple[ColumnChoice, FloatArray]:
    """Leave out columns that are quotients of others: logarithms of the three lie in a plane, sliced by the counts.

    Columns that the user named stay.

    Parameters
    ----------
    choice : ColumnChoice
    rows : ndarray of shape (n, D)
        The continuous columns in use.
    frame : dataframe
        Has the counts, which may be discrete columns of the choice.
    usable : ndarray of shape (N,), bool
        Which of its rows these are.
    explicit : bool
        Whether the user named the columns.
    """
    if explicit:
        return choice, rows
    table: nw.DataFrame[Any] = nw.from_native(frame, eager_only=True)
    discrete = [one.name for one in choice.kinds if one.kind == "count" and one.name in choice.discrete]
    counts = [to_float64(table[name])[usable] for name in discrete]
    while (
        found := find_quotient(np.column_stack([rows, *counts]))
    ) is not None and found.column < rows.shape[1]:
        names = (*choice.used, *discrete)
        name, reason = (
            names[found.column],
            f"{QUOTIENT_REASON}{names[found.total]!r} and {names[found.count]!r}",
        )
        if found.n_exceptions:
            reason += f" in all but {found.n_exceptions} row{'' if found.n_exceptions == 1 else 's'}"
        used = tuple(one for one in choice.used if one != name)
        choice = replace(choice, used=used, left_out=(*choice.left_out, LeftOut(name, reason)))
        rows = np.ascontiguousarray(np.delete(rows, found.column, axis=1))
    return choice, rows
