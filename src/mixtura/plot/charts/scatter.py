"""Rows as points, components as ellipses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from mixtura._typing import FloatArray, IntArray
from mixtura.core.mixture import Mixture
from mixtura.exceptions import ParameterError
from mixtura.plot.data.plane import HEIGHT, WIDTH, Pair, Plane, plane_of
from mixtura.plot.data.plot_data import Names, PlotData, plot_data
from mixtura.plot.export.export import as_chart
from mixtura.plot.theme.encodings import highlight_opacity, segment_color, titled
from mixtura.plot.theme.palette import blend, segment_colors
from mixtura.plot.theme.style import NUMBER, PAPER
from mixtura.plot.vega import Datasets, Spec, layered, marked, nominal, quantitative

__all__ = ["center_layers", "ellipse", "ellipse_layer", "plot_scatter", "scatter_chart"]

RADII = (1, 2, 3)
_DASHES: dict[int, Any] = {1: [1, 0], 2: [5, 4], 3: [1.5, 4]}


def plot_scatter(
    source: Any,
    rows: npt.ArrayLike | None = None,
    *,
    columns: Names = None,
    names: Names = None,
    pair: Pair = None,
    legend: bool = True,
    labels: npt.ArrayLike | None = None,
) -> Any:
    """Return a chart of rows as points, their colors mixed by membership, and ellipses of 1, 2 and 3 deviations.

    Parameters
    ----------
    source : SegmentationResult, Mixture, or fitted estimator with a ``mixture_``
        K components of D >= 2 columns.
    rows : array-like or table of shape (N, D) or None, default=None
        In units of the mixture; a SegmentationResult has its own. Of more than 3,000 a seeded random sample is drawn,
        and the chart says so.
    columns : sequence of str or None, default=None
        Names of the D columns; None for those of the table or the result.
    names : sequence of str or None, default=None
        Names of the K components; a result has its own.
    pair : two columns by name or number, "projection", or None, default=None
        What the axes show. ``"projection"``: the two directions in which the components differ most
        (`mixtura.core.projection.discriminant_projection`). None: the two columns from which the component of a row is
        recognized best.
    legend : bool, default=True
        Whether the chart explains its colors; a page with several charts explains them once.
    labels : array-like of shape (N,) of int or None, default=None
        Numbers, from 0, of another grouping of the rows: points are drawn in its colors, without ellipses.

    Returns
    -------
    altair.LayerChart

    Raises
    ------
    ParameterError
        Rows or names do not fit, or there is no such pair.
    DataError
        Rows do not fit the mixture or are not finite.
    OptionalDependencyError
        Altair is not installed.

    Examples
    --------
    >>> from mixtura import GaussianMixture
    >>> from mixtura.datasets import make_customers
    >>> from mixtura.plot import plot_scatter
    >>> customers = make_customers(as_frame="pandas")
    >>> model = GaussianMixture(n_components=3, random_state=0).fit(customers)
    >>> chart = plot_scatter(model, customers)
    >>> chart.to_dict()["title"]["text"]
    '3 components of 300 rows'
    """
    datasets: Datasets = {}
    subject = plot_data(source, rows, columns, names)
    return as_chart(scatter_chart(subject, datasets, pair, legend=legend, labels=labels), datasets)


def ellipse(mean: FloatArray, covariance: FloatArray, radius: float, n_points: int = 49) -> FloatArray:
    """Return points of ``(x - mean) Sigma^-1 (x - mean) = radius^2``, shape (n_points, 2), the last one the first."""
    angles = np.linspace(0, 2 * np.pi, n_points)
    circle = np.column_stack([np.cos(angles), np.sin(angles)])
    return mean + radius * circle @ np.linalg.cholesky(covariance).T


def scatter_chart(
    subject: PlotData,
    datasets: Datasets,
    pair: Pair = None,
    *,
    legend: bool = True,
    labels: npt.ArrayLike | None = None,
    size: tuple[int, int] = (WIDTH, HEIGHT),
) -> Spec:
    """Return the chart, and add its data: points in blended colors, ellipses, numbers at the centers."""
    if labels is not None:
        checked = _checked_labels(labels, subject)
        grouped = replace(subject, clusters=lambda: checked)
        return _labeled_chart(plane_of(grouped, pair), datasets, size)
    plane = plane_of(subject, pair)
    datasets["points"] = _points(plane)
    layers = (
        _point_layer(plane),
        ellipse_layer(plane, datasets, RADII, legend=legend),
        *center_layers(plane, datasets),
    )
    chart = layered(*layers, width=size[0], height=size[1])
    colors = f"A point's color mixes the colors of its {subject.part}s"
    crosses = "; crosses are anomalies." if subject.anomaly.any() else "."
    projected = "Axes: the directions in which they differ most." if pair == "projection" else ""
    return titled(
        chart,
        subject.heading,
        [colors + crosses, "Ellipses: 1, 2 and 3 standard deviations. " + projected, plane.caveats],
    )


def _checked_labels(given: npt.ArrayLike, subject: PlotData) -> IntArray:
    labels = np.asarray(given)
    if labels.shape != (subject.n_rows,) or labels.dtype.kind not in "iu" or labels.min() < 0:
        raise ParameterError(
            f"`labels` must be {subject.n_rows} whole numbers from 0, one per row; got an array of shape "
            f"{labels.shape!r} of {labels.dtype}."
        )
    return labels


def _labeled_chart(plane: Plane, datasets: Datasets, size: tuple[int, int]) -> Spec:
    """Return the points alone, in the colors of another grouping."""
    subject = plane.subject
    assert subject.clusters is not None, "the grouping was checked"
    labels = subject.clusters()
    chosen = labels[plane.sample]
    colors = segment_colors(int(labels.max()) + 1)
    datasets["points"] = [
        point | {"color": colors[label], "segment": int(label) + 1}
        for point, label in zip(_points(plane), chosen, strict=True)
    ]
    chart = layered(_point_layer(plane), width=size[0], height=size[1])
    return titled(
        chart, f"{subject.n_rows:,} {subject.noun} in {len(np.unique(labels))} groups", [plane.caveats]
    )


def _points(plane: Plane) -> list[dict[str, Any]]:
    subject, rows = plane.subject, plane.sample
    size = 45 if len(rows) <= 500 else 24 if len(rows) <= 2000 else 14
    memberships = subject.memberships[rows]
    xs, ys = plane.places(plane.rows[rows])
    values = zip(
        xs, ys, blend(memberships, subject.colors), memberships.argmax(axis=1), memberships.max(axis=1),
        subject.anomaly[rows], plane.units(plane.rows[rows]), strict=True,
    )  # fmt: skip
    return [
        {"x": x, "y": y, "color": color, "segment": int(k) + 1, "certainty": round(float(most), 3)}
        | ({"shape": "cross", "size": size + 20} if odd else {"shape": "circle", "size": size})
        | units
        for x, y, color, k, most, odd, units in values
    ]


def _point_layer(plane: Plane) -> Spec:
    encoding = {
        "x": plane.x,
        "y": plane.y,
        "color": nominal("color", scale=None),
        "shape": nominal("shape", scale=None),
        "size": quantitative("size", scale=None),
        # Not `opacity`: the legend would take it over.
        "fillOpacity": highlight_opacity(0.75 if len(plane.sample) <= 2000 else 0.5),
        "tooltip": [
            *plane.tooltips,
            nominal("segment", title=plane.subject.part),
            quantitative("certainty", format=".0%"),
        ],
    }
    return marked("points", "point", encoding, filled=True, opacity=1)


def ellipse_layer(plane: Plane, datasets: Datasets, radii: tuple[int, ...], *, legend: bool = True) -> Spec:
    """Return the ellipses, with the legend of the components."""
    subject = plane.subject
    datasets["ellipses"] = points = _ellipse_points(plane, plane.mixture, radii)
    dashes = {"domain": [_ring(radius) for radius in radii], "range": [_DASHES[radius] for radius in radii]}
    encoding = {
        "x": plane.x,
        "y": plane.y,
        "order": quantitative("order"),
        "color": segment_color(
            subject.legend, subject.colors, title=subject.part, symbol="stroke", legend=legend
        ),
        "strokeDash": nominal("ring", scale=dashes, legend=None),
        "opacity": highlight_opacity(1.0),
    }
    if subject.groups:  # of one color
        encoding["detail"] = nominal("component")
    return marked(
        "ellipses", "line", encoding, strokeWidth=2, interpolate="linear-closed", **_clip(plane, points)
    )


def _clip(plane: Plane, points: Sequence[Mapping[str, Any]]) -> Spec:
    """Return the property that cuts marks off at the frame, where they leave it: to draw that takes a while."""
    (left, right), (low, high) = plane.domains
    leave = any(not (left <= one["x"] <= right and low <= one["y"] <= high) for one in points)
    return {"clip": True} if leave else {}


def _ring(radius: int) -> str:
    # Not a number: those of segments have symbols in the legend, which would be dashed likewise.
    return f"{radius} sd"


def _ellipse_points(plane: Plane, mixture: Mixture, radii: tuple[int, ...]) -> list[dict[str, Any]]:
    covariances = mixture.full_covariances()
    return [
        {"x": x, "y": y, "order": order, "segment": part + 1, "ring": _ring(radius)}
        | ({"component": k + 1} if plane.subject.groups else {})
        for k, part in enumerate(plane.subject.part_of)
        for radius in radii
        for order, (x, y) in enumerate(
            zip(*plane.places(ellipse(mixture.means[k], covariances[k], radius)), strict=True)
        )
    ]


def center_layers(plane: Plane, datasets: Datasets) -> tuple[Spec, Spec]:
    """Return a disc and a number at every center."""
    xs, ys = plane.places(plane.mixture.means)
    datasets["centers"] = points = [
        {"x": x, "y": y, "segment": part + 1}
        for x, y, part in zip(xs, ys, plane.subject.part_of, strict=True)
    ]
    clip = _clip(plane, points)
    disc = {"x": plane.x, "y": plane.y, "opacity": highlight_opacity(0.85)}
    number = {"x": plane.x, "y": plane.y, "text": nominal("segment"), "opacity": highlight_opacity(1.0)}
    return (
        marked("centers", "point", disc, style=PAPER, filled=True, size=330, strokeWidth=1.2, **clip),
        marked("centers", "text", number, style=NUMBER, fontSize=13, fontWeight="bold", **clip),
    )
