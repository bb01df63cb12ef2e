"""The picture of a segmentation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mixtura._optional import needs
from mixtura.plot.render import Datasets, render_png

if TYPE_CHECKING:
    from mixtura.segments import SegmentationResult

__all__ = ["draw_segments"]


def draw_segments(result: SegmentationResult) -> bytes:
    r"""Return a PNG: the customers and their segments, and beside them the criterion of every model tried.

    Parameters
    ----------
    result : SegmentationResult

    Returns
    -------
    bytes
        About 2,100 pixels wide. Of more than 5,000 customers a random sample is drawn, and the picture says so.

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
    with needs("altair", extra="cli", purpose="draw pictures"):
        from altair.utils.schemapi import debug_mode
    # Altair checks every part against the schema as it is made, which costs more than drawing does.
    with debug_mode(False):
        datasets: Datasets = {}
        return render_png(_chart(result, datasets), datasets)


def _criterion(result: SegmentationResult, datasets: Datasets) -> Any:
    from mixtura.plot.criterion import Frame, criterion_chart

    name = result.model.training.criterion
    return criterion_chart(result.ranking, result.best, name, Frame("segments", 340, 460), datasets)


def _chart(result: SegmentationResult, datasets: Datasets) -> Any:
    import altair as alt

    from mixtura.plot.histogram import histogram_chart
    from mixtura.plot.scatter import scatter_chart
    from mixtura.plot.style import CONFIGURATION

    customers = (
        histogram_chart(result, datasets)
        if len(result.model.columns) == 1
        else scatter_chart(result, datasets)
    )
    return (
        alt.hconcat(customers, _criterion(result, datasets), spacing=40)
        .resolve_scale(
            color="independent",
            fill="independent",
            shape="independent",
            stroke="independent",
            strokeDash="independent",
        )
        .properties(background="white", padding=18)
        .configure(**CONFIGURATION)
    )
