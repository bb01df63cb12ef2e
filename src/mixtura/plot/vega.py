"""Parts of Vega-Lite specifications as plain dictionaries, which the renderer and Altair both take.

Altair copies and checks every part of a chart as it is put together, which takes longer than drawing it. Charts are
therefore built as dictionaries and become charts of Altair only where one is asked for
(`mixtura.plot.export.export.as_chart`). The words are those of https://vega.github.io/vega-lite/docs/.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

__all__ = ["Datasets", "Spec", "layered", "marked", "nominal", "ordinal", "quantitative"]

Spec: TypeAlias = dict[str, Any]
"""A specification, or a part of one."""

Datasets: TypeAlias = dict[str, list[dict[str, Any]]]
"""Rows of data by name."""


def marked(
    data: str, mark: str, encoding: Mapping[str, Any], *, where: str | None = None, **look: Any
) -> Spec:
    """Return a layer: one kind of mark for the rows of a dataset.

    Parameters
    ----------
    data : str
        Name of the dataset.
    mark : str
        ``"point"``, ``"line"``, ``"rect"``, ...
    encoding : mapping of str to channel
    where : str or None, default=None
        A Vega expression: only rows for which it is true are drawn.
    **look
        Properties of the mark, such as ``strokeWidth=2``.

    Examples
    --------
    >>> from mixtura.plot.vega import marked, quantitative
    >>> marked("dots", "point", {"x": quantitative("age")}, where="datum.age > 20", size=9)["mark"]
    {'type': 'point', 'size': 9}
    """
    transform = {} if where is None else {"transform": [{"filter": where}]}
    return {"data": {"name": data}, "mark": {"type": mark, **look}, "encoding": dict(encoding), **transform}


def layered(*layers: Spec, width: int, height: int, **properties: Any) -> Spec:
    """Return layers upon each other, the last one on top, in a frame of that many points."""
    return {"layer": list(layers), "width": width, "height": height, **properties}


def quantitative(field: str, **properties: Any) -> Spec:
    """Return a channel for numbers."""
    return {"field": field, "type": "quantitative", **properties}


def nominal(field: str, **properties: Any) -> Spec:
    """Return a channel for kinds without an order."""
    return {"field": field, "type": "nominal", **properties}


def ordinal(field: str, **properties: Any) -> Spec:
    """Return a channel for kinds with an order."""
    return {"field": field, "type": "ordinal", **properties}
