"""From a drawn chart to one that a page can style: colors that follow the theme, marks that know their segment."""

from __future__ import annotations

import html
import re

__all__ = ["page_svg"]

# Colors of the light theme, by what they are in the page's style sheet. Anything else is data.
_THEME = {
    "#333333": "var(--ink)",
    "#666666": "var(--soft)",
    "#eaeaea": "var(--grid)",
    "#cccccc": "var(--line)",
    "#bdbdbd": "var(--quiet)",
    "white": "var(--paper)",
    "#ffffff": "var(--paper)",
    "#000": "var(--ink)",
    "#000000": "var(--ink)",
}
_PAINT = re.compile(r'\b(fill|stroke)="([^"]*)"')
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


def page_svg(drawing: str, name: str, description: str) -> str:
    """Return the SVG of a chart as a page holds it.

    Marks get ``data-segment`` and ``data-tip`` from what the renderer says of them, colors that are not data become the
    page's, and what is smaller than can be seen goes. The chart is one image to a screen reader: the page's tables say
    the same in words.

    Parameters
    ----------
    drawing : str
        From vl-convert.
    name : str
        Unique within the page.
    description : str
        For those who do not see it.
    """
    marked = _MARK.sub(_mark, drawing)
    root = _ROOT.match(marked)
    assert root is not None, "the renderer begins with a size"
    body = _EMPTY.sub("", _ARIA.sub("", marked[root.end() :]))
    body = _PAINT.sub(_paint, body.replace(' font-family="sans-serif"', ""))
    body = _GEOMETRY.sub(_round, body)
    body = _IDENTIFIER.sub(lambda found: _identifier(found, name), body)
    width, height = root.groups()
    label = html.escape(description, quote=True)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="chart" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" role="img" aria-label="{label}">{body}'
    )


def _mark(found: re.Match[str]) -> str:
    element, label = found.groups()
    segments = _SEGMENT.findall(label)
    segment = f' data-segment="{segments[-1]}"' if segments else ""
    said = "; ".join(part for part in label.split("; ") if not part.startswith(_SILENT))
    return f'<{element}{segment} data-tip="{said}"'


def _paint(found: re.Match[str]) -> str:
    attribute, color = found.groups()
    return f'{attribute}="{_THEME.get(color.lower(), color)}"'


def _round(found: re.Match[str]) -> str:
    attribute, value = found.groups()
    return f'{attribute}="{_DIGITS.sub(chr(92) + "1", _SMALL.sub("0", value))}"'


def _identifier(found: re.Match[str], name: str) -> str:
    own, other = found.groups()
    return f'id="{name}-{own}"' if own else f"url(#{name}-{other})"
