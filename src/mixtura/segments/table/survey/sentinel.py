"""Numbers that stand for missing values in a column, such as -999."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mixtura._typing import FloatArray

__all__ = ["SENTINELS", "Sentinel", "is_apart", "sentinel_notes", "sentinel_of"]

SENTINELS = (
    -9,
    -99,
    -999,
    -9999,
    -99999,
    -999999,
    999,
    9999,
    99999,
    999999,
    9999999,
    -2147483648,
    -32768,
    -1e20,
    1e20,
)
"""Numbers that often stand for missing values."""


@dataclass(frozen=True, slots=True)
class Sentinel:
    """A number that stands for missing values in a column, such as -999.

    Parameters
    ----------
    column : str
    value : float
    count : int
        Cells that hold it.
    """

    column: str
    value: float
    count: int


def sentinel_notes(sentinels: Sequence[Sentinel]) -> list[str]:
    """Return a sentence for each number that stands for missing values."""
    return [
        f"{one.column!r} holds {one.value:.15g} in {one.count:,} rows, which stands for a missing value."
        for one in sentinels
    ]


def sentinel_of(values: FloatArray) -> float | None:
    """Return a number that stands for missing values: it repeats, and lies far outside of all others."""
    finite = values[np.isfinite(values)]
    if finite.size < 3:
        return None
    for extreme in (finite.min(), finite.max()):
        if extreme not in SENTINELS:
            continue
        others = finite[finite != extreme]
        if others.size and is_apart(
            float(extreme),
            finite.size - others.size,
            others.size,
            (float(others.min()), float(others.max())),
        ):
            return float(extreme)
    return None


def is_apart(extreme: float, count: int, n_others: int, others: tuple[float, float]) -> bool:
    """Return whether the smallest or largest value of a column stands for missing ones.

    Parameters
    ----------
    extreme : float
        One of `SENTINELS`.
    count, n_others : int
        How often it stands there, and all others.
    others : (float, float)
        The smallest and the largest of these.
    """
    low, high = others
    if n_others < (n_others + count) / 2 or count < 2:
        return False
    if extreme > 0 and low % 10 == high % 10 == 9:
        return False  # 9, 49, 199, 999: prices
    gap = low - extreme if extreme < 0 else extreme - high
    return (low < high and gap > high - low) or (extreme <= -99 and low >= 0)
