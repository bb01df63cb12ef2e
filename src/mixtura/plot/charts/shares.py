"""Shares of the segments over time, with what sampling explains."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from mixtura.exceptions import ParameterError
from mixtura.plot.data.counts import group_labels, non_negative_matrix
from mixtura.plot.export.export import as_chart
from mixtura.plot.theme.encodings import highlight_opacity, segment_color, titled
from mixtura.plot.theme.palette import segment_colors
from mixtura.plot.vega import Datasets, Spec, layered, marked, ordinal, quantitative

__all__ = ["plot_shares", "shares_chart"]

_MOST_LABELS = 14


def plot_shares(
    shares: npt.ArrayLike,
    periods: Sequence[str],
    names: Sequence[str] | None = None,
    *,
    half_widths: npt.ArrayLike | None = None,
    title: str = "Shares over time",
) -> Any:
    """Return a chart of the shares of segments over time: a line per segment, with intervals.

    Parameters
    ----------
    shares : array-like of shape (P, K)
        Share of each segment in each period.
    periods : sequence of str, length P
        The earliest first.
    names : sequence of str or None, default=None
        Of the K segments; None for numbers.
    half_widths : array-like of shape (P, K) or None, default=None
        Half the widths of intervals.
    title : str, default="Shares over time"

    Returns
    -------
    altair.LayerChart

    Raises
    ------
    ParameterError
        Shares are negative, or shapes do not fit.
    OptionalDependencyError
        Altair is not installed.

    Examples
    --------
    >>> from mixtura.plot import plot_shares
    >>> chart = plot_shares([[0.6, 0.4], [0.5, 0.5]], ["2024-01", "2024-02"], half_widths=[[0.1, 0.1], [0.1, 0.1]])
    >>> [one["share"] for one in chart.to_dict()["datasets"]["shares"]]
    [0.6, 0.5, 0.4, 0.5]
    """
    values = non_negative_matrix("shares", shares)
    if len(periods) != len(values):
        raise ParameterError(
            f"`periods` must name each of the {len(values)} periods; got {len(periods)} names. Give one per row."
        )
    halves = np.zeros_like(values) if half_widths is None else non_negative_matrix("half_widths", half_widths)
    if halves.shape != values.shape:
        raise ParameterError(
            f"`half_widths` must have the shape of `shares`, {values.shape!r}; got {halves.shape!r}. Give one each."
        )
    datasets: Datasets = {}
    labels = group_labels("names", names, values.shape[1])
    return as_chart(shares_chart(values, halves, periods, labels, datasets, title=title), datasets)


def shares_chart(
    shares: npt.NDArray[np.float64],
    half_widths: npt.NDArray[np.float64],
    periods: Sequence[str],
    names: Sequence[str],
    datasets: Datasets,
    *,
    title: str = "Shares over time",
    width: int = 620,
    legend: bool = True,
) -> Spec:
    """Return the chart, and add its data: a row per period and segment."""
    datasets["shares"] = [
        {
            "period": str(period),
            "segment": k + 1,
            "share": float(shares[p, k]),
            "low": float(max(0.0, shares[p, k] - half_widths[p, k])),
            "high": float(min(1.0, shares[p, k] + half_widths[p, k])),
        }
        for k in range(len(names))
        for p, period in enumerate(periods)
    ]
    color = segment_color(names, segment_colors(len(names)), title="segment", symbol="stroke", legend=legend)
    at = _axes(periods, float(np.max(shares + half_widths))) | {
        "color": color,
        "opacity": highlight_opacity(1.0),
    }
    ends = at | {"y2": {"field": "high"}, "opacity": highlight_opacity(0.6)}
    ends["y"] = at["y"] | {"field": "low"}
    numbers = [quantitative(name, format=".1%") for name in ("share", "low", "high")]
    tips = {"tooltip": [ordinal("period"), quantitative("segment"), *numbers]}
    layers = (
        marked("shares", "rule", ends, strokeWidth=1.5),
        marked("shares", "line", at, strokeWidth=2),
        marked("shares", "point", at | tips, filled=True, size=45),
    )
    said = "Mean memberships; bars are intervals at 95 %."
    return titled(layered(*layers, width=width, height=300), title, [said])


def _axes(periods: Sequence[str], top: float) -> Spec:
    """Return both axes; of many periods a few have labels."""
    labels = [str(one) for one in periods]
    axis: Spec = {"labelAngle": -40 if len(periods) > 4 else 0, "labelOverlap": True}
    if len(periods) > _MOST_LABELS:
        axis["values"] = labels[:: -(-len(periods) // _MOST_LABELS)]
    share = {"domain": [0, top], "nice": True}
    return {
        "x": ordinal("period", title=None, sort=labels, axis=axis, scale={"padding": 0.2}),
        "y": quantitative("share", title="share", axis={"format": ".0%"}, scale=share),
    }
