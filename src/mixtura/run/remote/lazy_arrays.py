"""What a function makes of each partition, computed when asked for: Dask arrays, columns of Spark dataframes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from mixtura._optional import require_extra
from mixtura._typing import Array
from mixtura.exceptions import DataError

__all__ = ["concatenate_lazily", "extended_frame", "require_free", "with_columns"]


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
    """Return a Spark dataframe with further columns of numbers.

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
    kind = {"i": "long", "f": "double"}[np.dtype(dtype).kind]
    kind = "float" if np.dtype(dtype) == np.float32 else kind

    def extend(batches: Iterable[Any]) -> Iterator[Any]:
        yield from packing.extended(batches, function, names)

    return extended_frame(frame, extend, dict.fromkeys(names, kind), "X")


def extended_frame(
    frame: Any, extend: Callable[[Iterable[Any]], Iterator[Any]], kinds: Mapping[str, str], given: str
) -> Any:
    """Return a Spark dataframe with further columns, computed when asked for.

    Parameters
    ----------
    frame : pyspark dataframe
    extend : callable
        From batches of Arrow to the same with these columns, the last; pickles.
    kinds : mapping of str to str
        The type of each column, as `pyspark.sql.types` names it.
    given : str
        The parameter that the dataframe was given as.

    Raises
    ------
    DataError
        It has a column of such a name.
    """
    require_free(frame.columns, kinds, given)
    with require_extra("pyspark", extra="spark", purpose="predict rows of a Spark dataframe"):
        from pyspark.sql.types import StructType
    schema = StructType(list(frame.schema.fields))
    for name, kind in kinds.items():
        schema = schema.add(name, kind)
    return frame.mapInArrow(extend, schema)


def require_free(present: Iterable[Any], names: Iterable[str], given: str) -> None:
    """Raise `DataError` where a dataframe has a column of a name that is to be added."""
    taken = set(present).intersection(names)
    if taken:
        raise DataError(
            f"`{given}` must not have the column {min(taken)!r}, which is added. Rename or drop it first."
        )
