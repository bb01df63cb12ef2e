"""Text of a table as text of a chart: short enough, on one line, and harmless wherever the chart is put."""

from __future__ import annotations

import json
import math
import re
import textwrap
import unicodedata
from collections.abc import Sequence

__all__ = ["lookup", "number_text", "shown", "signed_list", "tidy_count", "value_text", "wrapped"]

_OPENS = re.compile(r"<(?=[A-Za-z/!?])")
_WORD_JOINER = "\u2060"


def shown(text: object, limit: int = 48) -> str:
    """Return a text as a chart shows it: no control characters, at most `limit` long, an ellipsis for the rest.

    What would open a tag in HTML gets an invisible character behind its ``<``: a chart may be written into the script
    of a page as it is, and must not end it.

    Examples
    --------
    >>> from mixtura.plot.theme.text import shown
    >>> shown("a  very long name", limit=10)
    'a very lo…'
    >>> "<script>" in shown("<script>alert(1)</script>")
    False
    """
    # Marks that turn the direction of writing could run on into the chart's own words.
    plain = "".join(
        " " if unicodedata.category(char) in {"Cc", "Zl", "Zp"} else char
        for char in str(text)
        if unicodedata.bidirectional(char)
        not in {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
        and unicodedata.category(char) != "Cs"
    )
    line = " ".join(plain.split())
    if len(line) > limit:
        line = line[: limit - 1].rstrip() + "…"
    return _OPENS.sub("<" + _WORD_JOINER, line)


def wrapped(text: object, width: int, lines: int = 3) -> list[str]:
    """Return a text as a few short lines.

    Examples
    --------
    >>> from mixtura.plot.theme.text import wrapped
    >>> wrapped("high spending, low income", 14)
    ['high spending,', 'low income']
    """
    found = textwrap.wrap(shown(text, width * lines), width, max_lines=lines, placeholder="…")
    return found or [""]


def lookup(texts: Sequence[str | list[str]], number: str) -> str:
    r"""Return a Vega expression for the text with a number from 1, where `number` is an expression itself.

    Examples
    --------
    >>> from mixtura.plot.theme.text import lookup
    >>> lookup(["a", 'b"'], "datum.value")
    '["a", "b\\""][datum.value - 1]'
    """
    return f"{json.dumps(list(texts))}[{number} - 1]"


def number_text(value: float) -> str:
    """Return a number as a cell of a table shows it: three digits, or whole thousands; a dash for none.

    Examples
    --------
    >>> from mixtura.plot.theme.text import number_text
    >>> number_text(18154.2), number_text(0.123456), number_text(1e9), number_text(float("nan"))
    ('18,154', '0.123', '1e+09', '–')
    """
    if math.isnan(value):
        return "–"
    size = abs(value)
    if size >= 1e7 or 0 < size < 1e-3:
        return f"{value:.3g}"
    return f"{value:,.0f}" if size >= 1000 else f"{value:.3g}"


def value_text(value: float, *, years: bool = False) -> str:
    """Return a value of a column as a cell of a table shows it; years without separators.

    Examples
    --------
    >>> from mixtura.plot.theme.text import value_text
    >>> value_text(1970.4), value_text(1970.4, years=True)
    ('1,970', '1970')
    """
    return f"{value:.0f}" if years and not math.isnan(value) else number_text(value)


def tidy_count(count: int, one: str, many: str) -> str:
    """Return a number with its noun.

    Examples
    --------
    >>> from mixtura.plot.theme.text import tidy_count
    >>> tidy_count(1, "row lies", "rows lie"), tidy_count(1200, "row lies", "rows lie")
    ('1 row lies', '1,200 rows lie')
    """
    return f"{count:,} {one if count == 1 else many}"


def signed_list(names: Sequence[str], values: Sequence[float], most: int = 3) -> str:
    """Return the names with the largest values, signs between them: what a weighted sum is mostly made of.

    Examples
    --------
    >>> from mixtura.plot.theme.text import signed_list
    >>> signed_list(["a", "b", "c"], [0.1, -0.9, 0.4], most=2)
    '−0.90 b + 0.40 c, ...'
    """
    order = sorted(range(len(names)), key=lambda i: -abs(values[i]))[:most]
    parts: list[str] = []
    for i in order:
        sign = "−" if values[i] < 0 else "+"
        lead = (sign if sign == "−" else "") if not parts else f" {sign} "
        parts.append(f"{lead}{abs(values[i]):.2f} {shown(names[i], 22)}")
    return "".join(parts) + (", ..." if len(names) > most else "")
