"""Statistics of the values that are not missing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from mixtura._typing import FloatArray

__all__ = ["of_known_values"]


def of_known_values(rows: FloatArray, statistic: Callable[[FloatArray], Any]) -> FloatArray:
    """Return a statistic of the values of each column that are not missing, (D,); NaN where a column has none.

    Parameters
    ----------
    rows : ndarray of shape (N, D)
        NaN is a missing value.
    statistic : callable
        From values, (n,) with n > 0, to a number.

    Examples
    --------
    >>> import numpy as np
    >>> from mixtura.fit.known_values import of_known_values
    >>> of_known_values(np.array([[1.0, np.nan], [3.0, np.nan], [8.0, np.nan]]), np.median)
    array([ 3., nan])
    """
    columns = (column[~np.isnan(column)] for column in rows.T)
    return np.array([statistic(column) if column.size else np.nan for column in columns])
