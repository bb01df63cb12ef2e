"""The rows of a source that are added to a model: read in parts, and kept in a spool."""

from __future__ import annotations

import numpy as np

from mixtura.data.sources import Source, read_whole
from mixtura.data.spool import spool_stream
from mixtura.exceptions import ColumnError
from mixtura.segments.large.row_reader import RowReader, missing_codes_of
from mixtura.segments.large.sentinels import find_sentinels
from mixtura.segments.large.spooled_table import spool_table
from mixtura.segments.large.table_reader import NeededColumns, TableReader
from mixtura.segments.model.read_rows import ROW_NAME, ModelRows, require_columns
from mixtura.segments.model.segment_model import SegmentModel
from mixtura.segments.table.roles import checked_weights
from mixtura.segments.table.survey.sentinel import sentinel_notes

__all__ = ["read_in_parts"]


def read_in_parts(
    model: SegmentModel, source: Source, time: str | None, *, drop_missing: bool = False
) -> ModelRows:
    """Return the rows of a source as `read_rows` does; they lie in a spool, and are a memory map.

    Parameters
    ----------
    model : SegmentModel
        Of columns of numbers alone.
    source : Source
    time : str or None
        A column that is read into memory as well, as that of the model's value is.
    drop_missing : bool, default=False

    Raises
    ------
    ColumnError, DataError
        The source lacks a column, no row is usable, or the disk has no room.
    """
    weight, value = model.training.weight_column, model.training.value_column
    if weight is not None and weight not in source.columns:
        raise ColumnError.missing(weight, source.columns, "weight")
    require_columns(model.columns, source.columns)
    source = source if source.repeatable else spool_stream(source)
    codes = model.training.missing_codes
    sentinels = find_sentinels(source, RowReader(model.columns, missing_codes_of(model.columns, codes, {})))
    known = {one.column: one.value for one in sentinels}
    reader = TableReader.of(model.columns, None, codes, known, drop_missing=drop_missing)
    table = spool_table(source, NeededColumns(reader, weight=weight))
    counts, _, n_rows = table.read.missing.totals
    absent = tuple(name for name, count in zip(model.columns, counts, strict=True) if count == n_rows)
    weights = (
        None
        if table.weights is None
        else checked_weights(np.array(table.weights), str(weight), of_model=True)
    )
    further = [name for name in (time, value) if name is not None and name in source.columns]
    frame = read_whole(source, list(dict.fromkeys(further)) or list(model.columns[:1]))
    notes = (*sentinel_notes(sentinels), *table.noticed)
    ids, complete = np.empty(0, dtype=np.intp), np.array(table.complete)
    return ModelRows(frame, ROW_NAME, ids, table.rows, complete, weights, absent, notes)
