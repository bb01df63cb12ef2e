"""Cells of a column as texts, as levels of categories are named."""

from __future__ import annotations

from typing import Any

import narwhals as nw
import numpy as np

__all__ = ["text_of", "texts_of"]


def texts_of(column: nw.Series[Any]) -> list[str | None]:
    """Return the text of every cell; None where it is missing."""
    cells = zip(column.to_list(), column.is_null().to_list(), strict=True)
    return [text_of(value, empty=empty) for value, empty in cells]


def text_of(value: Any, *, empty: bool = False) -> str | None:
    """Return the text of one cell: whole numbers without a point, truth values in lower case, None for nothing."""
    if empty or (isinstance(value, float) and not np.isfinite(value)):
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
