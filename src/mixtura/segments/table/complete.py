"""Complete rows: the numbers of the chosen columns, where all of them are known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import narwhals as nw
import numpy as np

from mixtura._typing import Array, FloatArray
from mixtura.exceptions import DataError
from mixtura.io import to_float64
from mixtura.validation import missing_values

__all__ = ["complete_rows"]


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
        raise missing_values(
            "Columns must hold finite numbers",
            values,
            "Leave those rows unassigned with `drop_missing=True`, or choose other columns with `columns`."
            + "".join(f" {note}" for note in notes),
            names=columns,
            first=1,
        )
    if not complete.any():
        raise DataError(
            f"None of the {len(table)} rows has a number in all of the columns {list(columns)!r}. Complete rows are "
            "required. Leave out the columns that are mostly empty, with `columns`."
        )
    return values if complete.all() else np.ascontiguousarray(values[complete]), complete
