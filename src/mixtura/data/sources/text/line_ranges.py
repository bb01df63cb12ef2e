"""Ranges of bytes of a large text table that hold whole rows, so that several workers read one file."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

from mixtura.data.sources.files import is_compressed

__all__ = ["TextQuery", "line_ranges", "range_as_file"]

_RANGE = 1 << 25
"""Bytes of a range: few enough to be held, enough to make a query for each cheap."""

_CHUNK = 1 << 22


@dataclass(frozen=True, slots=True)
class TextQuery:
    """What DuckDB selects the rows of a text file from.

    Parameters
    ----------
    whole : str
        For all of them.
    below : str, default=""
        For a range that begins below the header; empty where the file is not cut.
    quote : str, default=""
        Between two of which a cell may hold the end of a line.
    """

    whole: str
    below: str = ""
    quote: str = ""


def line_ranges(path: Path, query: TextQuery) -> list[tuple[int, int]]:
    """Return ranges of bytes, each of whole rows, in order; none where the file is short, or where it is not safe.

    It is safe where no cell is quoted, so that each line is a row: the file is read through once to see that.
    """
    size = path.stat().st_size
    if not query.below or size < 2 * _RANGE or is_compressed(path):
        return []
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            if query.quote.encode() in chunk:
                return []
        ends = [0]
        while ends[-1] + _RANGE < size:
            file.seek(ends[-1] + _RANGE)
            if not file.readline(_RANGE).endswith(b"\n"):
                break
            ends.append(file.tell())
    return list(pairwise([*ends, size] if ends[-1] < size else ends))


@contextmanager
def range_as_file(path: Path, start: int, stop: int) -> Iterator[Path]:
    """Give a file that holds a range of the bytes of another: in memory where the system has such."""
    with path.open("rb") as file:
        file.seek(start)
        held = file.read(stop - start)
    if hasattr(os, "memfd_create"):
        number = os.memfd_create("rows")
        with os.fdopen(number, "wb") as made:
            made.write(held)
            made.flush()
            del held
            yield Path(f"/proc/self/fd/{number}")
        return
    with TemporaryDirectory() as folder:
        place = Path(folder) / "rows"
        place.write_bytes(held)
        yield place
