"""From a chart to a PNG, without a browser."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from mixtura._optional import needs
from mixtura.exceptions import OptionalDependencyError

__all__ = ["render_png", "warm_up"]

_PIXELS_PER_POINT = 2.0


def render_png(chart: Any) -> bytes:
    """Return the picture of an Altair chart.

    Raises
    ------
    OptionalDependencyError
        vl-convert is not installed.
    """
    with needs("vl-convert-python", extra="cli", purpose="draw pictures"):
        import vl_convert
    # The chart is built here from known parts; validating it against the schema would cost more than drawing it.
    picture: bytes = vl_convert.vegalite_to_png(chart.to_dict(validate=False), scale=_PIXELS_PER_POINT)
    return picture


@contextmanager
def warm_up() -> Iterator[None]:
    """Load what draws while the block computes something else.

    The first picture of a process costs about a second, nearly all of it to start the renderer. On a second
    core that second is free.
    """
    worker = threading.Thread(target=_load, name="mixtura-plot", daemon=True)
    worker.start()
    try:
        yield
    finally:
        worker.join()


def _load() -> None:
    try:
        with needs("altair", extra="cli", purpose="draw pictures"):
            import altair as alt

        values = alt.Data(values=[{"x": 0.0}])
        render_png(alt.Chart(values).mark_point().encode(x=alt.X("x", type="quantitative")))
    except OptionalDependencyError:
        # Whoever asks for a picture is told then.
        return
