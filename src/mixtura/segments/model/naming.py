"""Names for segments, made from what distinguishes them: "high income, low spending"."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from textwrap import shorten
from typing import NamedTuple

import numpy as np

from mixtura._typing import FloatArray
from mixtura.exceptions import ParameterError

__all__ = ["name_segments", "readable_name", "rename_segments"]

_NOTICEABLE = 0.25
"""Differences below a quarter of a standard deviation are not named."""

_CLEAR = 0.5
"""A difference from here on is clear, and average columns are then not named."""

_NARROW = 0.6
"""A segment is average in a column if its spread is at most this share of the spread of all customers."""

_PARTS, _CLOSE = 2, 0.85
"""Columns in a name, and the share of the last difference at which one more column is included."""

_LONG = 48
"""Characters from which a name leaves out the third column, and that the name of a column in it has at most."""

_LARGE = 1.5
"""Difference from which a segment is not high but very high."""


_AVERAGE = "average"
_LEVELS = (_AVERAGE, "low", "high", "very low", "very high")


class _Trait(NamedTuple):
    """The level of a segment in a column, and its strength in standard deviations."""

    strength: float
    level: str
    word: str


def name_segments(
    differences: FloatArray, columns: Sequence[str], spreads: FloatArray | None = None
) -> tuple[str, ...]:
    """Return a name per segment, each different from all others.

    A name holds the two columns in which the segment's mean is farthest from the mean of all customers, and a third
    if it is nearly as far, in the order of the table, so that a few customers do not change the name. Columns of the
    same level share the word. A long name leaves out the third column. If two segments would share a name, "very",
    then more columns, then the rank among all segments in the column in which they differ most distinguishes them.
    A segment that is narrow and in the middle of a column is called average in it, unless it clearly differs in some.

    Parameters
    ----------
    differences : ndarray of shape (K, D)
        Mean of the segment minus mean of all customers, in standard deviations of all customers.
    columns : sequence of str, length D
    spreads : ndarray of shape (K, D) or None, default=None
        Standard deviation of the segment divided by that of all customers.

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
    >>> name_segments(np.array([[0.6, 0.0], [0.9, 0.0], [-1.2, 0.1]]), ["income", "spending"])
    ('2nd highest income', 'highest income', 'low income')
    """
    words = [readable_name(name) for name in columns]
    words = _shortened(words if len(set(words)) == len(words) else columns)
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
    return _ranked(names, differences, words)


def _shortened(words: Sequence[str]) -> list[str]:
    """Return the names of columns, long ones cut where that leaves them different."""
    short = [_cut(word) for word in words]
    counts = Counter(short)
    return [brief if counts[brief] == 1 else word for brief, word in zip(short, words, strict=True)]


def _cut(word: str) -> str:
    if len(word) <= _LONG:
        return word
    return shorten(word, _LONG, placeholder=" …") if " " in word[:_LONG] else f"{word[: _LONG - 1]}…"


def _traits(difference: FloatArray, spread: FloatArray, words: Sequence[str], graded: bool) -> list[_Trait]:
    """Return the level in each column that has one, in the order of the table.

    A Gaussian at the mean of all customers with a share s of their spread diverges from theirs as much as one of
    equal spread at a distance of ``sqrt(s^2 - 1 - log s^2)``; half of that is the strength of "average".
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
        Present names of the segments.
    automatic : sequence of str, length K
        Their automatic names.
    given : mapping of str or int to str
        New names by number, automatic name or present name.

    Raises
    ------
    ParameterError
        A key is not a segment, a segment is named twice, a name is empty, or two segments would share a name.

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
                f"`names` must name each segment once; got segment {k + 1} as {keys[k]!r} and {key!r}. Remove one of "
                "them."
            )
        if not str(name).strip():
            raise ParameterError(
                f"`names` must give each segment a text; got {name!r} for {key!r}. Write the name in quotes."
            )
        keys[k] = key
        result[k] = str(name).strip()
    repeated = [name for name, count in Counter(result).items() if count > 1]
    if repeated:
        raise ParameterError(
            f"`names` must be different; got {repeated[0]!r} for two segments. Change one of them."
        )
    return tuple(result)


def _segment_of(key: str | int, names: Sequence[str], automatic: Sequence[str]) -> int:
    """Return the segment of a key, from 0; a name takes precedence over a number that is written the same."""
    for known in (automatic, names):
        if key in known:
            return list(known).index(str(key))
    number = str(key).strip()
    if number.isdecimal() and 1 <= int(number) <= len(names):
        return int(number) - 1
    known = "; ".join(f"{k + 1} {name!r}" for k, name in enumerate(automatic))
    closest = get_close_matches(str(key), list(automatic), n=1, cutoff=0.6)
    hint = f"Did you mean {closest[0]!r}?" if closest else "Use a number or an automatic name."
    raise ParameterError(f"`names` must have segments as keys; got {key!r}. The segments are {known}. {hint}")


def _ranked(names: Sequence[str], differences: FloatArray, words: Sequence[str]) -> tuple[str, ...]:
    """Distinguish segments of one name by their rank among all segments, in the column in which they differ most."""
    result = list(names)
    for name, count in Counter(names).items():
        if count > 1:
            alike = [k for k, one in enumerate(names) if one == name]
            column = int(np.ptp(differences[alike], axis=0).argmax())
            order = list(np.argsort(differences[:, column], kind="stable"))
            for k in alike:
                rank = f"{_rank(order.index(k), len(order), from_top=differences[k, column] > 0)} {words[column]}"
                result[k] = _with_rank(name, words[column], rank)
    return tuple(result)


def _with_rank(name: str, word: str, rank: str) -> str:
    """Return a name with a rank in a column, in place of its level in that column where the name has one."""
    for said in (f"{level} {word}" for level in _LEVELS):
        if name == said:
            return rank
        following = name.removeprefix(f"{said}, ")
        if following != name and following.startswith(tuple(f"{level} " for level in _LEVELS)):
            return f"{rank}, {following}"
        if name.endswith(f", {said}"):
            return f"{name.removesuffix(said)}{rank}"
    return f"{name}, {rank}"


def _rank(position: int, count: int, *, from_top: bool) -> str:
    """Return "lowest", "2nd lowest", ..., or "highest", "2nd highest", ..., for a position from 0."""
    number = count - position if from_top else position + 1
    suffix = "th" if 10 <= number % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return ("" if number == 1 else f"{number}{suffix} ") + ("highest" if from_top else "lowest")


def readable_name(column: str) -> str:
    """Return a column's name in lower case, without units in brackets and with spaces between words.

    Words that hold a digit, such as the number of a question, stay as they are.

    Examples
    --------
    >>> from mixtura.segments.model.naming import readable_name
    >>> readable_name("Annual Income (k$)"), readable_name("CASH_ADVANCE_TRX"), readable_name("Q5 MonthlySpend")
    ('annual income', 'cash advance trx', 'Q5 monthly spend')
    """
    words = re.sub(r"[(\[{].*?[)\]}]", " ", column)
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", words)
    readable = (
        one if any(sign.isdigit() for sign in one) else one.lower() for one in re.split(r"[\s_.]+", words)
    )
    return " ".join(readable).strip() or column
