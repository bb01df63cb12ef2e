"""The picture of a segmentation."""

from __future__ import annotations

from typing import Any

from mixtura.plot.charts.criterion import Frame, criterion_chart
from mixtura.plot.charts.marginals import histogram_chart
from mixtura.plot.charts.scatter import scatter_chart
from mixtura.plot.data.plot_data import plot_data
from mixtura.plot.export.export import Datasets, chart_context, finalize, render_png
from mixtura.plot.lazy_altair import alt
from mixtura.segments import SegmentationResult

__all__ = ["draw_segments", "plot_segments"]


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
    with chart_context() as datasets:
        both = alt.hconcat(_customers(result, datasets), _criterion(result, datasets), spacing=40)
        apart: dict[str, Any] = dict.fromkeys(
            ("color", "fill", "shape", "stroke", "strokeDash"), "independent"
        )
        return finalize(both.resolve_scale(**apart), datasets)


def draw_segments(result: SegmentationResult) -> bytes:
    r"""Return the chart of `plot_segments` as a PNG, about 2,100 pixels wide.

    Raises
    ------
    OptionalDependencyError
        Altair or vl-convert is not installed.

    Examples
    --------
    >>> from mixtura.datasets import make_customers
    >>> from mixtura.plot import draw_segments
    >>> from mixtura.segments import segment_table
    >>> result = segment_table(make_customers(as_frame="polars"), components=[3], covariance_types=["tied"])
    >>> draw_segments(result).startswith(b"\x89PNG")
    True
    """
    return render_png(plot_segments(result))


def _customers(result: SegmentationResult, datasets: Datasets) -> Any:
    subject = plot_data(result)
    draw = histogram_chart if len(subject.columns) == 1 else scatter_chart
    return draw(subject, datasets)


def _criterion(result: SegmentationResult, datasets: Datasets) -> Any:
    name = result.model.training.criterion
    frame = Frame("segments", 340, 460)
    return criterion_chart(result.ranking, result.best, name, frame, datasets, smallest=result.minimum)
