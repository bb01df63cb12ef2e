"""Segments of a table with a single column: how its customers are spread, and the bells that make it up."""

from __future__ import annotations

from typing import Any

import altair as alt
import numpy as np

from mixtura._typing import FloatArray
from mixtura.plot.legend import segment_legend
from mixtura.plot.palette import segment_colors
from mixtura.plot.render import Datasets
from mixtura.segments import SegmentationResult

__all__ = ["histogram_chart"]

_WIDTH, _HEIGHT = 560, 460
_CURVE_POINTS = 240


def histogram_chart(result: SegmentationResult, datasets: Datasets) -> Any:
    """Return the chart, and add its data: customers per bin, and each segment's share of the density over it."""
    model, values = result.model, result.rows[:, 0]
    legend = [f"{k + 1}  {name}" for k, name in enumerate(model.names)]
    scale = alt.Scale(domain=legend, range=list(segment_colors(model.n_segments)))
    color = alt.Color("segment", type="nominal", scale=scale, legend=segment_legend(legend, symbol="square"))
    edges = np.histogram_bin_edges(values, bins=min(60, max(10, int(np.sqrt(len(values))))))
    x = alt.X("x", type="quantitative", title=model.columns[0], scale=alt.Scale(zero=False, nice=False))
    y = alt.Y("y", type="quantitative", title="customers")
    datasets["bars"] = _bars(result, edges, legend)
    bars = (
        alt.Chart(alt.NamedData("bars"))
        .mark_bar(opacity=0.45)
        .encode(x=x, x2="x2", y=y, y2="y2", color=color)
    )
    datasets["curves"] = _curve_points(result, edges, legend)
    curves = alt.Chart(alt.NamedData("curves")).mark_line(strokeWidth=2.5).encode(x=x, y=y, color=color)
    title = alt.TitleParams(
        text=f"{model.n_segments} segments of {len(values):,} customers",
        subtitle=["Bars: customers, each shared out among the segments.", "Lines: what the mixture expects."],
        anchor="start",
    )
    return alt.layer(bars, curves).properties(width=_WIDTH, height=_HEIGHT, title=title)


def _bars(result: SegmentationResult, edges: FloatArray, legend: list[str]) -> list[dict[str, Any]]:
    """Return the pieces of the bars, segment upon segment; their heights are sums of memberships."""
    memberships = result.assignment.memberships[result.assignment.complete]
    heights = [np.histogram(result.rows[:, 0], bins=edges, weights=share)[0] for share in memberships.T]
    tops = np.cumsum(heights, axis=0)
    return [
        {
            "x": float(edges[i]),
            "x2": float(edges[i + 1]),
            "y": float(tops[k, i] - heights[k][i]),
            "y2": float(tops[k, i]),
            "segment": name,
        }
        for k, name in enumerate(legend)
        for i in range(len(edges) - 1)
    ]


def _curve_points(result: SegmentationResult, edges: FloatArray, legend: list[str]) -> list[dict[str, Any]]:
    grid = np.linspace(edges[0], edges[-1], _CURVE_POINTS)[:, None]
    expected = np.exp(result.model.log_density(grid)) * len(result.rows) * (edges[1] - edges[0])
    shares = result.model.memberships(grid) * expected[:, None]
    return [
        {"x": float(x), "y": float(share), "segment": legend[k]}
        for k in range(len(legend))
        for x, share in zip(grid[:, 0], shares[:, k], strict=True)
    ]
