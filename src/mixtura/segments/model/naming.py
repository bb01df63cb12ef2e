"""Names for segments, made from what distinguishes them: "high income, low spending"."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import NamedTuple

import numpy as np

from mixtura._typing import FloatArray
from mixtura.exceptions import ParameterError

__all__ = ["name_segments", "readable_name", "rename_segments"]

_NOTICEABLE = 0.25
"""Differences below a quarter of a standard deviation are not worth a word."""

_CLEAR = 0.5
"""From here on a difference is clear, and what is average need not be said."""

_NARROW = 0.6
"""At most so much of everybody's spread around their mean, and a segment is average in a column."""

_PARTS, _CLOSE = 2, 0.85
"""So many columns make a name, and one more whose difference is nearly as large as the last of them."""

_LONG = 48
"""Characters from which a name makes do without the third column."""

_LARGE = 1.5
"""From here on a segment is not high but very high."""


_AVERAGE = "average"


class _Trait(NamedTuple):
    """What can be said of a column, and how strongly, in standard deviations."""

    strength: float
    level: str
    word: str


def name_segments(
    differences: FloatArray, columns: Sequence[str], spreads: FloatArray | None = None
) -> tuple[str, ...]:
    """Return a name per segment, each different from all others.

    A name says the two columns in which the segment's mean lies farthest from the mean of everybody, and a third that
    comes close to them, in the order of the table: which of them is farther may change with a few customers, and the
    name should not. What is said of two columns is said once. A name that would be long does without the third. Where
    two segments would share a name, "very", then more columns, then a number tells them apart.
    A segment that lies close together in the middle of a column is called average in it, if it differs clearly in none.

    Parameters
    ----------
    differences : ndarray of shape (K, D)
        Mean of the segment less mean of everybody, in standard deviations of everybody.
    columns : sequence of str, length D
    spreads : ndarray of shape (K, D) or None, default=None
        Standard deviation of the segment over that of everybody.

    Returns
    -------
    tuple of str, length K

    Examples
    --------
    >>> import numpy as np
    >>> from mixtura.segments import name_segments
    >>> name_segments(np.array([[1.2, -0.9], [-1.1, 0.1], [0.1, 0.0]]), ["Income (k$)", "SPENDING"])
    ('high income, low spending', 'low income', 'average')
    >>> name_segments(np.array([[1.2, 0.9], [-1.1, -0.8]]), ["income", "spending"])
    ('high income and spending', 'low income and spending')
    """
    words = [readable_name(name) for name in columns]
    if len(set(words)) < len(words):
        words = list(columns)
    spreads = np.ones_like(differences) if spreads is None else spreads
    names = [""] * len(differences)
    pending = list(range(len(differences)))
    for parts, graded in ((_PARTS, False), (_PARTS, True), (_PARTS + 1, True), (_PARTS + 2, True)):
        for k in pending:
            names[k] = _name(_traits(differences[k], spreads[k], words, graded), parts)
        counts = Counter(names)
        pending = [k for k in pending if counts[names[k]] > 1]
        if not pending:
            break
    return _numbered(names)


def _traits(difference: FloatArray, spread: FloatArray, words: Sequence[str], graded: bool) -> list[_Trait]:
    """Return what could be said of each column, in the order of the table.

    A bell of everybody's mean and a share s of their spread diverges from theirs as much as one of their spread that
    lies ``sqrt(s^2 - 1 - log s^2)`` off; half of that is how strongly the middle is told.
    """
    traits = []
    plain = bool(np.abs(difference).max() < _CLEAR)
    for delta, narrow, word in zip(difference, spread, words, strict=True):
        if plain and narrow <= _NARROW:
            ratio = max(float(narrow), 1e-3) ** 2
            traits.append(_Trait(0.5 * float(np.sqrt(ratio - 1 - np.log(ratio))), _AVERAGE, word))
        elif abs(delta) >= _NOTICEABLE:
            traits.append(_Trait(abs(float(delta)), _level(delta, graded), word))
    return traits


def _name(traits: Sequence[_Trait], parts: int) -> str:
    order = sorted(range(len(traits)), key=lambda i: -traits[i].strength)
    name = _phrase([traits[i] for i in sorted(order[:parts])], len(traits))
    if len(order) > parts == _PARTS and _is_close(traits[order[parts - 1]], traits[order[parts]]):
        longer = _phrase([traits[i] for i in sorted(order[: parts + 1])], len(traits))
        name = longer if len(longer) < _LONG else name
    return name


