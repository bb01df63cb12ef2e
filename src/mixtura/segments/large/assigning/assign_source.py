"""Customers of a source assigned to the segments of a model, in parts: read, evaluated and written side by side."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import narwhals as nw
import numpy as np

from mixtura._typing import Array, BoolArray, IntArray
from mixtura.core.protocols import RowTable
from mixtura.data.sources import Source, no_rows, read_ahead
from mixtura.data.spool import spool_stream
from mixtura.exceptions import ColumnWarning, DataError
from mixtura.io import TableWriter
from mixtura.segments.large.sentinels import find_sentinels
from mixtura.segments.large.table_reader import ReadCounts, TableReader
from mixtura.segments.model.assign import Assignment, assign_rows
from mixtura.segments.model.read_rows import ROW_NAME, require_columns
from mixtura.segments.model.segment_model import SegmentModel
from mixtura.segments.table.columns import guess_id
from mixtura.segments.table.complete import left_out_note
from mixtura.segments.table.survey.sentinel import Sentinel, sentinel_notes

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = [
    "AssignedSource",
    "SourceCounts",
    "assign_part",
    "assign_source",
    "assigned_parts",
    "id_column_of",
    "read_notes",
    "reader_of",
    "with_sentinels",
]

T = TypeVar("T")


@dataclass(frozen=True, slots=True, eq=False)
class AssignedSource:
    """How many customers of a source went where.

    Parameters
    ----------
    names : tuple of str
        Of the K segments.
    n_rows, n_complete, n_outliers : int
        Customers, those in a segment, and those in none because they lie far from all.
    counts : ndarray of shape (K,)
    n_anomalies : int
    notes : tuple of str
    """

    names: tuple[str, ...]
    n_rows: int
    n_complete: int
    counts: IntArray
    n_anomalies: int
    notes: tuple[str, ...] = ()
    n_outliers: int = 0

    def unknown_note(self, without: str, *, drop_missing: bool) -> str:
        """Return a sentence on those who were not evaluated; `without` says what became of them."""
        return left_out_note(
            self.n_rows - self.n_complete - self.n_outliers, without, drop_missing=drop_missing
        )


class _Suspicious(Exception):  # noqa: N818 -- not an error: the pass begins again
    """A column may hold numbers that stand for missing values, which the whole column has to show."""


def assign_source(
    model: SegmentModel,
    source: Source,
    path: str | Path,
    *,
    id_column: str | None = None,
    drop_missing: bool = False,
    on_rows: Callable[[int, int | None], object] | None = None,
) -> AssignedSource:
    """Assign the customers of a source and write the table of results, as `assign_table` and `Assignment.write` do.

    Little is held at a time. The id column is recognized by the first rows; a last row of totals is not looked for.

    Parameters
    ----------
    model : SegmentModel
    source : Source
    path : str or Path
        Ends in ``.csv`` or ``.parquet``.
    id_column : str or None, default=None
    drop_missing : bool, default=False
        Leave rows with missing values unassigned, instead of assigning them by the values that they have.
    on_rows : callable, optional
        Called with how many rows were read, and how many there are; see `Source.watched`.

    Raises
    ------
    ColumnError
        The table lacks a column of the model.
    TableError, DataError
        It cannot be read, or no row has a value.
    OutputError
        The file cannot be written.
    """
    require_columns((*model.columns, *model.discrete_columns), source.columns)
    if on_rows is not None:
        source = source.watched(on_rows)
    if not source.repeatable:
        source = spool_stream(source)
    name = id_column_of(model, source, id_column)
    return with_sentinels(model, source, lambda found: _run(model, source, path, name, found, drop_missing))


def with_sentinels(model: SegmentModel, source: Source, run: Callable[[list[Sentinel] | None], T]) -> T:
    """Return what is made of a source, once it is known which numbers stand for missing values.

    Parameters
    ----------
    model : SegmentModel
    source : Source
    run : callable
        Takes these; None as long as nothing looks like it, see `assigned_parts`.
    """
    try:
        return run(None)
    except _Suspicious:
        found = find_sentinels(source, reader_of(model, {}).numbers)
    return run(found)


def id_column_of(model: SegmentModel, source: Source, asked: str | None) -> str | None:
    """Return the id column: the one that is asked for, that of the model, or one that the first rows look like."""
    import pyarrow as pa

    first = next(source.batches(), None)
    if first is None:
        raise no_rows(source)
    known = model.training.id_column
    if asked is not None:
        require_columns([asked], source.columns)
        return asked
    if known in source.columns and known not in model.columns:
        return known
    others = [name for name in source.columns if name not in (*model.columns, *model.discrete_columns)]
    return guess_id(nw.from_native(pa.Table.from_batches([first]), eager_only=True), others)


def _run(
    model: SegmentModel,
    source: Source,
    path: str | Path,
    id_column: str | None,
    sentinels: list[Sentinel] | None,
    drop_missing: bool,
) -> AssignedSource:
    counts, read = SourceCounts(model.n_segments), ReadCounts(reader_of(model, {}))
    with TableWriter(path) as writer:
        for part, _ in assigned_parts(model, source, id_column, sentinels, read, drop_missing=drop_missing):
            writer.append(*part.written(), part.known)
            counts.add(part)
        counts.require_some((*model.columns, *model.discrete_columns))
    notes = read_notes(sentinels, read)
    n_anomalies, n_outliers = counts.n_anomalies, counts.n_outliers
    return AssignedSource(
        model.names, counts.n_rows, counts.n_complete, counts.by_segment, n_anomalies, notes, n_outliers
    )


class SourceCounts:
    """How many customers of a source went where."""

    def __init__(self, n_segments: int) -> None:
        self.by_segment: IntArray = np.zeros(n_segments, dtype=np.intp)
        self.n_rows = self.n_complete = self.n_anomalies = self.n_outliers = 0

    def add(self, part: Assignment) -> None:
        """Add customers."""
        self.by_segment = self.by_segment + part.counts
        self.n_rows, self.n_complete = self.n_rows + part.n_rows, self.n_complete + part.n_complete
        self.n_anomalies, self.n_outliers = (
            self.n_anomalies + part.n_anomalies,
            self.n_outliers + part.n_outliers,
        )

    def require_some(self, columns: Sequence[str]) -> None:
        """Raise `DataError` where no row has a value."""
        if not self.n_complete + self.n_outliers:
            raise DataError(
                f"None of the {self.n_rows} rows has a value in the columns {list(columns)!r}. Such rows "
                "are required. Check that it is the right table."
            )


def read_notes(sentinels: list[Sentinel] | None, read: ReadCounts) -> tuple[str, ...]:
    """Return what was noticed when a source was read, and warn of it."""
    notes = (*sentinel_notes(sentinels or ()), *read.notes)
    if notes:
        warnings.warn(f"Columns of the table: {' '.join(notes)}", ColumnWarning, stacklevel=3)
    return notes


def assigned_parts(
    model: SegmentModel,
    source: Source,
    id_column: str | None,
    sentinels: list[Sentinel] | None,
    read: ReadCounts,
    *,
    drop_missing: bool,
    further: Sequence[str] = (),
) -> Iterator[tuple[Assignment, pa.RecordBatch]]:
    """Yield the customers of a source assigned, a part at a time, each with the columns that were read of it.

    Parameters
    ----------
    model : SegmentModel
    source : Source
    id_column : str or None
    sentinels : list of Sentinel or None
        None to find out that there may be some: see `with_sentinels`.
    read : ReadCounts
        To which each part is added.
    drop_missing : bool
    further : sequence of str, default=()
        Columns to be read as well.
    """
    found = {one.column: one.value for one in sentinels or ()}
    reader = reader_of(model, found, drop_missing=drop_missing)
    needed = dict.fromkeys([*reader.columns, *([] if id_column is None else [id_column]), *further])
    start = 1
    with read_ahead(source.batches(list(needed))) as batches:
        for batch in batches:
            part = reader(batch)
            if sentinels is None and reader.numbers.may_have_sentinels(part.numbers).any():
                raise _Suspicious
            read.add(part)
            ids = _ids_of(batch, id_column, start)
            start += batch.num_rows
            yield assign_part(model, part.table, part.complete, ids, id_column), batch


def reader_of(
    model: SegmentModel, sentinels: Mapping[str, float], *, drop_missing: bool = False
) -> TableReader:
    """Return what reads the rows of a model, given numbers that stand for missing values beside those it knows."""
    codes = model.training.missing_codes
    return TableReader.of(model.columns, model.coding, codes, sentinels, drop_missing=drop_missing)


def _ids_of(batch: pa.RecordBatch, id_column: str | None, start: int) -> nw.Series[Any] | Array:
    """Return the ids of a batch, or the numbers of its rows, given that of the first."""
    import pyarrow as pa

    if id_column is None:
        return np.arange(start, start + batch.num_rows)
    column = pa.chunked_array([batch.column(batch.schema.get_field_index(id_column))])
    ids: nw.Series[Any] = nw.from_native(column, series_only=True)
    return ids


def assign_part(
    model: SegmentModel,
    rows: RowTable,
    complete: BoolArray,
    ids: nw.Series[Any] | Array,
    id_column: str | None,
) -> Assignment:
    """Return the assignment of some rows of a larger table, given the n usable ones, and which they are."""
    if not len(rows):
        return _nobody(model, complete, ids, id_column)
    return assign_rows(model, rows, complete, ROW_NAME if id_column is None else id_column, ids)


def _nobody(model: SegmentModel, complete: BoolArray, ids: Any, id_column: str | None) -> Assignment:
    n_rows = complete.size
    return Assignment(
        ROW_NAME if id_column is None else id_column,
        ids,
        model.names,
        complete,
        np.full(n_rows, -1),
        np.full((n_rows, model.n_segments), np.nan),
        np.full(n_rows, np.nan),
        np.zeros(n_rows, dtype=bool),
    )
