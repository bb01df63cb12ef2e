"""The criterion of every model that was tried."""

from __future__ import annotations

import math
from typing import Any

import altair as alt

from mixtura.core.covariance import FAMILIES
from mixtura.plot.palette import INK, SHAPES, segment_colors
from mixtura.plot.render import Datasets
from mixtura.segments import COVARIANCE_TYPES, Segmentation

__all__ = ["criterion_chart"]

_WIDTH, _HEIGHT = 340, 460


def criterion_chart(result: Segmentation, datasets: Datasets) -> Any:
    """Return the chart, and add its data: a curve per covariance type, a ring around the chosen model."""
    name = result.model.training.criterion
    values = _values(result, name)
    counts = sorted({value["segments"] for value in values})
    x = alt.X(
        "segments",
        type="quantitative",
        title="segments",
        scale=alt.Scale(domain=[counts[0] - 0.4, counts[-1] + 0.4], nice=False),
        axis=alt.Axis(values=counts, format="d"),
    )
    y = alt.Y(
        "value",
        type="quantitative",
        title=name.upper(),
        scale=alt.Scale(domain=_domain([value["value"] for value in values]), zero=False, nice=False),
    )
    color, shape = _kinds({value["covariances"] for value in values})
    datasets["models"] = values
    base = alt.Chart(alt.NamedData("models")).encode(x=x, y=y, color=color)
    datasets["chosen"] = [{"segments": result.best.n_components, "value": result.best.criterion(name)}]
    ring = (
        alt.Chart(alt.NamedData("chosen")).mark_point(size=380, stroke=INK, strokeWidth=2.2).encode(x=x, y=y)
    )
    title = alt.TitleParams(
        text=f"{name.upper()} chooses {result.best.n_components}, {result.best.covariance_type}",
        subtitle=["Smaller is better.", "The ring is the model chosen."],
        anchor="start",
    )
    layers = (
        base.mark_line(strokeWidth=2),
        base.mark_point(filled=True, size=60, opacity=1).encode(shape=shape),
        ring,
    )
    return alt.layer(*layers).properties(width=_WIDTH, height=_HEIGHT, title=title)


def _values(result: Segmentation, name: str) -> list[dict[str, Any]]:
    return [
        {"segments": one.n_components, "value": one.criterion(name), "covariances": one.covariance_type}
        for one in sorted(result.ranking, key=lambda one: one.n_components)
        if math.isfinite(one.criterion(name))
    ]


def _kinds(present: set[str]) -> tuple[Any, Any]:
    """Return color and shape by covariance type: the same for a type whichever others were tried."""
    others = [name for name in FAMILIES if name not in COVARIANCE_TYPES]
    domain = [*COVARIANCE_TYPES, *others]
    # Where colors come again, shapes differ.
    colors = [*segment_colors(len(COVARIANCE_TYPES)), *segment_colors(len(others))]
    marks = [SHAPES[place % len(SHAPES)] for place in range(len(domain))]
    shown = [kind for kind in domain if kind in present]
    legend = alt.Legend(
        title="Covariances", orient="bottom", columns=2 if len(shown) <= 4 else 4, values=shown
    )
    color = alt.Color(
        "covariances", type="nominal", scale=alt.Scale(domain=domain, range=colors), legend=legend
    )
    shapes = alt.Scale(domain=domain, range=marks)
    return color, alt.Shape("covariances", type="nominal", scale=shapes, legend=legend)


def _domain(values: list[float]) -> list[float]:
    """Leave room below the lowest point for its ring."""
    low, high = min(values), max(values)
    margin = (high - low) or abs(high) or 1.0
    return [low - 0.06 * margin, high + 0.03 * margin]
