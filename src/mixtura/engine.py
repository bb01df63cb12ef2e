"""The engine: rows, the kernel that evaluates them and the threads that work on them, put together in one place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from mixtura._typing import Array, FloatArray, RowArray
from mixtura.core.data import Data
from mixtura.core.evaluate import Evaluate
from mixtura.core.protocols import MixedRows, RowTable
from mixtura.data import JoinedRows, Packing, PartitionedBlocks
from mixtura.data.open import open_rows
from mixtura.exceptions import DataError
from mixtura.kernels import Components, Kernel, get_kernel
from mixtura.run import DaskRunner, SerialRunner, get_runner
from mixtura.run.remote.lazy_arrays import concatenate_lazily
from mixtura.validation import as_rows, as_weights, without_empty_rows

__all__ = [
    "as_data",
    "as_distributed",
    "as_table",
    "counted_weights",
    "distributed_rows",
    "evaluate_distributed",
    "is_distributed",
    "map_distributed",
    "packing_of",
]

_CLUSTERS = ("dask", "dask_expr")
"""Libraries whose collections live on a cluster."""


def as_data(
    X: Any,
    sample_weight: npt.ArrayLike | None = None,
    *,
    columns: Sequence[Any] | None = None,
) -> Data:
    """Return rows as algorithms take them, with the fastest kernel here and as many threads as `set_threads` says.

    Parameters
    ----------
    X : array-like of shape (N, D), a pandas, polars or Arrow table, `MixedRows`, or a collection of Dask
        Rows of a Dask array or dataframe stay on its cluster, where passes run. Arrays in C order of float64 or float32
        are not copied. NaN is a missing value; sums of infinite rows are refused when they are needed.
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
    ClusterError
        The cluster of a Dask collection cannot be reached.

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
    if is_distributed(X):
        return _distributed(X, sample_weight, columns)
    blocks = open_rows(X, sample_weight, columns=columns)
    kernel = get_kernel(n_features=blocks.n_features)
    return Data(blocks, kernel, get_runner(hold_blas=kernel.uses_blas))


def is_distributed(X: Any) -> bool:
    """Return whether rows are those of a Dask collection, which stay on its cluster."""
    return type(X).__module__.partition(".")[0] in _CLUSTERS and hasattr(X, "to_delayed")


def packing_of(X: Any, columns: Sequence[Any] | None = None) -> Packing:
    """Return how the partitions of a distributed collection are read.

    Raises
    ------
    DataError
        An array that has not two axes, or a frame without columns.
    """
    if hasattr(X, "columns"):
        names = tuple(X.columns if columns is None else columns)
        types = [str(X.dtypes[name]) for name in names]
    else:
        names, types = None, [str(X.dtype)]
        if X.ndim != 2 or X.shape[1] == 0:
            raise DataError(
                f"`X` must be a table of shape (rows, columns); got shape {X.shape!r}. Try X.reshape(-1, 1) for a "
                "single column."
            )
    if not types:
        raise DataError("`X` must have at least one column; got none.")
    return Packing(names, "float32" if set(types) == {"float32"} else "float64")


def as_distributed(X: Any, sample_weight: Any = None, missing: str = "error") -> Data:
    """Return the rows of a distributed collection as `as_data` does, once they are known to be sound.

    Parameters
    ----------
    X, sample_weight
        Collections of one library, cut alike.
    missing : {"error", "fiml"}, default="error"

    Raises
    ------
    MissingValuesError
        Values are infinite, or missing and not to be.
    DataError, ClusterError
        As `as_data`; or weights that are negative or not finite.
    """
    data = as_data(X, sample_weight)
    assert isinstance(data.blocks, PartitionedBlocks)
    data.blocks.require_sound(missing)
    return data


def distributed_rows(data: Data) -> int:
    """Return how many rows on a cluster have a positive weight."""
    assert isinstance(data.blocks, PartitionedBlocks)
    return data.blocks.n_positive


