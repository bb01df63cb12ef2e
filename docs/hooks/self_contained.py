"""Refuse to build a page that would load something from another host."""

from __future__ import annotations

import re
from typing import Any

from mkdocs.exceptions import PluginError

__all__ = ["on_post_page"]

LOADED = re.compile(
    r"<(?:script|img|iframe|source|video|audio)\b[^>]*\bsrc=[\"']?(?:https?:)?//[^>]*>", re.IGNORECASE
)
LINKED = re.compile(
    r"<link\b(?![^>]*\brel=[\"']?canonical)[^>]*\bhref=[\"']?(?:https?:)?//[^>]*>", re.IGNORECASE
)


def on_post_page(output: str, *, page: Any, **_: Any) -> str:
    """Look through a finished page."""
    foreign = LOADED.findall(output) + LINKED.findall(output)
    if foreign:
        raise PluginError(f"{page.file.src_uri} loads {foreign}; put a copy into docs/ instead.")
    return output
