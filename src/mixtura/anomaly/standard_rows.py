"""Standard rows: columns in standard deviations from their means, and a random sample of them to learn from.

A value that more than half of the rows have in a column is a point mass (`point_masses`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from mixtura._typing import Array, FloatArray, IntArray
from mixtura.data.row_file import row_file
from mixtura.engine import as_data
from mixtura.exceptions import DataError

__all__ = [
    "SAMPLE_ROWS",
    "PointMasses",
    "StandardRows",
    "center_and_scale",
    "in_parts",
    "point_masses",
    "standardize",
]

SAMPLE_ROWS = 2_000
"""In larger tables everything is learned from a random sample of this many rows."""

_PART = 131_072
"""Rows that are looked at at a time."""

_LEAST_DEVIATION = 1e-9
"""A column whose standard deviation is a smaller share of its values is constant but for rounding."""

_FARTHEST = 1e4
"""Scaled values are at most this: a square beyond it says no more, and drowns what others say."""

_DROWNING = 1e4
"""A standard deviation this many times that of the middle nine tenths comes from values that drown all others."""

_LARGEST_SHARE = 0.5
"""Of the rows that are equal in a continuous column; of more the median absolute deviation is zero."""


@dataclass(frozen=True, slots=True, eq=False)
class PointMasses:
    """Values that more than half of the rows have, by column.

    The variance of such a column is due to the other values, which are the more deviations off the fewer they are, so
    that a Gaussian takes every one of them for far more unlikely than it is. Beside a point mass their probability is
    their share.

    Parameters
    ----------
    values : ndarray of shape (D,)
        NaN for columns without a point mass.
    log_at, log_apart : ndarray of shape (D,)
        Logs of the shares of the rows that have the value, and another one; zero without a point mass.
    """

    values: FloatArray
    log_at: FloatArray
    log_apart: FloatArray

    def of_columns(self, columns: IntArray) -> PointMasses | None:
        """Return those of some columns, None where these have none."""
        if np.isnan(self.values[columns]).all():
            return None
        return PointMasses(self.values[columns], self.log_at[columns], self.log_apart[columns])

    def split(self, rows: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return rows (N, D) with NaN for values at a point mass, and the log probability of which values are, (N,)."""
        at = rows == self.values
        shares = np.where(at, self.log_at, np.where(np.isnan(rows), 0.0, self.log_apart))
        return np.where(at, np.nan, rows), np.asarray(shares.sum(axis=1))


def point_masses(rows: FloatArray, weights: FloatArray | None) -> PointMasses:
    """Return the point masses of some rows, (n, D); NaN where a value is missing, which counts for nothing.

    Shares are ``(m + 1) / (n + 2)``, so that none is zero.

    Examples
    --------
    >>> import numpy as np
    >>> from mixtura.anomaly.standard_rows import point_masses
    >>> point_masses(np.array([[0.0, 1.0], [0.0, 2.0], [4.0, 3.0]]), None).values.tolist()
    [0.0, nan]
    """
    n_features = rows.shape[1]
    found = PointMasses(np.full(n_features, np.nan), np.zeros(n_features), np.zeros(n_features))
    for j, column in enumerate(rows.T):
        known = ~np.isnan(column)
        different, places = np.unique(column[known], return_inverse=True)
        held = np.bincount(places, None if weights is None else weights[known])
        if held.size and held.max() > _LARGEST_SHARE * held.sum():
            found.values[j] = different[held.argmax()]
            found.log_at[j] = np.log((held.max() + 1.0) / (held.sum() + 2.0))
            found.log_apart[j] = np.log((held.sum() - held.max() + 1.0) / (held.sum() + 2.0))
    return found


@dataclass(frozen=True, slots=True, eq=False)
class StandardRows:
    """How the user's rows are scaled, and a sample of them.

    Parameters
    ----------
    center, scale : ndarray of shape (D,)
        Of the columns, in the user's units.
    columns : ndarray of int, length D'
        Those that have differences.
    sample : ndarray of shape (n, D')
        Scaled; NaN where a value is missing.
    weights : ndarray of shape (n,) or None
    """

    center: FloatArray
    scale: FloatArray
    columns: IntArray
    sample: FloatArray
    weights: FloatArray | None

    def scaled(self, rows: FloatArray) -> FloatArray:
        """Return rows (N, D) in the user's units as mixtures see them, (N, D'); none is farther off than 10,000."""
        chosen = self.columns
        return _scaled(rows[:, chosen], self.center[chosen], self.scale[chosen])


def _scaled(rows: FloatArray, center: FloatArray, scale: FloatArray) -> FloatArray:
    return np.ascontiguousarray(np.clip((rows - center) / scale, -_FARTHEST, _FARTHEST))


