"""Columns that turn out to be constant among the rows that are used."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mixtura._typing import FloatArray
from mixtura.exceptions import ColumnError, DataError, TooFewRowsError
from mixtura.segments.table.columns import ColumnChoice, LeftOut

__all__ = ["drop_constant_columns"]


def drop_constant_columns(
    choice: ColumnChoice, rows: FloatArray, *, explicit: bool
) -> tuple[ColumnChoice, FloatArray]:
    """Take out columns that are constant among the rows that are used; they have no scale."""
    if len(rows) < 2:
        raise TooFewRowsError(
            f"There is {len(rows)} row that can be used; at least 2 are required to make segments. Add rows."
        )
    varies = np.fmin.reduce(rows) < np.fmax.reduce(rows)
    if varies.all():
        return choice, rows
    constant = [name for name, kept in zip(choice.used, varies, strict=True) if not kept]
    if not varies.any():
        raise DataError(
            f"All {len(rows)} rows are equal in the columns {', '.join(repr(name) for name in constant)}. "
            "Segments need differences. Name other columns with `columns`."
        )
    if explicit:
        raise ColumnError(
            f"The column {constant[0]!r} has the same value in every row. A column with differences is required. "
            "Leave it out of `columns`.",
            column=constant[0],
        )
    left_out = (
        *choice.left_out,
        *(LeftOut(name, "the same value in every row that is used") for name in constant),
    )
    used = tuple(name for name in choice.used if name not in constant)
    return replace(choice, used=used, left_out=left_out), np.ascontiguousarray(rows[:, varies])
