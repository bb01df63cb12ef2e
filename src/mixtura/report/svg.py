"""Charts as a page holds them: marks that know their segment, numbers no longer than can be seen."""

from __future__ import annotations

import html
import re

__all__ = ["page_svg"]

_MARK = re.compile(r'<(\w+) aria-label="([^"]*)" role="graphics-symbol" aria-roledescription="[^"]*"')
_SEGMENT = re.compile(r"(?:^|; )segment: (\d+)(?=;|$)")
_ARIA = re.compile(r' (?:aria-[a-z]+|role|pointer-events|xmlns:xlink|version)="[^"]*"')
_GEOMETRY = re.compile(r'\b(d|transform)="([^"]*)"')
_DIGITS = re.compile(r"(-?\d+\.\d\d)\d+")
_SMALL = re.compile(r"-?\d+(?:\.\d+)?e-\d+")
_IDENTIFIER = re.compile(r'\bid="(\w+)"|url\(#(\w+)\)')
_ROOT = re.compile(r'^<svg [^>]*?width="(\d+)"[^>]*?height="(\d+)"[^>]*>(?:<rect [^>]*/>)?')
_EMPTY = re.compile(r'<path class="(?:foreground|background)"[^>]*? d="(?:M0,0h0v0h0Z)?"[^>]*/>')
_SILENT = ("color: ", "size: ", "shape: ", "x2: ", "y2: ", "order: ", "opacity: ")


def page_svg(drawing: str, name: str, description: str, kind: str = "") -> str:
    """Return the SVG of a chart as a page holds it.

    Marks get ``data-segment`` and ``data-tip`` from what the renderer says of them, and what is smaller than can be
    seen goes. Colors of the page are in it already, as variables of its style sheet (`mixtura.plot.theme.style.PAGE`).
    The chart is one image to a screen reader: the page's tables say the same in words.

    Parameters
    ----------
    drawing : str
        From vl-convert.
    name : str
        Unique within the page.
    description : str
        For those who do not see it.
    kind : str, default=""
        A further class, by which the style sheet shows a drawing on wide or on narrow pages.
    """
    marked = _MARK.sub(_mark, drawing)
    root = _ROOT.match(marked)
    assert root is not None, "the renderer begins with a size"
    body = _EMPTY.sub("", _ARIA.sub("", marked[root.end() :]))
    body = _GEOMETRY.sub(_round, body.replace(' font-family="sans-serif"', ""))
    # The renderer counts through all that it has drawn; the page shall not depend on its order.
    numbers: dict[str, int] = {}
    body = _IDENTIFIER.sub(lambda found: _identifier(found, name, numbers), body)
    width, height = root.groups()
    classes = f"chart {kind}".strip()
    label = html.escape(description, quote=True)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="{classes}" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" role="img" aria-label="{label}">{body}'
    )


def _mark(found: re.Match[str]) -> str:
    element, label = found.groups()
    segments = _SEGMENT.findall(label)
    segment = f' data-segment="{segments[-1]}"' if segments else ""
    said = "; ".join(part for part in label.split("; ") if not part.startswith(_SILENT))
    return f'<{element}{segment} data-tip="{said}"'


def _round(found: re.Match[str]) -> str:
    attribute, value = found.groups()
    return f'{attribute}="{_DIGITS.sub(chr(92) + "1", _SMALL.sub("0", value))}"'


def _identifier(found: re.Match[str], name: str, numbers: dict[str, int]) -> str:
    own, other = found.groups()
    kind = (own or other).rstrip("0123456789")
    number = numbers.setdefault(own or other, len(numbers) + 1)
    return f'id="{name}-{kind}{number}"' if own else f"url(#{name}-{kind}{number})"
