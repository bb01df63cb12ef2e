"""Segments against the population, column by column."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from mixtura.plot.data.plot_data import Names, numbered, plot_data
from mixtura.plot.data.profile_table import ProfileTable, profiles_of_document, profiles_of_rows
from mixtura.plot.export.export import as_chart
from mixtura.plot.theme.encodings import highlight_opacity, names_above, titled
from mixtura.plot.theme.style import NUMBER, STRONG
from mixtura.plot.theme.text import lookup, shown, value_text
from mixtura.plot.vega import Datasets, Spec, layered, marked, nominal, ordinal, quantitative
from mixtura.segments import SegmentationResult

__all__ = ["plot_profiles", "profile_chart"]

_CELL_HEIGHT = 34
_MOST_COLUMNS = 60


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
    datasets: Datasets = {}
    table = (
        profiles_of_document(source.outline)
        if isinstance(source, SegmentationResult)
        else profiles_of_rows(plot_data(source, rows, columns, names))
    )
    return as_chart(profile_chart(table, datasets), datasets)


def profile_chart(table: ProfileTable, datasets: Datasets) -> Spec:
    """Return the chart, and add its data: a cell per column and segment. Columns that differ most come first."""
    middles, differences, k_segments = table.middles, table.differences, len(table.names)
    middle = "mean (median where transformed)" if table.transformed else "mean"
    order = np.argsort(-np.abs(np.nan_to_num(differences)).max(axis=0), kind="stable")[:_MOST_COLUMNS]
    datasets["cells"] = [
        {
            "segment": k + 1,
            "column": place + 1,
            "mean": None if np.isnan(middles[k, d]) else float(middles[k, d]),
            "text": value_text(float(middles[k, d]), years=table.years[d]),
            "difference": round(float(np.nan_to_num(differences[k, d])), 4),
        }
        for place, d in enumerate(order)
        for k in range(k_segments)
    ]
    width = max(54, min(110, 660 // k_segments))
    places = _places(table, order.tolist(), width)
    most = float(max(1.0, np.nanmax(np.abs(differences))))
    chart = layered(*_layers(places, most), width=width * k_segments, height=_CELL_HEIGHT * len(order))
    left_out = len(table.columns) - len(order)
    return titled(
        chart,
        f"What sets the {table.part}s apart",
        [
            f"Numbers: {middle} of the {table.part}. Color: difference from all {table.n_rows:,} {table.noun}.",
            f"The {len(order)} columns that differ most; {left_out} are not shown." if left_out else "",
        ],
    )


def _layers(places: Spec, most: float) -> list[Spec]:
    """Return the cells, and the numbers upon them."""
    title = "Standard deviations from the mean of all"
    color = quantitative(
        "difference",
        scale={"domain": [-most, most], "range": "diverging"},
        legend={"title": title, "orient": "bottom", "gradientLength": 240, "tickCount": 5},
    )
    tip = [
        nominal("text", title="mean"),
        quantitative("difference", format="+.2f", title="standard deviations"),
    ]
    opaque = places | {"opacity": highlight_opacity(1.0)}
    # Beyond two thirds of the scale the cells are dark on light pages and light on dark ones: the page's own color.
    texts = [
        marked(
            "cells", "text", opaque | {"text": nominal("text")}, fontSize=12, style=STRONG if strong else NUMBER,
            where=f"abs(datum.difference) {'>' if strong else '<='} {0.62 * most}",
        )
        for strong in (False, True)
    ]  # fmt: skip
    return [marked("cells", "rect", opaque | {"color": color, "tooltip": tip}, strokeWidth=0), *texts]


def _places(table: ProfileTable, order: list[int], width: int) -> Spec:
    columns = [shown(table.columns[d], 34) for d in order]
    labels = lookup(columns, "datum.value")
    x = ordinal(
        "segment",
        title=None,
        scale={"paddingInner": 0.04, "paddingOuter": 0},
        axis=names_above(numbered(table.names), width),
    )
    y = ordinal(
        "column",
        title=None,
        scale={"paddingInner": 0.06, "paddingOuter": 0},
        axis={"labelExpr": labels, "domain": False, "ticks": False, "labelLimit": 260},
    )
    return {"x": x, "y": y}
