"""Batches of a table as a model reads its rows, numbers and levels, and what is noticed while they are read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import narwhals as nw
import numpy as np

from mixtura._typing import BoolArray, FloatArray
from mixtura.core.protocols import MixedRows, RowTable, continuous_rows
from mixtura.data.sources.row_numbers import is_numeric
from mixtura.segments.large.row_reader import (
    MissingCounts,
    RowReader,
    column_numbers,
    missing_codes_of,
    usable_rows_of,
)
from mixtura.segments.model.segment_model import SegmentModel
from mixtura.segments.table.complete import counted_notes, known_cells
from mixtura.segments.table.discrete.coding import with_missing_levels
from mixtura.segments.table.discrete.unknown_values import UnknownValues
from mixtura.segments.table.survey.missing_codes import codes_asked, codes_of
from mixtura.segments.table.survey.sentinel import Sentinel, sentinel_notes

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["ModelReader", "PartRows", "ReadCounts"]


@dataclass(frozen=True, slots=True, eq=False)
class PartRows:
    """The rows of a part of a table as a model reads them.

    Parameters
    ----------
    numbers : ndarray of shape (N, D)
        The continuous columns of all rows; NaN where a value is missing.
    complete : ndarray of shape (N,), bool
        Which rows are usable.
    table : ndarray of shape (n, D), or MixedRows
        The usable rows.
    levels : Arrow table or None
        The discrete columns of all rows, N.
    """

    numbers: FloatArray
    complete: BoolArray
    table: RowTable
    levels: Any = None


@dataclass(frozen=True)
class ModelReader:
    """Reads batches for a model. Nothing is guessed of a batch, so that all parts of a table are read alike.

    Parameters
    ----------
    model : SegmentModel
    sentinels : mapping of str to float, default={}
        Numbers that stand for missing values, by column, beside those that the model knows.
    drop_missing : bool, default=False
        Leave out rows with missing values, too.
    """

    model: SegmentModel
    sentinels: Mapping[str, float] = field(default_factory=dict)
    drop_missing: bool = False

    @property
    def columns(self) -> list[str]:
        """What a batch must have."""
        return list(dict.fromkeys([*self.model.columns, *self.model.discrete_columns]))

    @cached_property
    def numbers(self) -> RowReader:
        """What reads the continuous columns."""
        codes = self.model.training.missing_codes
        return RowReader(
            self.model.columns, missing_codes_of(self.model.columns, codes, dict(self.sentinels))
        )

    def __call__(self, batch: pa.RecordBatch) -> PartRows:
        """Return the rows of a batch."""
        rows, coding = self.numbers(batch), self.model.coding
        if coding is None:
            complete = usable_rows_of(rows, drop_missing=self.drop_missing)
            return PartRows(rows, complete, rows if complete.all() else np.ascontiguousarray(rows[complete]))
        frame = self._discrete(batch, rows)
        cells = [known_cells(frame[name]) for name in self.model.discrete_columns]
        known = np.column_stack([~np.isnan(rows), *cells])
        complete = np.asarray(known.all(axis=1) if self.drop_missing else known.any(axis=1))
        levels = coding.levels(frame.to_native(), complete)
        table = MixedRows(np.ascontiguousarray(rows[complete]), levels, coding.discrete)
        return PartRows(rows, complete, table, frame.to_native())

    def _discrete(self, batch: pa.RecordBatch, rows: FloatArray) -> nw.DataFrame[Any]:
        """Return the columns that have levels; point masses are those of the numbers that were read."""
        import pyarrow as pa

        said = codes_asked(self.model.training.missing_codes)
        columns: dict[str, Any] = {}
        for name in self.model.discrete_columns:
            columns[name] = batch.column(batch.schema.get_field_index(name))
            codes = codes_of(said, name, own=True)
            if codes and is_numeric(columns[name].type):
                values = column_numbers(batch, name)
                columns[name] = pa.array(np.where(np.isin(values, codes), np.nan, values), from_pandas=True)
        coding = self.model.coding
        for one in () if coding is None else coding.columns:
            if one.kind == "spike":
                columns[one.name] = pa.array(rows[:, self.model.columns.index(one.name)])
        return nw.from_native(pa.table(columns), eager_only=True)


class ReadCounts:
    """What is noticed while the parts of a table are read for a model.

    Parameters
    ----------
    model : SegmentModel
    """

    def __init__(self, model: SegmentModel) -> None:
        self._model, self._names = model, [*model.columns, *model.discrete_columns]
        self._missing = MissingCounts(len(self._names))
        self._unknown = None if model.coding is None else UnknownValues(model.coding)

    def add(self, part: PartRows) -> None:
        """Add a part."""
        levels = part.table.levels if isinstance(part.table, MixedRows) else None
        rows = continuous_rows(part.table)
        self._missing.add(with_missing_levels(rows, self._model.columns, self._model.coding, levels)[0])
        if self._unknown is not None and levels is not None:
            self._unknown.add(levels, part.levels, part.complete)

    def notes(self, sentinels: Sequence[Sentinel]) -> tuple[str, ...]:
        """Return sentences on numbers that stand for missing values, missing values and those that are unknown."""
        unknown = () if self._unknown is None else self._unknown.notes
        return (
            *sentinel_notes(sentinels),
            *counted_notes(*self._missing.totals, self._names),
            *unknown,
        )
