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
    "level_kind",
    "point_masses",
]

Series = nw.Series[Any]

Kind = Literal["continuous", "spike", "count", "category", "ordered"]

KINDS: tuple[Kind, ...] = ("continuous", "spike", "count", "category", "ordered")

Kinds = str | Mapping[str, str]
"""``"continuous"`` for numbers alone, ``"auto"``, or kinds by name, ``"*"`` or ``"auto"`` for the others."""

_SPIKE = 0.05
"""Least share of the rows at a point mass."""
_SPIKE_ROWS = 10
_OUT_OF_LINE = 5.0
"""How many times as frequent as a usual value a point mass is."""
_APART = 2.5
"""How many times as frequent as any other value."""
_USUAL = 10
"""The next most frequent values, whose median is the frequency of a usual one."""
_MOST_SPIKES = 3
_FEWEST_VALUES = 12
"""Different values that a column needs beside its point masses to be continuous there."""
_FINE_VALUES = 100
"""Different whole numbers from which on a value between the others may be a point mass; of fewer it is a mode."""

_MOST_COUNT = 100
_COUNT_VALUES = 30
_ORDERED_VALUES = 7
_STEPS = 12
"""Different values of a column of which one is in most rows: they are levels, too few to be continuous beside it."""
_ROWS_PER_VALUE = 10
"""Rows for each level; with fewer, levels say little and counts may as well be continuous."""

_MOST_LEVELS = 30
"""Of categories, unless they are asked for."""

_LARGEST_COUNT, _MOST_ORDERED = 1000, 100
"""What may be said of a column."""


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
        listed = " and ".join(f"{100 * np.mean(values == one):.0f} % are {one:g}" for one in spikes)
        return ColumnKind(column.name, "spike", f"{listed}, far more than any other value", spikes)
    return ColumnKind(column.name, "continuous", "numbers")


def point_masses(values: FloatArray) -> tuple[float, ...]:
    """Return values that far more rows have than any usual one, the smallest first: zeros, caps, "never".

    One, two or three values are point masses if at least 5 % of the rows have each of them, two and a half times as
    many as have the next most frequent value, and five times as many as have a usual one, the median of the ten next
    most frequent. Beside them a column has twelve different values. Of fewer than a hundred whole numbers only zero,
    the smallest and the largest can be point masses: any other is a mode, such as twelve years of school.

    Parameters
    ----------
    values : ndarray of shape (N,)
        Finite.

    Examples
    --------
    >>> import numpy as np
    >>> from mixtura.segments.table.discrete.kinds import point_masses
    >>> point_masses(np.concatenate([np.zeros(30), np.linspace(1, 9, 70)]))
    (0.0,)
    """
    different, counts = np.unique(values, return_counts=True)
    coarse = different.size < _FINE_VALUES and bool(np.all(different == np.rint(different)))
    edges = {0.0, *different[:1].tolist(), *different[-1:].tolist()}
    order = np.argsort(-counts, kind="stable")
    sizes = counts[order]
    enough = max(_SPIKE * values.size, _SPIKE_ROWS)
    for n_spikes in range(min(_MOST_SPIKES, different.size - _FEWEST_VALUES), 0, -1):
        least, rest = sizes[n_spikes - 1], sizes[n_spikes : n_spikes + _USUAL]
        found = tuple(sorted(different[order[:n_spikes]].tolist()))
        if coarse and not edges.issuperset(found):
            continue
        if least >= max(enough, _APART * rest[0], _OUT_OF_LINE * float(np.median(rest))):
            return found
    return ()


def level_kind(values: FloatArray) -> tuple[Kind, str] | None:
    """Return whether numbers are counts or ordered levels, and why; None where they are continuous.

    Counts are whole numbers from zero or one that vary at least about as much as a Poisson distribution, with at most
    thirty different values. Few different numbers that vary less, such as answers from 1 to 5, or steps of a price, are
    ordered levels: at most seven, or twelve where most rows have the same.
    """
    different, sizes = np.unique(values, return_counts=True)
    if different.size < 2 or values.size < _ROWS_PER_VALUE * different.size:
        return None
    low, high, mean = different[0], different[-1], float(values.mean())
    whole, spread = bool(np.all(different == np.rint(different))), f"{low:g} to {high:g}"
    few = different.size <= _ORDERED_VALUES
    varies = float(values.var()) >= 0.7 * mean and not (low == 1 and few)
    if whole and low in (0, 1) and high <= _MOST_COUNT and different.size <= _COUNT_VALUES and varies:
        return "count", f"small whole numbers ({spread}), as of counts"
    if whole and few and high - low < 2 * _ORDERED_VALUES:
        return "ordered", f"{different.size} different whole numbers ({spread}), as of ordered answers"
    if few or (different.size <= _STEPS and 2 * sizes.max() > values.size):
        return "ordered", f"{different.size} different numbers ({spread}), as of steps"
    return None


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
    if kind == "count" and values.max() > _LARGEST_COUNT:
        raise ColumnError(
            f"`kinds` says that {name!r} is of kind 'count', for which numbers up to {_LARGEST_COUNT} are required; it "
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
    """Return sentences that say what columns were taken for, other than plain numbers; none where all are."""
    return tuple(
        f"{one.name} is taken for {KIND_WORDS[one.kind]} ({one.reason})."
        for one in kinds
        if one.kind != "continuous"
    )


KIND_WORDS: dict[str, str] = {
    "spike": "an amount with point masses",
    "count": "a count",
    "category": "a category",
    "ordered": "an ordered category",
}
"""Kinds other than numbers, as sentences name them."""
