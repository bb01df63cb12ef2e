"""Rows in memory and their weights, checked, with or without discrete columns."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from mixtura._typing import FloatArray
from mixtura.core.protocols import MixedRows, RowTable
from mixtura.validation import as_rows, as_weights, without_empty_rows

__all__ = ["as_table", "counted_weights"]


def as_table(rows: npt.ArrayLike | MixedRows, missing: str = "error") -> RowTable:
    """Return rows checked as `mixtura.validation.as_rows` does; those with discrete columns may have missing values."""
    if not isinstance(rows, MixedRows):
        return as_rows(rows, missing)
    plain = as_rows(rows.rows, "fiml") if rows.shape[1] else np.empty(rows.shape)
    return MixedRows(plain, np.ascontiguousarray(rows.levels), rows.discrete)


def counted_weights(sample_weight: npt.ArrayLike | None, table: RowTable) -> FloatArray | None:
    """Return checked weights, (N,), that are zero for rows without any value; None where all are one."""
    weights = as_weights(sample_weight, table.shape[0])
    if not isinstance(table, MixedRows):
        return without_empty_rows(weights, table)
    known = (table.levels != table.discrete.size - 1).any(axis=1) | ~np.isnan(table.rows).all(axis=1)
    if known.all():
        return weights
    return np.where(known, 1.0 if weights is None else weights, 0.0)
