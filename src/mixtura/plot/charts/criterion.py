"""The criterion of every model that was tried."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np

from mixtura.core.covariance import FACTOR_FAMILIES, FAMILIES, is_factor, mclust_name
from mixtura.plot.data.scores import Scores, scores_of_search, volume_of
from mixtura.plot.export.export import as_chart, finalize, render_png
from mixtura.plot.theme.encodings import titled
from mixtura.plot.theme.palette import SHAPES, blend, segment_colors
from mixtura.plot.theme.style import NEUTRAL, PAPER
from mixtura.plot.theme.text import tidy_count
from mixtura.plot.vega import Datasets, Spec, layered, marked, nominal, quantitative
from mixtura.select import SearchResult

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
    width, height : int
        In points.
    legend : {"bottom", "right"}, default="bottom"
    focus : bool, default=False
        Leave out what lies far above the better half of the models, so that differences among these can be seen.
    """

    width: int
    height: int
    legend: Orient = "bottom"
    focus: bool = False


_SEARCH = Frame(640, 420, legend="right", focus=True)


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
    datasets: Datasets = {}
    return as_chart(criterion_chart(scores_of_search(result), _SEARCH, datasets), datasets)


def draw_criterion(result: SearchResult) -> bytes:
    r"""Return the chart of `plot_criterion` as a PNG.

    Raises
    ------
    OptionalDependencyError
        vl-convert is not installed.

    Examples
    --------
    >>> from mixtura.datasets import make_customers
    >>> from mixtura.plot import draw_criterion
    >>> from mixtura.select import search
    >>> draw_criterion(search(make_customers(), components=[2, 3])).startswith(b"\x89PNG")
    True
    """
    datasets: Datasets = {}
    return render_png(finalize(criterion_chart(scores_of_search(result), _SEARCH, datasets), datasets))


def criterion_chart(scores: Scores, frame: Frame, datasets: Datasets) -> Spec:
    """Return the chart, and add its data: a curve per covariance type, a ring around the chosen model.

    Degenerate models, whose likelihood means nothing, have hollow marks, and a line of the subtitle says so. Of
    cross-validation a band reaches from the smallest score, of those that may be chosen, one standard error up.
    """
    values, band, chosen = scores.values(), scores.band, scores.chosen
    sound = [value["value"] for value in values if not value["degenerate"]]
    domain = _domain(sound or [value["value"] for value in values], band, focus=frame.focus)
    at = _axes(sorted({value["count"] for value in values}), domain, scores.counted, scores.criterion)
    datasets["models"] = values
    datasets["chosen"] = [{"count": chosen.n_components, "value": chosen.value}]
    tried = {one["covariances"] for one in values}
    present = [name for name in (*FAMILIES, *FACTOR_FAMILIES) if name in tried]
    lines, marks = _kinds(present, frame.legend)
    # To cut marks off at the frame takes a while, and few charts have any that leave it.
    clip: Spec = {} if all(domain[0] <= value["value"] <= domain[1] for value in values) else {"clip": True}
    point: Spec = {"size": 60, "opacity": 1, "strokeWidth": 1.6, **clip}
    layers = [
        marked("models", "line", at | lines, strokeWidth=2, **clip),
        marked("models", "point", at | marks, **point),
    ]
    if any(value["degenerate"] for value in values):
        # Upon the filled mark: the legend keeps one entry per covariance type, with a filled one.
        hollow = at | {name: way for name, way in marks.items() if name != "fill"}
        layers.append(
            marked("models", "point", hollow, where="datum.degenerate", style=PAPER, filled=True, **point)
        )
    if band:
        layers.insert(0, _error_layer(band, at["y"], datasets))
    ring = marked("chosen", "point", at, style=NEUTRAL, size=380, filled=False, strokeWidth=2.2)
    return titled(
        layered(*layers, ring, width=frame.width, height=frame.height),
        f"{_headline(scores, values)} {chosen.n_components}, {chosen.covariance_type}",
        ["Smaller is better.", *_ringed(banded=bool(band)), *_remarks(values, domain)],
    )


def _headline(scores: Scores, values: Sequence[Mapping[str, Any]]) -> str:
    """Return what chose: the criterion, by its smallest value or within its standard error, or something else."""
    smallest = min((one["value"] for one in values if not one["degenerate"]), default=scores.chosen.value)
    by_criterion = bool(scores.band) or scores.chosen.value <= smallest
    return f"{scores.criterion.upper()} chooses" if by_criterion else f"Chosen {scores.counted}:"


def _error_layer(band: Sequence[float], y: Spec, datasets: Datasets) -> Spec:
    datasets["band"] = [{"value": band[0], "end": band[1]}]
    # Titles that differ would all be written beside the axis.
    ends = {"y": y, "y2": {"field": "end", "title": y["title"]}}
    return marked("band", "rect", ends, style=NEUTRAL, opacity=0.12)


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


def _axes(counts: Sequence[int], domain: Sequence[float], counted: str, name: str) -> Spec:
    x = quantitative(
        "count",
        title=counted,
        scale={"domain": [counts[0] - 0.4, counts[-1] + 0.4], "nice": False},
        axis={"values": list(counts), "format": "d"},
    )
    scale = {"domain": list(domain), "zero": False, "nice": False}
    return {"x": x, "y": quantitative("value", title=name.upper(), scale=scale)}


def _kinds(present: list[str], orient: Orient) -> tuple[Spec, Spec]:
    """Return encodings of lines and of marks: the same for a covariance type whichever others were tried.

    Color and mark distinguish shape and orientation; where all components have one volume, lines are dashed and marks
    pale.
    """
    of_factors = [name for name in present if is_factor(name)]
    names = [*FAMILIES, *of_factors]
    kinds = [_STRUCTURES.index(mclust_name(name)[1:]) for name in FAMILIES]
    kinds += [len(_STRUCTURES) + place for place in range(len(of_factors))]
    equal_volume = [volume_of(name) == "E" for name in names]
    colors = [segment_colors(len(_STRUCTURES) + len(of_factors))[kind] for kind in kinds]
    legend = {
        "title": "Covariances",
        "orient": orient,
        "columns": 2 if orient == "bottom" else 1,
        "values": present,
    }

    def by_type(values: Sequence[Any]) -> Spec:
        scale = {"domain": names, "range": list(values)}
        return nominal("covariances", scale=scale, legend=legend)

    stroke = by_type(colors)
    # By volume and not by type, or the legend would draw marks with dashes.
    dashes = nominal("volume", scale={"domain": ["E", "V"], "range": [[5, 3], [1, 0]]}, legend=None)
    fill = by_type([_tint(color) if one else color for one, color in zip(equal_volume, colors, strict=True)])
    shape = by_type([SHAPES[kind % len(SHAPES)] for kind in kinds])
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
