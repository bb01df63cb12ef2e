"""A runner in a database: a pass is one query, and sums come back; or batches of a database that is in this process."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from mixtura._typing import FloatArray, IntArray
from mixtura.core.protocols import Blocks, Pass, RowState
from mixtura.exceptions import DataError
from mixtura.expressions.aggregates import Aggregates
from mixtura.expressions.dialects import Dialect
from mixtura.expressions.sql_aggregates import aggregate_statement
from mixtura.expressions.sql_text import Step
from mixtura.run.remote.remote_runner import RemoteRunner

__all__ = ["DatabaseRunner"]

T = TypeVar("T")


class DatabaseRows(Protocol):
    """What the runner asks of the rows: where they are, how they are read, and answers."""

    n_rows: int

    @property
    def dialect(self) -> Dialect: ...

    @property
    def source(self) -> str: ...

    @property
    def first(self) -> Step: ...

    @property
    def aggregate(self) -> bool: ...

    def batches(self) -> Iterator[Blocks]: ...

    def ask(self, statement: str) -> list[tuple[Any, ...]]: ...

    def rows_at(self, numbers: IntArray) -> tuple[FloatArray, FloatArray | None]: ...


class DatabaseRunner(RemoteRunner):
    """Run passes that know themselves as aggregate queries; see `RemoteRunner` and `Aggregates`."""

    def reduce(self, blocks: Blocks, task: Pass[T], *states: RowState) -> T:
        """Return the result of a pass.

        Raises
        ------
        DataError
            It needs what is kept per row, or the table has other rows than before.
        ParameterError
            It has more sums than the database can return.
        """
        rows, asked = self._rows(blocks, task), getattr(task, "query", None)
        if hasattr(task, "of_numbers"):
            return task.of_numbers(rows.n_rows)  # type: ignore[no-any-return]
        if hasattr(task, "of_rows"):
            numbers = np.unique(getattr(task, "numbers"))  # noqa: B009 -- only such passes have it
            return task.of_rows(numbers, *rows.rows_at(numbers))  # type: ignore[no-any-return]
        if states or asked is None:
            raise self._unknown(task)
        if not rows.aggregate:
            return self._by_batches(rows, task)
        query: Aggregates[T] = asked(weighted="w" in rows.first.columns)
        answer = rows.ask(aggregate_statement(query, rows.first, rows.source, rows.dialect))[0]
        _require_as_many(int(answer[0]), rows.n_rows)
        # Sums that overflow or have no value come back as None.
        sums = [np.nan if one is None else one for one in answer[1:]]
        return query.result(np.array(sums, dtype=np.float64))

    def _by_batches(self, rows: DatabaseRows, task: Pass[T]) -> T:
        """Run a pass here, on rows of a database that is in this process."""
        found, n_rows = list[T](), 0
        for batch in rows.batches():
            n_rows += batch.n_rows
            one = self._local.reduce(batch, task)
            found = [task.add(found[0], one) if found else one]
        _require_as_many(n_rows, rows.n_rows)
        return found[0]

    def state(self, blocks: Blocks, dtype: npt.DTypeLike, columns: int = 0, fill: float = 0) -> RowState:
        raise self._unknown(None)

    def _rows(self, blocks: Any, task: Pass[T]) -> DatabaseRows:
        if not hasattr(blocks, "ask"):
            raise self._unknown(task)
        return blocks  # type: ignore[no-any-return]

    @staticmethod
    def _unknown(task: Any) -> DataError:
        what = "what is kept per row" if task is None else type(task).__name__
        return DataError(
            f"A database adds up sums of its rows, and keeps nothing for each; this needs {what}. Try `Data.sample`, "
            "or read the rows."
        )


def _require_as_many(found: int, n_rows: int) -> None:
    if found != n_rows:
        raise DataError(
            f"The table must stay as it is while a model is fitted; it had {n_rows:,} rows, and now has {found:,}. Fit "
            "to a copy of it."
        )
