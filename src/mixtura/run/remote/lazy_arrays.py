"""What a function makes of each partition, computed when asked for: Dask arrays, columns of Spark dataframes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from mixtura._optional import require_extra
from mixtura._typing import Array
from mixtura.exceptions import DataError

__all__ = ["concatenate_lazily", "with_columns"]


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


def with_columns(
    frame: Any, packing: Any, function: Callable[..., Array], dtype: npt.DTypeLike, names: Sequence[str]
) -> Any:
    """Return a Spark dataframe with further columns.

    Parameters
    ----------
    frame : pyspark dataframe
    packing : ArrowPacking
    function : callable
        From rows (n, D) to values (n,) or (n, number of names); pickles.
    dtype : data type
    names : sequence of str

    Raises
    ------
    DataError
        It has a column of such a name.
    """
    taken = [name for name in names if name in frame.columns]
    if taken:
        raise DataError(
            f"`X` must not have the column {taken[0]!r}, which is added. Rename or drop it first."
        )
    with require_extra("pyspark", extra="spark", purpose="predict rows of a Spark dataframe"):
        from pyspark.sql.types import DoubleType, FloatType, LongType, StructType
    kind = {"i": LongType, "f": DoubleType}[np.dtype(dtype).kind]()
    kind = FloatType() if np.dtype(dtype) == np.float32 else kind
    schema = StructType(list(frame.schema.fields))
    for name in names:
        schema = schema.add(name, kind)

    def run(batches: Iterable[Any]) -> Iterator[Any]:
        yield from packing.extended(batches, function, names)

    return frame.mapInArrow(run, schema)
