"""Maps of the plane: where rows are expected, and where it is uncertain which component they are from."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from mixtura._optional import require_extra
from mixtura._typing import Array, FloatArray
from mixtura.core.mixture import Mixture
from mixtura.plot.charts.scatter import center_layers
from mixtura.plot.data.plane import HEIGHT, WIDTH, Pair, Plane, plane_of
from mixtura.plot.data.plot_data import Names, PlotData, plot_data
from mixtura.plot.export.export import as_chart
from mixtura.plot.theme.encodings import compact, highlight_opacity, segment_color, titled
from mixtura.plot.theme.style import NEUTRAL
from mixtura.plot.vega import Datasets, Spec, layered, marked, nominal, quantitative

__all__ = ["HELD", "bands", "highest_density_levels", "level_lines", "plot_density", "plot_uncertainty"]

HELD = (0.99, 0.95, 0.8, 0.5, 0.2)
"""Share of all rows that is expected within each level line."""

_DRAWS = 20_000
_CELLS = (140, 230)
_LINE_CELLS = (62, 52)
_CERTAIN = (0.0, 0.6, 0.75, 0.9)
"""Where classes of certainty begin."""
_SHADES = (0.06, 0.2, 0.36, 0.55)
_ENDS = {"x2": {"field": "x2"}, "y2": {"field": "y2"}}


def plot_density(
    source: Any,
    rows: npt.ArrayLike | None = None,
    *,
    columns: Names = None,
    names: Names = None,
    pair: Pair = None,
) -> Any:
    """Return a contour map of the density: lines within which 20, 50, 80, 95 and 99 % of all rows are expected.

    Parameters
    ----------
    source, rows, columns, names, pair
        As in `plot_scatter`.

    Returns
    -------
    altair.LayerChart

    Raises
    ------
    ParameterError, DataError, OptionalDependencyError
        As in `plot_scatter`.

    Examples
    --------
    >>> from mixtura import Mixture
    >>> from mixtura.plot import plot_density
    >>> mixture = Mixture.from_parameters([1.0], [[0.0, 0.0]], [[[1.0, 0.5], [0.5, 1.0]]])
    >>> chart = plot_density(mixture, mixture.sample(100, 0)[0])
    >>> sorted({piece["held"] for piece in chart.to_dict()["datasets"]["lines"]})
    [0.2, 0.5, 0.8, 0.95, 0.99]
    """
    datasets: Datasets = {}
    return as_chart(density_chart(plot_data(source, rows, columns, names), datasets, pair), datasets)


def plot_uncertainty(
    source: Any,
    rows: npt.ArrayLike | None = None,
    *,
    columns: Names = None,
    names: Names = None,
    pair: Pair = None,
) -> Any:
    """Return a map of the plane in the components' colors, paler where two axes leave it uncertain, and the rows.

    Parameters
    ----------
    source, rows, columns, names, pair
        As in `plot_scatter`.

    Returns
    -------
    altair.LayerChart
        Dots grow with the uncertainty of a row, ``1 - max_k r_k``, given all columns.

    Raises
    ------
    ParameterError, DataError, OptionalDependencyError
        As in `plot_scatter`.

    Examples
    --------
    >>> from mixtura import Mixture
    >>> from mixtura.plot import plot_uncertainty
    >>> mixture = Mixture.from_parameters([0.5, 0.5], [[0.0, 0.0], [3.0, 0.0]], [1.0, 1.0], "spherical")
    >>> chart = plot_uncertainty(mixture, [[0.0, 0.0], [1.5, 0.0]])
    >>> [dot["uncertainty"] for dot in chart.to_dict()["datasets"]["dots"]]
    [0.011, 0.5]
    """
    datasets: Datasets = {}
    return as_chart(uncertainty_chart(plot_data(source, rows, columns, names), datasets, pair), datasets)


def highest_density_levels(mixture: Mixture, held: tuple[float, ...] = HELD, seed: int = 0) -> FloatArray:
    """Return the log densities above which the mixture expects those shares of rows.

    Quantiles of the log density of rows drawn from the mixture itself (Hyndman 1996, Computing and graphing highest
    density regions, The American Statistician 50); seeded.
    """
    drawn, _ = mixture.sample(_DRAWS, seed)
    return np.asarray(np.quantile(mixture.log_density(drawn), 1 - np.array(held)))


def density_chart(subject: PlotData, datasets: Datasets, pair: Pair = None) -> Spec:
    """Return the chart, and add its data: bands between level lines, the lines, points, numbers at the centers."""
    plane = plane_of(subject, pair)
    levels = highest_density_levels(plane.mixture, seed=subject.seed)
    centers, _ = _grid(plane, _CELLS)
    classes = np.searchsorted(levels, plane.mixture.log_density(centers)).reshape(_CELLS[::-1])
    datasets["bands"] = _bands(plane, classes, "level")
    datasets["lines"] = _lines(plane, levels)
    datasets["dots"] = _dots(plane, size=False)
    layers = (*_density_layers(plane), *center_layers(plane, datasets))
    chart = layered(*layers, width=WIDTH, height=HEIGHT)
    shares = ", ".join(f"{100 * share:.0f}" for share in reversed(HELD))
    return titled(
        chart,
        f"Where {subject.noun} are expected",
        [f"Inside the lines: {shares} % of all {subject.noun}. Numbers: centers of the {subject.part}s.",
         plane.caveats],
    )  # fmt: skip


def uncertainty_chart(subject: PlotData, datasets: Datasets, pair: Pair = None) -> Spec:
    """Return the chart, and add its data: the plane in the components' colors, paler where uncertain; points."""
    plane = plane_of(subject, pair)
    centers, _ = _grid(plane, _CELLS)
    shares = subject.shares(plane.mixture, centers)
    certain = np.searchsorted(_CERTAIN, shares.max(axis=1), side="right") - 1
    classes = (1 + shares.argmax(axis=1) * len(_CERTAIN) + certain).reshape(_CELLS[::-1])
    datasets["areas"] = [
        {key: value for key, value in band.items() if key != "code"}
        | {
            "segment": (band["code"] - 1) // len(_CERTAIN) + 1,
            "shade": _SHADES[(band["code"] - 1) % len(_CERTAIN)],
        }
        for band in _bands(plane, classes, "code")
    ]
    datasets["dots"] = _dots(plane, size=True)
    layers = (*_uncertainty_layers(plane), *center_layers(plane, datasets))
    chart = layered(*layers, width=WIDTH, height=HEIGHT)
    return titled(
        chart,
        f"Where the {subject.part} is uncertain",
        [
            f"The paler, the less certain from these two axes. Large dots: uncertain {subject.noun}.",
            plane.caveats,
        ],
    )


