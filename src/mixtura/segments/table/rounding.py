"""The step that the values of a column are rounded to."""

from __future__ import annotations

import numpy as np

from mixtura._typing import FloatArray
from mixtura.core.protocols import RowTable, continuous_rows
from mixtura.segments.transforms.scaling import Scaling
from mixtura.segments.transforms.transforms import IDENTITY

__all__ = ["rounding_step", "scaled_steps"]

_DIGITS = 5
_LOOKED_AT = 10_000
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


def scaled_steps(table: RowTable, scaling: Scaling) -> FloatArray:
    """Return the step of each column as a mixture sees it, shape (D,): transformed and scaled, 0 where there is none.

    After a transform the step to the next value depends on the value; the geometric mean over the rows is what one
    density that all of them share is paid for, ``mean log h``.

    Parameters
    ----------
    table : ndarray of shape (N, D), or MixedRows
        In the user's units, NaN where a value is missing; of more than 10,000, evenly spaced ones are looked at. Values
        at which a column has a point mass are not.
    scaling : Scaling

    Examples
    --------
    >>> import numpy as np
    >>> from mixtura.segments.table.rounding import scaled_steps
    >>> from mixtura.segments.transforms.scaling import scaling_of
    >>> rows = np.array([[0.0, 0.5], [2.0, np.pi], [4.0, 7.0]])
    >>> scaled_steps(rows, scaling_of(rows)).round(3)
    array([0.612, 0.   ])
    """
    rows = continuous_rows(table)
    rows = scaling.masked(rows[:: max(1, len(rows) // _LOOKED_AT)])
    found = np.zeros(rows.shape[1])
    transforms = scaling.transforms or (IDENTITY,) * rows.shape[1]
    for d, (transform, values) in enumerate(zip(transforms, rows.T, strict=True)):
        values = values[~np.isnan(values)]
        step = rounding_step(values) if values.size else 0.0
        if step > 0:
            widths = transform.forward(values + step) - transform.forward(values)
            widths = widths[np.isfinite(widths) & (widths > 0)]
            found[d] = np.exp(np.log(widths).mean()) / scaling.scale[d] if widths.size else 0.0
    return found


def _are_whole(values: FloatArray, digits: int) -> bool:
    tens = values * 10.0**digits
    return bool(np.abs(tens - np.rint(tens)).max() <= 1e-6)
