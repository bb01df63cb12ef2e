"""Values so far from those of a model that sums with their squares say nothing of the others."""

from __future__ import annotations

import numpy as np

from mixtura.core.protocols import continuous_rows
from mixtura.exceptions import DataError
from mixtura.segments.model.read_rows import ModelRows
from mixtura.segments.model.segment_model import SegmentModel

__all__ = ["require_sums"]

_FARTHEST = 1e8
"""Standard deviations whose square is one over the precision of a number."""


def require_sums(model: SegmentModel, read: ModelRows) -> None:
    """Raise `DataError` where a value is so far away that its square leaves no digit of the others in a sum."""
    with np.errstate(over="ignore"):
        scaled = np.abs(continuous_rows(model.scaling.seen(read.table)))
    rows, columns = np.nonzero(scaled > _FARTHEST)
    if not rows.size:
        return
    value, name = read.rows[rows[0], columns[0]], model.columns[columns[0]]
    raise DataError(
        f"The column {name!r} has the value {value:g}; in {len(np.unique(rows)):,} of {len(scaled):,} rows a value is "
        f"more than {_FARTHEST:g} standard deviations from those that the model was learned from. Sums with its square "
        "have no digit of the others left. Correct such values, or leave them empty."
    )
