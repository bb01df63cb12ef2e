"""Rows of any kind that users have, opened as blocks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import narwhals as nw
import numpy as np
import numpy.typing as npt

from mixtura._typing import Array
from mixtura.core.protocols import Blocks, MixedRows
from mixtura.data.arrays import ArrayBlocks
from mixtura.data.missing import with_missing
from mixtura.exceptions import DataError

__all__ = ["open_rows"]


def open_rows(
    X: Any,
    sample_weight: npt.ArrayLike | None = None,
    *,
    columns: Sequence[Any] | None = None,
) -> Blocks:
    """Return rows as blocks; arrays in C order of float64 or float32 are not copied.

    NaN is a missing value; sums of rows that are infinite are refused when they are needed.

    Parameters
    ----------
    X : array-like of shape (N, D), a pandas, polars or Arrow table, or MixedRows
    sample_weight : array-like of shape (N,), optional
    columns : sequence of str or int, optional
        Which columns: names of a table, numbers of an array; all by default.

    Raises
    ------
    DataError
        X is not a table of numbers with at least one row and one column, or the weights are not one per row.
    """
    mixed = X if isinstance(X, MixedRows) else None
    frame = nw.from_native(X if mixed is None else mixed.rows, eager_only=True, pass_through=True)
    if isinstance(frame, nw.DataFrame):
        values: Array = (frame if columns is None else frame.select(list(columns))).to_numpy()
    else:
        values = np.asarray(frame)
        values = values if columns is None else values[:, list(columns)]
    if values.ndim != 2 or 0 in values.shape or values.dtype.kind not in "fiub":
        raise DataError(
            f"`X` must be a table of numbers of shape (rows, columns); got shape {values.shape!r} of type "
            f"{values.dtype.name!r}. Try rows.reshape(-1, 1) for a single column, or `columns` to leave others out."
        )
    rows: Array = np.ascontiguousarray(values, dtype=np.float32 if values.dtype == np.float32 else np.float64)
    weight = None if sample_weight is None else np.ascontiguousarray(sample_weight, dtype=np.float64)
    if weight is not None and weight.shape != rows.shape[:1]:
        raise DataError(
            f"`sample_weight` must hold one weight per row; got shape {weight.shape!r} for {rows.shape[0]!r} rows."
        )
    if mixed is not None:
        return with_missing(ArrayBlocks.of(replace(mixed, rows=rows), weight))
    return with_missing(ArrayBlocks(rows, weight))
