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
from mixtura.data.file_blocks import blocks_of_array
from mixtura.data.missing import with_missing
from mixtura.data.sources import Source, open_source, unread
from mixtura.data.sources.batches import no_rows
from mixtura.data.sources.row_numbers import numbers_of
from mixtura.data.spool import require_room, spool_rows, spool_stream
from mixtura.exceptions import DataError

__all__ = ["open_rows", "rows_of_source"]

_IN_MEMORY = 200_000_000
"""Bytes of numbers up to which a source is held in memory; larger ones are spooled."""


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
    X : array-like of shape (N, D), a pandas, polars or Arrow table, MixedRows, or a source
        Memory maps are read block by block; sources are what `mixtura.data.sources.open_source` takes.
    sample_weight : array-like of shape (N,), optional
    columns : sequence of str or int, optional
        Which columns: names of a table, numbers of an array; all by default.

    Raises
    ------
    DataError
        X is not a table of numbers with at least one row and one column, or the weights are not one per row.
    """
    if unread(X):
        X, columns = rows_of_source(X, columns), None
    mixed = X if isinstance(X, MixedRows) else None
    native = X if mixed is None else mixed.rows
    # What it does not know narwhals looks for among all packages that are installed.
    frame = (
        native
        if isinstance(native, np.ndarray)
        else nw.from_native(native, eager_only=True, pass_through=True)
    )
    if isinstance(frame, nw.DataFrame):
        values: Array = (frame if columns is None else frame.select(list(columns))).to_numpy()
    else:
        values = np.asarray(frame)
        values = values if columns is None else values[:, list(columns)]
    empty = not values.size if mixed is None else not len(values)
    if values.ndim != 2 or empty or values.dtype.kind not in "fiub":
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
    return with_missing(blocks_of_array(rows if mixed is None else replace(mixed, rows=rows), weight))


def rows_of_source(X: Any, columns: Sequence[Any] | None = None) -> Array:
    """Return the numbers of a source, float64 of shape (N, D): in memory where they are few, else in a spool.

    Parameters
    ----------
    X : Source, or what `mixtura.data.sources.open_source` takes
    columns : sequence of str, optional
        By default all.

    Raises
    ------
    TableError, DataError
        It cannot be read, has no rows, or a column that does not hold numbers; or the disk has no room.
    """
    source = X if isinstance(X, Source) else open_source(X)
    wanted = [str(name) for name in (source.columns if columns is None else columns)]
    size = source.n_bytes if source.n_rows is None else 8 * len(wanted) * source.n_rows
    if source.n_rows is None and (size is None or size > _IN_MEMORY):
        source = spool_stream(source, wanted)
        size = 8 * len(wanted) * (source.n_rows or 0)
    parts = numbers_of(source, wanted)
    if size is None or size <= _IN_MEMORY:
        found = list(parts)
        if not found:
            raise no_rows(source)
        return np.concatenate(found)
    assert source.n_rows is not None, "what is large was spooled and counted"
    require_room(size, source.name)
    return spool_rows(parts, len(wanted), np.float64, source.n_rows)
