"""A few values so far from all others that they alone make the scale of a column."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mixtura._typing import BoolArray, FloatArray
from mixtura.segments.transforms.scaling import Scaling

__all__ = ["lone_value_notes"]

_INFLATION = 4.0
"""How many times the standard deviation of the others that of all is, from which on they make the scale."""
_SHARE = 0.005
"""Of the values, at most; or one."""
_FEWEST = 20
"""Values of a column that can be said to have lone ones."""
_NAMED = 3


def lone_value_notes(rows: FloatArray, columns: Sequence[str], scaling: Scaling) -> tuple[str, ...]:
    """Return a sentence on each column of which a few values make the scale: a mistake, or to be moved.

    Parameters
    ----------
    rows : ndarray of shape (N, D)
        In the user's units; NaN where a value is missing.
    columns : sequence of str, length D
    scaling : Scaling
        Values are compared as it transforms them, without those at point masses.
    """
    masked = scaling.masked(rows)
    compared = scaling.transformed(masked)
    notes = []
    for name, values, seen in zip(columns, masked.T, compared.T, strict=True):
        there = np.isfinite(seen)
        lone = _lone_values(seen[there])
        if lone.any():
            notes.append(_sentence(name, values[there][lone], values[there][~lone]))
    return tuple(notes)


def _lone_values(values: FloatArray) -> BoolArray:
    """Return which values, shape (n,), are lone."""
    lone = np.zeros(values.size, dtype=bool)
    if values.size < _FEWEST:
        return lone
    distances = np.abs(values - np.median(values))
    farthest = np.argsort(distances, kind="stable")[-max(1, int(_SHARE * values.size)) :]
    others = np.delete(values, farthest)
    deviation = others.std()
    if 0 < _INFLATION * deviation < values.std():
        lone[farthest] = distances[farthest] > np.delete(distances, farthest).max() + deviation
    return lone


def _sentence(name: str, lone: FloatArray, others: FloatArray) -> str:
    shown = [float(value) if value % 1 else int(value) for value in np.unique(lone).tolist()]
    one, values = lone.size == 1, ", ".join(map(str, shown[:_NAMED]))
    more = f" and {len(shown) - _NAMED} more" if len(shown) > _NAMED else ""
    codes, moved = repr({name: shown}), repr({name: "winsorize"})
    return (
        f"{'1 value' if one else f'{lone.size:,} values'} of {name!r} {'lies' if one else 'lie'} far from all others: "
        f"{values}{more}; the others lie from {others.min():.6g} to {others.max():.6g}. On the scale that "
        f"{'it makes' if one else 'they make'} the others hardly differ, and segments among them are not found. If "
        f"{'it is a mistake' if one else 'they are mistakes'}, say `missing_codes={codes}`; if not, "
        f"`transform={moved}` moves {'it' if one else 'them'} to the others."
    )
