"""Kinds of columns: continuous, with point masses, counts, and categories; each with the reason for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import narwhals as nw
import numpy as np

from mixtura._typing import FloatArray
from mixtura.exceptions import ColumnError, ParameterError
from mixtura.io import to_float64
from mixtura.segments.table.discrete.cells import texts_of
from mixtura.segments.table.discrete.number_rules import LARGEST_COUNT, level_kind, point_masses

__all__ = [
    "KINDS",
    "KIND_WORDS",
    "ColumnKind",
    "Kind",
    "Kinds",
    "check_kind",
    "kind_notes",
    "kind_of",
    "kinds_asked",
]

Series = nw.Series[Any]

Kind = Literal["continuous", "spike", "count", "category", "ordered"]

KINDS: tuple[Kind, ...] = ("continuous", "spike", "count", "category", "ordered")

Kinds = str | Mapping[str, str]
"""``"continuous"`` for numbers alone, ``"auto"``, or kinds by name, ``"*"`` or ``"auto"`` for the others."""

_ROWS_PER_VALUE = 10
"""Rows for each level of a category; with fewer, levels say little."""

_MOST_LEVELS = 30
"""Of categories, unless they are asked for."""

_MOST_ORDERED = 100
"""Levels that may be said of a column."""


@dataclass(frozen=True, slots=True)
class ColumnKind:
    """What a column is taken for.

    Parameters
    ----------
    name : str
    kind : Kind
    reason : str
    spikes : tuple of float, default=()
        Values with a point mass, the smallest first.
    """

    name: str
    kind: Kind
    reason: str
    spikes: tuple[float, ...] = ()


def kinds_asked(kinds: Kinds) -> tuple[bool, dict[str, Kind]]:
    """Return whether kinds are found by rule, and those that were said.

    Raises
    ------
    ParameterError
        It is neither, or a kind is unknown.
    """
    said = {"*": kinds} if isinstance(kinds, str) else {"*": "auto"} | dict(kinds)
    rule = said.pop("*")
    if rule not in ("auto", "continuous"):
        raise ParameterError(
            f"`kinds` must be 'auto', 'continuous', or a mapping of columns to {', '.join(KINDS)}; got {rule!r}. Try "
            "`kinds='auto'`."
        )
    for name, kind in said.items():
        if kind not in KINDS:
            raise ParameterError(
                f"`kinds` must be among {', '.join(KINDS)}; got {kind!r} for the column {name!r}. Try "
                "the kind 'category', or 'count'."
            )
    return rule == "auto", {str(name): kind for name, kind in said.items() if kind in KINDS}


def kind_of(column: Series, *, numeric: bool) -> ColumnKind | None:
    """Return the kind that the rule finds; None for a column that is to be left out.

    Parameters
    ----------
    column : Series
    numeric : bool
        Whether it holds measurements.
    """
    if not numeric:
        return _category(column)
    values = to_float64(column)
    values = values[np.isfinite(values)]
    levels = level_kind(values)
    if levels is not None:
        return ColumnKind(column.name, *levels)
    spikes = point_masses(values)
    if spikes:
        listed = " and ".join(f"{100 * np.mean(values == one):.0f} % are {one + 0.0:g}" for one in spikes)
        return ColumnKind(column.name, "spike", f"{listed}, far more than usual values", spikes)
    return ColumnKind(column.name, "continuous", "numbers")


def _category(column: Series) -> ColumnKind | None:
    """Return a category where levels repeat enough, else None."""
    if column.dtype.is_temporal():
        return None
    texts = [one for one in texts_of(column) if one is not None]
    n_levels = len(set(texts))
    if n_levels < 2 or n_levels > _MOST_LEVELS or len(texts) < _ROWS_PER_VALUE * n_levels:
        return None
    what = f"{n_levels} different words or codes"
    return ColumnKind(column.name, "category", what)


def check_kind(column: Series, kind: Kind) -> ColumnKind:
    """Return a kind that was said, once the column can be of it.

    Raises
    ------
    ColumnError
        A count with negative or fractional numbers, a point mass that is not there, a category with a level per row.
    """
    name = column.name
    if kind == "category":
        _check_category(column)
        return ColumnKind(name, kind, "as asked for")
    if not column.dtype.is_numeric():
        raise ColumnError(
            f"`kinds` says that {name!r} is of kind {kind!r}, for which numbers are required; it holds "
            f"{column.dtype}. Try the kind 'category'.",
            column=name,
        )
    values = to_float64(column)
    values = values[np.isfinite(values)]
    if not values.size:
        raise ColumnError(
            f"`kinds` says that {name!r} is of kind {kind!r}, for which numbers are required; it has no value. "
            "Leave the column out.",
            column=name,
        )
    if kind in ("count", "ordered"):
        _check_levels(name, values, kind)
    spikes: tuple[float, ...] = ()
    if kind == "spike":
        spikes = point_masses(values)
        if not spikes:
            different, counts = np.unique(values, return_counts=True)
            raise ColumnError(
                f"`kinds` says that {name!r} has a point mass; its most frequent value, "
                f"{different[counts.argmax()]:g}, is in {100 * counts.max() / values.size:.1f} % of the rows. At least "
                "5 %, and five times as many as have a usual value, are required. Leave the kind out.",
                column=name,
            )
    return ColumnKind(name, kind, "as asked for", spikes)


def _check_category(column: Series) -> None:
    name = column.name
    texts = [one for one in texts_of(column) if one is not None]
    n_levels = len(set(texts))
    if n_levels < 2 or (n_levels > 2 and 2 * n_levels > len(texts)):
        raise ColumnError(
            f"`kinds` says that {name!r} is a category; it has {n_levels} different "
            f"{'value' if n_levels == 1 else 'values'} in {len(texts)} rows. "
            "Levels that repeat are required. Leave the column out, or describe the segments with it.",
            column=name,
        )


def _check_levels(name: str, values: FloatArray, kind: str) -> None:
    bad = values[(values != np.rint(values)) | (values < 0)]
    if kind == "count" and bad.size:
        more = "" if bad.size == 1 else f" and {bad.size - 1:,} more"
        raise ColumnError(
            f"`kinds` says that {name!r} is of kind 'count', for which whole numbers from 0 are required; got "
            f"{bad[0]:g}{more}. Try 'continuous'.",
            column=name,
        )
    if kind == "count" and values.max() > LARGEST_COUNT:
        raise ColumnError(
            f"`kinds` says that {name!r} is of kind 'count', for which numbers up to {LARGEST_COUNT} are required; it "
            f"has {values.max():g}. Try 'continuous'.",
            column=name,
        )
    n_levels = np.unique(values).size
    if kind == "ordered" and n_levels > _MOST_ORDERED:
        raise ColumnError(
            f"`kinds` says that {name!r} is of kind 'ordered', for which at most {_MOST_ORDERED} different values are "
            f"required; it has {n_levels}. Try 'continuous'.",
            column=name,
        )


def kind_notes(kinds: Sequence[ColumnKind]) -> tuple[str, ...]:
    """Return sentences that say what columns were taken for, other than plain numbers; one for the same reason."""
    alike: dict[tuple[str, str], list[str]] = {}
    for one in kinds:
        if one.kind != "continuous":
            alike.setdefault((one.kind, one.reason), []).append(one.name)
    return tuple(
        f"{names[0]} is taken for {KIND_WORDS[kind]} ({reason})."
        if len(names) == 1
        else f"{', '.join(names[:-1])} and {names[-1]} are each taken for {KIND_WORDS[kind]} ({reason})."
        for (kind, reason), names in alike.items()
    )


KIND_WORDS: dict[str, str] = {
    "spike": "an amount with point masses",
    "count": "a count",
    "category": "a category",
    "ordered": "an ordered category",
}
"""Kinds other than numbers, as sentences name them."""
