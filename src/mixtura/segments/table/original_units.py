"""Findings about scaled rows in the units of the table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from mixtura._typing import FloatArray
from mixtura.fit import Degeneracy

__all__ = ["to_original_units"]


def to_original_units(
    degeneracies: Sequence[Degeneracy], rows: FloatArray, scaled: FloatArray
) -> tuple[Degeneracy, ...]:
    """Return findings with the values and ranges that stand in the table.

    They are looked up, not computed back: what is reported is a value of the table, to its last digit.

    Parameters
    ----------
    degeneracies : sequence of Degeneracy
        Of scaled rows.
    rows : ndarray of shape (N, D)
        In the user's units.
    scaled : ndarray of shape (N, D)
        The same rows scaled; in each column in the same order as the rows.
    """

    def value_of(column: int, value: float) -> float:
        """Return the smallest value of the table whose scaled value is not below this one; else the largest."""
        own = rows[:, column]
        reached = scaled[:, column] >= value
        return float(own[reached].min() if reached.any() else np.fmax.reduce(own))

    return tuple(
        replace(
            one,
            values=np.array([value_of(d, one.values[i]) for i, d in enumerate(one.columns)]),
            ranges=np.array(
                [[value_of(d, limit) for limit in one.ranges[i]] for i, d in enumerate(one.columns)]
            ).reshape(-1, 2),
        )
        for one in degeneracies
    )
