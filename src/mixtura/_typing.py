"""The array types that signatures use."""

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

__all__ = ["Array", "BoolArray", "FloatArray", "IntArray", "RowArray"]

FloatArray: TypeAlias = npt.NDArray[np.float64]
"""float64 values, any shape; docstrings give the shape."""

RowArray: TypeAlias = npt.NDArray[np.float64] | npt.NDArray[np.float32]
"""Rows of a table, shape (N, D), C-ordered; float32 rows are computed with in float64."""

BoolArray: TypeAlias = npt.NDArray[np.bool_]
"""Which rows, components or columns."""

IntArray: TypeAlias = npt.NDArray[np.intp]
"""Row numbers or component numbers."""

Array: TypeAlias = npt.NDArray[Any]
