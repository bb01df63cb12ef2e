"""Ranks among a sample of log densities, found for many values at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mixtura._typing import FloatArray, IntArray

__all__ = ["RankTable", "rank_table", "rounding"]

_ROUNDING = 1e-9
"""Values that differ by less, of one more than their size, are equal but for rounding."""

_CELLS_PER_VALUE = 8
_START = 0.01
"""Share of the values below the first cell: the lowest may be so far off that all others were in one."""


@dataclass(frozen=True, slots=True, eq=False)
class RankTable:
    """Values in ascending order, found through cells of equal width that each hold few of them.

    Parameters
    ----------
    values : ndarray of shape (M,)
        Ascending.
    least : ndarray of shape (M + P,)
        From which on a number counts as not below each of them; NaN beyond the last.
    first : ndarray of shape (C,)
        How many values lie in lower cells.
    low, high : float
        Where cells begin and end.
    n_halvings : int
        After which the place within any cell is found; P is ``2 ** n_halvings``.
    """

    values: FloatArray
    least: FloatArray
    first: IntArray
    low: float
    high: float
    n_halvings: int

    def below(self, numbers: FloatArray) -> IntArray:
        """Return how many values are not above each of some numbers, (N,); those equal but for rounding are not."""
        found = self.first[_cells(numbers, self.low, self.high, self.first.size)]
        for halving in reversed(range(self.n_halvings)):
            step = 1 << halving
            found += step * (self.least[found + (step - 1)] <= numbers)
        return found


def rank_table(values: FloatArray) -> RankTable:
    """Return the table of some values, (M,), in ascending order.

    Examples
    --------
    >>> import numpy as np
    >>> from mixtura.anomaly.rank_table import rank_table
    >>> rank_table(np.array([-2.0, 1.0, 1.0, 5.0])).below(np.array([-3.0, -2.0, 1.0 - 1e-12, 9.0])).tolist()
    [0, 1, 3, 4]
    """
    least = values - rounding(values)
    low, high = float(least[int(_START * least.size)]), float(least[-1])
    n_cells = _CELLS_PER_VALUE * least.size
    first = np.searchsorted(_cells(least, low, high, n_cells), np.arange(n_cells)).astype(np.intp)
    n_halvings = int(np.diff(first, append=least.size).max()).bit_length()
    padded = np.append(least, np.full(1 << n_halvings, np.nan))
    return RankTable(values, padded, first, low, high, n_halvings)


def rounding(numbers: FloatArray | float) -> FloatArray:
    """Return by how much numbers that are equal may differ where they were computed with different others."""
    return np.asarray(_ROUNDING * (1.0 + np.abs(numbers)))


def _cells(numbers: FloatArray, low: float, high: float, n_cells: int) -> IntArray:
    """Return the cell of each number, which never falls as numbers rise."""
    width = high - low if high > low else 1.0
    return ((np.clip(numbers, low, high) - low) * ((n_cells - 1) / width)).astype(np.intp)
