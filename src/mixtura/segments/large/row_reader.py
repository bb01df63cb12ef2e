"""Batches of a source as the rows that a model reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import narwhals as nw
import numpy as np

from mixtura._typing import BoolArray, FloatArray, IntArray
from mixtura.data.sources.row_numbers import fill_numbers, is_numeric
from mixtura.io import to_float64
from mixtura.segments.table.open_table import open_table
from mixtura.segments.table.survey.missing_codes import MissingCodes, codes_asked, codes_of
from mixtura.segments.table.survey.sentinel import SENTINELS

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["MissingCounts", "RowReader", "column_numbers", "missing_codes_of", "usable_rows_of"]


def column_numbers(batch: pa.RecordBatch, name: str) -> FloatArray:
    """Return the numbers of a column, (n,); infinite ones, and text that is not a number, are missing."""
    import pyarrow as pa

    column = batch.column(batch.schema.names.index(name))
    found = np.empty(batch.num_rows)
    if is_numeric(column.type):
        fill_numbers(found, column)
    else:
        opened = open_table(pa.table({name: column}), numbers=[name]).frame
        values: nw.Series[Any] = nw.from_native(opened, eager_only=True)[name]
        found[:] = to_float64(values) if values.dtype.is_numeric() else np.nan
    found[np.isinf(found)] = np.nan
    return found


@dataclass(frozen=True, slots=True, eq=False)
class RowReader:
    """Reads rows of some columns.

    Parameters
    ----------
    columns : sequence of str
    codes : mapping of str to sequence of float, default={}
        Numbers that stand for missing values, by column.
    """

    columns: Sequence[str]
    codes: Mapping[str, Sequence[float]] = field(default_factory=dict)

    def __call__(self, batch: pa.RecordBatch) -> FloatArray:
        """Return the rows of a batch, (n, D), NaN where a value is missing."""
        rows = np.empty((batch.num_rows, len(self.columns)))
        for position, name in enumerate(self.columns):
            values = column_numbers(batch, name)
            for code in self.codes.get(name, ()):
                values[values == code] = np.nan
            rows[:, position] = values
        return rows

    def may_have_sentinels(self, rows: FloatArray) -> BoolArray:
        """Return in which columns the smallest or the largest value is one that often stands for a missing one."""
        with np.errstate(invalid="ignore"):
            ends = np.fmin.reduce(rows), np.fmax.reduce(rows)
        return np.isin(ends[0], SENTINELS) | np.isin(ends[1], SENTINELS)


def missing_codes_of(
    columns: Sequence[str], asked: MissingCodes, sentinels: Mapping[str, float]
) -> dict[str, tuple[float, ...]]:
    """Return the numbers that stand for missing values, by column: those that were said, and those that were found."""
    said = codes_asked(asked)
    own = {name: [sentinels[name]] if name in sentinels else [] for name in columns}
    return {name: (*codes_of(said, name), *own[name]) for name in columns}


class MissingCounts:
    """How many values are missing in each column, and how many rows lack one.

    Parameters
    ----------
    n_columns : int
    """

    def __init__(self, n_columns: int) -> None:
        self.columns = np.zeros(n_columns, dtype=np.int64)
        self.rows = self.all_rows = 0

    @property
    def totals(self) -> tuple[IntArray, int, int]:
        """Missing values by column, rows that lack one, and all rows."""
        return self.columns, self.rows, self.all_rows

    def add(self, rows: FloatArray) -> None:
        missing = np.isnan(rows)
        self.all_rows += len(rows)
        if missing.any():
            self.columns += missing.sum(axis=0)
            self.rows += int(missing.any(axis=1).sum())

    def merge(self, other: MissingCounts) -> None:
        """Add the rows that another counted."""
        self.columns += other.columns
        self.rows, self.all_rows = self.rows + other.rows, self.all_rows + other.all_rows


def usable_rows_of(rows: FloatArray, *, drop_missing: bool) -> BoolArray:
    """Return which rows, (n, D), are used: those with a value, or where it is asked for, with all."""
    known = ~np.isnan(rows)
    return np.asarray(known.all(axis=1) if drop_missing else known.any(axis=1))
