"""Pictures of how a fit went, and of tables of numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from mixtura._typing import FloatArray
from mixtura.exceptions import ParameterError
from mixtura.plot.export.export import chart_context, finalize

__all__ = ["plot_confusion", "plot_convergence", "plot_flow"]


def plot_convergence(result: Any) -> Any:
    """Return a chart of the log-likelihood over the iterations of every start.

    Parameters
    ----------
    result : FitResult, or a fitted estimator with a ``result_``

    Returns
    -------
    altair.LayerChart

    Raises
    ------
    ParameterError
        It is neither.
    DataError
        No iteration was made.
    OptionalDependencyError
        Altair is not installed.

    Examples
    --------
    >>> from mixtura import GaussianMixture
    >>> from mixtura.datasets import make_customers
    >>> from mixtura.plot import plot_convergence
    >>> model = GaussianMixture(n_components=3, n_init=4, random_state=0).fit(make_customers())
    >>> chart = plot_convergence(model)
    >>> sorted({row["start"] for row in chart.to_dict()["datasets"]["iterations"]})
    [1, 2, 3, 4]
    """
    from mixtura.fit import FitResult

    found = getattr(result, "result_", result)
    if not isinstance(found, FitResult):
        raise ParameterError(
            f"A {type(result).__name__!r} was given; a FitResult or a fitted estimator is required. Fit it first."
        )
    with chart_context() as datasets:
        from mixtura.plot.charts.convergence import convergence_chart

        return finalize(convergence_chart(found, datasets), datasets)


def plot_confusion(
    matrix: npt.ArrayLike,
    names: Sequence[str] | None = None,
    *,
    title: str = "Who is taken for whom",
    rows: str = "came from",
    columns: str = "assigned to",
) -> Any:
    """Return a heat map of a K x K matrix; colors tell about what is off the diagonal.

    Parameters
    ----------
    matrix : array-like of shape (K, K)
        Shares, written as percentages, or counts, if any is above one; not negative.
    names : sequence of str or None, default=None
        Of the K segments; None for numbers.
    title : str
    rows, columns : str
        What the first and the second axis of the matrix are.

    Returns
    -------
    altair.LayerChart

    Raises
    ------
    ParameterError
        The matrix is not square, or negative, or names do not fit.
    OptionalDependencyError
        Altair is not installed.

    Examples
    --------
    >>> from mixtura.plot import plot_confusion
    >>> chart = plot_confusion([[0.9, 0.1], [0.2, 0.8]], names=["frugal", "lavish"])
    >>> [cell["text"] for cell in chart.to_dict()["datasets"]["pairs"]]
    ['90.0 %', '10.0 %', '20.0 %', '80.0 %']
    """
    values = _not_negative("matrix", matrix)
    if values.shape[0] != values.shape[1]:
        raise ParameterError(f"A matrix of shape {values.shape!r} was given; it must be square.")
    labels = _labels("names", names, len(values))
    with chart_context() as datasets:
        from mixtura.plot.charts.confusion import confusion_chart

        chart = confusion_chart(values, labels, datasets, title=title, rows=rows, columns=columns)
        return finalize(chart, datasets)


def plot_flow(
    counts: npt.ArrayLike,
    left: Sequence[str] | None = None,
    right: Sequence[str] | None = None,
    *,
    title: str = "Who goes where",
    titles: tuple[str, str] = ("before", "after"),
    noun: str = "customers",
) -> Any:
    """Return an alluvial diagram between two groupings of the same rows.

    Parameters
    ----------
    counts : array-like of shape (L, R)
        How many rows are in a group of the left and in one of the right; not negative, not all zero.
    left, right : sequence of str or None, default=None
        Names of the groups on either side; None for numbers.
    title : str
    titles : (str, str)
        Above each side; for example ``("K-means", "mixture")``.
    noun : str, default="customers"
        What is counted.

    Returns
    -------
    altair.LayerChart
        Bands are as wide as their counts, in the colors of the right side; ``segment`` is its number.

    Raises
    ------
    ParameterError
        Counts are negative or none, or names do not fit.
    OptionalDependencyError
        Altair is not installed.

    Examples
    --------
    >>> from mixtura.plot import plot_flow
    >>> chart = plot_flow([[90, 10], [0, 100]], titles=("K-means", "mixture"))
    >>> sorted({flow["count"] for flow in chart.to_dict()["datasets"]["flows"]})
    [10.0, 90.0, 100.0]
    """
    values = _not_negative("counts", counts)
    if not values.sum() > 0:
        raise ParameterError("counts that are all zero were given; at least one row must be counted.")
    sides = _labels("left", left, values.shape[0]), _labels("right", right, values.shape[1])
    with chart_context() as datasets:
        from mixtura.plot.charts.flow import flow_chart

        chart = flow_chart(values, *sides, datasets, title=title, titles=titles, noun=noun)
        return finalize(chart, datasets)


def _not_negative(what: str, given: npt.ArrayLike) -> FloatArray:
    values = np.array(given, dtype=np.float64)
    if values.ndim != 2 or values.size == 0 or not np.isfinite(values).all() or values.min() < 0:
        raise ParameterError(
            f"{what} of shape {values.shape!r} was given; a matrix of numbers that are finite and not negative is "
            "required."
        )
    return values


def _labels(what: str, names: Sequence[str] | None, count: int) -> list[str]:
    """Return number and name, as the legends of the other charts show them."""
    if names is None:
        return [str(k + 1) for k in range(count)]
    if len(names) != count:
        raise ParameterError(f"{what}={list(names)!r} were given; {count} names are required, one each.")
    return [f"{k + 1}  {name}" for k, name in enumerate(names)]