def standardize(rows: FloatArray, weights: FloatArray | None, seed: int) -> StandardRows:
    """Return a table scaled by its means and standard deviations.

    Where single values are so far off that beside them all others are one, these are those of the middle nine tenths.

    Parameters
    ----------
    rows : ndarray of shape (N, D), float64
        NaN where a value is missing; those of a memory map are read in parts.
    weights : ndarray of shape (N,) or None
    seed : int
        Of the sample.

    Raises
    ------
    DataError
        All rows are equal.
    """
    counted = _counted(weights, rows)
    sample, sample_weights = _sampled(rows, counted, seed)
    center, scale = _not_drowned(sample, *center_and_scale(rows, counted))
    columns = np.flatnonzero(scale > _LEAST_DEVIATION * (1 + np.abs(center)))
    if not columns.size:
        raise DataError(
            "`X` must have a column with differences; got rows that are all equal. Give rows that are not."
        )
    scaled = _scaled(sample[:, columns], center[columns], scale[columns])
    return StandardRows(center, scale, columns, scaled, sample_weights)


def _not_drowned(sample: FloatArray, center: FloatArray, scale: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the center and scale of each column, of its middle where values beyond that drown it."""
    center, scale = center.copy(), scale.copy()
    for j, column in enumerate(sample.T):
        known = column[~np.isnan(column)]
        middle = _middle(known) if known.size else known
        if middle.size and np.ptp(middle) == 0.0:  # most values are one: of the others
            others = known[known != middle[0]]
            middle = np.append(_middle(others), middle[0]) if others.size > 1 else middle
        spread = float(middle.std()) if middle.size else 0.0
        if 0.0 < spread < scale[j] / _DROWNING:
            center[j], scale[j] = middle.mean(), spread
    return center, scale


def _middle(values: FloatArray) -> FloatArray:
    low, high = np.quantile(values, (0.05, 0.95))
    return np.asarray(values[(values >= low) & (values <= high)])


def in_parts(rows: FloatArray) -> Iterator[tuple[slice, FloatArray]]:
    """Yield rows some at a time, and which they are; those of a file are read when they are asked for."""
    held = row_file(rows)
    for start in range(0, len(rows), _PART):
        span = slice(start, min(start + _PART, len(rows)))
        yield span, rows[span] if held is None else held[span]


def _counted(weights: FloatArray | None, rows: FloatArray) -> FloatArray | None:
    """Return weights that are zero for rows without any value; None where all are one."""
    found = None if weights is None else weights.copy()
    for span, part in in_parts(rows):
        empty = np.isnan(part).all(axis=1)
        if empty.any():
            found = np.ones(len(rows)) if found is None else found
            found[span][empty] = 0.0
    return found


def center_and_scale(rows: FloatArray, weights: FloatArray | None) -> tuple[FloatArray, FloatArray]:
    """Return mean and standard deviation of each column's values, (D,) each."""
    n_features = rows.shape[1]
    totals, sums, squares = np.zeros(n_features), np.zeros(n_features), np.zeros(n_features)
    farthest = np.full(n_features, np.finfo(np.float64).tiny)  # squares of it may overflow
    for span, part in in_parts(rows):
        counted = _weights_of_values(part, weights, span)
        totals += counted.sum(axis=0)
        sums += (counted * np.nan_to_num(part)).sum(axis=0)
    center = sums / totals
    for _, part in in_parts(rows):
        farthest = np.maximum(farthest, np.abs(np.nan_to_num(part - center)).max(axis=0))
    for span, part in in_parts(rows):
        apart = np.nan_to_num(part - center) / farthest
        squares += (_weights_of_values(part, weights, span) * np.square(apart)).sum(axis=0)
    return center, farthest * np.sqrt(squares / totals)


def _weights_of_values(part: FloatArray, weights: FloatArray | None, span: slice) -> Array:
    known = ~np.isnan(part)
    return known if weights is None else known * weights[span, None]


def _sampled(rows: FloatArray, weights: FloatArray | None, seed: int) -> tuple[FloatArray, FloatArray | None]:
    """Return a random sample of the rows that count, and their weights where they have such."""
    if weights is not None and not weights.all():
        present = np.flatnonzero(weights)
        rows, weights = rows[present], weights[present]
    if len(rows) <= SAMPLE_ROWS:
        return rows, weights
    data = as_data(rows, weights).sample(SAMPLE_ROWS, seed)
    numbers = np.arange(data.n_rows)
    sampled = data.rows_with_missing(numbers)
    return sampled, None if weights is None else data.rows_and_weights(numbers)[1]
