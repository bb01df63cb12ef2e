"""The array types that signatures use."""

from os import PathLike
from typing import Any, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

__all__ = ["Array", "BoolArray", "FloatArray", "HasColumns", "IntArray", "RowArray", "RowsLike"]

FloatArray: TypeAlias = npt.NDArray[np.float64]
"""float64 values, any shape; docstrings give the shape."""

RowArray: TypeAlias = npt.NDArray[np.float64] | npt.NDArray[np.float32]
"""Rows of a table, shape (N, D), C-ordered; float32 rows are computed with in float64."""

BoolArray: TypeAlias = npt.NDArray[np.bool_]
"""Which rows, components or columns."""

IntArray: TypeAlias = npt.NDArray[np.intp]
"""Row numbers or component numbers."""

Array: TypeAlias = npt.NDArray[Any]


class HasColumns(Protocol):
    """A table with named columns: of pandas, polars, Arrow, Dask or Spark, a source, or one of a database."""

    @property
    def columns(self) -> Any: ...


RowsLike: TypeAlias = npt.ArrayLike | HasColumns | PathLike[str]
"""What estimators take as rows: arrays, tables, and names of files."""
