"""Complete rows: the numbers of the chosen columns, where all of them are known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import narwhals as nw
import numpy as np

from mixtura._typing import Array, FloatArray
from mixtura.exceptions import DataError, MissingValuesError
from mixtura.io import to_float64

__all__ = ["complete_rows"]

_SHOWN = 5
"""Rows that an error names."""


def complete_rows(
    frame: Any, columns: Sequence[str], *, drop_missing: bool, notes: Sequence[str] = ()
) -> tuple[FloatArray, Array]:
    """Return the numbers of the columns, and which rows have them all.

    Parameters
    ----------
    frame : pandas, polars or pyarrow table
        N rows.
    columns : sequence of str
        D numeric columns.
    drop_missing : bool
        Accept rows with missing or infinite values; they are not among the rows returned.
    notes : sequence of str, default=()
        Why values are missing, for the error.

    Returns
    -------
    rows : ndarray of shape (n_complete, D)
    complete : ndarray of shape (N,), bool

    Raises
    ------
    MissingValuesError
        Values are missing or infinite, and `drop_missing` is False.
    DataError
        No row is complete.
    """
    table: nw.DataFrame[Any] = nw.from_native(frame, eager_only=True)
    values = np.empty((len(table), len(columns)))
    for position, name in enumerate(columns):
        values[:, position] = to_float64(table[name])
    finite = np.isfinite(values)
    complete = np.asarray(finite.all(axis=1))
    if not complete.all() and not drop_missing:
        raise _missing(values, columns, notes)
    if not complete.any():
        raise DataError(
            f"None of the {len(table)} rows has a number in all of the columns {list(columns)!r}. Complete rows are "
            "required. Leave out the columns that are mostly empty, with `columns`."
        )
    return values if complete.all() else np.ascontiguousarray(values[complete]), complete


def _missing(values: FloatArray, columns: Sequence[str], notes: Sequence[str]) -> MissingValuesError:
    missing, infinite = np.isnan(values), np.isinf(values)
    bad = missing | infinite
    rows = np.flatnonzero(bad.any(axis=1))
    where = []
    for position, name in enumerate(columns):
        counts = ((missing, "missing"), (infinite, "infinite"))
        said = [f"{kind[:, position].sum()} {word}" for kind, word in counts if kind[:, position].any()]
        if said:
            where.append((name, f"{name!r} ({', '.join(said)})"))
    shown = ", ".join(str(row + 1) for row in rows[:_SHOWN]) + (", ..." if rows.size > _SHOWN else "")
    counted = "1 value is" if bad.sum() == 1 else f"{bad.sum()} values are"
    message = (
        f"{counted} missing or infinite, in the columns {', '.join(text for _, text in where)}; "
        f"{rows.size} of {values.shape[0]} rows are concerned: {shown} (the first row of data is 1). Every value must "
        "be a finite number. Leave those rows unassigned with `drop_missing=True`, or choose other columns with "
        f"`columns`.{''.join(f' {note}' for note in notes)}"
    )
    return MissingValuesError(
        message,
        columns=[name for name, _ in where],
        rows=[int(row) for row in rows[:_SHOWN]],
        count=int(bad.sum()),
    )
