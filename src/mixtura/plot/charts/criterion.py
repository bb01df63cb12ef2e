"""The criterion of every model that was tried."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np

from mixtura.core.covariance import FAMILIES, mclust_name
from mixtura.plot.export.export import Datasets, chart_context, finalize, render_png
from mixtura.plot.lazy_altair import alt
from mixtura.plot.theme.encodings import titled
from mixtura.plot.theme.palette import SHAPES, blend, segment_colors
from mixtura.plot.theme.style import NEUTRAL, PAPER
from mixtura.plot.theme.text import tidy_count
from mixtura.select import Candidate, SearchResult

__all__ = ["Frame", "criterion_chart", "draw_criterion", "plot_criterion"]

_STRUCTURES = ("VV", "EE", "VI", "II", "EI", "VE", "EV")
"""Shape and orientation, the last two letters of a family, in the order of colors and marks."""

Orient: TypeAlias = Literal["bottom", "right"]


_TINT = 0.7
"""How much of its color fills a mark where all components have one volume: neither hollow nor as full as others."""

_FOCUS = 4.0
"""Times the distance from the best model to the median one."""


@dataclass(frozen=True, slots=True)
class Frame:
    """Where the curves are drawn.

    Parameters
    ----------
    noun : str
        What the x axis counts.
    width, height : int
        In points.
    legend : {"bottom", "right"}, default="bottom"
    focus : bool, default=False
        Leave out what lies far above the better half of the models, so that differences among these can be seen.
    """

    noun: str
    width: int
    height: int
    legend: Orient = "bottom"
    focus: bool = False


def plot_criterion(result: SearchResult) -> Any:
    """Return an Altair chart of the criterion of every model tried; it shows itself in a notebook.

    Parameters
    ----------
    result : SearchResult
        From `mixtura.select.search`, or ``search_`` of a fitted `mixtura.GaussianMixtureIC`.

    Returns
    -------
    altair.LayerChart
        With its data. Models that could not be fitted, and infinite values, are not drawn. Where the criterion is
        ``"cv"``, a band shows which models lie within one standard error of the smallest.

    Raises
    ------
    OptionalDependencyError
        Altair is not installed.

    Examples
    --------
    >>> from mixtura.datasets import make_customers
    >>> from mixtura.plot import plot_criterion
    >>> from mixtura.select import search
    >>> chart = plot_criterion(search(make_customers(), components=[2, 3, 4]))
    >>> chart.to_dict()["title"]["text"]
    'BIC chooses 3, spherical'
    """
    with chart_context() as datasets:
        frame = Frame("components", 640, 420, legend="right", focus=True)
        chart = criterion_chart(
            result.ranking, result.best, result.criterion, frame, datasets, smallest=result.smallest
        )
        return finalize(chart, datasets)


def draw_criterion(result: SearchResult) -> bytes:
    r"""Return the chart of `plot_criterion` as a PNG.

    Raises
    ------
    OptionalDependencyError
        Altair or vl-convert is not installed.

    Examples
    --------
    >>> from mixtura.datasets import make_customers
    >>> from mixtura.plot import draw_criterion
    >>> from mixtura.select import search
    >>> draw_criterion(search(make_customers(), components=[2, 3])).startswith(b"\x89PNG")
    True
    """
    return render_png(plot_criterion(result))


def criterion_chart(
    candidates: Sequence[Candidate],
    best: Candidate,
    name: str,
    frame: Frame,
    datasets: Datasets,
    *,
    smallest: Candidate,
) -> Any:
    """Return the chart, and add its data: a curve per covariance type, a ring around the chosen model.

    Degenerate models, whose likelihood means nothing, have hollow marks, and a line of the subtitle says so. Of
    cross-validation a band reaches from the smallest score, of those that may be chosen, one standard error up.
    """
    values, band = _values(candidates, name), _band(smallest, name)
    sound = [value["value"] for value in values if not value["degenerate"]]
    domain = _domain(sound or [value["value"] for value in values], band, focus=frame.focus)
    x, y = _axes(sorted({value["count"] for value in values}), domain, frame.noun, name)
    datasets["models"] = values
    base = alt.Chart(alt.NamedData("models")).encode(x=x, y=y)
    lines, marks = _kinds(
        [kind for kind in FAMILIES if any(one["covariances"] == kind for one in values)], frame.legend
    )
    datasets["chosen"] = [{"count": best.n_components, "value": best.criterion(name)}]
    chosen = alt.Chart(alt.NamedData("chosen")).encode(x=x, y=y)
    ring = chosen.mark_point(style=NEUTRAL, size=380, filled=False, strokeWidth=2.2)
    layers = [
        base.mark_line(strokeWidth=2, clip=True).encode(**lines),
        base.mark_point(size=60, opacity=1, strokeWidth=1.6, clip=True).encode(**marks),
    ]
    if any(value["degenerate"] for value in values):
        # Upon the filled mark: the legend keeps one entry per covariance type, with a filled one.
        hollow = base.transform_filter("datum.degenerate").mark_point(
            style=PAPER, filled=True, size=60, opacity=1, strokeWidth=1.6, clip=True
        )
        layers.append(hollow.encode(**{name: way for name, way in marks.items() if name != "fill"}))
    if band:
        layers.insert(0, _error_layer(band, y, datasets))
    return titled(
        alt.layer(*layers, ring).properties(width=frame.width, height=frame.height),
        f"{name.upper()} chooses {best.n_components}, {best.covariance_type}",
        ["Smaller is better.", *_ringed(banded=bool(band)), *_remarks(values, domain)],
    )


def _band(smallest: Candidate, name: str) -> tuple[float, ...]:
    """Return the ends of what is within one standard error of the smallest score; nothing where there is no error."""
    if name != "cv" or smallest.folds is None or smallest.folds.failure is not None:
        return ()
    return smallest.folds.score, smallest.folds.score + smallest.folds.standard_error


def _error_layer(band: Sequence[float], y: Any, datasets: Datasets) -> Any:
    datasets["band"] = [{"value": band[0], "end": band[1]}]
    rect = alt.Chart(alt.NamedData("band")).mark_rect(style=NEUTRAL, opacity=0.12)
    # Titles that differ would all be written beside the axis.
    return rect.encode(y=y, y2=alt.Y2("end", title=y["title"]))


def _ringed(*, banded: bool) -> list[str]:
    """Say what is chosen."""
    if not banded:
        return ["The ring is the model chosen."]
    return [
        "The band is one standard error above the smallest.",
        "The ring is the model chosen, with the fewest parameters in the band.",
    ]


def _remarks(values: Sequence[dict[str, Any]], domain: Sequence[float]) -> list[str]:
    """Say what the marks do not say themselves."""
    above, below = (
        sum(value["value"] > domain[1] for value in values),
        sum(value["value"] < domain[0] for value in values),
    )
    remarks = [f"{tidy_count(above, 'model lies', 'models lie')} above the frame."] if above else []
    if any(value["degenerate"] for value in values):
        hollow = "Hollow marks are degenerate: a component sits on equal values, in a plane or on a few rows"
        remarks.append(f"{hollow}; {below:,} below the frame." if below else f"{hollow}.")
    return remarks


def _axes(counts: Sequence[int], domain: Sequence[float], noun: str, name: str) -> tuple[Any, Any]:
    x = alt.X(
        "count",
        type="quantitative",
        title=noun,
        scale=alt.Scale(domain=[counts[0] - 0.4, counts[-1] + 0.4], nice=False),
        axis=alt.Axis(values=list(counts), format="d"),
    )
    y = alt.Y(
        "value",
        type="quantitative",
        title=name.upper(),
        scale=alt.Scale(domain=list(domain), zero=False, nice=False),
    )
    return x, y


def _values(candidates: Sequence[Candidate], name: str) -> list[dict[str, Any]]:
    return [
        {
            "count": one.n_components,
            "value": one.criterion(name),
            "covariances": one.covariance_type,
            "volume": mclust_name(one.covariance_type)[0],
            "degenerate": one.is_degenerate,
        }
        for one in sorted(candidates, key=lambda one: one.n_components)
        if math.isfinite(one.criterion(name))
    ]


def _kinds(present: list[str], orient: Orient) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return encodings of lines and of marks: the same for a covariance type whichever others were tried.

    Color and mark distinguish shape and orientation; where all components have one volume, lines are dashed and marks
    pale.
    """
    kinds = [_STRUCTURES.index(mclust_name(name)[1:]) for name in FAMILIES]
    constrained_equal_volume = [mclust_name(name)[0] == "E" for name in FAMILIES]
    colors = [segment_colors(len(_STRUCTURES))[kind] for kind in kinds]
    legend = alt.Legend(
        title="Covariances", orient=orient, columns=2 if orient == "bottom" else 1, values=present
    )

    def by_type(channel: Any, values: Sequence[Any]) -> Any:
        scale = alt.Scale(domain=list(FAMILIES), range=list(values))
        return channel("covariances", type="nominal", scale=scale, legend=legend)

    stroke = by_type(alt.Stroke, colors)
    # By volume and not by type, or the legend would draw marks with dashes.
    dashes = alt.StrokeDash(
        "volume", type="nominal", scale=alt.Scale(domain=["E", "V"], range=[[5, 3], [1, 0]]), legend=None
    )
    fill = by_type(
        alt.Fill,
        [_tint(color) if one else color for one, color in zip(constrained_equal_volume, colors, strict=True)],
    )
    shape = by_type(alt.Shape, [SHAPES[kind] for kind in kinds])
    return {"stroke": stroke, "strokeDash": dashes}, {"stroke": stroke, "fill": fill, "shape": shape}


def _tint(color: str) -> str:
    return blend(np.array([[_TINT, 1 - _TINT]]), (color, "#FFFFFF"))[0]


def _domain(values: list[float], band: Sequence[float], *, focus: bool) -> list[float]:
    """Leave room below the lowest point for its ring, and show all of the band."""
    low, high = min(values), max(values)
    if focus and statistics.median(values) > low:
        high = min(high, low + _FOCUS * (statistics.median(values) - low))
    high = max([high, *band])
    margin = (high - low) or abs(high) or 1.0
    return [low - 0.06 * margin, high + 0.03 * margin]
