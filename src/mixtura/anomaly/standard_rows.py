"""Standard rows: columns in standard deviations from their means, and a random sample of them to learn from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from mixtura._typing import Array, FloatArray, IntArray
from mixtura.data.row_file import row_file
from mixtura.engine import as_data
from mixtura.exceptions import DataError

__all__ = ["SAMPLE_ROWS", "StandardRows", "center_and_scale", "in_parts", "standardize"]

SAMPLE_ROWS = 2_000
"""In larger tables everything is learned from a random sample of this many rows."""

_PART = 131_072
"""Rows that are looked at at a time."""

_LEAST_DEVIATION = 1e-9
"""A column whose standard deviation is a smaller share of its values is constant but for rounding."""


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
        """Return rows (N, D) in the user's units as mixtures see them, (N, D')."""
        chosen = self.columns
        return np.ascontiguousarray((rows[:, chosen] - self.center[chosen]) / self.scale[chosen])


def standardize(rows: FloatArray, weights: FloatArray | None, seed: int) -> StandardRows:
    """Return a table scaled by its means and standard deviations.

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
    center, scale = center_and_scale(rows, counted)
    columns = np.flatnonzero(scale > _LEAST_DEVIATION * (1 + np.abs(center)))
    if not columns.size:
        raise DataError(
            "`X` must have a column with differences; got rows that are all equal. Give rows that are not."
        )
    sample, sample_weights = _sampled(rows, counted, seed)
    scaled = np.ascontiguousarray((sample[:, columns] - center[columns]) / scale[columns])
    return StandardRows(center, scale, columns, scaled, sample_weights)


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
