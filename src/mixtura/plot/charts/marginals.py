"""How the values of a column are spread, and the components that make it up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from mixtura._typing import FloatArray
from mixtura.exceptions import ParameterError
from mixtura.plot.data.axes import axis_title, position
from mixtura.plot.data.plane import HEIGHT, WIDTH, frame
from mixtura.plot.data.plot_data import Names, PlotData, plot_data
from mixtura.plot.export.export import as_chart
from mixtura.plot.theme.encodings import compact, highlight_opacity, segment_color, titled
from mixtura.plot.theme.style import NEUTRAL
from mixtura.plot.theme.text import shown, tidy_count
from mixtura.plot.vega import Datasets, Spec, layered, marked

__all__ = ["histogram_chart", "marginal_charts", "plot_marginals"]

_CURVE_POINTS = 121
_SMALL_WIDTH, _SMALL_HEIGHT = 260, 170
_CHARACTER = 7
"""Width of a character of a title."""
_BARS_IN_ALL = 2_400
"""Pieces of bars in all panels of a chart together."""


def plot_marginals(
    source: Any,
    rows: npt.ArrayLike | None = None,
    *,
    columns: Names = None,
    names: Names = None,
    show: Sequence[str] | Sequence[int] | None = None,
    legend: bool = True,
    abreast: int = 3,
) -> Any:
    """Return histograms of columns with the density of every component, and of all (dashed), over them.

    Parameters
    ----------
    source, rows, columns, names
        As in `plot_scatter`; one column is enough.
    show : sequence of str or int or None, default=None
        The columns to draw, by name or number; None for all, of more than 12 the first 12. One column makes a large
        chart, several make panels.
    legend : bool, default=True
        Whether the chart explains its colors.
    abreast : int, default=3
        Panels beside each other.

    Returns
    -------
    altair.LayerChart or altair.ConcatChart
        Curves are scaled to counts: ``N h w_k N(x; mu_k, sigma_k)`` in bins of width h.

    Raises
    ------
    ParameterError, DataError, OptionalDependencyError
        As in `plot_scatter`.

    Examples
    --------
    >>> from mixtura import Mixture
    >>> from mixtura.plot import plot_marginals
    >>> mixture = Mixture.from_parameters([0.5, 0.5], [[0.0], [5.0]], [1.0, 1.0], "spherical")
    >>> chart = plot_marginals(mixture, [[0.1], [4.8], [5.2]], columns=["days"])
    >>> sum(bar["y2"] - bar["y"] for bar in chart.to_dict()["datasets"]["bars0"])
    3.0
    """
    subject = plot_data(source, rows, columns, names)
    every: Sequence[str] | Sequence[int] = range(len(subject.columns))[:12] if show is None else show
    chosen = [subject.columns.index(one) if one in subject.columns else one for one in every]
    if not chosen or not all(isinstance(one, int) and 0 <= one < len(subject.columns) for one in chosen):
        raise ParameterError(
            f"`show` must be some of the columns {', '.join(map(repr, subject.columns))}; got {show!r}."
        )
    datasets: Datasets = {}
    numbers = [int(one) for one in chosen]
    return as_chart(marginal_charts(subject, datasets, numbers, legend=legend, abreast=abreast), datasets)


def histogram_chart(
    subject: PlotData,
    datasets: Datasets,
    column: int = 0,
    size: tuple[int, int] = (WIDTH, HEIGHT),
    most_bins: int = 60,
    *,
    legend: bool = True,
) -> Spec:
    """Return the chart of a column, and add its data.

    Bars are rows per bin, by weight, each shared out among the components; curves are what the mixture expects:
    ``N h w_k N(x; mu_k, sigma_k)`` in bins of width h, where N is the total weight, and their sum.
    """
    subject = subject.known_in([column])
    values = subject.rows[:, column]
    marginal = subject.mixture.marginal([column])
    transform = subject.transforms[column]
    low, high = frame(values, np.inf, -np.inf, transform)
    wanted = min(most_bins, max(10, int(np.sqrt(len(values)))))
    edges = _edges(values, low, high, wanted)
    bars, curves = f"bars{column}", f"curves{column}"
    datasets[bars] = _bars(subject, values, edges)
    heights = _expected(subject, marginal, edges) * _counted(subject, column) * (edges[1] - edges[0])
    datasets[curves] = _curves(edges, heights)
    ticks = 7 if size[0] >= WIDTH else 4
    # A title that is wider than the chart would move the panels beside it.
    room = size[0] // _CHARACTER - len(axis_title("", transform))
    title = axis_title(shown(subject.columns[column], min(44, room)), transform)
    x = position("x", title, [float(edges[0]), float(edges[-1])], transform, tickCount=ticks)
    top = max([float(heights.sum(axis=1).max()), *(bar["y2"] for bar in datasets[bars])])
    y = position("y", subject.measure, [0.0, 1.05 * top], tickCount=5)
    outside = int(((values < edges[0]) | (values > edges[-1])).sum())
    layers = _layers(subject, (bars, curves), x, y, legend=legend)
    chart = layered(*layers, width=size[0], height=size[1])
    return titled(
        chart,
        subject.heading,
        [
            f"Bars: {subject.measure}, each shared out among the {subject.part}s. Lines: what the mixture expects.",
            tidy_count(outside, f"{subject.noun[:-1]} lies", f"{subject.noun} lie") + " outside the frame."
            if outside
            else "",
        ],
    )


def _layers(
    subject: PlotData, data: tuple[str, str], x: Spec, y: Spec, *, legend: bool
) -> tuple[Spec, Spec, Spec]:
    """Return the bars, the dashed curve of all components, and the curve of each."""
    color = segment_color(subject.legend, subject.colors, title=subject.part, symbol="square", legend=legend)
    bars, curves = data
    at: Spec = {"x": x, "y": y}
    ends: Spec = {"x2": {"field": "x2"}, "y2": {"field": "y2"}}
    dashed: Spec = {"style": NEUTRAL, "strokeWidth": 1.2, "strokeDash": [4, 3]}
    return (
        marked(bars, "bar", at | ends | {"color": color, "opacity": highlight_opacity(0.45)}, clip=True),
        marked(curves, "line", at, where="datum.segment == 0", clip=True, **dashed),
        marked(
            curves, "line", at | {"color": color, "opacity": highlight_opacity(1.0)},
            where="datum.segment > 0", strokeWidth=2.5, clip=True,
        ),
    )  # fmt: skip


def marginal_charts(
    subject: PlotData, datasets: Datasets, columns: list[int], *, legend: bool = True, abreast: int = 3
) -> Spec:
    """Return a panel per column, a few of them beside each other."""
    if len(columns) == 1:
        return histogram_chart(subject, datasets, columns[0], legend=legend)
    most_bins = max(8, min(40, _BARS_IN_ALL // (len(columns) * subject.n_parts)))
    panels = []
    for column in columns:
        chart = histogram_chart(
            subject, datasets, column, (_SMALL_WIDTH, _SMALL_HEIGHT), most_bins, legend=legend
        )
        outside = chart["title"]["subtitle"][1:]
        panels.append(chart | {"title": {"text": outside or " ", "fontSize": 11, "fontWeight": "normal"}})
    board: Spec = {
        "concat": panels,
        "columns": min(abreast, len(panels)),
        "spacing": 24,
        "resolve": {"scale": {"color": "shared"}},
    }
    lines = f"Bars: {subject.measure}, each shared out among the {subject.part}s. Lines: what the mixture expects."
    return titled(board, subject.heading, [lines])


def _edges(values: FloatArray, low: float, high: float, wanted: int) -> FloatArray:
    """Return equal bins over the frame; of whole numbers, bins hold equally many of them."""
    inner = values[(values >= low) & (values <= high)]
    first, last = float(inner.min()), float(inner.max())
    if first == last:
        return np.asarray(np.histogram_bin_edges(inner, bins=wanted))
    if np.array_equal(inner, np.rint(inner)) and last - first < 1e9:
        step = max(1.0, np.rint((last - first + 1) / wanted))
        return np.arange(first - 0.5, last + step, step)
    return np.linspace(first, last, wanted + 1)


def _bars(subject: PlotData, values: FloatArray, edges: FloatArray) -> list[dict[str, Any]]:
    """Return the pieces of the bars, component upon component; their heights are sums of memberships."""
    held = subject.memberships if subject.weights is None else subject.memberships * subject.weights[:, None]
    # As a histogram's: a bin holds its lower edge, the last one also its upper. One bin more is for what lies outside.
    n_bins = len(edges) - 1
    places = np.searchsorted(edges, values, side="right") - 1
    places[values == edges[-1]] = n_bins - 1
    places[places < 0] = n_bins
    heights = [np.bincount(places, share, minlength=n_bins + 1)[:n_bins] for share in held.T]
    tops = np.cumsum(heights, axis=0)
    ends = compact(edges, float(edges[-1] - edges[0]))
    return [
        {
            "x": ends[i],
            "x2": ends[i + 1],
            "y": round(float(tops[k, i] - heights[k][i]), 4),
            "y2": round(float(tops[k, i]), 4),
            "segment": k + 1,
        }
        for k in range(subject.n_parts)
        for i in range(len(edges) - 1)
        if heights[k][i] > 0
    ]


def _counted(subject: PlotData, column: int) -> FloatArray:
    """Return what densities of components are multiplied by: the rows, less those at a point mass, who have none there.

    Outliers are in no bar, so that weights that sum to one less their share are raised.
    """
    return np.asarray(subject.total * subject.off_mass(column) / subject.mixture.weights.sum())


def _expected(subject: PlotData, marginal: Any, edges: FloatArray) -> FloatArray:
    """Return the weighted density of every component on a grid, shape (points, K)."""
    grid = np.linspace(edges[0], edges[-1], _CURVE_POINTS)[:, None]
    return np.asarray(np.exp(marginal.log_density(grid))[:, None] * subject.shares(marginal, grid))


def _curves(edges: FloatArray, heights: FloatArray) -> list[dict[str, Any]]:
    """Return the curve of every component, and of all together as number 0."""
    places = compact(np.linspace(edges[0], edges[-1], _CURVE_POINTS), float(edges[-1] - edges[0]))
    every = np.column_stack([heights.sum(axis=1), heights])
    top = float(every.max())
    # Flat tails show nothing; a point on either side takes the line down to the axis.
    seen = every > 1e-3 * top
    seen[1:] |= every[:-1] > 1e-3 * top
    seen[:-1] |= every[1:] > 1e-3 * top
    return [
        {"x": x, "y": y, "segment": k}
        for k in range(every.shape[1])
        for x, y, drawn in zip(places, compact(every[:, k], top), seen[:, k], strict=True)
        if drawn
    ]
