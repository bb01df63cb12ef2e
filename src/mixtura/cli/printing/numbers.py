"""Numbers as people read them."""

from __future__ import annotations

import math

__all__ = ["criterion_text", "decimals_for", "percent", "readable", "reason_text"]


def decimals_for(deviation: float | None) -> int:
    """Return how many decimals distinguish values that vary by this standard deviation."""
    if deviation is None or not math.isfinite(deviation) or deviation <= 0:
        return 2
    return min(max(1 - math.floor(math.log10(deviation)), 0), 6)


def readable(value: float, decimals: int, *, years: bool = False) -> str:
    """Return the value with thousands separated; in powers of ten where digits would not help. Years are years.

    Examples
    --------
    >>> from mixtura.cli.printing.numbers import readable
    >>> readable(12345.678, 1), readable(2.5e12, 0), readable(1e-9, 2)
    ('12,345.7', '2.5e+12', '1e-09')
    >>> readable(1975.3, 0, years=True)
    '1975'
    """
    if years:
        return f"{value:.0f}"
    size = abs(value)
    if size and (size >= 1e9 or (size < 0.5 * 10**-decimals and size < 1e-6)):
        return f"{value:.4g}"
    return f"{value:,.{decimals}f}"


def percent(share: float, decimals: int = 1) -> str:
    """Return a share in percent."""
    return f"{100 * share:.{decimals}f} %"


def criterion_text(name: str, value: float) -> str:
    """Return the value of a criterion with enough digits to distinguish models; NEC is a ratio.

    Examples
    --------
    >>> from mixtura.cli.printing.numbers import criterion_text
    >>> criterion_text("bic", 4791.826), criterion_text("nec", 0.09186)
    ('4,791.8', '0.0919')
    """
    return f"{value:,.4f}" if name == "nec" else f"{value:,.1f}"


def reason_text(name: str, rule: str | None = "minimum", *, determined: bool = True) -> str:
    """Return why a model was chosen: by a criterion, a standard error of it, or the stability of its segments.

    Examples
    --------
    >>> from mixtura.cli.printing.numbers import reason_text
    >>> reason_text("bic"), reason_text("cv", "one standard error")
    ('the smallest BIC', 'the fewest parameters within one standard error of the smallest CV')
    >>> reason_text("bic", "stability"), reason_text("bic", "stability", determined=False)
    ('the most stable of those that BIC does not separate', 'a choice: the table does not determine a number')
    """
    said = f"the smallest {name.upper()}"
    if rule == "covariance type":
        return f"{said} of the covariance types that MMDL prefers"
    if rule == "stability":
        stable = f"the most stable of those that {name.upper()} does not separate"
        return stable if determined else "a choice: the table does not determine a number"
    return (
        f"the fewest parameters within one standard error of {said}" if rule == "one standard error" else said
    )
