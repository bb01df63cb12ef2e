"""Counts that are larger than all that a model has seen, by which new segments may differ."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import narwhals as nw
import numpy as np

from mixtura._typing import Array, FloatArray
from mixtura.core.parts.discrete import DiscreteColumns, LevelTable
from mixtura.io import to_float64
from mixtura.segments.model.segment_model import SegmentModel
from mixtura.segments.table.discrete.coding import CodedColumn, Coding

__all__ = ["with_larger_counts"]

_MOST = 1000
_IDENTIFIED = 4
"""Levels from which on the distribution of a count is known from its probabilities: three numbers and more."""


def with_larger_counts(model: SegmentModel, frame: Any, chosen: Array) -> SegmentModel:
    """Return a model that knows each number of its counts up to the largest of a table, to 1,000.

    Distributions stay the same: probabilities of numbers that the model knows to the last bit, and what it says of
    larger ones is divided among them.

    Parameters
    ----------
    model : SegmentModel
    frame : pandas, polars or pyarrow table
        N rows.
    chosen : ndarray of shape (N,), bool
    """
    coding, held = model.coding, model.mixture.levels
    if coding is None or held is None:
        return model
    table: nw.DataFrame[Any] = nw.from_native(frame, eager_only=True)
    discrete, columns = coding.discrete, list[CodedColumn]()
    shares, logs = list[FloatArray](), list[FloatArray]()
    for j, column in enumerate(coding.columns):
        own, share = held.logs[discrete.starts[j] : discrete.starts[j + 1]], discrete.shares[j]
        size = _largest(column, table, chosen) - column.first + 1
        if size > len(column.levels) - 1 >= _IDENTIFIED - 1:
            own = column.model.extended(own, size)
            share = np.concatenate([share[:-1], np.zeros(len(own) - len(share)), share[-1:]])
            numbers = range(column.first, column.first + size)
            column = replace(column, levels=(*map(str, numbers), column.levels[-1]))
        columns.append(column)
        shares.append(share)
        logs.append(own)
    larger = DiscreteColumns(discrete.models, tuple(shares), discrete.strength)
    levels = LevelTable(larger, np.vstack([*logs, held.logs[-1:]]))
    return replace(
        model, coding=Coding(tuple(columns), larger), mixture=replace(model.mixture, levels=levels)
    )


def _largest(column: CodedColumn, table: nw.DataFrame[Any], chosen: Array) -> int:
    """Return the largest number of a count, to 1,000; -1 of other columns."""
    if column.kind != "count":
        return -1
    values = to_float64(table[column.name])[chosen]
    values = values[np.isfinite(values)]
    return int(min(values.max(initial=-1.0), _MOST))
