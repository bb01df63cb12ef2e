"""Altair, imported when a chart first asks for a part of it.

Charts name ``alt`` at the top of their files, as they would name the library, and importing them still loads nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from mixtura._optional import require_extra

__all__ = ["alt"]


class _LazyAltair:
    """The module ``altair``; each part is looked up once and kept."""

    def __getattr__(self, name: str) -> Any:
        with require_extra("altair", extra="cli", purpose="draw pictures"):
            part = getattr(import_module("altair"), name)
        setattr(self, name, part)
        return part


alt: Any = _LazyAltair()
