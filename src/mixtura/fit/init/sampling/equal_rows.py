"""Equal rows as one, in an order of their own: a start depends on what rows there are, not on how they are written."""

from __future__ import annotations

import numpy as np

from mixtura._typing import BoolArray, FloatArray, IntArray
from mixtura.core.protocols import MixedRows, RowTable, continuous_rows
from mixtura.fit.init.start_coordinates import standardize

__all__ = ["leaves_of", "merge_equal_rows"]


def merge_equal_rows(table: RowTable, weights: FloatArray) -> tuple[IntArray, FloatArray, IntArray]:
    """Return the numbers of the distinct rows, (m,), the weights of all their equals, and which each row is, (n,).

    They are ordered by their distance from the mean in units of standard deviations, which neither the units nor the
    order of the columns change, and ties by their values. A row of weight two gives the same as two rows, bit by bit.

    Parameters
    ----------
    table : ndarray of shape (n, D) or MixedRows
        Missing values are equal to each other.
    weights : ndarray of shape (n,)
        Positive.
    """
    rows = continuous_rows(table)
    columns = [*rows.T, *(table.levels.T if isinstance(table, MixedRows) else ())]
    # By weight at last: sums of fractions depend on their order.
    order = np.lexsort([weights, *columns[::-1]])
    differ = _differ([column[order] for column in columns], order.size)
    firsts = np.flatnonzero(differ)
    kept, summed = order[firsts], np.add.reduceat(weights[order], firsts)
    distances = (standardize(_filled(rows[kept], summed), summed) ** 2).sum(axis=1)
    outward = np.argsort(distances, kind="stable")
    owners = np.empty_like(order)
    owners[order] = np.argsort(outward)[np.cumsum(differ) - 1]
    return kept[outward], summed[outward], owners


def _differ(columns: list[FloatArray], n_rows: int) -> BoolArray:
    """Return which rows, (n,), differ from the one before them; the first does."""
    found = np.zeros(n_rows, dtype=bool)
    found[:1] = True
    for column in columns:
        before, after = column[:-1], column[1:]
        found[1:] |= (before != after) & ((before == before) | (after == after))
    return found


def _filled(rows: FloatArray, weights: FloatArray) -> FloatArray:
    """Return the rows with the mean of the column where a value is missing."""
    missing = np.isnan(rows)
    if not missing.any():
        return rows
    known = weights @ ~missing
    means = weights @ np.where(missing, 0.0, rows) / np.where(known > 0, known, 1.0)
    return np.where(missing, means, rows)


def leaves_of(weights: FloatArray, most: int) -> tuple[IntArray, IntArray, FloatArray]:
    """Return the first leaf of each row, the row of each leaf, and how many rows each leaf counts as.

    A row of weight 3 is three leaves, as three equal rows are; where that would be more leaves than rows and than
    ``most``, each row is one leaf that counts as its weight.
    """
    wanted = np.ceil(weights)
    if wanted.sum() > max(most, weights.size):
        wanted = np.ones_like(wanted)
    pieces = wanted.astype(np.intp)
    leaves = np.cumsum(pieces) - pieces
    counts = np.ones(pieces.sum())
    counts[leaves] = weights - (pieces - 1)
    return leaves, np.repeat(np.arange(weights.size), pieces), counts
