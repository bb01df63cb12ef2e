"""Customers of a Dask or Spark dataframe assigned where they are: further columns, computed when asked for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mixtura.engine import is_spark
from mixtura.run.remote.lazy_arrays import extended_frame, require_free
from mixtura.run.remote.spark.spark_errors import checked
from mixtura.segments.large.assigning.assign_source import assign_part, reader_of
from mixtura.segments.large.on_cluster.segment_on_spark import require_unique
from mixtura.segments.large.table_reader import TableReader
from mixtura.segments.model.assign import Assignment
from mixtura.segments.model.read_rows import require_columns
from mixtura.segments.model.segment_model import SegmentModel

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["assign_on_cluster"]


def assign_on_cluster(model: SegmentModel, frame: Any, *, drop_missing: bool = False) -> Any:
    """Return a Dask or Spark dataframe with the segments of its customers in further columns, not computed yet.

    Columns are those of `Assignment.columns`; customers in no segment have no values. Nothing is guessed of a
    partition: numbers that stand for missing values are those that the model knows.

    Parameters
    ----------
    model : SegmentModel
    frame : Dask or Spark dataframe
        With the columns of the model, in any order.
    drop_missing : bool, default=False
        Leave rows with missing values unassigned, instead of assigning them by the values that they have.

    Raises
    ------
    ColumnError
        It lacks a column of the model.
    DataError
        It has a column of a name that is added.
    """
    require_unique(list(frame.columns))
    assigned = _AssignedColumns(model, reader_of(model, {}, drop_missing=drop_missing))
    require_columns(assigned.reader.columns, list(frame.columns))
    if is_spark(frame):
        kinds = {name: _SPARK_TYPES.get(name, "double") for name in assigned.names}
        return extended_frame(frame, checked(assigned.extended), kinds, "frame")
    require_free(frame.columns, assigned.names, "frame")
    return frame.map_partitions(assigned.of_pandas)


_SPARK_TYPES = {"segment": "long", "segment_name": "string", "anomaly": "boolean"}
"""Of the columns that do not hold floating-point numbers."""

_PANDAS_TYPES = {"segment": "Int64", "segment_name": "string", "anomaly": "boolean"}
"""Of the same: types that have a missing value."""


@dataclass(frozen=True, slots=True, eq=False)
class _AssignedColumns:
    """What makes the further columns of a part of the rows; pickles."""

    model: SegmentModel
    reader: TableReader

    @property
    def names(self) -> list[str]:
        """Of the columns."""
        return list(self._assigned(self._nobody()).columns())

    def extended(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Yield batches with the columns."""
        import pyarrow as pa

        for batch in batches:
            further = self._columns(batch)
            names = [*batch.schema.names, *further]
            yield pa.RecordBatch.from_arrays([*batch.columns, *further.values()], names=names)

    def of_pandas(self, frame: Any) -> Any:
        """Return a pandas frame with the columns, which may all be missing."""
        import pyarrow as pa

        batch = pa.RecordBatch.from_pandas(frame[self.reader.columns], preserve_index=False)
        further = pa.table(self._columns(batch)).to_pandas().astype(_PANDAS_TYPES)
        return frame.assign(**{name: further[name].array for name in further.columns})

    def _columns(self, batch: pa.RecordBatch) -> dict[str, pa.Array]:
        import pyarrow as pa

        found = self._assigned(batch)
        types = {"segment": pa.int64(), "segment_name": pa.string(), "anomaly": pa.bool_()}
        return {
            name: pa.array(values, types.get(name, pa.float64()), mask=~np.asarray(found.known))
            for name, values in found.columns().items()
        }

    def _assigned(self, batch: pa.RecordBatch) -> Assignment:
        part = self.reader(batch)
        return assign_part(self.model, part.table, part.complete, np.arange(batch.num_rows), None)

    def _nobody(self) -> pa.RecordBatch:
        import pyarrow as pa

        columns = self.reader.columns
        return pa.RecordBatch.from_arrays([pa.array([], pa.float64())] * len(columns), names=columns)
