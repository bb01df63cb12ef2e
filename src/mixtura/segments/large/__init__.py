"""Tables larger than memory: drawn from, spooled, evaluated and written in parts."""

from mixtura.segments.large.opening import LARGE_ROWS, counted

__all__ = ["LARGE_ROWS", "counted"]
