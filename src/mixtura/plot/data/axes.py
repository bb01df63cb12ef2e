"""Axes in the units of the table: ticks of transformed columns, years, large and tiny numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from mixtura._typing import FloatArray
from mixtura.plot.theme.text import number_text
from mixtura.plot.vega import Spec, quantitative
from mixtura.segments.transforms.transforms import IDENTITY, Transform

__all__ = ["axis_title", "is_transformed", "position", "to_units", "unit_ticks"]

_MOST_TICKS = 7
_FIRST_YEAR, _LAST_YEAR = 1000, 2200
_LARGE, _TINY = 10_000, 1e-3
"""From the one on numbers are written with k, M and B; below the other with a power of ten."""


def is_transformed(transform: Transform) -> bool:
    """Return whether positions on the axis differ from the values of the table."""
    return transform.kind not in {"none", "winsorize"}


def axis_title(column: str, transform: Transform) -> str:
    """Return the column with the kind of scale that its axis has.

    Examples
    --------
    >>> from mixtura.plot.data.axes import axis_title
    >>> from mixtura.segments.transforms.transforms import build_transform
    >>> axis_title("spending", build_transform("log1p")), axis_title("age", build_transform("none"))
    ('spending (log1p scale)', 'age')
    """
    if transform.kind == "winsorize":
        return f"{column} (limited)"
    return f"{column} ({transform.kind} scale)" if is_transformed(transform) else column


def position(
    field: str,
    title: str | None,
    domain: Sequence[float],
    transform: Transform = IDENTITY,
    **axis: Any,
) -> Spec:
    """Return a position channel with its title and nothing rounded.

    Parameters
    ----------
    field : str
    title : str or None
    domain : (low, high)
        Where the axis begins and ends, in transformed units.
    transform : Transform, default=IDENTITY
        Of the column: ticks lie at round values of the table, wherever the transform takes them.
    **axis
        Of the axis.
    """
    if is_transformed(transform):
        places, texts = unit_ticks(domain, transform, axis.pop("tickCount", _MOST_TICKS))
        axis |= {"values": places, "labelExpr": _label_of(places, texts), "labelOverlap": True}
    else:
        axis = _number_format(domain) | axis
        axis.setdefault("tickCount", _MOST_TICKS)
    scale = {"domain": list(domain), "zero": False, "nice": False}
    return quantitative(field, title=title, scale=scale, axis=axis)


def unit_ticks(
    domain: Sequence[float], transform: Transform, most: int = _MOST_TICKS
) -> tuple[list[float], list[str]]:
    """Return where the ticks of a transformed column lie, and the values of the table there.

    Zero comes first, then powers of ten, five and two times these, and evenly spaced values last; each is taken that
    leaves room for a label beside those taken before.

    Examples
    --------
    >>> import math
    >>> from mixtura.plot.data.axes import unit_ticks
    >>> from mixtura.segments.transforms.transforms import build_transform
    >>> unit_ticks((0.0, math.log1p(2000)), build_transform("log1p"), 4)[1]
    ['0', '10', '100', '1,000']
    """
    low, high = (float(end) for end in transform.inverse(np.array(domain, dtype=np.float64)))
    wanted = np.array([value for value in _round_values(low, high) if low <= value <= high])
    room = (domain[1] - domain[0]) / (most + 0.5)
    taken: list[tuple[float, float]] = []
    for value, place in zip(wanted.tolist(), transform.forward(wanted).tolist(), strict=True):
        if domain[0] <= place <= domain[1] and all(abs(place - other) >= room for other, _ in taken):
            taken.append((place, value))
    taken.sort()
    return [place for place, _ in taken], [number_text(value) for _, value in taken]


def _round_values(low: float, high: float) -> list[float]:
    """Return round values between two others, those that are worth a label most first."""
    largest = max(abs(low), abs(high))
    if not 0 < largest < math.inf:
        return [0.0]
    top = math.floor(math.log10(largest))
    powers = [10.0**power for power in range(top, top - 12, -1)]
    signed = [sign * factor * power for factor in (1, 5, 2) for power in powers for sign in (1, -1)]
    step = 10.0 ** math.floor(math.log10(high - low)) / 2 if high > low else 1.0
    even = step * np.arange(math.ceil(low / step), math.floor(high / step) + 1)
    return [0.0, *signed, *even.tolist()]


def _label_of(places: Sequence[float], texts: Sequence[str]) -> str:
    """Return a Vega expression for the text at the tick that is nearest."""
    return "".join(
        f"abs(datum.value - {place!r}) <= {1e-9 * max(1.0, abs(place))!r} ? '{text}' : "
        for place, text in zip(places, texts, strict=True)
    ) + "''"  # fmt: skip


def _number_format(domain: Sequence[float]) -> dict[str, Any]:
    """Return how the numbers of an axis are written: years as they are, large numbers short, tiny ones with a power."""
    low, high = min(domain), max(domain)
    largest = max(abs(low), abs(high))
    if low >= _FIRST_YEAR and high <= _LAST_YEAR and high - low >= 1:
        return {"format": "d", "tickMinStep": 1}
    if largest >= _LARGE:
        # A billion is G among SI prefixes, which nobody counts customers or money with.
        return {"format": "~s", "labelExpr": "replace(datum.label, 'G', 'B')"}
    return {"format": "~g"} if 0 < largest < _TINY else {}


def to_units(values: FloatArray, transform: Transform) -> list[float]:
    """Return values of the table at places of an axis, with four digits."""
    return [float(f"{value:.4g}") for value in transform.inverse(np.asarray(values, dtype=np.float64))]
