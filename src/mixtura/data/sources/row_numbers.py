"""Batches of Arrow as rows of numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from mixtura._typing import FloatArray
from mixtura.data.sources.batches import Source
from mixtura.exceptions import ColumnError

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["fill_numbers", "is_numeric", "numbers_of"]


def is_numeric(kind: pa.DataType) -> bool:
    """Return whether values of a type are numbers: integers, floats, decimals, and truth values as 0 and 1."""
    from pyarrow import types

    return bool(
        types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind) or types.is_boolean(kind)
    )


def numbers_of(source: Source, columns: Sequence[str]) -> Iterator[FloatArray]:
    """Yield columns as rows of float64, (n, D), a batch at a time; what is missing is NaN.

    Raises
    ------
    ColumnError
        A column does not hold numbers.
    """
    for name in columns:
        if name not in source.columns:
            raise ColumnError.missing(name, source.columns, "columns")
        kind = source.schema.field(name).type
        if not is_numeric(kind):
            raise ColumnError(
                f"The column {name!r} of {source.name} holds {kind}. Columns of numbers are required. Name those to "
                "use with `columns`.",
                column=name,
            )
    for batch in source.batches(columns):
        found = np.empty((batch.num_rows, len(columns)))
        for position in range(len(columns)):
            fill_numbers(found[:, position], batch.column(position))
        yield found


def fill_numbers(out: FloatArray, values: pa.Array) -> None:
    """Write the numbers of a column to an array, NaN where they are missing; Arrow's own `to_numpy` loads pandas."""
    import pyarrow as pa

    if values.type != pa.float64():
        values = values.cast(pa.int8()) if pa.types.is_boolean(values.type) else values
        values = values.cast(pa.float64(), safe=False)
    _, data = values.buffers()
    numbers = np.frombuffer(data, dtype=np.float64, count=len(values), offset=8 * values.offset)
    if values.null_count:
        known = np.from_dlpack(values.is_valid().cast(pa.uint8())).astype(bool)
        np.copyto(out, np.where(known, numbers, np.nan))
    else:
        np.copyto(out, numbers)
