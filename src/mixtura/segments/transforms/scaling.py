"""The rows of the chosen columns as numbers, complete and on one scale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import narwhals as nw
import numpy as np

from mixtura._typing import Array, FloatArray
from mixtura.exceptions import DataError, MissingValuesError
from mixtura.io import to_float64
from mixtura.segments.transforms.transforms import Identity, Transform
from mixtura.segments.weighted import mean_and_sd

__all__ = ["Scaling", "complete_rows", "scaling_of"]

_SHOWN = 5


@dataclass(frozen=True, slots=True, eq=False)
class Scaling:
    """``z = (T(x) - center) / scale``, column by column: what the mixture sees of the user's rows.

    Parameters
    ----------
    center, scale : ndarray of shape (D,)
        Weighted mean and standard deviation (divisor: the total weight) of the transformed rows a model was learned
        from; in the user's units where a column is not transformed.
    transforms : tuple of Transform, length D, default=()
        T, one per column; empty where none is transformed.
    """

    center: FloatArray
    scale: FloatArray
    transforms: tuple[Transform, ...] = ()

    @property
    def is_affine(self) -> bool:
        """Whether no column is transformed; then a mixture of scaled rows is one in the user's units, too."""
        return all(isinstance(transform, Identity) for transform in self.transforms)

    @property
    def n_parameters(self) -> int:
        """Parameters of the transforms that were chosen by likelihood."""
        return sum(transform.n_parameters for transform in self.transforms)

    def apply(self, rows: FloatArray) -> FloatArray:
        """Return rows in the user's units as the mixture sees them, shape (N, D)."""
        return np.ascontiguousarray((self.transformed(rows) - self.center) / self.scale)

    def transformed(self, rows: FloatArray) -> FloatArray:
        """Return ``T(x)``, shape (N, D), of rows in the user's units."""
        if self.is_affine:
            return rows
        columns = zip(self.transforms, rows.T, strict=True)
        return np.column_stack([transform.forward(values) for transform, values in columns])

    def restore(self, rows: FloatArray, columns: Sequence[int] | None = None) -> FloatArray:
        """Return the rows in the user's units, shape (N, E), of scaled rows of some columns, all by default."""
        chosen = list(range(self.center.size)) if columns is None else list(columns)
        moved = rows * self.scale[chosen] + self.center[chosen]
        if self.is_affine:
            return np.asarray(moved)
        return np.column_stack([self.transforms[d].inverse(moved[:, i]) for i, d in enumerate(chosen)])

    @property
    def log_volume(self) -> float:
        """``sum_d log scale_d``: the logarithm of a unit of volume of scaled rows, in transformed units."""
        return float(np.log(self.scale).sum())

    def log_jacobian(self, rows: FloatArray) -> FloatArray:
        """Return ``log |dz/dx|`` of rows in the user's units, shape (N,).

        Added to a log density of scaled rows, it makes one in the user's units.
        """
        total = np.full(len(rows), -self.log_volume)
        if not self.is_affine:
            for transform, values in zip(self.transforms, rows.T, strict=True):
                total += transform.log_derivative(values)
        return total


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
        values[:, position] = to_float64(table[name])
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


def scaling_of(
    rows: FloatArray, weights: FloatArray | None = None, transforms: tuple[Transform, ...] = ()
) -> Scaling:
    """Return mean and standard deviation of each column, once transformed; a constant column gets a scale of zero.

    Neither sums nor squares overflow or vanish between 1e-300 and 1e300: columns are divided by their largest value
    first.
    """
    moved = Scaling(np.zeros(rows.shape[1]), np.ones(rows.shape[1]), transforms).transformed(rows)
    if weights is not None:
        moved = moved[weights > 0]
        weights = weights[weights > 0]
    center, scale = np.array([mean_and_sd(values, weights) for values in moved.T]).T
    constant = moved.min(axis=0) == moved.max(axis=0)
    return Scaling(np.ascontiguousarray(center), np.where(constant, 0.0, scale), transforms)
