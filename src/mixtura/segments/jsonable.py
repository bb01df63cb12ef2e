"""Results as plain values for JSON: arrays become lists, what is not a number becomes None."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any

import numpy as np

__all__ = ["jsonable_fields", "to_jsonable"]


def to_jsonable(value: Any) -> Any:
    """Return a value of numbers, texts, lists and dicts only.

    Parameters
    ----------
    value : number, str, None, ndarray, Enum, mapping, sequence, dataclass, or an object with `to_dict`
        JSON knows no NaN and no infinity: both become None.

    Examples
    --------
    >>> import numpy as np
    >>> from mixtura.segments.jsonable import to_jsonable
    >>> to_jsonable({"counts": np.array([1, 2]), "share": float("nan")})
    {'counts': [1, 2], 'share': None}
    """
    if hasattr(value, "to_dict"):
        return value.to_dict()
    if isinstance(value, Enum):
        return value.value
    if is_dataclass(value):
        return jsonable_fields(value)
    if isinstance(value, Mapping):
        return {str(key): to_jsonable(held) for key, held in value.items()}
    if isinstance(value, np.ndarray | np.generic):
        return to_jsonable(value.tolist())
    if isinstance(value, list | tuple):
        return [to_jsonable(held) for held in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def jsonable_fields(instance: Any, *, without: Collection[str] = ()) -> dict[str, Any]:
    """Return the fields of a dataclass by name, as plain values, less some that have an entry per customer."""
    assert is_dataclass(instance)
    return {
        field.name: to_jsonable(getattr(instance, field.name))
        for field in fields(instance)
        if field.name not in without
    }
