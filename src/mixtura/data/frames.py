"""Dataframes out, of the library that the rows came in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import narwhals as nw

__all__ = ["frame_like"]


def frame_like(table: Any, columns: Mapping[str, Sequence[Any]], rows: Sequence[int] | None = None) -> Any:
    """Return columns as a frame of the library of a table; a dict of lists where the table is not a frame.

    Parameters
    ----------
    table : pandas, polars or pyarrow table, or anything else
    columns : mapping of str to sequence, each of one length
        Whole numbers, numbers, texts or truth values; None where there is no value.
    rows : sequence of int, optional
        Which row of the table each is, from 0: a pandas frame then has their index.

    Examples
    --------
    >>> import numpy as np
    >>> from mixtura.data.frames import frame_like
    >>> frame_like(np.zeros((5, 2)), {"a": [1, 2], "b": ["x", None]})
    {'a': [1, 2], 'b': ['x', None]}
    """
    frame = nw.from_native(table, eager_only=True, pass_through=True)
    if not isinstance(frame, nw.DataFrame):
        return {name: list(values) for name, values in columns.items()}
    # Named types: a column without any value would otherwise have none.
    nullable = not frame.implementation.is_pandas_like()
    schema = {name: _type_of(values, nullable=nullable) for name, values in columns.items()}
    data = {
        name: nw.new_series(name, list(values), schema[name], backend=frame.implementation)
        for name, values in columns.items()
    }
    found = nw.from_dict(data).to_native()
    index = None if rows is None else nw.maybe_get_index(frame)
    if index is not None and rows is not None:
        found.index = index.take(list(rows))
    return found


def _type_of(values: Sequence[Any], *, nullable: bool) -> Any:
    """Return the type of a column; without `nullable` whole numbers of which one is missing are floating-point ones."""
    present = [value for value in values if value is not None]
    if any(isinstance(value, str) for value in present) or not present:
        return nw.String
    if all(isinstance(value, bool) for value in present):
        return nw.Boolean
    whole = all(isinstance(value, int) for value in (present if nullable else values))
    return nw.Int64 if whole else nw.Float64
