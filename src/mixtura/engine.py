"""The engine: rows, the kernel that evaluates them and the threads that work on them, put together in one place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy.typing as npt

from mixtura.core.data import Data
from mixtura.data.open import open_rows
from mixtura.kernels import get_kernel
from mixtura.run import get_runner

__all__ = ["as_data"]


def as_data(
    X: Any,
    sample_weight: npt.ArrayLike | None = None,
    *,
    columns: Sequence[Any] | None = None,
) -> Data:
    """Return rows as algorithms take them, with the fastest kernel here and as many threads as `set_threads` says.

    Parameters
    ----------
    X : array-like of shape (N, D), or a pandas, polars or Arrow table
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
