"""Findings about scaled rows, in the original units."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from mixtura._typing import FloatArray
from mixtura.fit import Degeneracy

__all__ = ["UserValues"]


class UserValues:
    """The values that users know, found by the scaled ones that a search knows.

    They are looked up, not computed back: the result is a value of the table, to its last digit.

    Parameters
    ----------
    rows : ndarray of shape (N, D)
        In the user's units.
    scaled : ndarray of shape (N, D)
        The same rows scaled; in each column in the same order as the rows.
    """

    def __init__(self, rows: FloatArray, scaled: FloatArray) -> None:
        self._rows, self._scaled = rows, scaled
        self._sorted: dict[int, tuple[FloatArray, FloatArray]] = {}

    def told(self, degeneracies: Sequence[Degeneracy]) -> tuple[Degeneracy, ...]:
        """Return findings with the values and ranges that the user has."""
        return tuple(
            replace(
                one,
                values=np.array([self._of(d, one.values[i]) for i, d in enumerate(one.columns)]),
                ranges=np.array(
                    [[self._of(d, end) for end in one.ranges[i]] for i, d in enumerate(one.columns)]
                ).reshape(-1, 2),
            )
            for one in degeneracies
        )

    def _of(self, column: int, scaled: float) -> float:
        """Return the value of the first row whose scaled value is not below one."""
        if column not in self._sorted:
            self._sorted[column] = np.sort(self._scaled[:, column]), np.sort(self._rows[:, column])
        ordered, values = self._sorted[column]
        return float(values[min(int(np.searchsorted(ordered, scaled)), len(values) - 1)])
