"""The picture of a merging: entropy over the number of clusters, and where it bends."""

from __future__ import annotations

from typing import Any

from mixtura.plot.export.export import as_chart, finalize, render_png
from mixtura.plot.theme.palette import segment_colors
from mixtura.plot.theme.style import NEUTRAL, NUMBER
from mixtura.plot.vega import Datasets, Spec, layered, marked, nominal, quantitative
from mixtura.select import Merging
from mixtura.select.combine import line

__all__ = ["draw_entropy", "plot_entropy"]

_WIDTH, _HEIGHT = 340, 340

_FEWEST = 3
"""Points that can bend."""

_EXPLANATION = (
    "Right of the ring, merging puts parts of one cluster together; left of it, clusters.",
    "Numbers beside points count clusters. Lines are the two that fit best and share the point in the ring.",
)


def plot_entropy(merged: Merging) -> Any:
    """Return an Altair chart of the entropies of a merging; it shows itself in a notebook.

    Two panels: over the number of rows merged so far, and over the number of clusters. In each, the two lines that
    fit best meet at a ring: its elbow (`Merging.elbow`).

    Parameters
    ----------
    merged : Merging
        From `mixtura.select.merge_components`.

    Returns
    -------
    altair.HConcatChart
        With its data.

    Raises
    ------
    OptionalDependencyError
        Altair is not installed.

    Examples
    --------
    >>> from mixtura import GaussianMixture
    >>> from mixtura.datasets import make_customers
    >>> from mixtura.plot import plot_entropy
    >>> from mixtura.select import merge_components
    >>> customers = make_customers()
    >>> model = GaussianMixture(6, covariance_type="tied", random_state=0).fit(customers)
    >>> chart = plot_entropy(merge_components(model.predict_proba(customers)))
    >>> chart.to_dict()["title"]["text"]
    'Entropy bends at 3 clusters'
    """
    datasets: Datasets = {}
    return as_chart(_chart(merged, datasets), datasets)


def draw_entropy(merged: Merging) -> bytes:
    r"""Return the chart of `plot_entropy` as a PNG.

    Parameters
    ----------
    merged : Merging

    Raises
    ------
    OptionalDependencyError
        vl-convert is not installed.

    Examples
    --------
    >>> from mixtura.plot import draw_entropy
    >>> from mixtura.select import merge_components
    >>> draw_entropy(merge_components([[0.5, 0.5, 0.0], [0.0, 0.1, 0.9]])).startswith(b"\x89PNG")
    True
    """
    datasets: Datasets = {}
    return render_png(finalize(_chart(merged, datasets), datasets))


def _chart(merged: Merging, datasets: Datasets) -> Spec:
    panels = [
        _panel(merged, "weight", "rows merged, from one cluster up", datasets),
        _panel(merged, "clusters", "clusters", datasets),
    ]
    title = {"text": _title(merged), "subtitle": list(_EXPLANATION), "anchor": "start"}
    return {"hconcat": panels, "spacing": 40, "title": title}


def _title(merged: Merging) -> str:
    if merged.n_components < _FEWEST:
        return f"{merged.n_components} components are too few for a bend"
    by_weight, by_clusters = merged.elbow("weight"), merged.elbow("clusters")
    if by_weight == by_clusters:
        return f"Entropy bends at {by_weight} clusters"
    return f"Entropy bends at {by_weight} clusters by rows merged, at {by_clusters} by their number"


def _panel(merged: Merging, by: str, noun: str, datasets: Datasets) -> Spec:
    """Return points, the two lines that meet at the elbow, and its ring; add their data."""
    elbow, places, entropies = merged.elbow(by), merged.positions(by), merged.entropies
    points = [
        {"x": float(x), "y": float(y), "count": count}
        for count, (x, y) in enumerate(zip(places, entropies, strict=True), start=1)
    ]
    ends, ring = list[dict[str, Any]](), list[dict[str, Any]]()
    if merged.n_components >= _FEWEST:
        ring.append(points[elbow - 1])
        for name, part in (("left", slice(0, elbow)), ("right", slice(elbow - 1, None))):
            slope, intercept = line(places[part], entropies[part])
            x = places[part][[0, -1]].tolist()
            ends += [{"x": one, "y": slope * one + intercept, "line": name} for one in x]
    datasets |= {f"{by}-points": points, f"{by}-elbow": ring, f"{by}-lines": ends}
    ticks = {"values": [point["x"] for point in points], "format": "d"} if by == "clusters" else {}
    scale = {"padding": 24, "zero": False, "nice": False}
    at: Spec = {
        "x": quantitative("x", title=noun, axis=ticks, scale=scale),
        "y": quantitative("y", title="entropy", scale=scale),
    }
    return layered(*_layers(at, by), width=_WIDTH, height=_HEIGHT)


def _layers(at: Spec, by: str) -> list[Spec]:
    color, accent = segment_colors(5)[0], segment_colors(5)[4]
    dashed: Spec = {"stroke": accent, "strokeDash": [5, 3], "strokeWidth": 1.8}
    layers = [
        marked(f"{by}-lines", "line", at | {"detail": nominal("line")}, **dashed),
        marked(f"{by}-points", "point", at, size=60, opacity=1, filled=True, color=color),
        marked(f"{by}-elbow", "point", at, style=NEUTRAL, size=380, filled=False, strokeWidth=2.2),
    ]
    if by == "weight":
        # Over the number of clusters, the axis says it.
        count = at | {"text": quantitative("count")}
        layers.append(marked(f"{by}-points", "text", count, style=NUMBER, dx=-13, dy=-13, fontSize=12))
    return layers
