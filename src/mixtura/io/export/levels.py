"""Levels of discrete columns as expressions: how they are read from a table, and what they add to log densities."""

from __future__ import annotations

import numpy as np

from mixtura.expressions.expression import Binary, Call, Case, Expression, Integer, Name, Number, Text, both
from mixtura.io.export.scorer import DiscretePart

__all__ = ["FINITE", "is_finite", "lacks_level", "level_log", "level_of", "within"]

FINITE = float(np.finfo(np.float64).max)

_LEAST = -1e9
"""Log probability of a level that no row of a segment has."""
_TRUTH = {"true": ("true", "True", "TRUE", "t", "1"), "false": ("false", "False", "FALSE", "f", "0")}
"""What truth values are called as texts, by engine."""


def within(value: Expression, limit: float) -> Expression:
    """Return whether a number lies within ± a limit; not so for NaN, infinity and NULL."""
    return both(value >= -limit, Binary("<", value, Number(limit)))


def is_finite(value: Expression) -> Expression:
    """Return whether a number is there, and neither NaN nor infinite."""
    return within(value, FINITE)


def level_of(part: DiscretePart) -> Expression:
    """Return the level of a row, from 0; missing where it is, or is not among those listed."""
    if part.kind == "category":
        names = (
            _TRUTH if set(part.levels) == set(_TRUTH) else {text: _spellings(text) for text in part.levels}
        )
        labels = zip(part.levels, part.labels, strict=True) if part.labels else ()
        names |= {text: (*names[text], label) for text, label in labels if label not in part.levels}
        listed = [
            (Text(one), Integer(level)) for level, text in enumerate(part.levels) for one in names[text]
        ]
        return Case(tuple(listed), subject=Call("text", Name(part.column)))
    value = Call("double", Name(part.column))
    if part.kind == "spike":
        at = [(value.equals(float(text)), Integer(level)) for level, text in enumerate(part.levels) if level]
        return Case((*at, (is_finite(value), Integer(0))))
    first, last = float(part.levels[0]), float(len(part.levels) - 1)
    whole = both(is_finite(value), both(value >= first, value.equals(Call("floor", value))))
    level = value - first if first else value
    return Case(((whole, Case(((value < first + last, level),), Number(last))),))


def _spellings(text: str) -> tuple[str, ...]:
    """Return how engines write a level that may be a whole number of a column of floats."""
    return (text, f"{text}.0") if text.lstrip("-").isdigit() else (text,)


def lacks_level(part: DiscretePart) -> Expression:
    """Return 1 where a row lacks a value, else 0; a value that is not among the levels is one."""
    if part.kind == "category":
        text = Call("text", Name(part.column))
        return Case(((text.equals(text), Integer(0)),), Integer(1))
    return Case(((is_finite(Call("double", Name(part.column))), Integer(0)),), Integer(1))


def level_log(part: DiscretePart, level: Name, k: int) -> Expression:
    """Return what a level adds to the log density of a component: nothing where it is missing."""
    logs = np.maximum(part.logs[:, k], _LEAST)
    as_key = Number if part.kind == "count" else Integer
    listed = [(as_key(number), Number(float(one))) for number, one in enumerate(logs)]
    return Case(tuple(listed), Number(0.0), subject=level)
