"""Standard rows: columns in standard deviations from their means, and a random sample of them to learn from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mixtura._typing import FloatArray, IntArray
from mixtura.engine import as_data
from mixtura.exceptions import DataError
from mixtura.validation import without_empty_rows

__all__ = ["SAMPLE_ROWS", "StandardRows", "standardize"]

SAMPLE_ROWS = 2_000
"""In larger tables everything is learned from a random sample of this many rows."""

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
        NaN where a value is missing.
    weights : ndarray of shape (N,) or None
    seed : int
        Of the sample.

    Raises
    ------
    DataError
        All rows are equal.
    """
    counted = without_empty_rows(weights, rows)
    center, scale = _center_and_scale(rows, counted)
    columns = np.flatnonzero(scale > _LEAST_DEVIATION * (1 + np.abs(center)))
    if not columns.size:
        raise DataError(
            "`X` must have a column with differences; got rows that are all equal. Give rows that are not."
        )
    scaled = np.ascontiguousarray((rows[:, columns] - center[columns]) / scale[columns])
    sample, sample_weights = _sampled(scaled, counted, seed)
    return StandardRows(center, scale, columns, sample, sample_weights)


def _center_and_scale(rows: FloatArray, weights: FloatArray | None) -> tuple[FloatArray, FloatArray]:
    """Return mean and standard deviation of each column's values, (D,) each."""
    known = ~np.isnan(rows)
    counted = known if weights is None else known * weights[:, None]
    totals = counted.sum(axis=0)
    center = (counted * np.where(known, rows, 0.0)).sum(axis=0) / totals
    apart = np.where(known, rows - center, 0.0)
    farthest = np.maximum(np.abs(apart).max(axis=0), np.finfo(np.float64).tiny)  # squares of it may overflow
    return center, farthest * np.sqrt((counted * np.square(apart / farthest)).sum(axis=0) / totals)


def _sampled(
    scaled: FloatArray, weights: FloatArray | None, seed: int
) -> tuple[FloatArray, FloatArray | None]:
    """Return a random sample of the rows that count, and their weights where they have such."""
    if weights is not None and not weights.all():
        present = np.flatnonzero(weights)
        scaled, weights = scaled[present], weights[present]
    if len(scaled) <= SAMPLE_ROWS:
        return scaled, weights
    data = as_data(scaled, weights).sample(SAMPLE_ROWS, seed)
    numbers = np.arange(data.n_rows)
    sampled = data.rows_with_missing(numbers)
    return sampled, None if weights is None else data.rows_and_weights(numbers)[1]
