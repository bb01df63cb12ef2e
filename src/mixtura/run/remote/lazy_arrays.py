"""Dask arrays of what a function makes of each partition, computed when asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from mixtura._optional import require_extra
from mixtura._typing import Array

__all__ = ["concatenate_lazily"]


def concatenate_lazily(
    parts: Sequence[Any], function: Callable[[Any], Array], sizes: Sequence[Any], dtype: Any, width: int
) -> Any:
    """Return a Dask array of what a function makes of each delayed partition.

    Parameters
    ----------
    parts : sequence of Delayed
    function : callable
        From a partition to an array (n,) or (n, width); pickles.
    sizes : sequence
        Rows of each, NaN where that is not known.
    dtype : data type
    width : int
        0 for arrays of one axis.
    """
    with require_extra("dask", extra="dask", purpose="predict rows of a Dask collection"):
        import dask.array
        from dask import delayed
    shapes = [(size, width) if width else (size,) for size in sizes]
    arrays = [
        dask.array.from_delayed(delayed(function)(part), shape, dtype)
        for part, shape in zip(parts, shapes, strict=True)
    ]
    return dask.array.concatenate(arrays, allow_unknown_chunksizes=True)