def _density_layers(plane: Plane) -> tuple[Spec, Spec, Spec]:
    """Return the bands, the lines between them, and the rows."""
    at: Spec = {"x": plane.x, "y": plane.y}
    shade = quantitative("level", legend=None, scale={"domain": [0, len(HELD) + 1]})
    band = marked("bands", "rect", at | _ENDS | {"color": shade}, clip=True)
    outline = at | {
        "order": quantitative("order"),
        "detail": nominal("line"),
        "tooltip": quantitative("held", format=".0%", title="held"),
    }
    line = marked("lines", "line", outline, style=NEUTRAL, strokeWidth=0.8, opacity=0.8, clip=True)
    faint = at | {"opacity": highlight_opacity(0.35 if len(plane.sample) <= 1000 else 0.2)}
    dots = marked("dots", "circle", faint, style=NEUTRAL, size=7, clip=True)
    return band, line, dots


def _uncertainty_layers(plane: Plane) -> tuple[Spec, Spec]:
    """Return the areas, and the rows."""
    subject = plane.subject
    at: Spec = {"x": plane.x, "y": plane.y}
    color = segment_color(subject.legend, subject.colors, title=subject.part, symbol="square")
    shade = quantitative("shade", scale=None, legend=None)
    area = marked("areas", "rect", at | _ENDS | {"color": color, "opacity": shade}, clip=True)
    sized = at | {
        "size": quantitative("size", scale=None),
        "opacity": highlight_opacity(0.6),
        "tooltip": [
            nominal("segment", title=subject.part),
            quantitative("uncertainty", format=".0%"),
        ],
    }
    dots = marked("dots", "circle", sized, style=NEUTRAL, clip=True)
    return area, dots


