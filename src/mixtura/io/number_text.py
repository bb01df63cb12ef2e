"""Numbers as people write them: with currency, percent signs and separators of thousands."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mixtura._typing import FloatArray
from mixtura.data.sources.text.text_types import MISSING_WORDS

__all__ = ["TextNumbers", "is_missing_text", "read_numbers"]

_MARKS = ("-", "--", "---", ".", "..", "?", "n.a.", "n.b.", "n.v.", "k.a.", "k. a.", "n/v", "nil", "unknown",
          "missing", "not available", "unbekannt")  # fmt: skip
_SPACES = str.maketrans({"\u00a0": " ", "\u2009": " ", "\u202f": " ", "\u2212": "-", "\u2019": "'"})
_CURRENCY = (
    r"(?:US\$|R\$|[$€£¥₹₽₩₺]|kr\.?|zł|Fr\.?|"
    "USD|EUR|GBP|CHF|JPY|CNY|INR|AUD|CAD|NZD|SEK|NOK|DKK|PLN|CZK|HUF|BRL|MXN|ZAR|TRY|RUB|SGD|HKD|KRW)"
)
_WRITTEN = re.compile(
    rf"(?P<before>[+-]?)\s*{_CURRENCY}?\s*(?P<sign>[+-]?)\s*(?P<body>[0-9][0-9 .,']*|[.,][0-9]+)"
    rf"(?P<power>[eE][+-]?[0-9]+)?\s*(?:{_CURRENCY}|%)?\s*(?P<after>-?)",
)
_CODE = re.compile(r"[+-]?(0[0-9]|[0-9]{19})")
_PLAIN = re.compile(r"[0-9]*[.,]?[0-9]*")
_THOUSAND = re.compile(r"[1-9][0-9]{0,2}[.,][0-9]{3}")
_LETTER_CODE = re.compile(r"[A-Za-z]{1,3}[- ]?[0-9]")
_MOST_ODD = 0.2
"""Above this share of cells that are neither numbers nor missing, a column is text."""


@dataclass(frozen=True, slots=True)
class TextNumbers:
    """A column of text, read as numbers.

    Parameters
    ----------
    values : ndarray of shape (N,)
        NaN where a cell is missing or odd.
    odd : tuple of int
        Positions of cells that are neither numbers nor missing.
    share : float
        Numbers among the cells that are not missing; marks such as ``-`` or ``n.a.`` do not count.
    is_code : bool
        Whether cells look like codes rather than measurements: ``007``, or ``V45`` among numbers.
    """

    values: FloatArray
    odd: tuple[int, ...]
    share: float
    is_code: bool

    @property
    def are_numbers(self) -> bool:
        """Whether the column holds numbers, perhaps with a few odd cells."""
        return not self.is_code and self.share >= 1 - _MOST_ODD


def read_numbers(cells: Sequence[str | None]) -> TextNumbers:
    """Read a column of text as numbers.

    Signs of currency and percent are left out (``12 %`` is 12), separators of thousands, too. Whether the comma or the
    point is the decimal sign is learned from the whole column; where nothing decides it is the point, and where no cell
    has thousands it may be both.

    Parameters
    ----------
    cells : sequence of str or None

    Examples
    --------
    >>> from mixtura.io.number_text import read_numbers
    >>> read_numbers(["$ 12", "1,212.57", "n.b.", None, "(3.50)"])
    TextNumbers(values=array([  12.  , 1212.57,     nan,     nan,   -3.5 ]), odd=(2,), share=1.0, is_code=False)
    >>> read_numbers(["1.212,57 €", "3,5", "7.000"]).values.tolist()
    [1212.57, 3.5, 7000.0]
    >>> read_numbers(["0,9", "12.5", "7"]).values.tolist()
    [0.9, 12.5, 7.0]
    """
    counts = Counter(cells)
    written = {
        cell: _WRITTEN.fullmatch(_cleaned(cell))
        for cell in counts
        if cell is not None and not is_missing_text(cell)
    }
    decimal = _decimal_sign([found["body"].strip() for found in written.values() if found])
    numbers = {cell: _number(found, decimal) if found else np.nan for cell, found in written.items()}
    values = np.array(
        [np.nan if cell is None else numbers.get(cell, np.nan) for cell in cells], dtype=np.float64
    )
    odd = {cell for cell, number in numbers.items() if np.isnan(number)}
    counted = {cell for cell in odd if _cleaned(cell).lower() not in _MARKS}
    n_numbers = sum(counts[cell] for cell in numbers if cell not in odd)
    n_odd = sum(counts[cell] for cell in counted)
    letters = sum(_LETTER_CODE.match(cell) is not None for cell in counted)
    is_code = any(_CODE.match(_cleaned(cell)) for cell in numbers) or (
        len(counted) > 1 and 2 * letters > len(counted)
    )
    return TextNumbers(
        values,
        tuple(row for row, cell in enumerate(cells) if cell in odd),
        n_numbers / (n_numbers + n_odd) if n_numbers else 0.0,
        is_code,
    )


def _cleaned(cell: str) -> str:
    text = cell.translate(_SPACES).strip()
    # Accountants write negative numbers in parentheses.
    return f"-{text[1:-1].strip()}" if text.startswith("(") and text.endswith(")") else text


def is_missing_text(cell: str) -> bool:
    """Return whether a text stands for a missing value, such as ``NA``, in capital or small letters.

    Examples
    --------
    >>> from mixtura.io import is_missing_text
    >>> is_missing_text(" NaN"), is_missing_text("n/a"), is_missing_text("nap")
    (True, True, False)
    """
    return cell.strip().lower() in MISSING_WORDS


def _decimal_sign(bodies: Sequence[str]) -> str:
    """Return "." or ",", by the cells that can be read in one way only; "" for both, where all can."""
    votes: Counter[str] = Counter()
    for body in bodies:
        points, commas = body.count("."), body.count(",")
        if points and commas:
            votes["." if body.rfind(".") > body.rfind(",") else ","] += 1
        elif points + commas > 1:  # several: they separate thousands
            votes["," if points else "."] += 1
        elif points + commas and not _THOUSAND.fullmatch(body):
            votes["." if points else ","] += 1
    if len(votes) == 2 and all(_PLAIN.fullmatch(body) and not _THOUSAND.fullmatch(body) for body in bodies):
        return ""
    return "," if votes[","] > votes["."] else "."


def _number(found: re.Match[str], decimal: str) -> float:
    body = found["body"].strip()
    if not decimal:
        body, decimal = body.replace(",", "."), "."
    thousands = "," if decimal == "." else "."
    for separator in (thousands, " ", "'"):
        grouped = rf"[0-9]{{1,3}}({re.escape(separator)}[0-9]{{2,3}})*{re.escape(separator)}[0-9]{{3}}"
        if re.fullmatch(rf"{grouped}({re.escape(decimal)}[0-9]*)?", body):
            body = body.replace(separator, "")
            break
    if not re.fullmatch(rf"[0-9]+({re.escape(decimal)}[0-9]*)?|{re.escape(decimal)}[0-9]+", body):
        return np.nan
    number = float(body.replace(decimal, ".") + (found["power"] or ""))
    return -number if "-" in found["before"] + found["sign"] + found["after"] else number
