"""What all pictures look like, as Vega-Lite configurations: one for light pages, one for dark ones.

Marks name a style (`NEUTRAL`, `PAPER`, ...) instead of a color wherever they show no data, so that the same chart
serves both.
"""

from __future__ import annotations

from typing import Any, Final

__all__ = ["DARK", "LIGHT", "NEUTRAL", "NUMBER", "PAGE", "PAPER", "QUIET", "STRONG", "THEMES"]

NEUTRAL: Final = "neutral"
"""Style of lines and outlines in the color of text."""

NUMBER: Final = "number"
"""Style of text within the chart."""

PAPER: Final = "paper"
"""Style of what is filled with the color of the page."""

STRONG: Final = "strong"
"""Style of text upon the strong end of a color scale."""

QUIET: Final = "quiet"
"""Style of what stands back: unselected, outside, in between."""


def _axis(ink: str, grid: str, line: str) -> dict[str, Any]:
    return {
        "labelFontSize": 12,
        "labelColor": ink,
        "labelLimit": 220,
        "titleFontSize": 13,
        "titleColor": ink,
        "titleLimit": 520,
        "gridColor": grid,
        "domainColor": line,
        "tickColor": line,
    }


def _theme(
    paper: str, ink: str, soft: str, grid: str, line: str, quiet: str, ramps: dict[str, Any]
) -> dict[str, Any]:
    return {
        "background": paper,
        "padding": 18,
        "axis": _axis(ink, grid, line),
        "title": {
            "fontSize": 18,
            "subtitleFontSize": 12,
            "subtitleColor": soft,
            "color": ink,
            "offset": 12,
            "anchor": "start",
        },
        "header": {"labelColor": ink, "titleColor": ink, "labelFontSize": 13},
        "legend": {
            "labelFontSize": 12,
            "labelColor": ink,
            "titleFontSize": 12,
            "titleColor": ink,
            "titleLimit": 400,
        },
        "view": {"stroke": line},
        "style": {
            NEUTRAL: {"stroke": ink, "color": ink},
            NUMBER: {"fill": ink, "color": ink},
            STRONG: {"fill": paper, "color": paper},
            PAPER: {"color": paper, "stroke": ink},
            QUIET: {"fill": quiet, "stroke": quiet, "color": quiet},
        },
        "range": ramps,
    }


LIGHT: Final[dict[str, Any]] = _theme(
    "white", "#333333", "#666666", "#EAEAEA", "#CCCCCC", "#BDBDBD",
    {
        "diverging": ["#B35806", "#F1A340", "#FEE0B6", "#F7F7F7", "#D8DAEB", "#998EC3", "#542788"],
        "heatmap": ["#F7FBFF", "#C6DBEF", "#6BAED6", "#2171B5", "#08306B"],
        "ramp": ["#F7FBFF", "#C6DBEF", "#6BAED6", "#2171B5", "#08306B"],
    },
)  # fmt: skip
"""Dark text on white. Ramps: ColorBrewer's PuOr and Blues, which any color vision can order."""

DARK: Final[dict[str, Any]] = _theme(
    "#1B1D21", "#E8E8E8", "#A8ADB5", "#2E3238", "#4A5058", "#6B727B",
    {
        "diverging": ["#F1A340", "#B35806", "#5C3415", "#2A2D33", "#3B3160", "#7A6BB5", "#B5ABDD"],
        "heatmap": ["#1F242C", "#1B3A5C", "#2171B5", "#6BAED6", "#DEEBF7"],
        "ramp": ["#1F242C", "#1B3A5C", "#2171B5", "#6BAED6", "#DEEBF7"],
    },
)  # fmt: skip
"""Light text on near black."""

PAGE: Final[dict[str, Any]] = {
    **_theme(
        "var(--paper)",
        "var(--ink)",
        "var(--soft)",
        "var(--grid)",
        "var(--line)",
        "var(--quiet)",
        LIGHT["range"],
    ),
    "axisX": {"titleLimit": 360},
    "axisY": {"titleLimit": 280},
}
"""Colors that a page sets, and changes with its theme: the renderer passes CSS variables through.

Titles of axes end in an ellipsis before they would be cut at both ends: charts of a page are smaller than pictures, its
font may be wider than the one that charts are measured with, and on a phone its letters are larger (`report.css`).
"""

THEMES: Final[dict[str, dict[str, Any]]] = {"light": LIGHT, "dark": DARK}
"""Configurations by name."""
