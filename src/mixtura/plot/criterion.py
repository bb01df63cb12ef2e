"""The criterion of every model that was tried."""

from __future__ import annotations

import math
from typing import Any

import altair as alt

from mixtura.plot.palette import INK, SHAPES, segment_colors
from mixtura.segments import COVARIANCE_TYPES, Segmentation

__all__ = ["criterion_chart"]

_WIDTH, _HEIGHT = 340, 460


def criterion_chart(result: Segmentation) -> Any:
    """Return the chart: a curve per covariance type over the number of segments, a ring around the chosen model."""
    name = result.model.training.criterion
    values = [
        {"segments": one.n_components, "value": float(getattr(one, name)), "covariances": one.covariance_type}
        for one in sorted(result.ranking, key=lambda one: one.n_components)
        if math.isfinite(getattr(one, name))
    ]
    counts = sorted({value["segments"] for value in values})
    x = alt.X(
        "segments",
        type="quantitative",
        title="segments",
        scale=alt.Scale(domain=[counts[0] - 0.4, counts[-1] + 0.4], nice=False),
        axis=alt.Axis(values=counts, format="d"),
    )
    y = alt.Y("value", type="quantitative", title=name.upper(), scale=alt.Scale(zero=False))
    present = [kind for kind in COVARIANCE_TYPES if any(value["covariances"] == kind for value in values)]
    domain, colors = list(COVARIANCE_TYPES), list(segment_colors(len(COVARIANCE_TYPES)))
    legend = alt.Legend(title="Covariances", orient="bottom", columns=2, values=present)
    color = alt.Color("covariances", type="nominal", scale=alt.Scale(domain=domain, range=colors), legend=legend)
    shape = alt.Shape("covariances", type="nominal", scale=alt.Scale(domain=domain, range=list(SHAPES)), legend=legend)
    base = alt.Chart(alt.Data(values=values)).encode(x=x, y=y, color=color)
    chosen = alt.Data(values=[{"segments": result.best.n_components, "value": float(getattr(result.best, name))}])
    ring = alt.Chart(chosen).mark_point(size=380, stroke=INK, strokeWidth=2.2).encode(x=x, y=y)
    title = alt.TitleParams(
        text=f"{name.upper()} chooses {result.best.n_components}, {result.best.covariance_type}",
        subtitle=["Smaller is better.", "The ring is the model chosen."],
        anchor="start",
    )
    layers = (base.mark_line(strokeWidth=2), base.mark_point(filled=True, size=60, opacity=1).encode(shape=shape), ring)
    return alt.layer(*layers).properties(width=_WIDTH, height=_HEIGHT, title=title)
