"""Chart of anomalies: the distribution of log densities, and the columns that drive the most extreme rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from mixtura._typing import FloatArray, IntArray
from mixtura.core.explanation.contributions import column_contributions
from mixtura.exceptions import ParameterError
from mixtura.plot.data.axes import position, to_units
from mixtura.plot.data.plot_data import Names, PlotData, plot_data
from mixtura.plot.export.export import as_chart
from mixtura.plot.theme.encodings import compact, names_above, titled
from mixtura.plot.theme.style import NEUTRAL, NUMBER, STRONG
from mixtura.plot.theme.text import lookup, shown, tidy_count, value_text
from mixtura.plot.vega import Datasets, Spec, layered, marked, nominal, ordinal, quantitative
from mixtura.segments.weighted import percentile as weighted_percentile

__all__ = ["density_histogram", "driver_chart", "plot_anomalies"]

_WIDTH = 560
_BINS = 60
_FLAGGED, _USUAL = "#D55E00", "#0072B2"
_MOST_COLUMNS = 12


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
    """Return the log densities of all rows with a threshold, and the least expected rows with the columns behind it.

    Parameters
    ----------
    source, rows, columns, names
        As in `plot_scatter`; one column is enough.
    threshold : float or None, default=None
        Log density below which a row is an anomaly; None for that of the result, or `percentile`.
    percentile : float, default=4
        From 0 to 100.
    most : int, default=12
        Rows to list, from 1 to 50.

    Returns
    -------
    altair.VConcatChart
        Contributions of columns are those of `mixtura.core.explanation.contributions.column_contributions`.

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
    '1 of 100 rows are anomalies (1.0 %)'
    """
    if not 0 <= percentile <= 100 or not 1 <= most <= 50:
        raise ParameterError(
            f"`percentile` must be from 0 to 100 and `most` from 1 to 50; got {percentile!r} and {most!r}."
        )
    subject = plot_data(source, rows, columns, names)
    limit = subject.threshold if threshold is None else threshold
    if limit is None:
        limit = weighted_percentile(subject.log_density, percentile, subject.weights)
    datasets: Datasets = {}
    return as_chart(anomaly_chart(subject, datasets, limit, most), datasets)


def anomaly_chart(subject: PlotData, datasets: Datasets, threshold: float, most: int) -> Spec:
    """Return both charts, one above the other, and add their data."""
    histogram, drivers = (
        density_histogram(subject, datasets, threshold),
        driver_chart(subject, datasets, most),
    )
    apart = {"scale": {"color": "independent"}}
    return {"vconcat": [histogram, drivers], "spacing": 34, "resolve": apart}


def density_histogram(subject: PlotData, datasets: Datasets, threshold: float, width: int = _WIDTH) -> Spec:
    """Return a histogram of the log density with the threshold."""
    values = subject.log_density
    flagged = int((values < threshold).sum())
    edges = _edges(values, threshold)
    counts = np.histogram(np.maximum(values, edges[0]), bins=edges, weights=subject.weights)[0]
    below = int((values < edges[0]).sum())
    places = compact(edges, float(edges[-1] - edges[0]))
    datasets["densities"] = [
        {"x": places[i], "x2": places[i + 1], "count": count, "anomalous": bool(edges[i + 1] <= threshold)}
        for i, count in enumerate(counts.tolist())
    ]
    datasets["threshold"] = [{"x": threshold}]
    ticks = 7 if width >= _WIDTH else 4
    ends = [float(edges[0]), float(edges[-1])]
    x = position("x", "log density (nats)", ends, tickCount=ticks)
    scale = {"domain": [True, False], "range": [_FLAGGED, _USUAL]}
    encoding = {
        "x": x,
        "x2": {"field": "x2"},
        "color": nominal("anomalous", legend=None, scale=scale),
        "y": quantitative("count", title=subject.measure, axis={"tickCount": 5, "format": ",d"}),
        "y2": {"datum": 0},
    }
    bars = marked("densities", "rect", encoding, opacity=0.8)
    line = marked("threshold", "rule", {"x": x}, style=NEUTRAL, strokeWidth=1.6, strokeDash=[5, 3])
    share = float(np.average(values < threshold, weights=subject.weights))
    weighed = "" if subject.weights is None else " by weight"
    lowest = tidy_count(below, f"{subject.noun[:-1]} lies", f"{subject.noun} lie")
    return titled(
        layered(bars, line, width=width, height=170),
        f"{flagged:,} of {subject.n_rows:,} {subject.noun} are anomalies ({100 * share:.1f} %{weighed})",
        [
            f"Left of the line, at {threshold:.4g}, the mixture expects hardly any {subject.noun}.",
            f"{lowest} further left; the first bar holds them." if below else "",
        ],
    )


def driver_chart(subject: PlotData, datasets: Datasets, most: int) -> Spec:
    """Return the least expected rows, and how much each column contributes to their squared distance."""
    rows = np.argsort(subject.log_density, kind="stable")[:most]
    parts = column_contributions(subject.mixture, subject.rows[rows])
    if subject.missing is not None:
        parts = np.where(subject.missing[rows], 0.0, parts)
    total = parts.sum(axis=1, keepdims=True)
    shares = parts / np.where(total > 0, total, 1.0)
    order = np.argsort(-shares.mean(axis=0), kind="stable")[:_MOST_COLUMNS]
    datasets["drivers"] = _drivers(subject, rows, shares, order)
    width = max(64, min(120, 620 // len(order)))
    places = _places(subject, rows, order, width)
    key = {"title": "Share of the distance", "orient": "bottom", "format": ".0%", "gradientLength": 240,
           "tickCount": 5}  # fmt: skip
    color = quantitative("share", scale={"domain": [0, 1], "range": "heatmap"}, legend=key)
    texts = [
        marked(
            "drivers", "text", places | {"text": nominal("text")}, style=STRONG if strong else NUMBER, fontSize=12,
            where=f"datum.share {'>' if strong else '<='} 0.55",
        )
        for strong in (False, True)
    ]  # fmt: skip
    cells = marked("drivers", "rect", places | {"color": color})
    left_out = len(subject.columns) - len(order)
    return titled(
        layered(cells, *texts, width=width * len(order), height=26 * len(rows)),
        f"The {len(rows)} most extreme, and the columns that drive them",
        [
            "Numbers: their values. Color: what the column contributes to the distance from the centers.",
            f"The {len(order)} columns that contribute most; {left_out} are not shown." if left_out else "",
        ],
    )


def _drivers(subject: PlotData, rows: IntArray, shares: FloatArray, order: IntArray) -> list[dict[str, Any]]:
    labels = subject.labels[rows]
    return [
        {
            "row": place + 1,
            "column": position + 1,
            "share": round(float(shares[place, d]), 4),
            "text": _value(subject, row, d),
            "segment": int(labels[place]) + 1,
        }
        for place, row in enumerate(rows)
        for position, d in enumerate(order)
    ]  # fmt: skip


def _value(subject: PlotData, row: int, column: int) -> str:
    if subject.missing is not None and subject.missing[row, column]:
        return "missing"
    value = to_units(subject.rows[[row], column], subject.transforms[column])[0]
    return value_text(value, years=subject.has_years(column))


def _places(subject: PlotData, rows: IntArray, order: IntArray, width: int) -> Spec:
    names = [shown(subject.caller(int(row)), 22) for row in rows]
    x = ordinal(
        "column",
        title=None,
        scale={"paddingInner": 0.03, "paddingOuter": 0},
        axis=names_above([subject.columns[d] for d in order], width),
    )
    y = ordinal(
        "row",
        title=subject.noun[:-1],
        scale={"paddingInner": 0.05, "paddingOuter": 0},
        axis={"labelExpr": lookup(names, "datum.value"), "domain": False, "ticks": False},
    )
    return {"x": x, "y": y}


def _edges(values: FloatArray, threshold: float) -> FloatArray:
    """Return bins of equal width, one of which ends at the threshold; the far tail is left out."""
    high = float(values.max())
    low = min(
        threshold, max(float(values.min()), float(np.median(values)) - 4 * (high - float(np.median(values))))
    )
    width = ((high - low) or 1.0) / _BINS
    before = int(np.ceil((threshold - low) / width)) if threshold > low else 1
    after = int(np.ceil((high - threshold) / width)) + 1
    edges = threshold + width * np.arange(-before, max(1, after) + 1)
    return np.asarray(edges)
