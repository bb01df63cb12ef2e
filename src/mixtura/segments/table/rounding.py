"""The step that the values of a column are rounded to."""

from __future__ import annotations

import numpy as np

from mixtura._typing import FloatArray

__all__ = ["rounding_step"]

_DIGITS = 5
_FIRST = 1_000
_LARGEST = 1e10
"""Beyond it a multiple of the finest step is not a number that float64 holds to 1e-6."""


def rounding_step(values: FloatArray) -> float:
    """Return the coarsest of 1, 0.1, ..., 0.0001 that all values are multiples of, to 1e-6; 0 where there is none.

    A step is not coarser than the range of the values: what is small as a whole is not rounded to nothing.

    Parameters
    ----------
    values : ndarray of shape (N,)
        Finite.

    Examples
    --------
    >>> import numpy as np
    >>> from mixtura.segments.table.rounding import rounding_step
    >>> rounding_step(np.array([3.0, 7.0])), rounding_step(np.array([0.25, 7.5])), rounding_step(np.array([np.pi, 7]))
    (1.0, 0.01, 0.0)
    >>> rounding_step(np.array([1e-8, 3e-7]))
    0.0
    """
    lowest, highest = float(values.min()), float(values.max())
    if max(-lowest, highest) > _LARGEST:
        return 0.0
    for digits in range(_DIGITS):
        if highest - lowest < 10.0**-digits:
            continue
        # The first values nearly always show enough: all are for columns that are rounded.
        if _are_whole(values[:_FIRST], digits) and _are_whole(values, digits):
            return float(10.0**-digits)
    return 0.0


def _are_whole(values: FloatArray, digits: int) -> bool:
    tens = values * 10.0**digits
    return bool(np.abs(tens - np.rint(tens)).max() <= 1e-6)
