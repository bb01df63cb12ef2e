"""The charts of a report, drawn once and without a browser."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from mixtura._typing import FloatArray, IntArray
from mixtura.plot import render_svg
from mixtura.plot.charts.anomalies import density_histogram
from mixtura.plot.charts.criterion import Frame, criterion_chart
from mixtura.plot.charts.flow import flow_chart
from mixtura.plot.charts.marginals import marginal_charts
from mixtura.plot.charts.scatter import scatter_chart
from mixtura.plot.data.counts import group_labels
from mixtura.plot.data.plane import most_different_columns
from mixtura.plot.data.plot_data import PlotData
from mixtura.plot.data.scores import scores_of_document
from mixtura.plot.export.export import finalize
from mixtura.plot.theme.encodings import titled
from mixtura.plot.theme.style import PAGE
from mixtura.plot.vega import Datasets, Spec
from mixtura.report.svg import page_svg

if TYPE_CHECKING:
    from mixtura.segments.results.document import Document
    from mixtura.segments.results.document_checks import TransitionPart

__all__ = [
    "Chart",
    "draw_charts",
    "draw_customers",
    "draw_outline",
    "draw_transitions",
    "flow_drawings",
    "rendered",
]

Drawings: TypeAlias = tuple[Spec, ...]
"""One for all pages, or one for wide pages and one for narrow ones."""

_WIDE = Frame(620, 340, legend="right", focus=True)
_NARROW = Frame(300, 280, legend="bottom", focus=True)

# The page's font may be wider than the one that charts are measured with.
_PADDING = {"left": 8, "right": 24, "top": 6, "bottom": 4}
_SIDES = {"left": 64, "right": 64, "top": 6, "bottom": 4}

_PLANE = (440, 370)
"""Small enough for the letters of its axes to be read on a phone."""

_DENSITY, _NARROW_DENSITY = 560, 270
"""Widths."""

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


def draw_charts(document: Document, rows: PlotData) -> dict[str, Chart]:
    """Return the charts of a report by name; those that make no sense for the document are absent.

    Parameters
    ----------
    document : Document
        As `SegmentationResult.document` gives it.
    rows : PlotData
        The customers, whom the document does not list; from `mixtura.plot.plot_data`.

    Raises
    ------
    OptionalDependencyError
        vl-convert is not installed.

    Examples
    --------
    >>> from mixtura.datasets import make_customers
    >>> from mixtura.plot import plot_data
    >>> from mixtura.report import draw_charts
    >>> from mixtura.segments import Effort, segment_table
    >>> result = segment_table(make_customers(as_frame="polars"), components=[2]).with_effort(Effort(resamples=0))
    >>> sorted(draw_charts(result.document, plot_data(result)))
    ['criterion', 'density', 'flow', 'kmeans', 'marginals', 'mixture', 'scatter']
    """
    return draw_customers(rows) | draw_outline(document, rows) | draw_transitions(document)


def draw_customers(rows: PlotData) -> dict[str, Chart]:
    """Return the charts that need the customers alone: where they lie, and how each column is distributed.

    Parameters
    ----------
    rows : PlotData

    Raises
    ------
    OptionalDependencyError
        vl-convert is not installed.
    """
    return rendered(_of_customers(rows))


def draw_outline(document: Document, rows: PlotData) -> dict[str, Chart]:
    """Return the charts that need what is known before customers are resampled, `SegmentationResult.outline`.

    Parameters
    ----------
    document : Document
    rows : PlotData

    Raises
    ------
    OptionalDependencyError
        vl-convert is not installed.
    """
    return rendered(_of_outline(document, rows))


def draw_transitions(document: Document) -> dict[str, Chart]:
    """Return the charts that the stability adds: where customers go with one segment more, and with one fewer.

    Parameters
    ----------
    document : Document

    Raises
    ------
    OptionalDependencyError
        vl-convert is not installed.
    """
    return rendered(_transitions(document))


def rendered(wanted: Iterator[tuple[str, Drawings]]) -> dict[str, Chart]:
    """Return charts by name, drawn in the order in which they are put together."""
    # The renderer holds no interpreter lock: one chart is rendered while the next is put together.
    with ThreadPoolExecutor(1, thread_name_prefix="mixtura-charts") as renderer:
        rendered = {name: renderer.submit(_chart, name, drawings) for name, drawings in wanted}
        return {name: chart.result() for name, chart in rendered.items()}


def _of_customers(rows: PlotData) -> Iterator[tuple[str, Drawings]]:
    if len(rows.columns) > 1:
        yield "scatter", (_scatter(rows),)
    if rows.columns:
        yield "marginals", (_marginals(rows, 3), _marginals(rows, 1))


def _of_outline(document: Document, rows: PlotData) -> Iterator[tuple[str, Drawings]]:
    k = rows.n_parts
    if len(rows.columns) > 1 and k > 1 and rows.clusters is not None:
        yield from _both(rows, rows.clusters())
    yield "criterion", (_criterion(document, _WIDE), _criterion(document, _NARROW))
    if 1 < k <= _BESIDE:
        yield "flow", _kmeans_flow(document)
    if rows.threshold is not None:
        drawings = (_densities(rows, rows.threshold, width) for width in (_DENSITY, _NARROW_DENSITY))
        yield "density", tuple(drawings)


def _transitions(document: Document) -> Iterator[tuple[str, Drawings]]:
    k = len(document.segments)
    if document.stability is not None and 1 < k <= _BESIDE:
        for one in document.stability.transitions:
            yield "flow-more" if len(one.counts) == k else "flow-fewer", _number_flow(document, one)


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


def _scatter(rows: PlotData) -> Spec:
    datasets: Datasets = {}
    return finalize(scatter_chart(rows, datasets, legend=False, size=_PLANE), datasets)


def _both(rows: PlotData, clusters: IntArray) -> Iterator[tuple[str, Drawings]]:
    """Return the same customers twice: in the colors of K-means, and of the most probable segments."""
    for name, own, title, note in (
        ("kmeans", clusters, "K-means", "Clusters in the colors of the segments they match."),
        ("mixture", rows.labels, "The mixture", "Customers in the color of the likeliest segment."),
    ):
        datasets: Datasets = {}
        chart = titled(scatter_chart(rows, datasets, labels=own, size=_PLANE), title, [note])
        yield name, (finalize(chart, datasets),)


def _marginals(rows: PlotData, abreast: int) -> Spec:
    datasets: Datasets = {}
    columns = most_different_columns(rows.mixture, _MOST_COLUMNS)
    board = marginal_charts(rows, datasets, columns, legend=False, abreast=abreast)
    if len(columns) < len(rows.columns):
        chosen = f"The {len(columns)} of {len(rows.columns)} columns in which {rows.part}s differ most."
        board["title"]["subtitle"] = [*board["title"]["subtitle"], chosen]
    return finalize(board, datasets)


def _criterion(document: Document, frame: Frame) -> Spec:
    datasets: Datasets = {}
    return finalize(criterion_chart(scores_of_document(document), frame, datasets), datasets)


def _number_flow(document: Document, flow: TransitionPart) -> Drawings:
    """Return the chart with our segments in the order of their numbers, which decide on their colors."""
    left, right = (_by_number(document, names) for names in (flow.from_names, flow.to_names))
    before, after = len(left), len(right)
    return flow_drawings(
        _counts(flow.counts)[np.ix_(left, right)],
        [flow.from_names[i] for i in left],
        [flow.to_names[j] for j in right],
        title=f"From {before} to {after} segments",
        titles=(f"{before} segments", f"{after} segments"),
        noun=_noun(document),
    )


def _by_number(document: Document, names: Sequence[str]) -> list[int]:
    """Return the places of the names in the order of our segments; of another number of segments as they are."""
    places = list(range(len(names)))
    if len(names) != len(document.segments):
        return places
    numbers = {one.name: one.number for one in document.segments}
    return sorted(places, key=lambda place: numbers.get(names[place], len(names)))


def _kmeans_flow(document: Document) -> Drawings:
    names = document.kmeans.names
    return flow_drawings(
        _counts(document.kmeans.table).T,
        ["cluster"] * len(names),
        names,
        title="From K-means clusters to segments",
        titles=("K-means", "mixture"),
        noun=_noun(document),
    )


def _noun(document: Document) -> str:
    """Return what the counts of the document are."""
    return "customers" if document.table.weight_column is None else "customers by weight"


def _counts(table: list[list[float | None]]) -> FloatArray:
    return np.array(table, dtype=np.float64)


def flow_drawings(counts: FloatArray, left: Sequence[str], right: Sequence[str], **words: Any) -> Drawings:
    """Return the chart for wide pages and for narrow ones."""
    sides = group_labels("left", left, len(left)), group_labels("right", right, len(right))
    drawings = []
    for compact in (False, True):
        datasets: Datasets = {}
        chart = flow_chart(counts, *sides, datasets, compact=compact, **words)
        drawings.append(finalize(chart, datasets))
    return tuple(drawings)


def _densities(rows: PlotData, threshold: float, width: int) -> Spec:
    """Return the histogram alone: the page lists the customers itself, searchable."""
    datasets: Datasets = {}
    return finalize(density_histogram(rows, datasets, threshold, width), datasets)
