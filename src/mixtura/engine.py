"""The engine: rows, the kernel that evaluates them and the threads that work on them, put together in one place."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TypeGuard

import numpy as np
import numpy.typing as npt

import mixtura.data as places
import mixtura.run as runners
from mixtura._typing import Array, RowArray
from mixtura.core.data import Data
from mixtura.core.evaluate import Evaluate
from mixtura.core.protocols import DiscreteColumns
from mixtura.data.open import open_rows
from mixtura.exceptions import DataError
from mixtura.kernels import Components, Kernel, get_kernel
from mixtura.run import SerialRunner, get_runner

if TYPE_CHECKING:
    from mixtura.expressions.expression import Expression

__all__ = [
    "as_data",
    "as_distributed",
    "as_held",
    "as_held_by_spark",
    "as_in_database",
    "delayed_partitions",
    "distributed_rows",
    "evaluate_distributed",
    "is_distributed",
    "is_in_database",
    "is_spark",
    "map_distributed",
    "packing_of",
    "with_database_columns",
    "with_gaps",
]


def as_data(
    X: Any,
    sample_weight: npt.ArrayLike | None = None,
    *,
    columns: Sequence[Any] | None = None,
) -> Data:
    """Return rows as algorithms take them, with the fastest kernel here and as many threads as `set_threads` says.

    Parameters
    ----------
    X : array-like of shape (N, D), a pandas, polars or Arrow table, `MixedRows`, a collection, or a `DatabaseTable`
        Rows of a Dask array or dataframe and of a Spark dataframe stay on their cluster, where passes run; those of a
        table of a database stay there. Arrays in C
        order of float64 or float32 are not copied. NaN is a missing value; sums of infinite rows are refused when they
        are needed.
    sample_weight : array-like of shape (N,), optional
        Not negative. For a Spark dataframe and a table of a database the name of a column.
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
        The cluster of a collection cannot be reached.

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
    if is_in_database(X):
        return as_in_database(X, sample_weight)
    blocks = open_rows(X, sample_weight, columns=columns)
    kernel = get_kernel(n_features=blocks.n_features)
    return Data(blocks, kernel, get_runner(hold_blas=kernel.uses_blas))


def with_gaps(data: Data, change: Callable[[RowArray], RowArray]) -> Data:
    """Return rows changed as they are read, `Data.mapped`, of which values are taken away: these are NaN."""
    mapped = data.mapped(change)
    return Data(places.MissingOnDisk(mapped.blocks), mapped.kernel, mapped.runner)


def is_distributed(X: Any) -> bool:
    """Return whether rows are those of a Dask collection or a Spark dataframe, which stay on their cluster."""
    return is_spark(X) or (
        type(X).__module__.partition(".")[0] in ("dask", "dask_expr") and hasattr(X, "to_delayed")
    )


def is_in_database(X: Any) -> TypeGuard[places.DatabaseTable]:
    """Return whether rows are those of a table that stays in its database."""
    return "mixtura.data.sources.database_table" in sys.modules and isinstance(X, places.DatabaseTable)


def as_in_database(table: places.DatabaseTable, sample_weight: Any = None) -> Data:
    """Return the rows of a table of a database, once they are known to be sound; passes are queries.

    Parameters
    ----------
    table : DatabaseTable
    sample_weight : str, optional
        Name of the column of weights.

    Raises
    ------
    DataError, MissingValuesError, ColumnError, TableError
        As `DatabaseBlocks`; or the weights are not the name of a column.
    """
    if not (sample_weight is None or isinstance(sample_weight, str)):
        raise DataError(
            f"`sample_weight` must be the name of a column of {table.name!r}; got {type(sample_weight).__name__}. Its "
            f"columns are {', '.join(map(repr, table.types))}."
        )
    blocks = places.DatabaseBlocks(table, sample_weight)
    kernel = get_kernel(n_features=blocks.n_features)
    local, serial = get_runner(hold_blas=kernel.uses_blas), SerialRunner(hold_blas=kernel.uses_blas)
    return Data(blocks, kernel, runners.DatabaseRunner(local, serial))


def with_database_columns(data: Data, columns: Mapping[str, Expression]) -> Data:
    """Return the rows of a table of a database with other columns, computed of the table's."""
    assert isinstance(data.blocks, places.DatabaseBlocks)
    return Data(data.blocks.with_columns(columns), data.kernel, data.runner)