def _is_close(last: _Trait, following: _Trait) -> bool:
    return following.strength >= _CLOSE * last.strength


def _phrase(said: Sequence[_Trait], n_traits: int) -> str:
    """Return the traits in words: "low a, high b and c"; "average" where they are all, and all average."""
    if len(said) == n_traits and all(one.level == _AVERAGE for one in said):
        return _AVERAGE
    words: dict[str, list[str]] = {}
    for one in said:
        words.setdefault(one.level, []).append(one.word)
    return ", ".join(f"{level} {_listed(held)}" for level, held in words.items())


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _level(difference: float, graded: bool) -> str:
    very = "very " if graded and abs(difference) >= _LARGE else ""
    return f"{very}{'high' if difference > 0 else 'low'}"


def rename_segments(
    names: Sequence[str], automatic: Sequence[str], given: Mapping[str | int, str]
) -> tuple[str, ...]:
    """Return the names with some replaced.

    Parameters
    ----------
    names : sequence of str, length K
        What the segments are called.
    automatic : sequence of str, length K
        What they are called without names of the user's.
    given : mapping of str or int to str
        From a segment's number, its automatic name, or its name, to what it shall be called.

    Raises
    ------
    ParameterError
        A key is no segment, a segment is named twice, a name is empty, or two segments would have the same.

    Examples
    --------
    >>> from mixtura.segments.model.naming import rename_segments
    >>> automatic = ["high income", "low income", "average"]
    >>> rename_segments(automatic, automatic, {1: "Wealthy", "average": "Middle"})
    ('Wealthy', 'low income', 'Middle')
    """
    result, keys = list(names), dict[int, str | int]()
    for key, name in given.items():
        k = _segment_of(key, names, automatic)
        if k in keys:
            raise ParameterError(
                f"names= calls segment {k + 1} by {keys[k]!r} and by {key!r}. One name per segment is required. "
                "Remove one of them."
            )
        if not str(name).strip():
            raise ParameterError(
                f"names= gives {key!r} the name {name!r}. Text that is not empty is required. Write it in quotes."
            )
        keys[k] = key
        result[k] = str(name).strip()
    repeated = [name for name, count in Counter(result).items() if count > 1]
    if repeated:
        raise ParameterError(
            f"Two segments would be called {repeated[0]!r}. Different names are required. Change one of them."
        )
    return tuple(result)


def _segment_of(key: str | int, names: Sequence[str], automatic: Sequence[str]) -> int:
    """Return the segment that a key means, from 0; a name comes before a number that is written the same."""
    for known in (automatic, names):
        if key in known:
            return list(known).index(str(key))
    number = str(key).strip()
    if number.isdecimal() and 1 <= int(number) <= len(names):
        return int(number) - 1
    known = "; ".join(f"{k + 1} {name!r}" for k, name in enumerate(automatic))
    closest = get_close_matches(str(key), list(automatic), n=1, cutoff=0.6)
    hint = f"Did you mean {closest[0]!r}?" if closest else "Use a number or an automatic name."
    raise ParameterError(f"names= has the key {key!r}, which is no segment. There are {known}. {hint}")


def _numbered(names: Sequence[str]) -> tuple[str, ...]:
    """Append 2, 3, ... to names that come again."""
    taken: set[str] = set()
    result = []
    for name in names:
        candidate, number = name, 1
        while candidate in taken:
            number += 1
            candidate = f"{name} ({number})"
        taken.add(candidate)
        result.append(candidate)
    return tuple(result)


def readable_name(column: str) -> str:
    """Return a column's name as one would say it: lower case, without units in brackets.

    Examples
    --------
    >>> from mixtura.segments.model.naming import readable_name
    >>> readable_name("Annual Income (k$)"), readable_name("CASH_ADVANCE_TRX"), readable_name("MonthlySpend")
    ('annual income', 'cash advance trx', 'monthly spend')
    """
    words = re.sub(r"[(\[{].*?[)\]}]", " ", column)
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", words)
    words = " ".join(re.split(r"[\s_.]+", words)).strip().lower()
    return words or column
