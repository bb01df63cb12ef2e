"""Documents for tests of what is shown: read from a file and edited, without a fit."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from mixtura.report import Chart
from mixtura.segments.results.document import Document

__all__ = ["GOLDEN", "BlankCharts", "content", "document"]

GOLDEN = Path(__file__).resolve().parents[1] / "golden"


@cache
def _text(name: str) -> str:
    return (GOLDEN / name).read_text(encoding="utf-8")


def content(name: str = "document-3.json") -> dict[str, Any]:
    """Return a golden document as a dict of one's own."""
    return dict(json.loads(_text(name)))


def document(
    change: Callable[[dict[str, Any]], object] = lambda _: None, name: str = "document-3.json"
) -> Document:
    """Return a golden document, changed."""
    found = content(name)
    change(found)
    return Document.of(found)


class BlankCharts(dict[str, Chart]):
    """Charts of a report, all of them empty."""

    def __missing__(self, name: str) -> Chart:
        return Chart(name, (), "<svg></svg>")
