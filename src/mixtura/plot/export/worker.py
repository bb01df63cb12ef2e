"""From a Vega-Lite specification to a picture; run as a program, one answer per line asked.

vl-convert holds the interpreter lock while it draws. In a process of its own it leaves the lock, and a core, to whoever
puts the next chart together. Nothing of mixtura is imported here, so that such a process is ready in a moment.

A question is a line of JSON, ``[suffix, specification]``; the answer a line with ``ok`` or ``error`` and a number of
bytes, and then that many bytes: the picture, or what went wrong.
"""

from __future__ import annotations

import json
import re
import signal
import sys
from typing import Any, BinaryIO

__all__ = ["clip_lines_together", "render", "serve"]

_PIXELS_PER_POINT = 2.0

_POINT = {"data": {"values": [{"x": 1}]}, "mark": "point", "encoding": {"x": {"field": "x"}}}
"""A point and its axes: enough to start the renderer and to load the fonts."""

_SHADE = {"field": "x", "type": "nominal", "scale": {"domain": [1, 2], "range": ["red", "blue"]}}
_PALE = {"value": 0.1, "condition": {"test": "highlight == null || datum.x == highlight", "value": 1}}
_AT = {axis: {"field": axis, "type": "quantitative", "scale": {"zero": False}} for axis in "xy"}

_CHARTS = {
    "data": {"values": [{"x": i % 17, "y": i % 13, "shape": "circle"} for i in range(300)]},
    "params": [{"name": "highlight", "value": None}],
    "concat": [
        {
            "layer": [
                {
                    "mark": {"type": "point", "filled": True},
                    "encoding": {
                        **_AT,
                        "color": {"field": "shape", "type": "nominal", "scale": None},
                        "shape": {"field": "shape", "type": "nominal", "scale": None},
                        "size": {**_AT["x"], "scale": None},
                        "fillOpacity": _PALE,
                        "tooltip": [_AT["x"], _AT["y"]],
                    },
                },
                {
                    "mark": {"type": "line", "clip": True, "interpolate": "linear-closed"},
                    "encoding": {**_AT, "order": _AT["x"], "color": _SHADE, "opacity": _PALE},
                },
                {
                    "mark": {"type": "text", "fontWeight": "bold"},
                    "encoding": {**_AT, "text": {"field": "x", "type": "nominal"}},
                    "transform": [{"filter": "datum.x > 15"}],
                },
            ]
        },
        {
            "layer": [
                {
                    "mark": {"type": "bar", "clip": True},
                    "encoding": {
                        **_AT,
                        "x2": {"field": "y"},
                        "y2": {"value": 0},
                        "color": _SHADE,
                        "opacity": _PALE,
                    },
                },
                {
                    "mark": "point",
                    "encoding": {
                        **_AT,
                        "stroke": _SHADE,
                        "fill": _SHADE,
                        "shape": _AT["y"] | {"type": "nominal"},
                    },
                },
            ]
        },
    ],
}
"""What charts of a report are made of: the renderer compiles its code as it is used, and is faster from then on."""

_CLIP = re.compile(r'<clipPath id="(\w+)">(.*?)</clipPath>')
_GROUP = re.compile(r'<g class="mark-group role-scope (\w+)_pathgroup"')


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
        drawing = clip_lines_together(vl_convert.vegalite_to_svg(specification))
        picture: bytes = vl_convert.svg_to_png(drawing, scale=_PIXELS_PER_POINT)
        return picture
    text: str = (
        vl_convert.vegalite_to_svg(specification)
        if suffix == ".svg"
        else vl_convert.vegalite_to_html(specification, bundle=True)
    )
    return text.encode()


def clip_lines_together(drawing: str) -> str:
    """Return an SVG whose lines of one layer are clipped as a group, instead of each by itself.

    The picture is the same, but for rounding where lines cross. For everything that it clips the rasterizer makes a
    picture of full size, which takes longer than all else together.

    Parameters
    ----------
    drawing : str
        From vl-convert.
    """
    shapes = dict(_CLIP.findall(drawing))
    groups = list(_GROUP.finditer(drawing))
    bounds = [*(group.start() for group in groups), len(drawing)]
    parts = [drawing[: bounds[0]]]
    for group, end in zip(groups, bounds[1:], strict=True):
        head, body = group.group(), drawing[group.end() : end]
        line = re.compile(rf'(<g class="mark-line role-mark {group[1]}_marks") clip-path="url\(#(\w+)\)"')
        names = [name for _, name in line.findall(body)]
        if len({shapes[name] for name in names}) == 1:
            head, body = f'{head} clip-path="url(#{names[0]})"', line.sub(r"\1", body)
        parts.append(head + body)
    return "".join(parts)


def serve(questions: BinaryIO, answers: BinaryIO) -> None:
    """Answer until there are no more questions."""
    render(_POINT, ".png")
    render(_CHARTS, ".svg")
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
