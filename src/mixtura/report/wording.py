"""Numbers as the page writes them."""

from __future__ import annotations

import math
import re

from mixtura.plot.theme.text import number_text

__all__ = [
    "count_text",
    "fixed_text",
    "ink_on",
    "number_of",
    "p_value_text",
    "percent_text",
    "share_interval_text",
    "signed_text",
    "word_parts",
]


def number_of(value: float | None, spread: float | None = None, years: bool = False) -> str:
    """Return a number with three digits, or whole thousands; a dash for none.

    Parameters
    ----------
    value : float or None
    spread : float or None, default=None
        Standard deviation of the column that it is a mean of; all means of the column then have the same decimals, as
        many as distinguish customers.
    years : bool, default=False
        Write it as a year.

    Examples
    --------
    >>> from mixtura.report.wording import number_of
    >>> number_of(1234.5), number_of(-0.25), number_of(None)
    ('1,234', '−0.25', '–')
    >>> number_of(0.000739, 0.3), number_of(80.0, 3.5), number_of(1234.5, 2000.0)
    ('0.00', '80.0', '1,234')

    >>> number_of(1975.3, 14.0), number_of(1975.3, 14.0, years=True)
    ('1,975', '1975')
    """
    if value is None:
        return "–"
    if years:
        return f"{value:.0f}"
    if spread is None or not 0 < spread < 1e7 or abs(value) >= 1e7:
        return number_text(value).replace("-", "−", 1)
    decimals = min(max(1 - math.floor(math.log10(spread)), 0), 6)
    text = f"{value:,.{decimals}f}"
    return text.lstrip("-") if not text.strip("-0.,") else text.replace("-", "−", 1)


def fixed_text(value: float | None) -> str:
    """Return an index from -1 to 1 with two decimals, so that those of a column stand below each other.

    Examples
    --------
    >>> from mixtura.report.wording import fixed_text
    >>> fixed_text(0.7), fixed_text(-0.125), fixed_text(1.0)
    ('0.70', '−0.12', '1.00')
    """
    return "–" if value is None or not math.isfinite(value) else f"{value:.2f}".replace("-", "−")


def p_value_text(value: float | None) -> str:
    """Return a p-value with the digits that matter.

    Examples
    --------
    >>> from mixtura.report.wording import p_value_text
    >>> p_value_text(9.78e-170), p_value_text(0.0861), p_value_text(0.467), p_value_text(None)
    ('<0.001', '0.086', '0.47', '–')
    """
    if value is None or not math.isfinite(value):
        return "–"
    return "<0.001" if value < 0.001 else f"{value:.3f}" if value < 0.1 else f"{value:.2f}"


def share_interval_text(low: float, high: float) -> str:
    """Return an interval of shares with the sign of percent once.

    Examples
    --------
    >>> from mixtura.report.wording import share_interval_text
    >>> share_interval_text(0.005, 0.04)
    '0.5 to 4.0 %'
    """
    return f"{percent_text(low, 1).removesuffix(' %')} to {percent_text(high, 1)}"


def word_parts(name: str) -> list[str]:
    """Return a column's name in pieces between which a line may end: after underscores, dots and dashes.

    Examples
    --------
    >>> from mixtura.report.wording import word_parts
    >>> word_parts("CASH_ADVANCE_TRX"), word_parts("income")
    (['CASH_', 'ADVANCE_', 'TRX'], ['income'])
    """
    return re.split(r"(?<=\w[_.\-])(?=\w)", name)


def signed_text(value: float | None) -> str:
    """Return a number with its sign and two decimals.

    Examples
    --------
    >>> from mixtura.report.wording import signed_text
    >>> signed_text(1.234), signed_text(-0.5), signed_text(0.001)
    ('+1.23', '−0.50', '0.00')
    """
    if value is None or not math.isfinite(value):
        return "–"
    text = f"{value:+.2f}"
    return "0.00" if text in {"+0.00", "-0.00"} else text.replace("-", "−")


def percent_text(value: float | None, decimals: int = 0) -> str:
    """Return a share as a percentage; what is neither none nor all is not written as if it were.

    Examples
    --------
    >>> from mixtura.report.wording import percent_text
    >>> percent_text(0.256), percent_text(0.001), percent_text(0.999), percent_text(1.0), percent_text(0.0734, 1)
    ('26 %', '<1 %', '>99 %', '100 %', '7.3 %')
    >>> percent_text(0.005), percent_text(0.995)
    ('<1 %', '>99 %')
    """
    if value is None or not math.isfinite(value):
        return "–"
    step = 10.0**-decimals
    if 0 < value * 100 <= step / 2:
        return f"<{step:.{decimals}f} %"
    if 100 - step / 2 <= value * 100 < 100:
        return f">{100 - step:.{decimals}f} %"
    return f"{100 * value:.{decimals}f} %"


def count_text(value: float | None) -> str:
    """Return a count with its thousands apart.

    Examples
    --------
    >>> from mixtura.report.wording import count_text
    >>> count_text(1234567), count_text(2.5)
    ('1,234,567', '2.5')
    """
    if value is None:
        return "–"
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.1f}"


def ink_on(color: str) -> str:
    """Return black or white, whichever is read more easily on a color (WCAG 2 contrast).

    Examples
    --------
    >>> from mixtura.report.wording import ink_on
    >>> ink_on("#0072B2"), ink_on("#F0E442")
    ('#ffffff', '#000000')
    """
    parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return "#ffffff" if 1.05 / (luminance + 0.05) >= (luminance + 0.05) / 0.05 else "#000000"
