"""Which pairs are taken for each other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from mixtura._typing import FloatArray
from mixtura.exceptions import ParameterError
from mixtura.plot.data.counts import group_labels, non_negative_matrix
from mixtura.plot.export.export import as_chart
from mixtura.plot.theme.encodings import names_above, titled
from mixtura.plot.theme.style import NUMBER, QUIET, STRONG
from mixtura.plot.theme.text import lookup, shown
from mixtura.plot.vega import Datasets, Spec, layered, marked, nominal, ordinal, quantitative

__all__ = ["plot_confusion"]

_CELL = 84


def plot_confusion(
    matrix: npt.ArrayLike,
    names: Sequence[str] | None = None,
    *,
    title: str = "Who is taken for whom",
    rows: str = "came from",
    columns: str = "assigned to",
) -> Any:
    """Return a heat map of a K x K matrix; colors show the entries off the diagonal.

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
    values = non_negative_matrix("matrix", matrix)
    if values.shape[0] != values.shape[1]:
        raise ParameterError(f"`matrix` must be square; got shape {values.shape!r}. Try plot_flow.")
    labels = group_labels("names", names, len(values))
    datasets: Datasets = {}
    chart = confusion_chart(values, labels, datasets, title=title, rows=rows, columns=columns)
    return as_chart(chart, datasets)


def confusion_chart(
    matrix: FloatArray, names: Sequence[str], datasets: Datasets, *, title: str, rows: str, columns: str
) -> Spec:
    """Return the chart, and add its data: a cell per pair, gray where both are the same.

    Colors show the entries off the diagonal, which would be pale beside it.
    """
    count = len(matrix)
    whole = bool((matrix > 1).any())
    off = matrix[~np.eye(count, dtype=bool)]
    most = float(off.max()) if off.size and off.max() > 0 else 1.0
    datasets["pairs"] = [
        {
            "segment": i + 1,
            "other": j + 1,
            "value": float(matrix[i, j]),
            "text": _text(float(matrix[i, j]), whole),
        }
        for i in range(count)
        for j in range(count)
    ]
    cell = max(40, min(_CELL, 660 // count))
    labels = lookup([shown(name, 34) for name in names], "datum.value")
    look = {"labelExpr": labels, "labelLimit": 260, "domain": False, "ticks": False}
    at: Spec = {
        "x": _place("other", columns, names_above(names, cell)),
        "y": _place("segment", rows, look),
        "tooltip": [nominal("text", title="value")],
    }
    text = at | {"text": nominal("text")}
    color = quantitative("value", scale={"domain": [0, most], "range": "heatmap"}, legend=None)
    same, strong = "datum.segment == datum.other", f"datum.value > {0.55 * most}"
    layers = (
        marked("pairs", "rect", at, where=same, style=QUIET, opacity=0.35),
        marked("pairs", "rect", at | {"color": color}, where=f"!({same})"),
        marked("pairs", "text", text, where=f"{same} || !({strong})", style=NUMBER),
        marked("pairs", "text", text, where=f"!({same}) && {strong}", style=STRONG),
    )
    chart = layered(*layers, width=cell * count, height=max(34, min(cell, 44)) * count)
    return titled(chart, title, ["The stronger the color, the more often. Gray: the right one."])


def _place(field: str, title: str, axis: Spec) -> Spec:
    return ordinal(field, title=title, scale={"paddingInner": 0.04, "paddingOuter": 0}, axis=axis)


def _text(value: float, whole: bool) -> str:
    if whole:
        return f"{value:,.0f}"
    if value == 0:
        return "0"
    return "<0.1 %" if value < 0.0005 else f"{100 * value:.1f} %"
