"""What all pictures look like, as a Vega-Lite configuration."""

from __future__ import annotations

from typing import Any

from mixtura.plot.palette import INK

__all__ = ["CONFIGURATION"]

CONFIGURATION: dict[str, Any] = {
    "axis": {
        "labelFontSize": 12,
        "titleFontSize": 13,
        "titleColor": INK,
        "gridColor": "#EAEAEA",
        "domainColor": "#BBBBBB",
    },
    "title": {"fontSize": 18, "subtitleFontSize": 12, "subtitleColor": "#666666", "color": INK, "offset": 12},
    "legend": {"labelFontSize": 12, "titleFontSize": 12, "titleColor": INK},
    "view": {"stroke": "#DDDDDD"},
}
"""Sizes of text in points, and colors."""
