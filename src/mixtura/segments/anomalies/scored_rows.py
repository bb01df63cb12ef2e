"""The rows of a table that anomalies are looked for in: in memory, or of a source in a spool."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from mixtura._typing import Array, FloatArray
from mixtura.data.sources import Source
from mixtura.segments.large.draw_rows import draw_rows
from mixtura.segments.large.opening import LARGE_ROWS, counted
from mixtura.segments.large.spooled_table import SpooledTable, spool_table
from mixtura.segments.large.table_reader import NeededColumns, TableReader
from mixtura.segments.model.read_rows import ROW_NAME, customer_ids
from mixtura.segments.options import Settings
from mixtura.segments.table.columns import ColumnChoice, choose
from mixtura.segments.table.complete import missing_notes, usable_rows
from mixtura.segments.table.prepare import prepare, warn_of_columns
from mixtura.segments.table.roles import Roles

__all__ = ["ScoredRows", "learn_rows", "rows_to_score"]

_SAID = 12
"""Columns that are left out of which the reason is said."""


@dataclass(frozen=True, slots=True, eq=False)
class ScoredRows:
    """Rows as they were read.

    Parameters
    ----------
    id_name : str
    ids : ndarray or Series of shape (N,), or None
        None where they are read in parts.
    columns : tuple of str, length D
    rows : ndarray of shape (n, D)
        Those with values, in the user's units; a memory map where they are read in parts.
    complete : ndarray of shape (N,), bool
        Which rows they are.
    notes : tuple of str
    table : SpooledTable or None, default=None
        Where they are, of a source.
    left_out : tuple of str, default=()
        The note that says which columns are not looked at, among the notes; where columns were chosen by these rows.
    """

    id_name: str
    ids: Any
    columns: tuple[str, ...]
    rows: FloatArray
    complete: Array
    notes: tuple[str, ...]
    table: SpooledTable | None = None
    left_out: tuple[str, ...] = ()


def learn_rows(
    normal: Any, columns: Sequence[str] | None, id_column: str | None, *, drop_missing: bool, seed: int
) -> ScoredRows:
    """Return the rows that are learned from; their columns are chosen as `mixtura.segments.segment_table` does."""
    source = counted(normal) if isinstance(normal, Source) else None
    read = normal if source is None else draw_rows(source, source.columns, LARGE_ROWS, seed).table
    found = prepare(
        read,
        Roles(columns, id_column),
        Settings(None, ("full",), "bic", 1, seed),
        drop_missing=drop_missing,
    )
    warn_of_columns(found)
    choice, silent = found.choice, _left_out_notes(found.choice)
    named = choice.id_column is not None and id_column is None
    said = (
        *silent,
        *((f"Rows are named by {choice.id_column!r}, which is not looked at.",) if named else ()),
    )
    if source is None:
        ids, notes = customer_ids(found.frame, choice.id_column), (*said, *found.notes)
        return ScoredRows(*ids, choice.used, found.rows, found.complete, notes, left_out=silent)
    reading = choice.used, choice.id_column, found.sentinels, (*said, *found.reading_notes)
    return replace(_spooled(source, *reading, drop_missing=drop_missing), left_out=silent)


def _left_out_notes(choice: ColumnChoice) -> tuple[str, ...]:
    """Say which columns are not looked at, and why."""
    said = [f"{one.name} ({one.reason})" for one in choice.left_out if one.name != choice.id_column]
    more = f"; and {len(said) - _SAID} more" if len(said) > _SAID else ""
    return (f"Columns left out: {'; '.join(said[:_SAID])}{more}.",) if said else ()


def rows_to_score(
    table: Any, columns: tuple[str, ...], id_column: str | None, *, drop_missing: bool, seed: int
) -> ScoredRows:
    """Return the rows of another table than was learned from, with the same columns."""
    source = counted(table) if isinstance(table, Source) else None
    roles = Roles(columns, id_column, of_model=True)
    if source is not None:
        roles.check_names(source.columns)
    opened = roles.open(
        table if source is None else draw_rows(source, source.columns, LARGE_ROWS, seed).table
    )
    choice, notes = choose(opened, roles), opened.notes(columns)
    if source is not None:
        sentinels = {one.column: one.value for one in opened.sentinels}
        return _spooled(source, columns, choice.id_column, sentinels, notes, drop_missing=drop_missing)
    rows, _, complete = usable_rows(opened.frame, columns, drop_missing=drop_missing, notes=notes)
    notes = (*notes, *missing_notes(rows, columns))
    return ScoredRows(*customer_ids(opened.frame, choice.id_column), columns, rows, complete, notes)


def _spooled(
    source: Source,
    columns: tuple[str, ...],
    id_column: str | None,
    sentinels: Mapping[str, float],
    notes: tuple[str, ...],
    *,
    drop_missing: bool,
) -> ScoredRows:
    reader = TableReader.of(columns, None, None, sentinels, drop_missing=drop_missing)
    table = spool_table(source, NeededColumns(reader))
    said = (
        f"Columns were chosen by {min(LARGE_ROWS, table.n_rows):,} of {table.n_rows:,} rows, drawn at random; all rows "
        "were scored."
    )
    notes = (said, *notes, *table.noticed)
    return ScoredRows(
        ROW_NAME if id_column is None else id_column, None, columns, table.rows, table.complete, notes, table
    )
