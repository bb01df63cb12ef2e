"""Which tables are worked on in parts."""

from __future__ import annotations

from mixtura.data.sources import Source
from mixtura.data.spool import spool_stream

__all__ = ["LARGE_ROWS", "counted"]

LARGE_ROWS = 262_144
"""Of more rows, sources are worked on in parts, and models are compared on a random sample of this many."""

_UNCOUNTED = 32_000_000
"""Bytes up to which a source of unknown length is taken for small."""


def counted(source: Source) -> Source:
    """Return a source that can be read again and knows its rows; as it is where it is small, or does.

    What comes once, and large files of text, are read into a spool: to parse them again would take longer.

    Raises
    ------
    TableError
        It cannot be read, or has no rows.
    DataError
        The disk has no room.
    """
    if source.n_rows is not None and source.repeatable:
        return source
    small = source.n_bytes is not None and source.n_bytes <= _UNCOUNTED
    return source if source.repeatable and small else spool_stream(source)
