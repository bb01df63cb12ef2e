"""Rows that a database holds: how they are read as numbers, and what is known of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from typing import Any

import numpy as np
import numpy.typing as npt

from mixtura._typing import Array, FloatArray, IntArray
from mixtura.core.protocols import Block, Blocks, RowTable
from mixtura.data.arrays import ArrayBlocks
from mixtura.data.sources.database_table import DatabaseTable
from mixtura.exceptions import DataError, MissingValuesError
from mixtura.expressions.dialects import Dialect
from mixtura.expressions.expression import Call, Expression, Name
from mixtura.expressions.sql_names import NUMBER, numbered
from mixtura.expressions.sql_text import Step, step_text

__all__ = ["DatabaseBlocks"]

_LARGEST = 1e100
"""Beyond it the square of a value could be larger than any number."""


class DatabaseBlocks:
    """Blocks of rows that stay in a database; they are looked at once, when this is made.

    Parameters
    ----------
    table : DatabaseTable
    weight : str or None, default=None
        The column of weights.

    Raises
    ------
    MissingValuesError
        A value is missing, NaN, infinite or beyond 1e100.
    DataError
        There are no rows, or a weight is missing or negative, or all are zero.
    ColumnError
        The weights are not numbers.
    """

    discrete = None
    has_missing = False

    def __init__(self, table: DatabaseTable, weight: str | None = None) -> None:
        for name in table.columns:
            if name != weight:
                table.require_numbers(name, "columns")
        if weight is not None:
            table.require_numbers(weight, "sample_weight")
        self.table, self._weight = table, weight
        self._columns: dict[str, Expression] = {
            name: Call("double", Name(name)) for name in table.columns if name != weight
        }
        if not self._columns:
            raise DataError("`X` must have at least one column; got none.")
        self.n_rows, self.total_weight, self.n_positive = self._looked_at(self.names)

    @property
    def n_features(self) -> int:
        return len(self._columns)

    @property
    def names(self) -> list[str]:
        """Names of the columns."""
        return list(self._columns)

    @property
    def dialect(self) -> Dialect:
        return self.table.dialect

    @property
    def source(self) -> str:
        """The table as SQL."""
        return self.table.source

    @property
    def first(self) -> Step:
        """The columns of a row, ``y1`` and so on, and its weight ``w``, where rows are weighted."""
        columns: dict[str, Expression] = {f"y{d + 1}": one for d, one in enumerate(self._columns.values())}
        return Step(columns if self._weight is None else columns | {"w": Call("double", Name(self._weight))})

    @property
    def aggregate(self) -> bool:
        """Whether a pass is an aggregate query; otherwise it reads batches."""
        return self.table.aggregate

    def batches(self) -> Iterator[Blocks]:
        """Yield all rows, many at a time, in memory."""
        statement = step_text(self.first, self.source, self.dialect, first=True, last=False)
        d = self.n_features
        for found in self.table.batches(statement):
            weights = None if self._weight is None else np.ascontiguousarray(found[:, d])
            yield self.in_memory(np.ascontiguousarray(found[:, :d]), weights)

    def ask(self, statement: str) -> list[tuple[Any, ...]]:
        """Return the answer to a statement."""
        return self.table.ask(statement)

    def __len__(self) -> int:
        return 1

    def rows_at(self, numbers: IntArray) -> tuple[FloatArray, FloatArray | None]:
        """Return some rows by number, ascending, and their weights where there are any.

        Rows are numbered as the database returns them: twice the same only while the table rests.
        """
        step = Step(self.first.columns | {"number": Name(NUMBER)}, fenced=False)
        select = step_text(
            step, numbered(self.source, numbers, self.dialect), self.dialect, first=True, last=False
        )
        found = self.ask(select)
        values = np.array(sorted(found, key=lambda row: int(row[-1])), dtype=np.float64)
        if len(found) != numbers.size:
            raise DataError(
                f"The table must stay as it is while it is read; of {numbers.size:,} rows {len(found):,} are left. "
                "Try again, or with a copy of it."
            )
        rows = np.ascontiguousarray(values[:, : self.n_features])
        return rows, None if self._weight is None else np.ascontiguousarray(values[:, -2])

    def with_columns(self, columns: Mapping[str, Expression]) -> DatabaseBlocks:
        """Return the same rows with other columns; the table is not looked at again."""
        found = copy(self)
        vars(found).update(_columns=dict(columns))
        return found

    def _looked_at(self, names: Sequence[str]) -> tuple[int, float, int]:
        """Return the number of rows, the sum of their weights, and how many weights are positive."""
        double, own = self.dialect.double, self.dialect.name_of
        values = [double.format(f"t.{own(name)}") for name in names]
        low, high = self.dialect.number(-_LARGEST), self.dialect.number(_LARGEST)
        counts = [f"COUNT(t.{own(name)})" for name in names]
        counts += [f"COUNT(CASE WHEN {value} BETWEEN {low} AND {high} THEN 1 END)" for value in values]
        if self._weight is not None:
            w = double.format(f"t.{own(self._weight)}")
            zero = self.dialect.number(0.0)
            sound = f"{w} BETWEEN {zero} AND {high}"
            counts += [f"COUNT(CASE WHEN {sound} THEN 1 END)", f"COUNT(CASE WHEN {w} > {zero} THEN 1 END)"]
            counts += [f"SUM(CASE WHEN {sound} THEN {w} END)"]
        listed = ",\n  ".join(["COUNT(*)", *counts])
        n_rows, *found = self.ask(f"SELECT\n  {listed}\nFROM {self.source} t")[0]
        if not n_rows:
            raise DataError(f"`X` must have at least one row; got none in {self.table.name!r}.")
        self._require_values(names, n_rows, found)
        if self._weight is None:
            return int(n_rows), float(n_rows), int(n_rows)
        sound, positive, weight = found[2 * len(names) :]
        if sound < n_rows or not positive:
            raise DataError(self._said_of_weights(w, n_rows, sound))
        return int(n_rows), float(weight), int(positive)

    def _said_of_weights(self, w: str, n_rows: int, sound: int) -> str:
        """Return what is wrong with weights, of which some are not sound or none is positive."""
        if sound == n_rows:
            return (
                f"`sample_weight` must be positive for some row; {self._weight!r} is zero in all {n_rows:,}. Name "
                "another column, or leave it out."
            )
        zero = self.dialect.number(0.0)
        counts = f"COUNT({w}), COUNT(CASE WHEN {w} < {zero} THEN 1 END)"
        present, negative = self.ask(f"SELECT {counts} FROM {self.source} t")[0]
        found = {
            "negative": negative,
            "missing": n_rows - present,
            "infinite, NaN or huge": present - sound - negative,
        }
        said = ", ".join(f"{count:,} {kind}" for kind, count in found.items() if count)
        return (
            f"`sample_weight` must be finite and not negative; of the {n_rows:,} values in {self._weight!r} {said}. "
            "Correct them, or leave these rows out."
        )

    def _require_values(self, names: Sequence[str], n_rows: int, found: Sequence[int]) -> None:
        present, sound = np.array(found[: len(names)]), np.array(found[len(names) : 2 * len(names)])
        bad = [name for name, one in zip(names, sound, strict=True) if one < n_rows]
        if not bad:
            return
        missing, other = int((n_rows - present).sum()), int((present - sound).sum())
        raise MissingValuesError(
            f"Input X contains NaN or infinity: every row of {self.table.name!r} must have finite numbers below 1e100; "
            f"got {missing:,} missing and {other:,} that are NaN, infinite or larger, in "
            f"{', '.join(f'column {name!r}' for name in bad[:5])}. Leave such rows out with a query, such as "
            f"SELECT * FROM ... WHERE {self.dialect.name_of(bad[0])} BETWEEN -1e100 AND 1e100.",
            columns=bad,
            count=missing + other,
        )

    def block(self, number: int) -> Block:
        raise DataError("Rows of a database stay there: it returns sums. Try `Data.sample` for some of them.")

    def numbers(self, dtype: npt.DTypeLike, columns: int, fill: float) -> Array:
        raise DataError("A database keeps no numbers per row. Try `Data.sample` for some rows.")

    def in_memory(self, rows: RowTable, sample_weight: FloatArray | None) -> Blocks:
        return ArrayBlocks.of(rows, sample_weight)