def _grid(plane: Plane, cells: tuple[int, int]) -> tuple[FloatArray, tuple[FloatArray, FloatArray]]:
    """Return the centers of cells, shape (cells, 2), the rows of the grid one after another, and both axes."""
    axes = []
    for (low, high), count in zip(plane.domains, cells, strict=True):
        edges = np.linspace(low, high, count + 1)
        axes.append((edges[1:] + edges[:-1]) / 2)
    xs, ys = np.meshgrid(*axes)
    return np.column_stack([xs.ravel(), ys.ravel()]), (axes[0], axes[1])


def bands(classes: Array, edges_x: FloatArray, edges_y: FloatArray) -> list[dict[str, Any]]:
    """Return rectangles of neighbors in a row of the same class; class 0 is left out.

    Parameters
    ----------
    classes : ndarray of shape (m, n) of int
        Of each cell.
    edges_x : ndarray of shape (n + 1,), edges_y : ndarray of shape (m + 1,)
    """
    found = []
    for j, row in enumerate(classes):
        starts = np.flatnonzero(np.r_[True, row[1:] != row[:-1]])
        ends = np.r_[starts[1:], len(row)]
        found += [
            {
                "x": float(edges_x[start]),
                "x2": float(edges_x[end]),
                "y": float(edges_y[j]),
                "y2": float(edges_y[j + 1]),
                "class": int(row[start]),
            }
            for start, end in zip(starts, ends, strict=True)
            if row[start]
        ]
    return found


def _bands(plane: Plane, classes: Any, name: str) -> list[dict[str, Any]]:
    edges = [
        np.array(compact(np.linspace(low, high, count + 1), high - low))
        for (low, high), count in zip(plane.domains, _CELLS, strict=True)
    ]
    found = bands(classes, edges[0], edges[1])
    return [{"x": b["x"], "x2": b["x2"], "y": b["y"], "y2": b["y2"], name: b["class"]} for b in found]


def _lines(plane: Plane, levels: FloatArray) -> list[dict[str, Any]]:
    centers, (xs, ys) = _grid(plane, _LINE_CELLS)
    # Below the lowest level nothing is drawn; without a floor, interpolation would be off beside a deep valley.
    surface = np.maximum(plane.mixture.log_density(centers), levels[0] - 6).reshape(_LINE_CELLS[::-1])
    found: list[dict[str, Any]] = []
    for held, level in zip(HELD, levels, strict=True):
        for line in level_lines(xs, ys, surface, float(level)):
            number = found[-1]["line"] + 1 if found else 1
            found += [
                {"x": x, "y": y, "order": order, "line": number, "held": held}
                for order, (x, y) in enumerate(zip(*plane.places(line), strict=True))
            ]
    return found


def level_lines(x: FloatArray, y: FloatArray, values: FloatArray, level: float) -> list[FloatArray]:
    """Return the lines on which a surface has a value, each of shape (points, 2); a closed one ends where it begins.

    Parameters
    ----------
    x : ndarray of shape (n,), y : ndarray of shape (m,)
        The grid.
    values : ndarray of shape (m, n)
    level : float

    Raises
    ------
    OptionalDependencyError
        contourpy is not installed.
    """
    with require_extra("contourpy", extra="cli", purpose="draw lines of equal density"):
        from contourpy import LineType, contour_generator
    generator = contour_generator(x, y, values, line_type=LineType.Separate)
    return [np.asarray(line) for line in generator.lines(level)]


def _dots(plane: Plane, *, size: bool) -> list[dict[str, Any]]:
    memberships = plane.subject.memberships[plane.sample]
    xs, ys = plane.places(plane.rows[plane.sample])
    found: list[dict[str, Any]] = [
        {"x": x, "y": y, "segment": int(k) + 1}
        for x, y, k in zip(xs, ys, memberships.argmax(axis=1), strict=True)
    ]
    if size:
        for dot, certainty in zip(found, memberships.max(axis=1), strict=True):
            uncertainty = 1 - float(certainty)
            dot |= {"uncertainty": round(uncertainty, 3), "size": round(4 + 130 * uncertainty, 1)}
    return found
