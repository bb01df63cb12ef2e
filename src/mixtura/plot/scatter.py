"""Customers as points, segments as ellipses, on the two columns that separate the segments most."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from typing import Any

import altair as alt
import numpy as np

from mixtura._typing import Array, FloatArray, IntArray
from mixtura.core.mixture import Mixture
from mixtura.plot.legend import segment_legend
from mixtura.plot.palette import INK, blend, segment_colors
from mixtura.plot.render import Datasets
from mixtura.segments import SegmentationResult

__all__ = ["ellipse", "scatter_chart", "telling_columns"]

_MOST_POINTS = 5_000
_JUDGED = 2_000
"""Customers on whom pairs of columns are compared."""
_WIDTH, _HEIGHT = 560, 460
_CROWDED = 0.6
"""If all but two percent of the customers fill less of an axis than this, the axis ends where they do."""


def telling_columns(mixture: Mixture, rows: FloatArray) -> tuple[int, int]:
    """Return the two columns that tell most about the segments.

    Knowing only two columns of a customer, the marginal mixture gives some probability to the segment that all columns
    together speak for. The pair is taken for which it is largest on average.

    Parameters
    ----------
    mixture : Mixture
        Of D >= 2 columns.
    rows : ndarray of shape (N, D)
        In its units; a few thousand are enough.
    """
    labels = mixture.predict(rows)
    everybody = np.arange(len(rows))

    def recognized(pair: tuple[int, int]) -> float:
        known = mixture.marginal(pair).responsibilities(rows[:, pair])
        return float(known[everybody, labels].mean())

    return max(combinations(range(mixture.n_features), 2), key=recognized)


def ellipse(mean: FloatArray, covariance: FloatArray, radius: float, n_points: int = 73) -> FloatArray:
    """Return points of ``(x - mean) Sigma^-1 (x - mean) = radius^2``, shape (n_points, 2), the last one the first."""
    angles = np.linspace(0, 2 * np.pi, n_points)
    circle = np.column_stack([np.cos(angles), np.sin(angles)])
    return mean + radius * circle @ np.linalg.cholesky(covariance).T


def scatter_chart(result: SegmentationResult, datasets: Datasets) -> Any:
    """Return the chart, and add its data: points in blended colors, ellipses, numbers at the centers."""
    model = result.model
    sample = _sample(len(result.rows), model.training.seed)
    columns = telling_columns(model.mixture, model.scaling.apply(result.rows[sample[:_JUDGED]]))
    marginal = model.mixture.marginal(columns)

    def restore(points: FloatArray) -> FloatArray:
        return model.scaling.restore(points, columns)

    names = [model.columns[d] for d in columns]
    rows = result.rows[:, columns]
    memberships = result.assignment.memberships[result.assignment.complete]
    anomaly = result.assignment.anomaly[result.assignment.complete]
    domains = [_domain(rows[:, i], *reach) for i, reach in enumerate(restore(_reach(marginal)).T)]
    inside = np.all(
        [(rows[:, i] >= low) & (rows[:, i] <= high) for i, (low, high) in enumerate(domains)], axis=0
    )
    scales = [alt.Scale(domain=list(domain), zero=False, nice=False) for domain in domains]
    x = alt.X("x", type="quantitative", title=names[0], scale=scales[0], axis=alt.Axis(tickCount=8))
    y = alt.Y("y", type="quantitative", title=names[1], scale=scales[1])
    colors = segment_colors(model.n_segments)
    shown = sample[inside[sample]]
    datasets["points"] = _points(rows[shown], blend(memberships[shown], colors), anomaly[shown])
    legend = [f"{k + 1}  {name}" for k, name in enumerate(model.names)]
    datasets["ellipses"] = _ellipse_points(marginal, legend, restore)
    datasets["centers"] = [
        {"x": float(x), "y": float(y), "number": str(k + 1)}
        for k, (x, y) in enumerate(restore(marginal.means))
    ]
    layers = (
        _point_layer(x, y, len(shown)),
        _ellipse_layer(x, y, legend, colors),
        *_center_layers(x, y),
    )
    title = alt.TitleParams(
        text=f"{model.n_segments} segments of {len(rows):,} customers",
        subtitle=_subtitle(len(rows), int((~inside).sum())),
        anchor="start",
    )
    return alt.layer(*layers).properties(width=_WIDTH, height=_HEIGHT, title=title)


def _sample(n_rows: int, seed: int) -> IntArray:
    if n_rows <= _MOST_POINTS:
        return np.arange(n_rows)
    return np.asarray(np.random.default_rng(seed).choice(n_rows, _MOST_POINTS, replace=False), dtype=np.intp)


def _domain(values: FloatArray, lowest: float, highest: float) -> tuple[float, float]:
    """Return where the axis begins and ends: at all values, or at those of 98 % where few would crowd the rest.

    It makes room for ellipses, which go from `lowest` to `highest`, up to an eighth of the axis on either side.
    """
    low, high = float(values.min()), float(values.max())
    inner_low, inner_high = (float(value) for value in np.percentile(values, [1, 99]))
    if inner_high - inner_low < _CROWDED * (high - low) and inner_high > inner_low:
        low, high = max(low, inner_low), inner_high
    span = high - low or abs(high) or 1.0
    margin, most = 0.03 * span, 0.125 * span
    return max(min(low, lowest), low - most) - margin, min(max(high, highest), high + most) + margin


def _reach(mixture: Mixture) -> FloatArray:
    """Return how far the ellipses of two standard deviations go: lowest and highest values, shape (2, D)."""
    deviations = np.sqrt(np.diagonal(mixture.full_covariances(), axis1=1, axis2=2))
    low, high = mixture.means - 2 * deviations, mixture.means + 2 * deviations
    return np.array([low.min(axis=0), high.max(axis=0)])


def _subtitle(n_rows: int, n_outside: int) -> list[str]:
    lines = ["A point's color mixes the colors of its segments; crosses are anomalies."]
    lines.append("Ellipses: 1 and 2 standard deviations.")
    if n_outside:
        lines[1] += f" {n_outside:,} customer{' lies' if n_outside == 1 else 's lie'} outside the frame."
    if n_rows > _MOST_POINTS:
        lines.append(f"Drawn: a random sample of {_MOST_POINTS:,} of the {n_rows:,} customers.")
    return lines


def _points(rows: FloatArray, colors: list[str], anomaly: Array) -> list[dict[str, Any]]:
    size = 45 if len(rows) <= 500 else 24 if len(rows) <= 2000 else 14
    marks = {False: {"shape": "circle", "size": size}, True: {"shape": "cross", "size": size + 20}}
    return [
        {"x": float(x), "y": float(y), "color": color} | marks[bool(odd)]
        for (x, y), color, odd in zip(rows, colors, anomaly, strict=True)
    ]


def _ellipse_points(
    mixture: Mixture, legend: list[str], restore: Callable[[FloatArray], FloatArray]
) -> list[dict[str, Any]]:
    """Return the rings where the rows are; of transformed columns they are ellipses no more."""
    covariances = mixture.full_covariances()
    return [
        {
            "x": float(x),
            "y": float(y),
            "order": order,
            "segment": name,
            "ring": f"{k}-{radius}",
            "dash": radius,
        }
        for k, name in enumerate(legend)
        for radius in (1, 2)
        for order, (x, y) in enumerate(restore(ellipse(mixture.means[k], covariances[k], radius)))
    ]


def _point_layer(x: Any, y: Any, n_points: int) -> Any:
    return (
        alt.Chart(alt.NamedData("points"))
        .mark_point(filled=True, opacity=0.75 if n_points <= 2000 else 0.5)
        .encode(
            x=x,
            y=y,
            color=alt.Color("color", type="nominal", scale=None),
            shape=alt.Shape("shape", type="nominal", scale=None),
            size=alt.Size("size", type="quantitative", scale=None),
        )
    )


def _ellipse_layer(x: Any, y: Any, legend: list[str], colors: tuple[str, ...]) -> Any:
    scale = alt.Scale(domain=legend, range=list(colors))
    key = segment_legend(legend, symbol="stroke")
    return (
        alt.Chart(alt.NamedData("ellipses"))
        .mark_line(strokeWidth=2, clip=True, interpolate="linear-closed")
        .encode(
            x=x,
            y=y,
            order=alt.Order("order", type="quantitative"),
            color=alt.Color("segment", type="nominal", scale=scale, legend=key),
            detail=alt.Detail("ring", type="nominal"),
            strokeDash=alt.StrokeDash(
                "dash", type="ordinal", scale=alt.Scale(domain=[1, 2], range=[[1, 0], [5, 4]]), legend=None
            ),
        )
    )


def _center_layers(x: Any, y: Any) -> tuple[Any, Any]:
    base = alt.Chart(alt.NamedData("centers")).encode(x=x, y=y)
    disc = base.mark_point(
        filled=True, size=330, color="white", opacity=0.85, stroke=INK, strokeWidth=1.2, clip=True
    )
    number = base.mark_text(fontSize=13, fontWeight="bold", color=INK, clip=True)
    return disc, number.encode(text=alt.Text("number", type="nominal"))
