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
from mixtura.segments.table.discrete.number_rules import (
    LARGEST_COUNT,
    first_of_count,
    level_kind,
    point_masses,
)

__all__ = [
    "KINDS",
    "KIND_WORDS",
    "SAID_KINDS",
    "ColumnKind",
    "Kind",
    "Kinds",
    "SaidKind",
    "check_kind",
    "kind_notes",
    "kind_of",
    "kinds_asked",
]

Series = nw.Series[Any]

Kind = Literal["continuous", "spike", "count", "category", "ordered"]

KINDS: tuple[Kind, ...] = ("continuous", "spike", "count", "category", "ordered")

SaidKind = Literal["continuous", "spike", "count", "count-from-0", "count-from-1", "category", "ordered"]

_FIRST: dict[str, int] = {"count-from-0": 0, "count-from-1": 1}
"""Kinds that say what the smallest number of a count can be; of ``"count"`` its numbers say it."""

SAID_KINDS: tuple[SaidKind, ...] = (*KINDS, "count-from-0", "count-from-1")
"""Kinds that may be said of a column."""

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
    first : {0, 1}, default=0
        Of a count: the smallest number that it can be, see `first_of_count`.
    """

    name: str
    kind: Kind
    reason: str
    spikes: tuple[float, ...] = ()
    first: int = 0


def kinds_asked(kinds: Kinds) -> tuple[bool, dict[str, SaidKind]]:
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
            f"`kinds` must be 'auto', 'continuous', or a mapping of columns to {', '.join(SAID_KINDS)}; got {rule!r}. "
            "Try `kinds='auto'`."
        )
    for name, kind in said.items():
        if kind not in SAID_KINDS:
            raise ParameterError(
                f"`kinds` must be among {', '.join(SAID_KINDS)}; got {kind!r} for the column {name!r}. Try "
                "the kind 'category', or 'count'."
            )
    return rule == "auto", {str(name): kind for name, kind in said.items() if kind in SAID_KINDS}


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
        return _leveled(column.name, *levels, values)
    spikes = point_masses(values)
    if spikes:
        listed = " and ".join(f"{100 * np.mean(values == one):.0f} % are {one + 0.0:g}" for one in spikes)
        return ColumnKind(column.name, "spike", f"{listed}, far more than usual values", spikes)
    return ColumnKind(column.name, "continuous", "numbers")


def _leveled(name: str, kind: Kind, reason: str, values: FloatArray) -> ColumnKind:
    if kind != "count" or not first_of_count(values):
        return ColumnKind(name, kind, reason)
    return ColumnKind(name, kind, f"{reason} that begin at 1", first=1)


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


def check_kind(column: Series, kind: SaidKind) -> ColumnKind:
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
    if kind == "count" or kind not in KINDS:
        return _checked_count(name, values, kind)
    if kind == "ordered":
        _check_ordered(name, values)
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


def _checked_count(name: str, values: FloatArray, said: str) -> ColumnKind:
    """Return a count that was said, and where it begins: as was said, or as its numbers say."""
    least = _FIRST.get(said, 0)
    bad = values[(values != np.rint(values)) | (values < least)]
    if bad.size:
        more = "" if bad.size == 1 else f" and {bad.size - 1:,} more"
        other = "'count'" if np.all(bad == 0) else "'continuous'"
        raise ColumnError(
            f"`kinds` says that {name!r} is of kind {said!r}, for which whole numbers from {least} are required; got "
            f"{bad[0]:g}{more}. Try {other}.",
            column=name,
        )
    if values.max() > LARGEST_COUNT:
        raise ColumnError(
            f"`kinds` says that {name!r} is of kind {said!r}, for which numbers up to {LARGEST_COUNT} are required; it "
            f"has {values.max():g}. Try 'continuous'.",
            column=name,
        )
    first = _FIRST[said] if said in _FIRST else first_of_count(values)
    reason = "as asked for" if said in _FIRST or not first else "as asked for; it begins at 1"
    return ColumnKind(name, "count", reason, first=first)


def _check_ordered(name: str, values: FloatArray) -> None:
    n_levels = np.unique(values).size
    if n_levels > _MOST_ORDERED:
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
