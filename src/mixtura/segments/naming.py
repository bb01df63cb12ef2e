"""Names for segments, made from what distinguishes them: "high income, low spending"."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

import numpy as np

from mixtura._typing import FloatArray

__all__ = ["name_segments", "spoken"]

_NOTICEABLE = 0.25
"""Differences below a quarter of a standard deviation are not worth a word."""

_LARGE = 1.5
"""From here on a segment is not high but very high."""


def name_segments(differences: FloatArray, columns: Sequence[str]) -> tuple[str, ...]:
    """Return a name per segment, each different from all others.

    A name says the two columns in which the segment's mean lies farthest from the mean of everybody. Where two
    segments would share a name, a third column, then "very", then a number tells them apart.

    Parameters
    ----------
    differences : ndarray of shape (K, D)
        Mean of the segment less mean of everybody, in standard deviations of everybody.
    columns : sequence of str, length D

    Returns
    -------
    tuple of str, length K

    Examples
    --------
    >>> import numpy as np
    >>> from mixtura.segments import name_segments
    >>> name_segments(np.array([[1.2, -0.9], [-1.1, 0.1], [0.1, 0.0]]), ["Income (k$)", "SPENDING"])
    ('high income, low spending', 'low income', 'average')
    """
    words = [spoken(name) for name in columns]
    if len(set(words)) < len(words):
        words = list(columns)
    names = [""] * len(differences)
    pending = list(range(len(differences)))
    for parts, graded in ((2, False), (2, True), (3, True), (4, True)):
        for k in pending:
            names[k] = _name(differences[k], words, parts, graded)
        counts = Counter(names)
        pending = [k for k in pending if counts[names[k]] > 1]
        if not pending:
            break
    return _numbered(names)


def _name(difference: FloatArray, words: Sequence[str], parts: int, graded: bool) -> str:
    order = np.argsort(-np.abs(difference), kind="stable")[:parts]
    said = [_phrase(difference[d], words[d], graded) for d in order if abs(difference[d]) >= _NOTICEABLE]
    return ", ".join(said) or "average"


def _phrase(difference: float, word: str, graded: bool) -> str:
    very = "very " if graded and abs(difference) >= _LARGE else ""
    return f"{very}{'high' if difference > 0 else 'low'} {word}"


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


def spoken(column: str) -> str:
    """Return a column's name as one would say it: lower case, without units in brackets.

    Examples
    --------
    >>> from mixtura.segments.naming import spoken
    >>> spoken("Annual Income (k$)"), spoken("CASH_ADVANCE_TRX"), spoken("MonthlySpend")
    ('annual income', 'cash advance trx', 'monthly spend')
    """
    words = re.sub(r"[(\[{].*?[)\]}]", " ", column)
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", words)
    words = " ".join(re.split(r"[\s_.]+", words)).strip().lower()
    return words or column
