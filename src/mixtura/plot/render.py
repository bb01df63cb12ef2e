"""From a chart to a PNG, without a browser."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias

from mixtura._optional import needs

__all__ = ["Datasets", "render_png", "warm_up"]

_PIXELS_PER_POINT = 2.0

Datasets: TypeAlias = dict[str, list[dict[str, Any]]]
"""Rows of data by name, as Vega-Lite takes them."""


def render_png(chart: Any, datasets: Datasets) -> bytes:
    """Return the picture of an Altair chart that refers to its data by name.

    Altair copies a chart whenever it is combined with others; data that are not part of it are not copied along.

    Raises
    ------
    OptionalDependencyError
        vl-convert is not installed.
    """
    with needs("vl-convert-python", extra="cli", purpose="draw pictures"):
        import vl_convert
    # The chart is built from known parts; validating it against the schema would cost more than drawing it.
    specification = chart.to_dict(validate=False) | {"datasets": datasets}
    picture: bytes = vl_convert.vegalite_to_png(specification, scale=_PIXELS_PER_POINT)
    return picture


@contextmanager
def warm_up() -> Iterator[None]:
    """Load what draws while the block computes something else.

    The first picture of a process costs about a second, nearly all of it to start the renderer, which
    holds no interpreter lock. On a second core that second is free.
    """
    worker = threading.Thread(target=_load, name="mixtura-plot", daemon=True)
    worker.start()
    try:
        yield
    finally:
        worker.join()


def _load() -> None:
    # A point and its axes: enough to start the renderer and to load the fonts.
    point = {"data": {"values": [{"x": 1}]}, "mark": "point", "encoding": {"x": {"field": "x"}}}
    try:
        import vl_convert

        vl_convert.vegalite_to_png(point)
        import altair as alt  # noqa: F401
    except ImportError:
        # Whoever asks for a picture is told then.
        return
