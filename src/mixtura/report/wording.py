"""Numbers as the page writes them."""

from __future__ import annotations

import math

from mixtura.plot.wording import number_text

__all__ = ["count_text", "ink_on", "number_of", "percent_text", "signed_text"]


def number_of(value: float | None) -> str:
    """Return a number with three digits, or whole thousands; a dash for none.

    Examples
    --------
    >>> from mixtura.report.wording import number_of
    >>> number_of(1234.5), number_of(-0.25), number_of(None)
    ('1,234', '−0.25', '–')
    """
    return "–" if value is None else number_text(value).replace("-", "−", 1)


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
    """
    if value is None or not math.isfinite(value):
        return "–"
    step = 10.0**-decimals
    if 0 < value * 100 < step / 2:
        return f"<{step:.{decimals}f} %"
    if 100 - step / 2 < value * 100 < 100:
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
