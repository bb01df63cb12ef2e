"""Kinds that a codebook proposes: nominal columns are categories, ordinal ones ordered, scales continuous.

Labels count only where all values have one: a scale from 0 to 10 of which the ends are labelled is a number.
"""

from __future__ import annotations

import re
from typing import Any, Literal

import narwhals as nw
import numpy as np

from mixtura.io import CodebookColumn, to_float64
from mixtura.segments.table.discrete.cells import text_of

__all__ = ["Proposal", "labelled_example", "looks_like_weight", "proposed_kind"]

Proposal = Literal["category", "ordered", "continuous"]

_WEIGHT = re.compile(r"(weight|wei?gh?t?s?|wgh?t|gewicht|poids)\d*$|^(weight|wgt|wt|gew)", re.IGNORECASE)
_MOST_LEVELS = 30
_ROWS_PER_LEVEL = 10


def proposed_kind(column: nw.Series[Any], known: CodebookColumn) -> Proposal | None:
    """Return the kind that a codebook proposes for a column of numbers; None where it says nothing, or it cannot be.

    Parameters
    ----------
    column : Series
        Declared missing codes are missing in it.
    known : CodebookColumn
    """
    if not (known.measure or known.labels) or not column.dtype.is_numeric():
        return None
    if known.measure == "scale":
        return "continuous"
    if known.measure == "nominal":
        return "category"
    values = to_float64(column)
    values = values[np.isfinite(values)]
    different = np.unique(values)
    if known.measure == "ordinal":
        whole = bool(np.all(different == np.rint(different)))
        enough = values.size >= _ROWS_PER_LEVEL * different.size
        return "ordered" if whole and enough and 1 < different.size <= _MOST_LEVELS else None
    return "category" if _are_labelled(different.tolist(), known) else None


def _are_labelled(values: list[float], known: CodebookColumn) -> bool:
    return 1 < len(values) <= len(known.labels) and all(text_of(value) in known.labels for value in values)


def looks_like_weight(name: str, column: nw.Series[Any]) -> bool:
    """Return whether a column of a survey is a weight that was not declared: by its name, and values near 1."""
    if not _WEIGHT.search(name) or not column.dtype.is_numeric():
        return False
    values = to_float64(column)
    values = values[np.isfinite(values)]
    return bool(
        values.size and values.min() >= 0 and 0.5 <= values.mean() <= 2 and np.any(values != np.rint(values))
    )


def labelled_example(known: CodebookColumn) -> str:
    """Return a code and its label, as a reason shows them; empty without labels."""
    code, label = next(iter(known.labels.items()), ("", ""))
    return f", such as {code} = {label[:30]!r}" if label else ""
