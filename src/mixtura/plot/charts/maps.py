"""Pictures of a mixture and its rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from mixtura.exceptions import ParameterError
from mixtura.plot.data.plot_data import plot_data
from mixtura.plot.export.export import chart_context, finalize
from mixtura.segments.weighted import percentile as weighted_percentile

if TYPE_CHECKING:
    from mixtura.plot.data.plane import Pair

__all__ = [
    "plot_anomalies", "plot_density", "plot_marginals", "plot_profiles", "plot_scatter", "plot_uncertainty",
]  # fmt: skip

Names = Sequence[str] | None


def plot_scatter(
    source: Any,
    rows: npt.ArrayLike | None = None,
    *,
    columns: Names = None,
    names: Names = None,
    pair: Pair = None,
) -> Any:
    """Return a chart of rows as points, their colors mixed by membership, and ellipses of 1, 2 and 3 deviations.

    Parameters
    ----------
    source : SegmentationResult, Mixture, or fitted estimator with a ``mixture_``
        K components of D >= 2 columns.
    rows : array-like or table of shape (N, D) or None, default=None
        In units of the mixture; a SegmentationResult has its own. Of more than 3,000 a seeded random sample is drawn,
        and the chart says so.
    columns : sequence of str or None, default=None
        Names of the D columns; None for those of the table or the result.
    names : sequence of str or None, default=None
        Names of the K components; a result has its own.
    pair : two columns by name or number, "projection", or None, default=None
        What the axes show. ``"projection"``: the two directions in which the components differ most
        (`mixtura.core.projection.discriminant_projection`). None: the two columns that tell most about the components.

    Returns
    -------
    altair.LayerChart

    Raises
    ------
    ParameterError
        Rows or names do not fit, or there is no such pair.
    DataError
        Rows do not fit the mixture or are not finite.
    OptionalDependencyError
        Altair is not installed.

    Examples
    --------
    >>> from mixtura import GaussianMixture
    >>> from mixtura.datasets import make_customers
    >>> from mixtura.plot import plot_scatter
    >>> customers = make_customers(as_frame="pandas")
    >>> model = GaussianMixture(n_components=3, random_state=0).fit(customers)
    >>> chart = plot_scatter(model, customers)
    >>> chart.to_dict()["title"]["text"]
    '3 components of 300 rows'
    """
    with chart_context() as datasets:
        from mixtura.plot.charts.scatter import scatter_chart

        return finalize(scatter_chart(plot_data(source, rows, columns, names), datasets, pair), datasets)


def plot_marginals(
    source: Any,
    rows: npt.ArrayLike | None = None,
    *,
    columns: Names = None,
    names: Names = None,
    show: Sequence[str] | Sequence[int] | None = None,
) -> Any:
    """Return histograms of columns with the density of every component, and of all (dashed), over them.

    Parameters
    ----------
    source, rows, columns, names
        As in `plot_scatter`; one column is enough.
    show : sequence of str or int or None, default=None
        The columns to draw, by name or number; None for all, of more than 12 the first 12. One column makes a large
        chart, several make panels.

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
    with chart_context() as datasets:
        from mixtura.plot.charts.histogram import marginal_charts

        subject = plot_data(source, rows, columns, names)
        every: Sequence[str] | Sequence[int] = range(len(subject.columns))[:12] if show is None else show
        chosen = [subject.columns.index(one) if one in subject.columns else one for one in every]
        if not chosen or not all(isinstance(one, int) and 0 <= one < len(subject.columns) for one in chosen):
            raise ParameterError(
                f"show={show!r} was given; columns are required. They are "
                f"{', '.join(map(repr, subject.columns))}."
            )
        return finalize(marginal_charts(subject, datasets, [int(one) for one in chosen]), datasets)


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
    with chart_context() as datasets:
        from mixtura.plot.charts.surface import density_chart

        return finalize(density_chart(plot_data(source, rows, columns, names), datasets, pair), datasets)


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
    with chart_context() as datasets:
        from mixtura.plot.charts.surface import uncertainty_chart

        return finalize(uncertainty_chart(plot_data(source, rows, columns, names), datasets, pair), datasets)


def plot_profiles(
    source: Any, rows: npt.ArrayLike | None = None, *, columns: Names = None, names: Names = None
) -> Any:
    """Return a table in colors: the mean of every column in every component, against all rows.

    Parameters
    ----------
    source, rows, columns, names
        As in `plot_scatter`; one column is enough.

    Returns
    -------
    altair.LayerChart
        Colors are differences from the mean of all rows in standard deviations of all rows; columns that differ most
        come first.

    Raises
    ------
    ParameterError, DataError, OptionalDependencyError
        As in `plot_scatter`.

    Examples
    --------
    >>> from mixtura import Mixture
    >>> from mixtura.plot import plot_profiles
    >>> mixture = Mixture.from_parameters([0.5, 0.5], [[0.0], [10.0]], [1.0, 1.0], "spherical")
    >>> chart = plot_profiles(mixture, [[0.0], [1.0], [9.0], [10.0]], columns=["days"])
    >>> [(cell["segment"], cell["mean"]) for cell in chart.to_dict()["datasets"]["cells"]]
    [(1, 0.5), (2, 9.5)]
    """
    with chart_context() as datasets:
        from mixtura.plot.charts.profile_bars import profile_chart

        return finalize(profile_chart(plot_data(source, rows, columns, names), datasets), datasets)


def plot_anomalies(
    source: Any,
    rows: npt.ArrayLike | None = None,
    *,
    columns: Names = None,
    names: Names = None,
    threshold: float | None = None,
    percentile: float = 4.0,
    most: int = 12,
) -> Any:
    """Return the log densities of all rows with a threshold, and the least usual rows with the columns to blame.

    Parameters
    ----------
    source, rows, columns, names
        As in `plot_scatter`; one column is enough.
    threshold : float or None, default=None
        Log density below which a row is unusual; None for that of the result, or `percentile`.
    percentile : float, default=4
        From 0 to 100.
    most : int, default=12
        Rows to list, from 1 to 50.

    Returns
    -------
    altair.VConcatChart
        Contributions of columns are those of `mixtura.core.contributions.column_contributions`.

    Raises
    ------
    ParameterError, DataError, OptionalDependencyError
        As in `plot_scatter`, and if `percentile` or `most` is out of its range.

    Examples
    --------
    >>> import numpy as np
    >>> from mixtura import Mixture
    >>> from mixtura.plot import plot_anomalies
    >>> mixture = Mixture.from_parameters([1.0], [[0.0, 0.0]], [1.0], "spherical")
    >>> rows = np.r_[mixture.sample(99, 0)[0], [[0.5, 9.0]]]
    >>> chart = plot_anomalies(mixture, rows, columns=["age", "visits"], threshold=-20.0, most=1)
    >>> chart.to_dict()["vconcat"][0]["title"]["text"]
    '1 of 100 rows are unusual (1.0 %)'
    """
    if not 0 <= percentile <= 100 or not 1 <= most <= 50:
        raise ParameterError(
            f"percentile={percentile!r} and most={most!r} were given; from 0 to 100 and from 1 to 50 are required."
        )
    with chart_context() as datasets:
        from mixtura.plot.charts.anomaly import anomaly_chart

        subject = plot_data(source, rows, columns, names)
        limit = subject.threshold if threshold is None else threshold
        if limit is None:
            limit = weighted_percentile(subject.log_density, percentile, subject.weights)
        return finalize(anomaly_chart(subject, datasets, limit, most), datasets)