def map_distributed(X: Any, function: Callable[[RowArray], Array], dtype: npt.DTypeLike, width: int) -> Any:
    """Return what a function makes of the rows of a Dask collection: an array that is not computed yet.

    Parameters
    ----------
    X : Dask array or dataframe
    function : callable
        From rows (n, D) to values (n,) or (n, width); pickles.
    dtype : data type
    width : int
        Numbers per row; 0 for one, in an array of one axis.
    """
    packing = packing_of(X)
    sizes = list(X.chunks[0]) if packing.columns is None else [np.nan] * X.npartitions
    return concatenate_lazily(_partitions(X), partial(_of_rows, packing, function), sizes, dtype, width)


def evaluate_distributed(X: Any, components: Components, output: str, *, missing: bool) -> Any:
    """Return what components say of the rows of a Dask collection: an array that is not computed yet.

    Parameters
    ----------
    X : Dask array or dataframe
    components : Components
    output : str
        One of the fields of `mixtura.kernels.Outputs`.
    missing : bool
        Whether NaN stands for a missing value.
    """
    packing = packing_of(X)
    kernel = get_kernel(n_features=components.means.shape[1])
    width = components.n_components if output == "memberships" else 0
    dtype = np.intp if output == "labels" else packing.dtype
    return map_distributed(X, _Answer(components, kernel, output, missing), dtype, width)


def _of_rows(packing: Packing, function: Callable[[RowArray], Array], part: Any) -> Array:
    return function(packing.rows(part))


@dataclass(frozen=True, slots=True, eq=False)
class _Answer:
    """What components say of rows in memory, on one thread; see `evaluate_distributed`."""

    components: Components
    kernel: Kernel
    output: str
    missing: bool

    def __call__(self, rows: RowArray) -> Array:
        if not (np.isfinite(rows).all() or (self.missing and not np.isinf(rows).any())):
            raise DataError(
                "`X` must hold finite numbers; got missing or infinite values. Drop such rows first."
            )
        shape = (len(rows), self.components.n_components) if self.output == "memberships" else (len(rows),)
        found: Array = np.empty(shape, dtype=np.intp if self.output == "labels" else np.float64)
        if len(rows):
            data = Data(open_rows(rows), self.kernel, SerialRunner(hold_blas=self.kernel.uses_blas))
            data.reduce(Evaluate(self.components, self.kernel, (self.output,)), data.state_of(found))
        return found if self.output == "labels" else found.astype(rows.dtype, copy=False)


def _partitions(collection: Any) -> list[Any]:
    """Return the delayed partitions of a Dask collection, each with all columns."""
    if not hasattr(collection, "columns") and getattr(collection, "numblocks", ())[1:] not in ((), (1,)):
        collection = collection.rechunk({1: -1})
    return list(np.ravel(collection.to_delayed()))


def _distributed(X: Any, sample_weight: Any, columns: Sequence[Any] | None) -> Data:
    if columns is not None and not hasattr(X, "columns"):
        X, columns = X[:, list(columns)], None
    packing = packing_of(X, columns)
    if sample_weight is not None and not is_distributed(sample_weight):
        raise DataError(
            "`sample_weight` must be a Dask array or column, cut as the rows are; got "
            f"{type(sample_weight).__name__}. Try a column of the same frame, or dask.array.from_array."
        )
    parts = [_partitions(one) for one in ([X] if sample_weight is None else [X, sample_weight])]
    if len(parts[0]) != len(parts[-1]):
        raise DataError(
            f"`sample_weight` must be cut as the rows are; got {len(parts[-1])} partitions for {len(parts[0])}. Take "
            "both from one collection."
        )
    kernel = get_kernel(n_features=_width(X, packing))
    runner = DaskRunner(get_runner(hold_blas=kernel.uses_blas), SerialRunner(hold_blas=kernel.uses_blas))
    held, found = runner.load(list(zip(*parts, strict=True)), packing, JoinedRows.of)
    blocks = PartitionedBlocks(held, found, packing)
    return Data(blocks, kernel, runner)


def _width(X: Any, packing: Packing) -> int:
    return int(X.shape[1]) if packing.columns is None else len(packing.columns)


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
