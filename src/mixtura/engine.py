"""The engine: rows, the kernel that evaluates them and the threads that work on them, put together in one place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from mixtura._typing import FloatArray
from mixtura.core.data import Data
from mixtura.core.protocols import MixedRows, RowTable
from mixtura.data.open import open_rows
from mixtura.kernels import get_kernel
from mixtura.run import get_runner
from mixtura.validation import as_rows, as_weights, without_empty_rows

__all__ = ["as_data", "as_table", "counted_weights"]


def as_data(
    X: Any,
    sample_weight: npt.ArrayLike | None = None,
    *,
    columns: Sequence[Any] | None = None,
) -> Data:
    """Return rows as algorithms take them, with the fastest kernel here and as many threads as `set_threads` says.

    Parameters
    ----------
    X : array-like of shape (N, D), a pandas, polars or Arrow table, or `mixtura.core.parts.discrete.MixedRows`
        Arrays in C order of float64 or float32 are not copied. NaN is a missing value; sums of infinite rows are
        refused when they are needed.
    sample_weight : array-like of shape (N,), optional
        Not negative.
    columns : sequence of str or int, optional
        Which columns: names of a table, numbers of an array; all by default.

    Returns
    -------
    Data

    Raises
    ------
    DataError
        X is not a table of numbers with at least one row and one column, or the weights are not one per row.

    Examples
    --------
    >>> import numpy as np
    >>> from mixtura.engine import as_data
    >>> data = as_data(np.array([[0.0, 1.0], [2.0, 5.0]]), sample_weight=[1.0, 3.0])
    >>> data.n_rows, data.n_features, data.total_weight
    (2, 2, 4.0)
    >>> data.total.means.tolist()
    [[1.5, 4.0]]
    """
    blocks = open_rows(X, sample_weight, columns=columns)
    kernel = get_kernel(n_features=blocks.n_features)
    return Data(blocks, kernel, get_runner(hold_blas=kernel.uses_blas))


def as_table(rows: npt.ArrayLike | MixedRows, missing: str = "error") -> RowTable:
    """Return rows checked as `mixtura.validation.as_rows` does; those with discrete columns may have missing values."""
    if not isinstance(rows, MixedRows):
        return as_rows(rows, missing)
    return MixedRows(as_rows(rows.rows, "fiml"), np.ascontiguousarray(rows.levels), rows.discrete)


def counted_weights(sample_weight: npt.ArrayLike | None, table: RowTable) -> FloatArray | None:
    """Return checked weights, (N,), that are zero for rows without any value; None where all are one."""
    weights = as_weights(sample_weight, table.shape[0])
    if not isinstance(table, MixedRows):
        return without_empty_rows(weights, table)
    known = (table.levels != table.discrete.size - 1).any(axis=1) | ~np.isnan(table.rows).all(axis=1)
    if known.all():
        return weights
    return np.where(known, 1.0 if weights is None else weights, 0.0)
