"""Segments of a table with a single column: how its customers are spread, and the bells that make it up."""

from __future__ import annotations

from typing import Any

import altair as alt
import numpy as np

from mixtura.plot.palette import segment_colors
from mixtura.plot.render import Datasets
from mixtura.segments import Segmentation

__all__ = ["histogram_chart"]

_WIDTH, _HEIGHT = 560, 460
_CURVE_POINTS = 240


def histogram_chart(result: Segmentation, datasets: Datasets) -> Any:
    """Return the chart, and add its data: customers per bin, and each segment's share of the density over it."""
    model, values = result.model, result.rows[:, 0]
    legend = [f"{k + 1}  {name}" for k, name in enumerate(model.names)]
    scale = alt.Scale(domain=legend, range=list(segment_colors(model.n_segments)))
    color = alt.Color(
        "segment",
        type="nominal",
        scale=scale,
        legend=alt.Legend(title="Segment", orient="bottom", columns=2, labelLimit=330),
    )
    edges = np.histogram_bin_edges(values, bins=min(60, max(10, int(np.sqrt(len(values))))))
    x = alt.X("x", type="quantitative", title=model.columns[0], scale=alt.Scale(zero=False))
    labels = result.assignment.labels[result.assignment.complete]
    datasets["bars"] = [
        {"x": float(edges[i]), "x2": float(edges[i + 1]), "count": int(count), "segment": legend[k]}
        for k in range(model.n_segments)
        for i, count in enumerate(np.histogram(values[labels == k], bins=edges)[0])
        if count
    ]
    histogram = (
        alt.Chart(alt.NamedData("bars"))
        .mark_bar(opacity=0.45)
        .encode(x=x, x2="x2", y=alt.Y("count", type="quantitative", title="customers"), color=color)
    )
    title = alt.TitleParams(
        text=f"{model.n_segments} segments of {len(values):,} customers",
        subtitle=["Bars: customers by their most probable segment.", "Lines: what the mixture expects."],
        anchor="start",
    )
    datasets["curves"] = _curve_points(result, edges, legend)
    curves = (
        alt.Chart(alt.NamedData("curves"))
        .mark_line(strokeWidth=2.5)
        .encode(x=x, y=alt.Y("count", type="quantitative"), color=color)
    )
    return alt.layer(histogram, curves).properties(width=_WIDTH, height=_HEIGHT, title=title)


def _curve_points(result: Segmentation, edges: Any, legend: list[str]) -> list[dict[str, Any]]:
    grid = np.linspace(edges[0], edges[-1], _CURVE_POINTS)[:, None]
    expected = np.exp(result.model.log_density(grid)) * len(result.rows) * (edges[1] - edges[0])
    shares = result.model.memberships(grid) * expected[:, None]
    return [
        {"x": float(x), "count": float(share), "segment": legend[k]}
        for k in range(len(legend))
        for x, share in zip(grid[:, 0], shares[:, k], strict=True)
    ]
