"""The rows of a table as a model reads them: its columns by name, in the user's units, with their customers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import narwhals as nw
import numpy as np

from mixtura._typing import Array, FloatArray, IntArray
from mixtura.core.protocols import MixedRows, RowTable, continuous_rows
from mixtura.data.row_file import row_file
from mixtura.exceptions import ColumnError, DataError
from mixtura.io import to_float64
from mixtura.segments.model.segment_model import SegmentModel
from mixtura.segments.table.columns import choose
from mixtura.segments.table.complete import missing_notes, usable_rows
from mixtura.segments.table.discrete.coding import with_missing_levels
from mixtura.segments.table.discrete.unknown_values import unknown_notes
from mixtura.segments.table.roles import Roles, checked_weights

__all__ = ["ROW_NAME", "ModelRows", "customer_ids", "in_chunks", "read_rows", "require_columns"]

ROW_NAME = "row"
"""Name of the id column where the table has none; rows are numbered from 1."""

_CHUNK_ROWS = 131_072


@dataclass(frozen=True, slots=True, eq=False)
class ModelRows:
    """The rows of a table as a model reads them.

    Parameters
    ----------
    frame : dataframe
        The table as it is used, see `open_table`; N rows.
    id_name : str
    ids : narwhals Series or ndarray of length N
        As they stand in the table; row numbers from 1 where there are none.
    table : ndarray of shape (n, D), or MixedRows
        The usable rows in the user's units; NaN where a value is missing.
    complete : ndarray of shape (N,), bool
        Which rows are usable.
    weights : ndarray of shape (n,) or None
        How much each of them counts.
    absent : tuple of str
        Columns of the model without any value.
    notes : tuple of str
        What was changed when the table was read.
    """

    frame: Any
    id_name: str
    ids: nw.Series[Any] | Array
    table: RowTable
    complete: Array
    weights: FloatArray | None
    absent: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def rows(self) -> FloatArray:
        """The continuous columns of the usable rows, shape (n, D)."""
        return continuous_rows(self.table)

    @property
    def levels(self) -> IntArray | None:
        """Levels of their discrete columns, shape (n, J); None without any."""
        return self.table.levels if isinstance(self.table, MixedRows) else None


def read_rows(
    model: SegmentModel,
    frame: Any,
    *,
    id_column: str | None = None,
    drop_missing: bool = False,
    weight: str | None = None,
    partial: bool = False,
) -> ModelRows:
    """Read the rows of a table for a model.

    Parameters
    ----------
    model : SegmentModel
    frame : pandas, polars or pyarrow table
        N rows; the columns of the model in any order, others are ignored.
    id_column : str or None, default=None
        By default the one the model was learned with, if the table has it, or one that looks like an id.
    drop_missing : bool, default=False
        Leave out rows with missing values.
    weight : str or None, default=None
        A column that says how much a row counts.
    partial : bool, default=False
        Read a table in which a column has no values at all, too.

    Raises
    ------
    ColumnError
        The table lacks a column of the model, or it is not numeric.
    DataError
        No row has a value.
    """
    roles = _roles(model, id_column, weight)
    opened = roles.open(frame)
    table: nw.DataFrame[Any] = nw.from_native(opened.frame, eager_only=True)
    require_columns((*model.columns, *model.discrete_columns), table.columns)
    every = (*model.columns, *model.discrete_columns)
    absent = tuple(name for name in every if not _has_values(table[name])) if partial else ()
    known = model.training.id_column
    if id_column is None and known in table.columns and known not in model.columns:
        id_column = known
    choice = choose(opened, replace(roles, columns=_present(model.columns, absent), id_column=id_column))
    notes = opened.notes(model.columns)
    rows, weights, complete = usable_rows(
        opened.frame,
        model.columns,
        drop_missing=drop_missing,
        weight=weight,
        notes=notes,
        discrete=model.discrete_columns,
    )
    if weights is not None:
        weights = checked_weights(weights, str(weight), of_model=True)
    levels = None if model.coding is None else model.coding.levels(opened.frame, complete)
    notes = (*notes, *missing_notes(*with_missing_levels(rows, model.columns, model.coding, levels)))
    if model.coding is None or levels is None:
        found: RowTable = rows
    else:
        notes = (*notes, *unknown_notes(model.coding, levels, opened.frame, complete))
        found = MixedRows(rows, levels, model.coding.discrete)
    named = customer_ids(opened.frame, choice.id_column)
    return ModelRows(opened.frame, *named, found, complete, weights, absent, notes)


def _roles(model: SegmentModel, id_column: str | None, weight: str | None) -> Roles:
    """Return what the columns of a table are for, as the model says it."""
    codes = model.training.missing_codes
    return Roles(
        model.columns,
        id_column,
        weight=weight,
        keep=model.discrete_columns,
        missing_codes=codes,
        of_model=True,
    )


def _has_values(column: nw.Series[Any]) -> bool:
    if column.dtype.is_numeric():
        return bool(np.isfinite(to_float64(column)).any())
    return column.null_count() < len(column)


def _present(columns: Sequence[str], absent: Sequence[str]) -> tuple[str, ...]:
    """Return the columns of the model that have values."""
    present = tuple(name for name in columns if name not in absent)
    if columns and not present:
        raise DataError(
            f"The table has no values in any of the columns {', '.join(map(repr, columns))}. The model needs them. "
            "Check that it is the right table."
        )
    return present


def customer_ids(frame: Any, id_column: str | None) -> tuple[str, nw.Series[Any] | Array]:
    """Return the name and the values of the id column; row numbers from 1 without one."""
    table: nw.DataFrame[Any] = nw.from_native(frame, eager_only=True)
    if id_column is None:
        return ROW_NAME, np.arange(1, len(table) + 1)
    return id_column, table[id_column]


def require_columns(needed: Sequence[str], present: Sequence[str]) -> None:
    """Raise `ColumnError` where a table lacks a column that a model reads."""
    lacking = [name for name in needed if name not in present]
    if not lacking:
        return
    closest = ColumnError.closest_names(lacking[0], present)
    hint = f"Rename {closest[0]!r} if it is the same." if closest else "Check that it is the right table."
    raise ColumnError(
        f"The table lacks {', '.join(repr(name) for name in lacking)}. The model needs the columns "
        f"{', '.join(repr(name) for name in needed)}. {hint}",
        column=lacking[0],
        closest=closest,
    )


def in_chunks(function: Callable[[Any], Array], table: RowTable) -> Array:
    """Return what a function makes of rows, (n,), given some of them at a time: of those on disk few are in memory."""
    if len(table) <= _CHUNK_ROWS:
        return function(table)
    held = row_file(table) if isinstance(table, np.ndarray) else None
    rows = table if held is None else held
    parts = [function(rows[start : start + _CHUNK_ROWS]) for start in range(0, len(table), _CHUNK_ROWS)]
    return np.concatenate(parts)
