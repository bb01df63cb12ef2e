"""The picture of a segmentation."""

from __future__ import annotations

from typing import Any

from mixtura.plot.charts.criterion import Frame, criterion_chart
from mixtura.plot.charts.marginals import histogram_chart
from mixtura.plot.charts.scatter import scatter_chart
from mixtura.plot.data.plot_data import PlotData, plot_data
from mixtura.plot.data.scores import Scores, scores_of_result
from mixtura.plot.export.export import as_chart, finalize, render_png
from mixtura.plot.vega import Datasets, Spec
from mixtura.segments import SegmentationResult

__all__ = ["draw_chart", "draw_segments", "plot_segments", "segments_chart"]

_CRITERION = Frame(340, 460)


def plot_segments(result: SegmentationResult) -> Any:
    """Return an Altair chart: the customers and their segments, and beside them the criterion of every model tried.

    Parameters
    ----------
    result : SegmentationResult

    Returns
    -------
    altair.HConcatChart
        A scatter as `plot_scatter` draws it, or a histogram if there is a single column; and `plot_criterion`. Of more
        than 3,000 customers a random sample is drawn, and the picture says so.

    Raises
    ------
    OptionalDependencyError
        Altair is not installed.

    Examples
    --------
    >>> from mixtura.datasets import make_customers
    >>> from mixtura.plot import plot_segments
    >>> from mixtura.segments import segment_table
    >>> result = segment_table(make_customers(as_frame="polars"), components=[3], covariance_types=["tied"])
    >>> plot_segments(result).to_dict()["hconcat"][0]["title"]["text"]
    '3 segments of 300 customers'
    """
    datasets: Datasets = {}
    return as_chart(segments_chart(plot_data(result), scores_of_result(result), datasets), datasets)


def draw_segments(result: SegmentationResult) -> bytes:
    r"""Return the chart of `plot_segments` as a PNG, about 2,100 pixels wide.

    Raises
    ------
    OptionalDependencyError
        vl-convert is not installed.

    Examples
    --------
    >>> from mixtura.datasets import make_customers
    >>> from mixtura.plot import draw_segments
    >>> from mixtura.segments import segment_table
    >>> result = segment_table(make_customers(as_frame="polars"), components=[3], covariance_types=["tied"])
    >>> draw_segments(result).startswith(b"\x89PNG")
    True
    """
    return draw_chart(plot_data(result), scores_of_result(result))


def draw_chart(subject: PlotData, scores: Scores) -> bytes:
    """Return both charts beside each other as a PNG."""
    datasets: Datasets = {}
    return render_png(finalize(segments_chart(subject, scores, datasets), datasets))


def segments_chart(subject: PlotData, scores: Scores, datasets: Datasets) -> Spec:
    """Return both charts beside each other, and add their data."""
    draw = histogram_chart if len(subject.columns) == 1 else scatter_chart
    both = [draw(subject, datasets)] if subject.columns else []
    both.append(criterion_chart(scores, _CRITERION, datasets))
    apart = dict.fromkeys(("color", "fill", "shape", "stroke", "strokeDash"), "independent")
    return {"hconcat": both, "spacing": 40, "resolve": {"scale": apart}}
