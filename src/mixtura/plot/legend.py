"""The legend of segments, alike in all charts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt

__all__ = ["segment_legend"]

_LONG = 38
"""From so many characters on, two names do not fit beside each other."""


def segment_legend(names: Sequence[str], *, symbol: str) -> Any:
    """Return a legend below the chart, in two columns if the names are short."""
    columns = 1 if max(map(len, names)) > _LONG else 2
    return alt.Legend(
        title="Segment",
        orient="bottom",
        columns=columns,
        labelLimit=540 // columns,
        symbolType=symbol,
        symbolStrokeWidth=4,
        symbolOpacity=1,
    )
