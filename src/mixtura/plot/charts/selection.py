"""The picture of a search: its criterion over the number of components, a curve per covariance type."""

from __future__ import annotations

from typing import Any

from mixtura.plot.export.export import chart_context, finalize, render_png
from mixtura.select import SearchResult

__all__ = ["draw_criterion", "plot_criterion"]

_WIDTH, _HEIGHT = 640, 420


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
        from mixtura.plot.charts.criterion import Frame, criterion_chart

        frame = Frame("components", _WIDTH, _HEIGHT, legend="right", focus=True)
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
