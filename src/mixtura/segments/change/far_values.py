"""Values so far from those of a model that sums with their squares say nothing of the others."""

from __future__ import annotations

import numpy as np

from mixtura._typing import BoolArray
from mixtura.core.protocols import RowTable, continuous_rows
from mixtura.exceptions import DataError
from mixtura.segments.model.read_rows import ModelRows, in_chunks
from mixtura.segments.model.segment_model import SegmentModel

__all__ = ["require_sums"]

_FARTHEST = 1e8
"""Standard deviations whose square is one over the precision of a number."""


def require_sums(model: SegmentModel, read: ModelRows) -> None:
    """Raise `DataError` where a value is so far away that its square leaves no digit of the others in a sum."""
    far = np.flatnonzero(in_chunks(lambda rows: np.asarray(_is_far(model, rows).any(axis=1)), read.table))
    if not far.size:
        return
    column = int(np.argmax(_is_far(model, read.table[far[:1]])[0]))
    value, name = read.rows[far[0], column], model.columns[column]
    raise DataError(
        f"The column {name!r} has the value {value:g}; in {far.size:,} of {len(read.rows):,} rows a value is "
        f"more than {_FARTHEST:g} standard deviations from those that the model was learned from. Sums with its square "
        "have no digit of the others left. Correct such values, or leave them empty."
    )


def _is_far(model: SegmentModel, rows: RowTable) -> BoolArray:
    with np.errstate(over="ignore"):
        return np.abs(continuous_rows(model.scaling.seen(rows))) > _FARTHEST
