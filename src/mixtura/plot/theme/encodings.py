"""Encodings that all charts share: the field, colors and legend of segments, and which of them is highlighted.

In the data of every chart ``segment`` is the number of a segment, from 1. The parameter ``highlight`` is null, or the
number of the segment to show alone: ``view.signal("highlight", 2).run()``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from mixtura._typing import FloatArray
from mixtura.plot.theme.text import lookup, wrapped
from mixtura.plot.vega import Spec, nominal

__all__ = ["HIGHLIGHT", "compact", "highlight_opacity", "names_above", "segment_color", "titled"]

HIGHLIGHT = "highlight"

_LINE = 14
"""Height of a line of text."""

_NARROW = 64
"""In less width a name is cut to pieces."""

_LONG, _SHORT = 34, 24
"""Names of more characters do not fit beside another one; of these or fewer, three do."""

_MANY = 8
"""More names than these are laid out in three columns, if they are short."""


def segment_color(
    names: Sequence[str], colors: Sequence[str], *, title: str, symbol: str, legend: bool = True
) -> Spec:
    """Return the encoding of segments by color, with a legend below the chart if there is to be one."""
    scale = {"domain": list(range(1, len(names) + 1)), "range": list(colors)}
    if not legend:
        return nominal("segment", scale=scale, legend=None)
    longest = max(map(len, names))
    columns = 1 if longest > _LONG else 3 if longest <= _SHORT and len(names) > _MANY else 2
    key = {
        "title": title.capitalize(),
        "orient": "bottom",
        "columns": columns,
        "labelLimit": 540 // columns - 24,
        "labelExpr": lookup(names, "datum.value"),
        "symbolType": symbol,
        "symbolDash": [1, 0],
        "symbolStrokeWidth": 4,
        "symbolOpacity": 1,
    }
    return nominal("segment", scale=scale, legend=key)


def names_above(names: Sequence[str], width: int) -> Spec:
    """Return the axis above a table of cells: names over a few lines, the last of which lie on one height.

    Lines of a label run downwards from its place, so all labels get as many. Where cells are narrow only numbers are
    written, which legends and the other axis explain.
    """
    narrow = width < _NARROW and len(names) > 1
    lines = [[str(k + 1)] if narrow else wrapped(name, int(width / 6.4)) for k, name in enumerate(names)]
    most = max(map(len, lines))
    texts: list[str | list[str]] = [[""] * (most - len(one)) + one for one in lines]
    return {
        "orient": "top",
        "labelAngle": 0,
        "labelExpr": lookup(texts, "datum.value"),
        "labelLimit": width,
        "labelLineHeight": _LINE,
        "labelPadding": 5 + _LINE * (most - 1),
        "domain": False,
        "ticks": False,
    }


def highlight_opacity(opacity: float, field: str = "segment") -> Spec:
    """Return the opacity of marks: faint where another segment is highlighted."""
    shown = {"test": f"{HIGHLIGHT} == null || datum.{field} == {HIGHLIGHT}", "value": opacity}
    return {"value": round(0.1 * opacity, 3), "condition": shown}


def titled(chart: Spec, text: str, subtitle: Sequence[str]) -> Spec:
    """Return the chart with a title, and a description for those who do not see it."""
    lines = [line for line in subtitle if line]
    title = {"text": text, "subtitle": lines, "anchor": "start"}
    return {**chart, "title": title, "description": ". ".join([text, *lines])}


def compact(values: FloatArray, span: float) -> list[float]:
    """Return numbers with as many digits as a picture can show: to a hundred-thousandth of the span of the axis."""
    if not span > 0 or not math.isfinite(span):
        return [float(value) for value in values]
    decimals = 5 - math.floor(math.log10(span))
    return [float(value) for value in np.round(values, decimals)]
