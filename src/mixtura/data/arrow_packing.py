"""Batches of Arrow as a Spark executor gives them to Python: read column by column, and packed into blocks of bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mixtura._typing import Array, RowArray
from mixtura.data.packing import PackedRows, Packing
from mixtura.exceptions import DataError

__all__ = ["ArrowPacking"]

_NUMBERS = ("tinyint", "smallint", "int", "bigint", "float", "double", "decimal", "boolean")
"""Spark's types of columns that hold numbers."""


@dataclass(frozen=True, slots=True)
class ArrowPacking(Packing):
    """How batches of a Spark dataframe are read, and how its rows are kept: as one piece of bytes per batch.

    Parameters
    ----------
    columns, dtype
        As of `Packing`.
    weight : str or None, default=None
        Name of the column of sample weights.
    """

    weight: str | None = None

    schema = "rows binary, weight binary"
    """Of what is kept, in Spark's words."""

    @classmethod
    def of(cls, X: Any, columns: Sequence[Any] | None, weight: Any) -> ArrowPacking:
        """Return how a Spark dataframe is read: some columns, by default all, but that of the weights.

        Raises
        ------
        DataError
            There is none, one does not hold numbers, or the weights are not the name of a column.
        """
        types = dict(X.dtypes)
        if weight is not None and not (isinstance(weight, str) and weight in types):
            raise DataError(
                f"`sample_weight` must be the name of a column of the Spark dataframe; got {weight!r}. Its columns are "
                f"{', '.join(map(repr, types))}."
            )
        names = tuple(name for name in types if name != weight) if columns is None else tuple(columns)
        for name in (*names, *(() if weight is None else (weight,))):
            if types[name].partition("(")[0] not in _NUMBERS:
                raise DataError(
                    f"Column {name!r} must hold numbers; got Spark's {types[name]}. Select the other columns, or cast "
                    "it."
                )
        if not names:
            raise DataError("`X` must have at least one column; got none.")
        only_float = all(types[name] == "float" for name in names)
        return cls(names, "float32" if only_float else "float64", weight)

    def rows(self, part: Any) -> RowArray:
        """Return the rows of a batch, (n, D), C-contiguous; what has no value is NaN."""
        rows: Array = np.empty((part.num_rows, len(self.columns or ())), dtype=self.dtype)
        for place, name in enumerate(self.columns or ()):
            rows[:, place] = _floats(part, name, self.dtype)
        return rows

    def pack(self, batches: Iterable[Any]) -> Iterator[Any]:
        """Yield a record for each batch that has rows."""
        import pyarrow as pa

        for batch in batches:
            if batch.num_rows:
                weight = None if self.weight is None else _floats(batch, self.weight, "float64")
                packed = self(batch, weight)
                kept = None if packed.sample_weight is None else packed.sample_weight.tobytes()
                values = packed.rows.tobytes(), kept
                arrays = [pa.array([value], pa.binary()) for value in values]
                yield pa.RecordBatch.from_arrays(arrays, names=["rows", "weight"])

    def unpack(self, batches: Iterable[Any]) -> Iterator[PackedRows]:
        """Yield what `pack` packed, record by record; rows are read where they lie."""
        for batch in batches:
            for rows, weight in zip(batch.column(0), batch.column(1), strict=True):
                values = np.frombuffer(rows.as_buffer(), dtype=self.dtype).reshape(
                    -1, len(self.columns or ())
                )
                kept = np.frombuffer(weight.as_buffer(), dtype=np.float64) if weight.is_valid else None
                yield PackedRows.of(values, kept)

    def extended(
        self, batches: Iterable[Any], function: Callable[[RowArray], Array], names: Sequence[str]
    ) -> Iterator[Any]:
        """Yield batches with further columns: what a function makes of their rows, (n,) or (n, number of names)."""
        import pyarrow as pa

        for batch in batches:
            found = function(self.rows(batch))
            further = [pa.array(column) for column in found.reshape(len(found), -1).T]
            columns = [*batch.columns, *further]
            yield pa.RecordBatch.from_arrays(columns, names=[*batch.schema.names, *names])


def _floats(batch: Any, name: str, dtype: str) -> Array:
    """Return a column, (n,); Arrow converts whole numbers, decimals and truth values exactly where that is possible."""
    import pyarrow as pa

    kind = pa.float32() if dtype == "float32" else pa.float64()
    column = batch.column(batch.schema.get_field_index(name))
    values: Array = column.cast(kind, safe=False).to_numpy(zero_copy_only=False)
    return values
