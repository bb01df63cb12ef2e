"""Ids that repeat: tables of purchases instead of customers, and the statement that makes customers of them."""

from __future__ import annotations

from typing import Any

import narwhals as nw
import numpy as np

from mixtura.io import calendar_part, looks_like_date, names_a_customer, to_float64
from mixtura.segments.table.columns import ColumnChoice

__all__ = ["ids_repeat", "repetition_notes"]

_ROWS_PER_CUSTOMER = 1.2
"""From this number on a row is a purchase or a visit; below, some customers stand twice by mistake."""


def ids_repeat(frame: Any, choice: ColumnChoice, *, guessed: bool) -> bool:
    """Return whether values of the id column repeat; one that was guessed was chosen because they do not."""
    if guessed or choice.id_column is None:
        return False
    table: nw.DataFrame[Any] = nw.from_native(frame, eager_only=True)
    return table[choice.id_column].n_unique() < len(table)


def repetition_notes(frame: Any, choice: ColumnChoice, *, guessed: bool = False) -> tuple[str, ...]:
    """Return a sentence where customers repeat, with a statement that makes one row per customer.

    Where the id column was guessed, they do not: counting different values takes time and memory.
    """
    if guessed and choice.id_column is not None:
        return ()
    table: nw.DataFrame[Any] = nw.from_native(frame, eager_only=True)
    named = (
        [choice.id_column] if choice.id_column is not None else list(filter(names_a_customer, table.columns))
    )
    named = [name for name in named if name not in choice.used]
    if not named:
        return ()
    name, n_rows = named[0], len(table)
    n_customers = table[name].drop_nulls().n_unique()
    if not 0 < n_customers < n_rows - table[name].null_count():
        return ()
    if n_rows < _ROWS_PER_CUSTOMER * n_customers:
        return (
            f"{name!r} has only {n_customers:,} different values in {n_rows:,} rows: some customers repeat.",
        )
    note = (
        f"{name!r} has {n_customers:,} different values in {n_rows:,} rows: rows look like purchases or visits, not "
        f"like customers. Make one row per customer first; in DuckDB, for example: {_statement(table, name, choice)}"
    )
    return (note,)


def _statement(table: nw.DataFrame[Any], name: str, choice: ColumnChoice) -> str:
    """Return recency, frequency and monetary value as SQL over a table called purchases."""
    parts = [_quoted(name), "count(*) AS frequency"]
    amounts = [column for column in choice.used if column not in {choice.value, choice.weight}]
    amount = choice.value or (amounts[-1] if amounts else None)
    if amount is not None:
        parts.append(f"sum({_quoted(amount)}) AS monetary")
    dates = [one for one in table.columns if one not in choice.used and _is_date(table[one])]
    if dates:
        last = _day(table[dates[0]])
        parts.append(f"date_diff('day', {last}, (SELECT {last} FROM purchases)) AS recency")
    return f"SELECT {', '.join(parts)} FROM purchases GROUP BY {_quoted(name)}"


def _is_date(column: nw.Series[Any]) -> bool:
    return (
        column.dtype.is_temporal()
        or (looks_like_date(column.name) and calendar_part(column.name) is None)
        or (column.dtype.is_integer() and _are_days(column))
    )


def _are_days(column: nw.Series[Any]) -> bool:
    values = to_float64(column.drop_nulls())
    return values.size > 0 and bool(np.all((values >= 19000101) & (values <= 21001231)))


def _day(column: nw.Series[Any]) -> str:
    """Return the last day of a column as SQL."""
    last = f"max({_quoted(column.name)})"
    if column.dtype.is_integer():
        return f"strptime({last}::VARCHAR, '%Y%m%d')"
    return last if column.dtype.is_temporal() else f"{last}::DATE"


def _quoted(name: str) -> str:
    doubled = name.replace('"', '""')
    return f'"{doubled}"'
