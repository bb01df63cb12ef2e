"""From a Vega-Lite specification to a picture; run as a program, one answer per line asked.

vl-convert holds the interpreter lock while it draws. In a process of its own it leaves the lock, and a core, to whoever
puts the next chart together. Nothing of mixtura is imported here, so that such a process is ready in a moment.

A question is a line of JSON, ``[suffix, specification]``; the answer a line with ``ok`` or ``error`` and a number of
bytes, and then that many bytes: the picture, or what went wrong.
"""

from __future__ import annotations

import json
import signal
import sys
from typing import Any, BinaryIO

__all__ = ["render", "serve"]

_PIXELS_PER_POINT = 2.0

_POINT = {"data": {"values": [{"x": 1}]}, "mark": "point", "encoding": {"x": {"field": "x"}}}
"""A point and its axes: enough to start the renderer and to load the fonts."""


def render(specification: dict[str, Any], suffix: str) -> bytes:
    """Return the picture of a Vega-Lite specification.

    Parameters
    ----------
    specification : dict
    suffix : {".png", ".svg", ".html"}
        A page holds the scripts that draw it, and loads nothing from elsewhere.

    Raises
    ------
    ImportError
        vl-convert is not installed.
    ValueError
        It cannot be drawn.
    """
    import vl_convert

    if suffix == ".png":
        picture: bytes = vl_convert.vegalite_to_png(specification, scale=_PIXELS_PER_POINT)
        return picture
    text: str = (
        vl_convert.vegalite_to_svg(specification)
        if suffix == ".svg"
        else vl_convert.vegalite_to_html(specification, bundle=True)
    )
    return text.encode()


def serve(questions: BinaryIO, answers: BinaryIO) -> None:
    """Answer until there are no more questions."""
    render(_POINT, ".png")
    for line in questions:
        suffix, specification = json.loads(line)
        try:
            status, content = "ok", render(specification, suffix)
        except ValueError as error:
            status, content = "error", str(error).encode()
        answers.write(f"{status} {len(content)}\n".encode() + content)
        answers.flush()


if __name__ == "__main__":
    # An interrupt is for the one who asks, and ends the questions.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    serve(sys.stdin.buffer, sys.stdout.buffer)
