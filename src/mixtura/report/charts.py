"""The charts of a report, drawn once and without a browser."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from mixtura._typing import IntArray
from mixtura.plot import plot_anomalies, plot_flow, plot_marginals, plot_scatter, render_svg
from mixtura.plot.export.export import chart_context, finalize, specification
from mixtura.plot.theme.palette import segment_colors
from mixtura.report.svg import page_svg
from mixtura.segments import Flow, SegmentationResult, Stability

__all__ = ["Chart", "draw_charts"]

Specification: TypeAlias = dict[str, Any]
"""Of Vega-Lite."""

# The page's font may be wider than the one that charts are measured with.
_PADDING = {"left": 8, "right": 24, "top": 6, "bottom": 4}
_SIDES = {"left": 40, "right": 64, "top": 6, "bottom": 4}

_MOST_COLUMNS = 6
_BESIDE = 20
"""Of more segments, flows are threads."""


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart of the page.

    Parameters
    ----------
    title : str
    notes : tuple of str
        What there is to know about it.
    svg : str
    """

    title: str
    notes: tuple[str, ...]
    svg: str


def draw_charts(result: SegmentationResult, stability: Stability | None = None) -> dict[str, Chart]:
    """Return the charts of a report by name; those that make no sense for the result are absent.

    Parameters
    ----------
    result : SegmentationResult
    stability : Stability or None, default=None
        Whose flows are drawn.

    Raises
    ------
    OptionalDependencyError
        Altair or vl-convert is not installed.
    """
    # The renderer holds no interpreter lock: one chart is rendered while the next is put together.
    with ThreadPoolExecutor(1, thread_name_prefix="mixtura-charts") as renderer:
        rendered = {
            name: renderer.submit(_chart, name, wanted) for name, wanted in _wanted(result, stability)
        }
        return {name: chart.result() for name, chart in rendered.items()}


def _wanted(result: SegmentationResult, stability: Stability | None) -> Iterator[tuple[str, Specification]]:
    k, columns = result.model.n_segments, result.model.columns
    if len(columns) > 1:
        scatter = _without_legend(plot_scatter(result))
        yield "scatter", scatter
        if k > 1:
            yield from _both(result, scatter).items()
    shown = range(min(_MOST_COLUMNS, len(columns)))
    yield "marginals", _without_legend(plot_marginals(result, show=shown))
    yield "criterion", _criterion(result)
    if 1 < k <= _BESIDE:
        yield "flow", _kmeans_flow(result)
        for flow in () if stability is None else stability.flows:
            name = "flow-more" if len(flow.counts) == k else "flow-fewer"
            yield name, _number_flow(_by_number(flow, k))
    if result.model.anomaly_threshold is not None:
        yield "density", _densities(result)


def _chart(name: str, wanted: Specification) -> Chart:
    """Draw; title and notes are the page's to set."""
    title = wanted.get("title", {})
    notes = tuple(title.get("subtitle", ()))
    text = str(title.get("text", name))
    padding = _SIDES if name.startswith("flow") else _PADDING
    svg = render_svg(wanted | {"title": None, "padding": padding})
    return Chart(text, notes, page_svg(svg, name, wanted.get("description") or text))


def _without_legend(chart: Any) -> Specification:
    """Return the specification without the legend of segments: the page has one for all charts."""
    found = specification(chart)
    _drop_legends(found)
    return found


def _drop_legends(part: Any) -> None:
    if isinstance(part, dict):
        if part.get("field") == "segment" and isinstance(part.get("legend"), dict):
            part["legend"] = None
        for held in part.values():
            _drop_legends(held)
    elif isinstance(part, list):
        for held in part:
            _drop_legends(held)


def _both(result: SegmentationResult, scatter: Specification) -> dict[str, Specification]:
    """Return the same customers twice: in the colors of K-means, and of the most probable segments."""
    from mixtura.plot.data.plane import plane_of
    from mixtura.plot.data.plot_data import plot_data

    sample = plane_of(plot_data(result), None).sample
    labels = result.assignment.labels[result.assignment.complete]
    return {
        "kmeans": _recolored(
            scatter,
            result.kmeans.labels[sample],
            "K-means",
            "Clusters in the colors of the segments they match.",
        ),
        "mixture": _recolored(
            scatter, labels[sample], "The mixture", "Customers in the color of the likeliest segment."
        ),
    }


def _recolored(scatter: Specification, labels: IntArray, title: str, note: str) -> Specification:
    """Return the scatter with a color per label, and nothing but points."""
    colors = segment_colors(int(labels.max(initial=0)) + 1)
    points = [
        point | {"color": colors[label], "segment": int(label) + 1}
        for point, label in zip(scatter["datasets"]["points"], labels, strict=True)
    ]
    return scatter | {
        "layer": scatter["layer"][:1],
        "datasets": {"points": points},
        "title": {"text": title, "subtitle": [note]},
        "description": f"{title}. {note}",
    }


def _criterion(result: SegmentationResult) -> Specification:
    with chart_context() as datasets:
        from mixtura.plot.charts.criterion import Frame, criterion_chart

        frame = Frame("segments", 620, 340, legend="right", focus=True)
        name = result.model.training.criterion
        chart = criterion_chart(result.ranking, result.best, name, frame, datasets, smallest=result.smallest)
        return specification(finalize(chart, datasets))


def _by_number(flow: Flow, n_segments: int) -> Flow:
    """Return the flow with our segments in the order of their numbers, which decide on their colors."""
    left, right = (
        np.argsort(order, kind="stable") if len(order) == n_segments else np.arange(len(order))
        for order in (flow.from_order, flow.to_order)
    )
    return Flow(
        from_names=tuple(flow.from_names[i] for i in left),
        to_names=tuple(flow.to_names[j] for j in right),
        counts=flow.counts[np.ix_(left, right)],
        from_order=flow.from_order[left],
        to_order=flow.to_order[right],
    )


def _number_flow(flow: Flow) -> Specification:
    before, after = flow.counts.shape
    chart = plot_flow(
        flow.counts,
        flow.from_names,
        flow.to_names,
        title=f"From {before} to {after} segments",
        titles=(f"{before} segments", f"{after} segments"),
    )
    return specification(chart)


def _kmeans_flow(result: SegmentationResult) -> Specification:
    counts, names = result.kmeans.table.T, result.model.names
    chart = plot_flow(
        counts,
        ["cluster"] * len(names),
        names,
        title="From K-means clusters to segments",
        titles=("K-means", "mixture"),
    )
    return specification(chart)


def _densities(result: SegmentationResult) -> Specification:
    """Return the histogram alone: the page lists the customers itself, searchable."""
    both = specification(plot_anomalies(result, most=1))
    shared = {name: both[name] for name in ("config", "datasets", "params") if name in both}
    return {**both["vconcat"][0], **shared}
