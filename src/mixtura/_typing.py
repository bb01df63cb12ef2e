"""The array types that signatures use."""

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

__all__ = ["Array", "FloatArray", "IntArray", "RowArray"]

FloatArray: TypeAlias = npt.NDArray[np.float64]
"""float64 values, any shape; docstrings give the shape."""

RowArray: TypeAlias = npt.NDArray[np.float64] | npt.NDArray[np.float32]
"""Rows of a table, shape (N, D), C-ordered; float32 rows are computed with in float64."""

IntArray: TypeAlias = npt.NDArray[np.intp]
"""Row numbers or component numbers."""

Array: TypeAlias = npt.NDArray[Any]
