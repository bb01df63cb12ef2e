"""Who goes where: an alluvial diagram of the counts between two groupings of the same rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from mixtura._typing import FloatArray
from mixtura.exceptions import ParameterError
from mixtura.plot.data.counts import group_labels, non_negative_matrix
from mixtura.plot.export.export import as_chart
from mixtura.plot.theme.encodings import highlight_opacity, titled
from mixtura.plot.theme.palette import segment_colors
from mixtura.plot.theme.style import NUMBER, QUIET
from mixtura.plot.theme.text import shown
from mixtura.plot.vega import Datasets, Spec, layered, marked, nominal, quantitative

__all__ = ["plot_flow"]

_Align: TypeAlias = Literal["left", "right"]

_WIDTH, _NARROW_WIDTH = 560, 210
_GAP = 0.025
"""Between two groups of a side, as a share of all rows."""
_NODE = 0.035
"""Width of a group's bar, as a share of the chart."""
_CURVE_POINTS = 17


def plot_flow(
    counts: npt.ArrayLike,
    left: Sequence[str] | None = None,
    right: Sequence[str] | None = None,
    *,
    title: str = "Who goes where",
    titles: tuple[str, str] = ("before", "after"),
    noun: str = "customers",
    compact: bool = False,
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
    compact : bool, default=False
        A chart for a narrow page: groups are numbered, not named.

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
    values = non_negative_matrix("counts", counts)
    if not values.sum() > 0:
        raise ParameterError("`counts` must have a positive number; got zeros only.")
    sides = group_labels("left", left, values.shape[0]), group_labels("right", right, values.shape[1])
    datasets: Datasets = {}
    chart = flow_chart(values, *sides, datasets, title=title, titles=titles, noun=noun, compact=compact)
    return as_chart(chart, datasets)


def flow_chart(
    counts: FloatArray,
    left: Sequence[str],
    right: Sequence[str],
    datasets: Datasets,
    *,
    title: str,
    titles: tuple[str, str],
    noun: str,
    compact: bool = False,
) -> Spec:
    """Return the chart, and add its data: a band per pair of groups, as wide as the pair has rows.

    Bands have the color of the group they end in, which is that of the segment in the other charts.
    """
    total = float(counts.sum())
    if compact:
        left, right = ([str(k + 1) for k in range(len(names))] for names in (left, right))
    tops = [_stack(counts.sum(axis=1), total), _stack(counts.sum(axis=0), total)]
    lowest = min(float(tops[0][-1] - counts.sum(axis=1)[-1]), float(tops[1][-1] - counts.sum(axis=0)[-1]))
    datasets["flows"] = _bands(counts, tops)
    datasets["groups"] = [
        *_groups(counts.sum(axis=1), tops[0], left, (0.0, _NODE), "left", total),
        *_groups(counts.sum(axis=0), tops[1], right, (1 - _NODE, 1.0), "right", total),
    ]
    scales = {"domain": [0, 1], "nice": False}, {"domain": [lowest, total], "nice": False, "zero": False}
    colors = {"domain": list(range(1, len(right) + 1)), "range": list(segment_colors(len(right)))}
    color = nominal("segment", legend=None, scale=colors)
    height = max(260, min(620, 46 * max(len(left), len(right)) + 120))
    layers = (_flow_layer(scales, color), *_group_layers(scales, color), *_side_titles(titles))
    return titled(
        layered(*layers, width=_NARROW_WIDTH if compact else _WIDTH, height=height, view={"stroke": None}),
        title,
        [f"Width: number of {noun}, {total:,.0f} in all. Color: {titles[1]}."],
    )


def _stack(sizes: FloatArray, total: float) -> FloatArray:
    """Return the top of each group; the first is highest."""
    gaps = _GAP * total * np.arange(len(sizes))
    return np.asarray(total - np.r_[0.0, np.cumsum(sizes)[:-1]] - gaps)


def _bands(counts: FloatArray, tops: list[FloatArray]) -> list[dict[str, Any]]:
    """Return the outlines: from the top of one group to the top of another along a smooth step."""
    t = np.linspace(0, 1, _CURVE_POINTS)
    # Smootherstep leaves and arrives horizontally, without a bend.
    rise = t**3 * (t * (6 * t - 15) + 10)
    xs = _NODE + (1 - 2 * _NODE) * t
    used_left, used_right = np.zeros(len(counts)), np.zeros(counts.shape[1])
    found: list[dict[str, Any]] = []
    for i, j in np.argwhere(counts > 0):
        count = float(counts[i, j])
        start, end = tops[0][i] - used_left[i], tops[1][j] - used_right[j]
        used_left[i] += count
        used_right[j] += count
        found += [
            {
                "x": round(float(x), 4),
                "y": float(np.round(y, 6)),
                "y2": float(np.round(y - count, 6)),
                "from": int(i) + 1,
                "segment": int(j) + 1,
                "count": count,
            }
            for x, y in zip(xs, start + (end - start) * rise, strict=True)
        ]
    return found


def _groups(
    sizes: FloatArray,
    tops: FloatArray,
    names: Sequence[str],
    span: tuple[float, float],
    side: str,
    total: float,
) -> list[dict[str, Any]]:
    # Names of groups thinner than a line of text would lie upon each other.
    return [
        {
            "x": span[0],
            "x2": span[1],
            "y": float(top),
            "y2": float(top - size),
            "middle": float(top - size / 2),
            "label": f"{shown(name, 40)} · {size:,.0f}",
            "side": side,
            "segment": k + 1,
        }
        for k, (name, top, size) in enumerate(zip(names, tops, sizes, strict=True))
    ]


def _at(scales: tuple[Spec, Spec], x: str, y: str) -> Spec:
    return {
        "x": quantitative(x, axis=None, scale=scales[0]),
        "y": quantitative(y, axis=None, scale=scales[1]),
    }


def _flow_layer(scales: tuple[Spec, Spec], color: Spec) -> Spec:
    encoding = _at(scales, "x", "y") | {
        "y2": {"field": "y2"},
        "color": color,
        "opacity": highlight_opacity(0.55),
        "detail": [nominal("from"), nominal("segment")],
        "tooltip": [nominal("from"), nominal("segment", title="to"), quantitative("count", format=",")],
    }
    return marked("flows", "area", encoding, interpolate="monotone", line=False)


def _group_layers(scales: tuple[Spec, Spec], color: Spec) -> list[Spec]:
    left, right = "datum.side == 'left'", "datum.side == 'right'"
    at = _at(scales, "x", "y") | {"x2": {"field": "x2"}, "y2": {"field": "y2"}}
    bars = [
        marked("groups", "rect", at, where=left, style=QUIET),
        marked("groups", "rect", at | {"color": color, "opacity": highlight_opacity(1.0)}, where=right),
    ]
    ends: tuple[tuple[str, _Align, int, str], ...] = ((left, "right", -8, "x"), (right, "left", 8, "x2"))
    names = [
        marked(
            "groups", "text", _at(scales, field, "middle") | {"text": nominal("label")},
            where=side, style=NUMBER, align=align, dx=dx, fontSize=12,
        )
        for side, align, dx, field in ends
    ]  # fmt: skip
    return [*bars, *names]


def _side_titles(titles: tuple[str, str]) -> list[Spec]:
    ends: tuple[tuple[str, int, _Align], ...] = ((titles[0], 0, "left"), (titles[1], 1, "right"))
    look = {"style": NUMBER, "baseline": "bottom", "fontSize": 13, "fontWeight": "bold", "dy": -6}
    return [
        {
            "data": {"values": [{"at": at}]},
            "mark": {"type": "text", "align": align, **look},
            "encoding": {
                "x": quantitative("at", axis=None, scale={"domain": [0, 1], "nice": False}),
                "y": {"value": 0},
                "text": {"value": shown(text, 40)},
            },
        }
        for text, at, align in ends
    ]
