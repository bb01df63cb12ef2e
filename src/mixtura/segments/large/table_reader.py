"""Batches of a table as rows of numbers and levels, and what is noticed while they are read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import narwhals as nw
import numpy as np

from mixtura._typing import Array, BoolArray, FloatArray
from mixtura.core.protocols import DiscreteColumns, MixedRows, RowTable, continuous_rows
from mixtura.data.sources.row_numbers import is_numeric
from mixtura.exceptions import DataError
from mixtura.segments.large.described import DescribedColumn
from mixtura.segments.large.row_reader import (
    MissingCounts,
    RowReader,
    column_numbers,
    missing_codes_of,
    usable_rows_of,
)
from mixtura.segments.table.complete import counted_notes, known_cells
from mixtura.segments.table.discrete.coding import Coding, with_missing_levels
from mixtura.segments.table.discrete.unknown_values import UnknownValues
from mixtura.segments.table.survey.missing_codes import MissingCodes, codes_asked, codes_of

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["NeededColumns", "PartRows", "ReadCounts", "TableReader", "require_some"]


@dataclass(frozen=True, slots=True, eq=False)
class PartRows:
    """The rows of a part of a table.

    Parameters
    ----------
    numbers : ndarray of shape (N, D)
        The continuous columns of all rows; NaN where a value is missing.
    complete : ndarray of shape (N,), bool
        Which rows are usable.
    table : ndarray of shape (n, D), or MixedRows
        The usable rows.
    leveled : Arrow table or None
        The columns with levels, of all rows, N.
    """

    numbers: FloatArray
    complete: BoolArray
    table: RowTable
    leveled: Any = None


@dataclass(frozen=True, slots=True, eq=False)
class TableReader:
    """Reads batches: numbers, and the levels of discrete columns. Nothing is guessed of a batch, so that all are alike.

    Parameters
    ----------
    numbers : RowReader
        Of the continuous columns.
    coding : Coding or None, default=None
        Of the discrete columns, where there are some.
    codes : mapping of str to sequence of float, default={}
        Numbers that stand for missing values of discrete columns.
    drop_missing : bool, default=False
        Leave out rows with missing values.
    """

    numbers: RowReader
    coding: Coding | None = None
    codes: Mapping[str, Sequence[float]] = field(default_factory=dict)
    drop_missing: bool = False

    @classmethod
    def of(
        cls,
        columns: Sequence[str],
        coding: Coding | None,
        asked: MissingCodes,
        sentinels: Mapping[str, float],
        *,
        drop_missing: bool,
    ) -> TableReader:
        """Return what reads some columns.

        Parameters
        ----------
        columns : sequence of str
            The continuous ones.
        coding : Coding or None
        asked : mapping of str to sequence of float, or sequence of float, or None
            Numbers that stand for missing values, as was said.
        sentinels : mapping of str to float
            Such numbers that were found.
        drop_missing : bool
        """
        said = codes_asked(asked)
        discrete = () if coding is None else coding.names
        codes = {name: codes_of(said, name, own=True) for name in discrete}
        numbers = RowReader(columns, missing_codes_of(columns, asked, sentinels))
        return cls(numbers, coding, codes, drop_missing)

    @property
    def discrete(self) -> tuple[str, ...]:
        """Columns that have levels alone."""
        return () if self.coding is None else self.coding.names

    @property
    def modeled(self) -> DiscreteColumns | None:
        """What is modeled of the columns with levels, where there are some."""
        return None if self.coding is None else self.coding.discrete

    @property
    def point_masses(self) -> tuple[float, ...]:
        """The values at which columns have point masses."""
        spikes = () if self.coding is None else (one for one in self.coding.columns if one.kind == "spike")
        return tuple(float(text) for one in spikes for text in one.levels[1:])

    @property
    def n_levels(self) -> int:
        """How many columns of levels are read, point masses among them."""
        return 0 if self.coding is None else len(self.coding.columns)

    @property
    def columns(self) -> list[str]:
        """What a batch must have: the continuous columns first."""
        return list(dict.fromkeys([*self.numbers.columns, *self.discrete]))

    def __call__(self, batch: pa.RecordBatch) -> PartRows:
        """Return the rows of a batch."""
        rows, coding = self.numbers(batch), self.coding
        if coding is None:
            complete = usable_rows_of(rows, drop_missing=self.drop_missing)
            return PartRows(rows, complete, rows if complete.all() else np.ascontiguousarray(rows[complete]))
        frame = self._leveled(coding, batch, rows)
        cells = [known_cells(frame[name]) for name in coding.names]
        known = np.column_stack([~np.isnan(rows), *cells])
        complete = np.asarray(known.all(axis=1) if self.drop_missing else known.any(axis=1))
        levels = coding.levels(frame.to_native(), complete)
        table = MixedRows(np.ascontiguousarray(rows[complete]), levels, coding.discrete)
        return PartRows(rows, complete, table, frame.to_native())

    def _leveled(self, coding: Coding, batch: pa.RecordBatch, rows: FloatArray) -> nw.DataFrame[Any]:
        """Return the columns that have levels; point masses are those of the numbers that were read."""
        import pyarrow as pa

        columns: dict[str, Any] = {}
        for name in coding.names:
            columns[name] = batch.column(batch.schema.get_field_index(name))
            codes = self.codes.get(name, ())
            if codes and is_numeric(columns[name].type):
                values = column_numbers(batch, name)
                columns[name] = pa.array(np.where(np.isin(values, codes), np.nan, values), from_pandas=True)
        continuous = list(self.numbers.columns)
        for one in coding.columns:
            if one.kind == "spike":
                columns[one.name] = pa.array(rows[:, continuous.index(one.name)])
        return nw.from_native(pa.table(columns), eager_only=True)


@dataclass(frozen=True, slots=True, eq=False)
class NeededColumns:
    """The columns of a table that are read of all rows.

    Parameters
    ----------
    reader : TableReader
        Of those that build segments.
    described : sequence of DescribedColumn, default=()
        Those that only describe, and the value.
    weight : str or None, default=None
    """

    reader: TableReader
    described: Sequence[DescribedColumn] = ()
    weight: str | None = None

    @property
    def columns(self) -> list[str]:
        """What a batch must have: those that build segments first."""
        weights = () if self.weight is None else (self.weight,)
        return list(dict.fromkeys([*self.reader.columns, *(one.name for one in self.described), *weights]))

    def read(self, batch: pa.RecordBatch) -> tuple[PartRows, FloatArray | None, list[Array]]:
        """Return the rows of a batch, and of the usable ones their weights and further columns, (n,) each.

        Raises
        ------
        DataError
            A weight is missing or negative.
        """
        part, weights = self.reader(batch), None
        if self.weight is not None:
            weights = _required_weights(column_numbers(batch, self.weight), self.weight)[part.complete]
        return part, weights, [one.values(batch)[part.complete] for one in self.described]


def require_some(n_usable: int, n_rows: int, columns: Sequence[str]) -> None:
    """Raise `DataError` where no row of a table is usable."""
    if not n_usable:
        raise DataError(
            f"None of the {n_rows} rows has a value in the columns {list(columns)!r}. Such rows are required. Leave "
            "out the columns that are mostly empty, with `columns`."
        )


def _required_weights(weights: FloatArray, name: str) -> FloatArray:
    bad = ~(weights >= 0)
    if bad.any():
        what = "missing" if np.isnan(weights[bad][0]) else f"{weights[bad][0]:g}"
        raise DataError(
            f"The weight {name!r} is {what} in a row. Every row must have a weight that is not negative. Correct it, "
            "or leave out `weight`."
        )
    return weights


class ReadCounts:
    """What is noticed while the parts of a table are read.

    Parameters
    ----------
    reader : TableReader
    """

    def __init__(self, reader: TableReader) -> None:
        self._continuous, self._coding = reader.numbers.columns, reader.coding
        self._names = [*reader.numbers.columns, *reader.discrete]
        self.missing = MissingCounts(len(self._names))
        self._unknown = None if reader.coding is None else UnknownValues(reader.coding)

    def add(self, part: PartRows) -> None:
        """Add a part."""
        levels = part.table.levels if isinstance(part.table, MixedRows) else None
        rows = continuous_rows(part.table)
        self.missing.add(with_missing_levels(rows, self._continuous, self._coding, levels)[0])
        if self._unknown is not None and levels is not None:
            self._unknown.add(levels, part.leveled, part.complete)

    def merge(self, other: ReadCounts) -> None:
        """Add the parts that another has of the same columns."""
        self.missing.merge(other.missing)
        if self._unknown is not None and other._unknown is not None:
            self._unknown.merge(other._unknown)

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences on the values that are missing, and on those that are unknown."""
        unknown = () if self._unknown is None else self._unknown.notes
        return (*counted_notes(*self.missing.totals, self._names), *unknown)
