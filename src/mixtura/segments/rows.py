"""The rows of the chosen columns as numbers, complete and on one scale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import narwhals as nw
import numpy as np

from mixtura._typing import Array, FloatArray
from mixtura.exceptions import DataError, MissingValuesError
from mixtura.io import float_values

__all__ = ["Scaling", "complete_rows", "scaling_of"]

_SHOWN = 5


@dataclass(frozen=True, slots=True, eq=False)
class Scaling:
    """``z = (x - center) / scale``, column by column.

    Parameters
    ----------
    center, scale : ndarray of shape (D,)
        Mean and standard deviation (divisor N) of the rows a model was learned from, in the user's units.
    """

    center: FloatArray
    scale: FloatArray

    def apply(self, rows: FloatArray) -> FloatArray:
        """Return the rows in standard deviations from the mean, shape (N, D)."""
        return np.ascontiguousarray((rows - self.center) / self.scale)

    @property
    def log_volume(self) -> float:
        """What to subtract from a log density of scaled rows to have it in the user's units: ``sum_d log scale_d``."""
        return float(np.log(self.scale).sum())


def complete_rows(frame: Any, columns: Sequence[str], *, drop_missing: bool) -> tuple[FloatArray, Array]:
    """Return the numbers of the columns, and which rows have them all.

    Parameters
    ----------
    frame : pandas, polars or pyarrow table
        N rows.
    columns : sequence of str
        D numeric columns.
    drop_missing : bool
        Accept rows with missing or infinite values; they are not among the rows returned.

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
        values[:, position] = float_values(table[name])
    finite = np.isfinite(values)
    complete = np.asarray(finite.all(axis=1))
    if not complete.all() and not drop_missing:
        raise _missing(values, columns)
    if not complete.any():
        raise DataError(
            f"None of the {len(table)} rows has a number in all of the columns {list(columns)!r}. Complete rows are "
            "required. Leave out the columns that are mostly empty: --columns."
        )
    return np.ascontiguousarray(values[complete]), complete


def _missing(values: FloatArray, columns: Sequence[str]) -> MissingValuesError:
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
    message = (
        f"{bad.sum()} values are missing or infinite, in the columns {', '.join(text for _, text in where)}; "
        f"{rows.size} of {values.shape[0]} rows are concerned: {shown} (the first row of data is 1). Every value must "
        "be a finite number. Leave those rows unassigned with --drop-missing, or choose other columns with --columns."
    )
    return MissingValuesError(
        message,
        columns=[name for name, _ in where],
        rows=[int(row) for row in rows[:_SHOWN]],
        count=int(bad.sum()),
    )


def scaling_of(rows: FloatArray) -> Scaling:
    """Return mean and standard deviation of each column, divisor N; a constant column gets a scale of zero.

    Neither sums nor squares overflow or vanish between 1e-300 and 1e300: columns are divided by their largest
    value first.
    """
    largest = np.abs(rows).max(axis=0)
    unit = np.where(largest > 0, largest, 1.0)
    center = (rows / unit).mean(axis=0) * unit
    deviations = rows - center
    spread = np.abs(deviations).max(axis=0)
    constant = rows.min(axis=0) == rows.max(axis=0)
    unit = np.where(constant | (spread == 0), 1.0, spread)
    scale = np.sqrt(np.square(deviations / unit).mean(axis=0)) * unit
    return Scaling(center=center, scale=np.where(constant, 0.0, scale))