def is_spark(X: Any) -> bool:
    """Return whether rows are those of a Spark dataframe."""
    return type(X).__module__.startswith("pyspark.sql") and hasattr(X, "mapInArrow")


def packing_of(X: Any, columns: Sequence[Any] | None = None, sample_weight: Any = None) -> places.Packing:
    """Return how the partitions of a distributed collection are read.

    Parameters
    ----------
    X : Dask array or dataframe, or Spark dataframe
    columns : sequence, optional
        Names of the columns of a frame; by default all, but that of the weights.
    sample_weight : str, optional
        Name of the column of weights of a Spark dataframe.

    Raises
    ------
    DataError
        An array that has not two axes, or a frame without columns, or with a column that does not hold numbers.
    """
    if is_spark(X):
        return places.ArrowPacking.of(X, columns, sample_weight)
    if hasattr(X, "columns"):
        names = tuple(X.columns if columns is None else columns)
        types = {str(X.dtypes[name]) for name in names}
    else:
        names, types = None, {str(X.dtype)}
        if X.ndim != 2 or X.shape[1] == 0:
            raise DataError(
                f"`X` must be a table of shape (rows, columns); got shape {X.shape!r}. Try X.reshape(-1, 1) for a "
                "single column."
            )
    if not types:
        raise DataError("`X` must have at least one column; got none.")
    return places.Packing(names, "float32" if types == {"float32"} else "float64")


def as_distributed(
    X: Any, sample_weight: Any = None, missing: str = "error", columns: Sequence[Any] | None = None
) -> Data:
    """Return the rows of a distributed collection as `as_data` does, once they are known to be sound.

    Parameters
    ----------
    X, sample_weight
        Collections of one library, cut alike.
    missing : {"error", "fiml"}, default="error"
    columns : sequence, optional
        As of `as_data`.

    Raises
    ------
    MissingValuesError
        Values are infinite, or missing and not to be.
    DataError, ClusterError
        As `as_data`; or weights that are negative or not finite.
    """
    data = as_data(X, sample_weight, columns=columns)
    assert isinstance(data.blocks, places.PartitionedBlocks)
    data.blocks.require_sound(missing)
    return data


def distributed_rows(data: Data) -> int:
    """Return how many rows on a cluster have a positive weight."""
    assert isinstance(data.blocks, places.PartitionedBlocks)
    return data.blocks.n_positive


def map_distributed(
    X: Any,
    columns: Sequence[str] | None,
    function: Callable[[RowArray], Array],
    dtype: npt.DTypeLike,
    *names: str,
) -> Any:
    """Return what a function makes of the rows of a collection, not computed yet.

    Parameters
    ----------
    X : Dask array or dataframe, or Spark dataframe
    columns : sequence of str or None
        Of the frame, where not all.
    function : callable
        From rows (n, D) to values, (n,) for one name, else (n, number of names); pickles.
    dtype : data type
    *names : str
        Of the columns that it makes.

    Returns
    -------
    Dask array, or a Spark dataframe with further columns
    """
    from mixtura.run.remote import lazy_arrays

    packing = packing_of(X, columns)
    if isinstance(packing, places.ArrowPacking):
        return lazy_arrays.with_columns(X, packing, function, dtype, names)
    sizes = list(X.chunks[0]) if packing.columns is None else [np.nan] * X.npartitions
    width = len(names) if len(names) > 1 else 0
    return lazy_arrays.concatenate_lazily(
        delayed_partitions(X), partial(_of_rows, packing, function), sizes, dtype, width
    )


def evaluate_distributed(
    X: Any, columns: Sequence[str] | None, components: Components, output: str, *, missing: bool
) -> Any:
    """Return what components say of the rows of a collection, not computed yet; see `map_distributed`.

    Parameters
    ----------
    X : Dask array or dataframe, or Spark dataframe
    columns : sequence of str or None
    components : Components
    output : str
        One of the fields of `mixtura.kernels.Outputs`.
    missing : bool
        Whether NaN stands for a missing value.
    """
    kernel = get_kernel(n_features=components.means.shape[1])
    dtype = np.intp if output == "labels" else packing_of(X, columns).dtype
    names = {"labels": ["prediction"], "log_density": ["log_density"]}.get(output)
    names = names or [f"probability_{k}" for k in range(components.n_components)]
    return map_distributed(X, columns, _Answer(components, kernel, output, missing), dtype, *names)


