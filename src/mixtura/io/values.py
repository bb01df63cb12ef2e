"""Numbers of a column, wherever the column lives, and the memory that reading columns leaves behind."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import narwhals as nw
import numpy as np

from mixtura._typing import FloatArray

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["release_arrow_memory", "to_float64"]


def to_float64(column: nw.Series[Any]) -> FloatArray:
    """Return the values of a numeric column as float64, shape (N,), NaN where one is missing.

    Examples
    --------
    >>> import narwhals as nw
    >>> import polars
    >>> from mixtura.io import to_float64
    >>> to_float64(nw.from_native(polars.Series([1, None, 3]), series_only=True))
    array([ 1., nan,  3.])
    """
    numbers = column.cast(nw.Float64)
    if column.implementation.is_pyarrow():
        return _from_arrow(numbers.to_native())
    return np.array(numbers.to_numpy(), dtype=np.float64)


def _from_arrow(column: pa.ChunkedArray) -> FloatArray:
    """Copy chunk by chunk; Arrow's own `to_numpy` would load pandas."""
    import pyarrow as pa
    from pyarrow import compute as pc

    nan = pa.Array.from_buffers(pa.float64(), 1, [None, pa.py_buffer(np.array([np.nan]))])[0]
    filled = pc.if_else(pc.is_null(column), nan, column)
    chunks = [np.from_dlpack(chunk) for chunk in filled.chunks if len(chunk)]
    return np.concatenate(chunks) if chunks else np.empty(0)


def release_arrow_memory() -> None:
    """Return memory that Arrow has freed, and keeps for later, to the system; do nothing where Arrow is not loaded.

    Decoding a file or looking for repeated ids takes much more, for a moment, than the columns themselves.

    Examples
    --------
    >>> import pyarrow as pa
    >>> from mixtura.io import release_arrow_memory
    >>> column = pa.array(range(100_000))
    >>> del column
    >>> release_arrow_memory()
    """
    arrow = sys.modules.get("pyarrow")
    if arrow is not None:
        arrow.default_memory_pool().release_unused()
