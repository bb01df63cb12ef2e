"""Turn LaTeX into MathML while the site is built, so that browsers need no script from elsewhere."""

from __future__ import annotations

import html
import re
from typing import Any

from latex2mathml.converter import convert

__all__ = ["on_page_content"]

INLINE = re.compile(r'<span class="arithmatex">\\\((.*?)\\\)</span>', re.DOTALL)
BLOCK = re.compile(r'<div class="arithmatex">\s*\\\[(.*?)\\\]\s*</div>', re.DOTALL)

# TeX puts a thin space between a function's name and an argument without parentheses; MathML needs it explicitly.
NAME = re.compile(r"<mi>(log|exp|max|det|diag|tr)</mi>(?!\s*<mo[^>]*>(?:\(|&#x00028;))")


def mathml(latex: str, display: str) -> str:
    converted = convert(html.unescape(latex).strip(), display=display)
    return NAME.sub(r'<mi>\1</mi><mspace width="0.17em"/>', converted)


def on_page_content(content: str, **_: Any) -> str:
    """Replace every formula of a rendered page."""
    content = INLINE.sub(lambda found: mathml(found[1], "inline"), content)
    return BLOCK.sub(lambda found: mathml(found[1], "block"), content)