def _of_rows(packing: places.Packing, function: Callable[[RowArray], Array], part: Any) -> Array:
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


def as_held(
    parts: Sequence[Any],
    found: Sequence[places.PartFound],
    columns: Sequence[str],
    discrete: DiscreteColumns | None,
) -> Data:
    """Return rows that workers of a Dask cluster hold already.

    Parameters
    ----------
    parts : sequence of futures
        Of `Partition` each.
    found : sequence of PartFound
        What is known of each.
    columns : sequence of str
        Of numbers.
    discrete : DiscreteColumns or None
        What is modeled of those with levels.
    """
    kernel = get_kernel(n_features=len(columns))
    runner = runners.DaskRunner(
        get_runner(hold_blas=kernel.uses_blas), SerialRunner(hold_blas=kernel.uses_blas)
    )
    packing = places.Packing(tuple(columns), "float64")
    blocks = places.PartitionedBlocks(parts, [[one] for one in found], packing, discrete)
    return Data(blocks, kernel, runner)


def as_held_by_spark(
    pieces: runners.SparkPieces,
    name: str,
    found: Sequence[places.PartFound],
    columns: Sequence[str],
    discrete: DiscreteColumns | None,
) -> Data:
    """Return rows that Spark holds already.

    Parameters
    ----------
    pieces : SparkPieces
    name : str
        The column that has a `Partition` of each piece.
    found : sequence of PartFound
        What is known of each piece.
    columns, discrete
        As of `as_held`.
    """
    kernel = get_kernel(n_features=len(columns))
    frame, unpack = pieces.partitions_of(name)
    both = get_runner(hold_blas=kernel.uses_blas), SerialRunner(hold_blas=kernel.uses_blas)
    by_partition: dict[int, list[places.PartFound]] = {}
    for (partition, _), one in zip(pieces.places, found, strict=True):
        by_partition.setdefault(partition, []).append(one)
    packing = places.Packing(tuple(columns), "float64")
    blocks = places.PartitionedBlocks(list(by_partition), list(by_partition.values()), packing, discrete)
    return Data(blocks, kernel, runners.SparkRunner(frame, *both, unpack))


def delayed_partitions(collection: Any) -> list[Any]:
    """Return the delayed partitions of a Dask collection, each with all columns."""
    if not hasattr(collection, "columns") and getattr(collection, "numblocks", ())[1:] not in ((), (1,)):
        collection = collection.rechunk({1: -1})
    return list(np.ravel(collection.to_delayed()))


def _distributed(X: Any, sample_weight: Any, columns: Sequence[Any] | None) -> Data:
    if columns is not None and not hasattr(X, "columns"):
        X, columns = X[:, list(columns)], None
    packing = packing_of(X, columns, sample_weight)
    width = int(X.shape[1]) if packing.columns is None else len(packing.columns)
    kernel = get_kernel(n_features=width)
    both = get_runner(hold_blas=kernel.uses_blas), SerialRunner(hold_blas=kernel.uses_blas)
    runner: runners.DaskRunner | runners.SparkRunner
    if isinstance(packing, places.ArrowPacking):
        runner = runners.SparkRunner(X, *both)
        held, found = runner.load(packing.pack, packing.unpack, packing.schema)
    else:
        parts = _paired(X, sample_weight)
        runner = runners.DaskRunner(*both)
        held, found = runner.load(parts, packing, places.JoinedRows.of)
    return Data(places.PartitionedBlocks(held, found, packing), kernel, runner)


def _paired(X: Any, sample_weight: Any) -> list[tuple[Any, ...]]:
    """Return the partitions of a Dask collection, each with that of its weights."""
    if sample_weight is None:
        return [(part,) for part in delayed_partitions(X)]
    if not is_distributed(sample_weight):
        raise DataError(
            "`sample_weight` must be a Dask array or column, cut as the rows are; got "
            f"{type(sample_weight).__name__}. Try a column of the same frame, or dask.array.from_array."
        )
    parts, weights = delayed_partitions(X), delayed_partitions(sample_weight)
    if len(parts) != len(weights):
        raise DataError(
            f"`sample_weight` must be cut as the rows are; got {len(weights)} partitions for {len(parts)}. Take both "
            "from one collection."
        )
    return list(zip(parts, weights, strict=True))
