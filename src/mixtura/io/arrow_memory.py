"""Memory that Arrow has freed and keeps."""

from __future__ import annotations

import sys

__all__ = ["release_arrow_memory"]


def release_arrow_memory() -> None:
    """Return memory that Arrow has freed, and keeps for later, to the system; do nothing where Arrow is not loaded.

    Decoding a file or looking for repeated ids takes much more, for a moment, than the columns themselves.

    Examples
    --------
    >>> import pyarrow as pa
    >>> from mixtura.io.arrow_memory import release_arrow_memory
    >>> column = pa.array(range(100_000))
    >>> del column
    >>> release_arrow_memory()
    """
    arrow = sys.modules.get("pyarrow")
    if arrow is not None:
        arrow.default_memory_pool().release_unused()
