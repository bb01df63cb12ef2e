"""The header of a table: which record holds the names of the columns, and whether there is one."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from mixtura.exceptions import ColumnError

__all__ = ["Header", "find_header", "unique_names"]

_NUMBER = re.compile(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d+)?")
_YEARS = range(1900, 2101)
_TITLE_WORDS = 3
"""Words of a title above a single column, at least: a name, and an odd cell below it, are shorter."""
_FEWEST_NUMBERS = 3
"""Numbers below the name of a single column that has a title."""


@dataclass(frozen=True, slots=True)
class Header:
    """Where the names of the columns are.

    Parameters
    ----------
    record : int
        Number of the first record of the table, from 0; those before it are titles.
    names : tuple
        Cells of that record; empty where it holds data and the table has no header.
    """

    record: int
    names: tuple[Any, ...]


def find_header(records: Sequence[Sequence[Any]]) -> Header:
    """Find the names of the columns among the first records of a table.

    Titles above the names fill fewer cells than the table does. Of a single column the line above the numbers is the
    name, and what stands above that is a title, if an empty line is between them, or if it has three words and the name
    at most two. A first record of numbers alone is data and not
    names, unless the numbers are consecutive: years, or positions as dataframes write them. So is one of numbers and of
    texts that are built as those below them are, such as ``C7`` above ``C8``, or are found below, as ``web`` is.

    Parameters
    ----------
    records : sequence of sequences of cells
        The first few records; a cell that is None or white space is empty.

    Examples
    --------
    >>> from mixtura.data.sources.text.header import find_header
    >>> find_header([["Customers of 2024"], ["id", "income"], ["7", "51.5"], ["8", "60"]])
    Header(record=1, names=('id', 'income'))
    >>> find_header([["1200.5", "3"], ["800", "4"]])
    Header(record=0, names=())
    >>> find_header([["C7", "1200.5"], ["C8", "800"]])
    Header(record=0, names=())
    """
    filled = [sum(not _is_empty(cell) for cell in record) for record in records]
    usual = _usual_width(filled)
    start = next((i for i, count in enumerate(filled) if count >= usual), 0)
    if max(filled, default=0) == 1:
        start = _name_of_one_column(records, filled, start)
    if start and not any(_is_word(cell) for cell in records[start]):
        start = next((i for i, count in enumerate(filled) if count), 0)
    cells = records[start] if records else ()
    data = _is_data(cells) or _is_as_below(cells, records[start + 1 :])
    return Header(start, () if data else tuple(cells))


def _usual_width(filled: Sequence[int]) -> int:
    """Return how many cells a record of the table fills at least; titles fill fewer."""
    counts = Counter(count for count in filled if count)
    if not counts:
        return 0
    width = max(counts, key=lambda count: (counts[count], count))
    return max(min(2, width), (width + 1) // 2)


def _name_of_one_column(records: Sequence[Sequence[Any]], filled: Sequence[int], start: int) -> int:
    """Return the record with the name of the only column, below a title; `start` where there is no title."""
    lines = [i for i, count in enumerate(filled) if count]
    texts = {i: next(str(cell).strip() for cell in records[i] if not _is_empty(cell)) for i in lines}
    above = next((place for place, i in enumerate(lines) if _is_number(texts[i])), 0) - 1
    below = lines[above + 1 :]
    if above < 1 or len(below) < _FEWEST_NUMBERS or not all(_is_number(texts[i]) for i in below):
        return start
    title, name = lines[above - 1], lines[above]
    words = len(texts[title].split()), len(texts[name].split())
    return name if name > title + 1 or (words[0] >= _TITLE_WORDS and words[1] <= 2) else start


def _is_empty(cell: Any) -> bool:
    return cell is None or not str(cell).strip()


def _is_number(cell: Any) -> bool:
    return not isinstance(cell, bool) and _NUMBER.fullmatch(str(cell).strip()) is not None


def _is_word(cell: Any) -> bool:
    return not _is_empty(cell) and not _is_number(cell)


def _is_data(cells: Sequence[Any]) -> bool:
    if not cells or not all(map(_is_number, cells)):
        return False
    numbers = [float(str(cell).replace(",", ".")) for cell in cells]
    consecutive = all(b - a == 1 for a, b in pairwise(numbers))
    return not (consecutive and (numbers[0] in {0, 1} or all(number in _YEARS for number in numbers)))


def _is_as_below(cells: Sequence[Any], below: Sequence[Sequence[Any]]) -> bool:
    """Return whether a record of numbers and texts looks like those below it, cell by cell.

    A text with digits is built as one below it; any other stands below it, too, as the level of a category does.
    """
    numbers = [_is_number(cell) for cell in cells]
    if all(numbers) or not any(numbers):
        return False
    columns = [[row[i] for row in below if i < len(row)] for i in range(len(cells))]
    return all(
        _shape(cell) in map(_shape, column) if number or _has_digit(cell) else cell in column
        for cell, number, column in zip(cells, numbers, columns, strict=True)
    )


def _has_digit(cell: Any) -> bool:
    return any(character.isdigit() for character in str(cell))


def _shape(cell: Any) -> str:
    """Return how a cell is built: ``9`` for a number, else the text with runs of letters and digits as one of each."""
    return "9" if _is_number(cell) else re.sub(r"\d+", "9", re.sub(r"[^\W\d_]+", "a", str(cell).strip()))


def unique_names(header: Sequence[Any], path: Path) -> list[str]:
    """Return the names of the columns as text, in one line; those without one are numbered.

    Raises
    ------
    ColumnError
        Two columns have the same name.
    """
    names = [
        f"column_{position}" if _is_empty(name) else re.sub(r"\s*[\r\n]\s*", " ", str(name).strip())
        for position, name in enumerate(header, start=1)
    ]
    for name, count in Counter(names).items():
        if count > 1:
            where = ", ".join(str(i) for i, other in enumerate(names, start=1) if other == name)
            raise ColumnError(
                f"{str(path)!r} has {count} columns named {name!r} (columns {where}). Names must be unique. "
                "Rename or remove all but one.",
                column=name,
            )
    return names
