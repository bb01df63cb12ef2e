"""The charts of a report, drawn once and without a browser."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from mixtura.plot import plot_flow, plot_marginals, plot_scatter, render_svg
from mixtura.plot.charts.anomalies import density_histogram
from mixtura.plot.charts.criterion import Frame, criterion_chart
from mixtura.plot.data.plot_data import plot_data
from mixtura.plot.export.export import chart_context, finalize, specification
from mixtura.plot.theme.encodings import titled
from mixtura.plot.theme.style import PAGE
from mixtura.report.svg import page_svg
from mixtura.segments import Flow, SegmentationResult, Stability

__all__ = ["Chart", "draw_charts"]

Specification: TypeAlias = dict[str, Any]
"""Of Vega-Lite."""

Drawings: TypeAlias = tuple[Specification, ...]
"""One for all pages, or one for wide pages and one for narrow ones."""

_WIDE = Frame("segments", 620, 340, legend="right", focus=True)
_NARROW = Frame("segments", 300, 280, legend="bottom", focus=True)

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


def _wanted(result: SegmentationResult, stability: Stability | None) -> Iterator[tuple[str, Drawings]]:
    k, columns = result.model.n_segments, result.model.columns
    if len(columns) > 1:
        yield "scatter", (specification(plot_scatter(result, legend=False)),)
        if k > 1:
            yield from _both(result)
    shown = range(min(_MOST_COLUMNS, len(columns)))
    yield (
        "marginals",
        tuple(
            specification(plot_marginals(result, show=shown, legend=False, abreast=abreast))
            for abreast in (3, 1)
        ),
    )
    yield "criterion", (_criterion(result, _WIDE), _criterion(result, _NARROW))
    if 1 < k <= _BESIDE:
        yield "flow", _kmeans_flow(result)
        for flow in () if stability is None else stability.flows:
            name = "flow-more" if len(flow.counts) == k else "flow-fewer"
            yield name, _number_flow(_by_number(flow, k))
    if result.model.anomaly_threshold is not None:
        yield "density", (_densities(result),)


def _chart(name: str, wanted: Drawings) -> Chart:
    """Draw; title and notes are the page's to set."""
    title = wanted[0].get("title", {})
    notes = tuple(title.get("subtitle", ()))
    text = str(title.get("text", name))
    kinds = ("",) if len(wanted) == 1 else ("on-wide", "on-narrow")
    drawn = []
    for kind, one in zip(kinds, wanted, strict=True):
        padding = _SIDES if name.startswith("flow") and kind == "on-wide" else _PADDING
        svg = render_svg(one | {"title": None, "padding": padding, "config": PAGE})
        drawn.append(page_svg(svg, f"{name}{kind}", one.get("description") or text, kind))
    return Chart(text, notes, "".join(drawn))


def _both(result: SegmentationResult) -> Iterator[tuple[str, Drawings]]:
    """Return the same customers twice: in the colors of K-means, and of the most probable segments."""
    labels = result.assignment.labels[result.assignment.complete]
    for name, own, title, note in (
        ("kmeans", result.kmeans.labels, "K-means", "Clusters in the colors of the segments they match."),
        ("mixture", labels, "The mixture", "Customers in the color of the likeliest segment."),
    ):
        chart = titled(plot_scatter(result, labels=own), title, [note])
        yield name, (specification(chart),)


def _criterion(result: SegmentationResult, frame: Frame) -> Specification:
    with chart_context() as datasets:
        name = result.model.training.criterion
        chart = criterion_chart(result.ranking, result.best, name, frame, datasets, smallest=result.minimum)
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


def _number_flow(flow: Flow) -> Drawings:
    before, after = flow.counts.shape
    return _flow(
        flow.counts,
        flow.from_names,
        flow.to_names,
        title=f"From {before} to {after} segments",
        titles=(f"{before} segments", f"{after} segments"),
    )


def _kmeans_flow(result: SegmentationResult) -> Drawings:
    names = result.model.names
    return _flow(
        result.kmeans.table.T,
        ["cluster"] * len(names),
        names,
        title="From K-means clusters to segments",
        titles=("K-means", "mixture"),
    )


def _flow(counts: Any, left: Sequence[str], right: Sequence[str], **titles: Any) -> Drawings:
    """Return the chart for wide pages and for narrow ones."""
    wide, narrow = (plot_flow(counts, left, right, compact=compact, **titles) for compact in (False, True))
    return specification(wide), specification(narrow)


def _densities(result: SegmentationResult) -> Specification:
    """Return the histogram alone: the page lists the customers itself, searchable."""
    threshold = result.model.anomaly_threshold
    assert threshold is not None, "the caller has looked"
    with chart_context() as datasets:
        return specification(finalize(density_histogram(plot_data(result), datasets, threshold), datasets))
