"""Several charts as one picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mixtura.exceptions import ParameterError
from mixtura.plot.export.export import as_chart, specification
from mixtura.plot.vega import Datasets, Spec

__all__ = ["side_by_side"]

_SHARED = ("config", "datasets", "params", "$schema")
"""Parts of a specification that belong to all of a picture."""


def side_by_side(charts: Sequence[Any], *, titles: Sequence[str] | None = None, columns: int = 2) -> Any:
    """Return charts beside each other, each with its own axes, colors and legend.

    Parameters
    ----------
    charts : sequence of charts
        From functions of this module; at least one.
    titles : sequence of str or None, default=None
        One per chart, instead of its own title and subtitle; None to leave them.
    columns : int, default=2
        Charts in a row, at least 1.

    Returns
    -------
    altair.ConcatChart

    Raises
    ------
    ParameterError
        There are no charts, titles are not as many as charts, or `columns` is below 1.

    Examples
    --------
    >>> from mixtura.plot import plot_confusion, side_by_side
    >>> before, after = plot_confusion([[0.6, 0.4], [0.4, 0.6]]), plot_confusion([[0.9, 0.1], [0.1, 0.9]])
    >>> both = side_by_side([before, after], titles=["before", "after"])
    >>> [panel["title"]["text"] for panel in both.to_dict()["concat"]]
    ['before', 'after']
    """
    if not charts or columns < 1:
        raise ParameterError(
            f"`charts` must hold at least one chart and `columns` be at least 1; got {len(charts)} charts and "
            f"{columns!r} columns."
        )
    if titles is not None and len(titles) != len(charts):
        raise ParameterError(f"`titles` must be {len(charts)}, one per chart; got {len(titles)}.")
    datasets: Datasets = {}
    panels = [_panel(chart, number, datasets) for number, chart in enumerate(charts, start=1)]
    for panel, title in zip(panels, titles or (), strict=False):
        panel["title"] = {"text": title, "anchor": "start"}
    apart = dict.fromkeys(("color", "fill", "shape", "size", "stroke", "strokeDash"), "independent")
    joined = {"concat": panels, "columns": columns, "spacing": 40, "resolve": {"scale": apart}}
    return as_chart(joined, datasets)


def _panel(chart: Any, number: int, datasets: Datasets) -> Spec:
    """Return the chart without what all share, and add its data under names of its own."""
    found = specification(chart)
    datasets |= {f"{number} {name}": rows for name, rows in found["datasets"].items()}
    renamed = _renamed({name: part for name, part in found.items() if name not in _SHARED}, number)
    assert isinstance(renamed, dict), "a specification is a mapping"
    return renamed


def _renamed(part: Any, number: int) -> Any:
    if isinstance(part, list):
        return [_renamed(one, number) for one in part]
    if not isinstance(part, dict):
        return part
    return {
        key: {"name": f"{number} {held['name']}"} if _is_name(key, held) else _renamed(held, number)
        for key, held in part.items()
    }


def _is_name(key: str, held: Any) -> bool:
    return key == "data" and isinstance(held, dict) and "name" in held
