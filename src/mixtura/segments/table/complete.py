"""Usable rows: the numbers of the chosen columns, with NaN where one is missing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

import narwhals as nw
import numpy as np

from mixtura._typing import Array, FloatArray, IntArray
from mixtura.exceptions import DataError
from mixtura.io import to_float64
from mixtura.validation import missing_values

__all__ = ["counted_notes", "known_cells", "left_out_note", "missing_notes", "usable_rows"]

_SHOWN = 5
"""Columns that a note names."""


def usable_rows(
    frame: Any,
    columns: Sequence[str],
    *,
    drop_missing: bool,
    weight: str | None = None,
    notes: Sequence[str] = (),
    discrete: Sequence[str] = (),
) -> tuple[FloatArray, FloatArray | None, Array]:
    """Return the numbers of the columns, the weights, and which rows they are.

    Rows with missing values are used with the values that they have. Left out are rows without any, and where
    `drop_missing` says so, all that lack one. Infinite values count as missing.

    Parameters
    ----------
    frame : pandas, polars or pyarrow table
        N rows.
    columns : sequence of str
        D numeric columns.
    drop_missing : bool
        Leave out every row with a missing value, or without a weight.
    weight : str or None, default=None
        A column that every row must have.
    notes : sequence of str, default=()
        Why values are missing, for errors.
    discrete : sequence of str, default=()
        Columns of levels, which are values too.

    Returns
    -------
    rows : ndarray of shape (n, D)
        NaN where a value is missing.
    weights : ndarray of shape (n,) or None
    usable : ndarray of shape (N,), bool

    Raises
    ------
    MissingValuesError
        A weight is missing or infinite, and `drop_missing` is False.
    DataError
        No row is usable.
    """
    table: nw.DataFrame[Any] = nw.from_native(frame, eager_only=True)
    values = np.empty((len(table), len(columns)))
    for position, name in enumerate(columns):
        values[:, position] = to_float64(table[name])
    values[np.isinf(values)] = np.nan
    known = np.column_stack([~np.isnan(values), *(known_cells(table[name]) for name in discrete)])
    usable = np.asarray(known.all(axis=1) if drop_missing else known.any(axis=1))
    weights = None if weight is None else to_float64(table[weight])
    if weights is not None:
        bad = ~np.isfinite(weights)
        if bad.any() and not drop_missing:
            raise missing_values(
                "Every row must have a weight",
                weights[:, None],
                "Leave those rows unassigned with `drop_missing=True`."
                + "".join(f" {note}" for note in notes),
                names=[str(weight)],
                first=1,
            )
        usable &= ~bad
    if not usable.any():
        which = "in all of" if drop_missing else "in any of"
        raise DataError(
            f"None of the {len(table)} rows has a value {which} the columns {[*columns, *discrete]!r}. Such rows are "
            "required. Leave out the columns that are mostly empty, with `columns`."
        )
    if usable.all():
        return values, weights, usable
    chosen = np.ascontiguousarray(values[usable])
    return chosen, None if weights is None else np.ascontiguousarray(weights[usable]), usable


def known_cells(column: nw.Series[Any]) -> Array:
    """Return which cells of a column are not missing, shape (N,)."""
    if column.dtype.is_numeric():
        return np.isfinite(to_float64(column))
    return ~column.is_null().to_numpy()


def missing_notes(rows: FloatArray, columns: Sequence[str]) -> tuple[str, ...]:
    """Return a sentence that says how many values are missing, in which columns; none where all are there.

    Parameters
    ----------
    rows : ndarray of shape (n, D)
    columns : sequence of str
    """
    missing = np.isnan(rows)
    return counted_notes(missing.sum(axis=0), int(missing.any(axis=1).sum()), len(rows), columns)


def counted_notes(counts: IntArray, concerned: int, n_rows: int, columns: Sequence[str]) -> tuple[str, ...]:
    """Return the sentence of `missing_notes` from what was counted.

    Parameters
    ----------
    counts : ndarray of shape (D,)
        Missing values by column.
    concerned : int
        Rows that lack one.
    n_rows : int
    columns : sequence of str
    """
    if not concerned:
        return ()
    order = [d for d in np.argsort(-counts, kind="stable") if counts[d]]
    listed = ", ".join(
        f"{columns[d]} ({counts[d]:,}, {_percent(counts[d] / n_rows)})" for d in order[:_SHOWN]
    )
    more = f" and {len(order) - _SHOWN} more" if len(order) > _SHOWN else ""
    total = int(counts.sum())
    said = (
        f"{_count(total, 'value')} missing, in {listed}{more}: {_count(concerned, 'row')} of {n_rows:,} "
        f"{'lacks one. It is' if concerned == 1 else 'lack one. They are'} used with the values that "
        f"{'it has' if concerned == 1 else 'they have'} (full-information maximum likelihood); `drop_missing=True` "
        "leaves such rows out."
    )
    return (said,)


def left_out_note(
    n_rows: int, without: str, id_name: str = "row", customers: Iterable[str] = (), *, drop_missing: bool
) -> str:
    """Return a sentence on rows that could not be used: which, why, and what helps.

    Parameters
    ----------
    n_rows : int
        How many, at least one.
    without : str
        What becomes of them, such as "in no segment".
    id_name : str, default="row"
        What `customers` are called.
    customers : iterable of str, default=()
        Their ids; none where they are not known.
    drop_missing : bool
        Whether rows that lack one value were left out, or those without any only.

    Examples
    --------
    >>> from mixtura.segments.table.complete import left_out_note
    >>> left_out_note(2, "in no segment", "row", ["4", "272"], drop_missing=False)
    '2 rows in no segment (row 4 and 272): none of the columns used has a value there. With one value a row is used.'
    """
    shown = list(islice(customers, _SHOWN))
    further = [f"{n_rows - len(shown):,} more"] if n_rows > len(shown) else []
    *others, last = [*shown, *further]
    who = f" ({id_name} {', '.join(others)}{' and ' if others else ''}{last})" if shown else ""
    why = (
        "a column used has no value there, and `drop_missing=True` leaves such rows out. Without it they are used with "
        "the values that they have."
        if drop_missing
        else "none of the columns used has a value there. With one value a row is used."
    )
    return f"{_count(n_rows, 'row')} {without}{who}: {why}"


def _percent(share: float) -> str:
    return "< 1 %" if share < 0.01 else f"{100 * share:.0f} %"


def _count(number: int, noun: str) -> str:
    if noun == "value":
        return f"{number:,} value is" if number == 1 else f"{number:,} values are"
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
