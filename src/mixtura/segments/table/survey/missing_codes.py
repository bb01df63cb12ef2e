"""Codes of missing values: declared by the file, said by the user, or only suspected, and then asked about."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mixtura._typing import FloatArray, IntArray
from mixtura.exceptions import ParameterError
from mixtura.io import Codebook, CodebookColumn
from mixtura.segments.table.discrete.cells import text_of

__all__ = [
    "MissingCodes",
    "SuspectedCodes",
    "codes_asked",
    "codes_by_column",
    "codes_of",
    "declared_notes",
    "suspected_codes",
    "suspected_notes",
]

MissingCodes = Mapping[str, Sequence[float]] | Sequence[float] | None
"""Numbers for all columns, or by column, where ``"*"`` stands for all; None for none."""

_SHARE = 0.01
"""Least share of the rows that have a suspected code."""
_OUT_OF_LINE = 5.0
"""How many times as frequent as the values near it a code within the range of the others is."""
_NEAREST = 10
_MOST_NAMED = 6

_ENDINGS = (96, 97, 98, 99)
_CODES = np.array(
    [-1, -2, -3, -7, -8, -9, 8, 9, 88, 77]
    + [
        10**digits * whole + ending
        for digits, whole in ((2, 0), (2, 9), (2, 99), (2, 999))
        for ending in _ENDINGS
    ]
    + [888, 777, -96, -97, -98, -99, -996, -997, -998, -999],
    dtype=np.float64,
)
_SAID = re.compile(
    r"\b(refus|don.?t know|do not know|no answer|not answered|not applicable|not asked|n/?a\b|missing|no response|"
    r"keine angabe|wei(ß|ss) nicht|trifft nicht zu|verweigert|ne sait pas|sans r.ponse|no contesta|no sabe)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class SuspectedCodes:
    """Numbers of a column that look like codes of missing values and are used as numbers.

    Parameters
    ----------
    column : str
    values : tuple of float
        The smallest first.
    labels : tuple of str
        Of each; empty where it has none.
    count : int
        Cells that hold one.
    share : float
        Of the cells with a value.
    """

    column: str
    values: tuple[float, ...]
    labels: tuple[str, ...]
    count: int
    share: float


def suspected_notes(suspected: Sequence[SuspectedCodes]) -> tuple[str, ...]:
    """Return what is asked of the columns, once for all that hold the same codes.

    Examples
    --------
    >>> from mixtura.segments.table.survey.missing_codes import SuspectedCodes, suspected_notes
    >>> asked = [SuspectedCodes(name, (9.0,), ("",), 12, 0.04) for name in ("q1", "q2")]
    >>> print(suspected_notes(asked)[0][:59])
    Does 9 in 'q1', 'q2' stand for a missing value? 12 cells of
    """
    alike: dict[tuple[object, ...], list[SuspectedCodes]] = {}
    for one in suspected:
        alike.setdefault((one.values, one.labels), []).append(one)
    return tuple(map(_question, alike.values()))


def _question(alike: Sequence[SuspectedCodes]) -> str:
    first = alike[0]
    shown = [
        f"{_shortest(value)} ({label!r})" if label else f"{_shortest(value)}"
        for value, label in zip(first.values, first.labels, strict=True)
    ]
    named = ", ".join(repr(one.column) for one in alike[:_MOST_NAMED])
    more = f" and {len(alike) - _MOST_NAMED} more" if len(alike) > _MOST_NAMED else ""
    counts, shares = [one.count for one in alike], [100 * one.share for one in alike]
    each = " of each" if len(alike) > 1 else ""
    said = {one.column: [_shortest(value) for value in one.values] for one in alike}
    return (
        f"Does {' or '.join(shown)} in {named}{more} stand for a missing value? {_span(counts, ',d')} cells{each} "
        f"({_span(shares, '.0f')} %) hold {'it' if len(shown) == 1 else 'one'}, and are used as they are. If so, say "
        f"`missing_codes={said!r}`."
    )


def _shortest(value: float) -> float:
    """Return a whole number without its decimal point."""
    return int(value) if value == int(value) else value


def _span(values: Sequence[float], form: str) -> str:
    """Return the range of numbers as text."""
    low, high = format(min(values), form), format(max(values), form)
    return low if low == high else f"{low} to {high}"


def codes_asked(missing_codes: MissingCodes) -> dict[str, list[float]]:
    """Return codes by column, ``"*"`` for all columns.

    Raises
    ------
    ParameterError
        One is not a finite number.
    """
    if missing_codes is None:
        return {}
    held = missing_codes if isinstance(missing_codes, Mapping) else {"*": missing_codes}
    asked = {}
    for name, codes in held.items():
        listed = [codes] if isinstance(codes, int | float) else list(codes)
        if not all(np.isfinite(code) for code in listed):
            raise ParameterError(
                f"`missing_codes` must be finite numbers; got {listed!r} for the column {str(name)!r}. Try "
                "`missing_codes={'income': [97, 98, 99]}`."
            )
        asked[str(name)] = [float(code) for code in listed]
    return asked


def codes_of(asked: Mapping[str, Sequence[float]], name: str, *, own: bool = False) -> tuple[float, ...]:
    """Return the codes of a column: those of all columns, too, unless `own`."""
    every = () if own else tuple(asked.get("*", ()))
    return (*every, *asked.get(name, ()))


def codes_by_column(
    asked: Mapping[str, Sequence[float]], columns: Sequence[str]
) -> tuple[tuple[float, ...], ...]:
    """Return the codes of each column; nothing at all where none were said."""
    return tuple(codes_of(asked, name) for name in columns) if asked else ()


def suspected_codes(name: str, values: FloatArray, known: CodebookColumn) -> SuspectedCodes | None:
    """Return numbers of a column that look like codes of missing values; None where there are none.

    A number is suspected if at least 1 % of the known cells hold it and its label says so, or it is one of the usual
    codes (-9, 99, 998, ...) and either stands apart from all other numbers or is five times as frequent as those
    near it.

    Parameters
    ----------
    name : str
    values : ndarray of shape (N,)
        NaN where a cell is missing.
    known : CodebookColumn
    """
    by_label = {
        float(code) for code, label in known.labels.items() if _is_number(code) and _SAID.search(label)
    }
    codes = np.array(sorted({*_CODES.tolist(), *by_label}))
    present = values[np.isfinite(values)]
    hits = present[np.isin(present, codes)]
    if hits.size < max(2.0, _SHARE * present.size):
        return None
    held, counts = np.unique(hits, return_counts=True)
    held, counts = held[counts >= _SHARE * present.size], counts[counts >= _SHARE * present.size]
    others, times = np.unique(present[~np.isin(present, held)], return_counts=True)
    found = [
        (value, count)
        for value, count, apart in zip(held.tolist(), counts.tolist(), _apart(held, others), strict=True)
        if value in by_label
        or apart
        or (abs(value) > 9 and count >= _OUT_OF_LINE * _usual_near(value, others, times))
    ]
    if not found or not others.size:
        return None
    labels = tuple(known.labels.get(str(text_of(value)), "") for value, _ in found)
    total = sum(count for _, count in found)
    return SuspectedCodes(name, tuple(value for value, _ in found), labels, total, total / present.size)


def _usual_near(value: float, others: FloatArray, times: IntArray) -> float:
    """Return how often the ten other numbers nearest to one stand there, in the middle; infinity for fewer."""
    if others.size <= _NEAREST:
        return np.inf
    nearest = np.argsort(np.abs(others - value), kind="stable")[:_NEAREST]
    return float(np.median(times[nearest]))


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _apart(codes: FloatArray, others: FloatArray) -> list[bool]:
    """Return whether each code is apart from all other numbers, by more than one and a tenth of their range."""
    if not others.size:
        return [False] * codes.size
    low, high = others[0], others[-1]
    gap = max(1.0, 0.1 * (high - low))
    above = [float(code) for code in codes if code > high]
    below = [float(code) for code in codes if code < low]
    far_above = bool(above) and min(above) - high > gap
    far_below = bool(below) and low - max(below) > gap
    return [
        (code > high and far_above) or (code < low and (far_below or (code < 0 <= low)))
        for code in codes.tolist()
    ]


def declared_notes(codebook: Codebook, columns: Collection[str]) -> tuple[str, ...]:
    """Return a sentence on the cells that are missing because the file declares their codes so."""
    named = []
    for name in columns:
        known = codebook.column(name)
        codes = [
            f"{code}{_label(known, code)} in {count:,} {'cell' if count == 1 else 'cells'}"
            for code, count in list(known.missing.items())[:3]
        ]
        if codes:
            more = f" and {len(known.missing) - 3} more" if len(known.missing) > 3 else ""
            named.append(f"{name} ({', '.join(codes)}{more})")
    if not named:
        return ()
    more = f" and {len(named) - _MOST_NAMED} more" if len(named) > _MOST_NAMED else ""
    return (f"Declared missing by the file, and taken as such: {', '.join(named[:_MOST_NAMED])}{more}.",)


def _label(known: CodebookColumn, code: str) -> str:
    label = known.labels.get(code) or known.labels.get(code.removeprefix("."))
    return f" {label[:30]!r}" if label else ""
