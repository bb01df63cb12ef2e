"""Spreadsheet tables: the first sheet that holds a table, read by calamine."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mixtura._optional import require_extra
from mixtura.data.sources.text.header import find_header, unique_names
from mixtura.data.sources.text.table_errors import not_a_table
from mixtura.exceptions import TableError
from mixtura.io.json_table import column_of

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["read_excel_table"]

_RECORDS = 50
"""Rows in which the header is looked for."""


def read_excel_table(path: Path) -> tuple[pa.Table, tuple[str, ...]]:
    """Read the first sheet with a header and a row; return it with notes on what was skipped.

    Raises
    ------
    TableError
        It is not a workbook, or has no such sheet.
    ColumnError
        Two columns have the same name.
    """
    import pyarrow as pa

    with require_extra("python-calamine", extra="excel", purpose="read Excel files"):
        from python_calamine import CalamineError, CalamineWorkbook
    try:
        book = CalamineWorkbook.from_path(path)
        title, rows = _first_table(book)
    except (CalamineError, OSError) as error:
        raise TableError(not_a_table(path, f"it is not an Excel workbook ({error})")) from error
    if not rows:
        raise TableError(not_a_table(path, "its sheets are empty"))
    header = find_header(rows[:_RECORDS])
    body = rows[header.record + (1 if header.names else 0) :]
    width = max(i + 1 for row in rows[header.record :] for i, value in enumerate(row) if value is not None)
    names = unique_names((list(header.names) + [None] * width)[:width], path)
    cells = [[row[i] if i < len(row) else None for row in body] for i in range(width)]
    data = pa.table({name: _column(values) for name, values in zip(names, cells, strict=True)})
    return data, _notes(book.sheet_names, title, header.record, bool(header.names))


def _first_table(book: Any) -> tuple[str, list[list[Any]]]:
    """Return the first sheet with several rows of several cells, or else the first that holds anything."""
    best: tuple[str, list[list[Any]]] = ("", [])
    for title in book.sheet_names:
        rows = [
            [None if cell == "" else cell for cell in row]
            for row in book.get_sheet_by_name(title).to_python()
        ]
        rows = [row for row in rows if any(cell is not None for cell in row)]
        if sum(sum(cell is not None for cell in row) > 1 for row in rows) > 1:
            return title, rows
        best = best if best[1] else (title, rows)
    return best


def _notes(sheets: Sequence[str], title: str, skipped: int, has_header: bool) -> tuple[str, ...]:
    notes = []
    if len(sheets) > 1:
        others = ", ".join(repr(name) for name in sheets if name != title)
        notes.append(f"Read: the sheet {title!r}. Not read: {others}.")
    if skipped:
        notes.append(f"Not read: {skipped} row{'s' if skipped > 1 else ''} above the header.")
    if not has_header:
        notes.append(
            "The first row holds numbers, not names: it is a row of data, and the columns are numbered."
        )
    return tuple(notes)


def _column(values: Sequence[Any]) -> pa.Array:
    """Return a column: whole numbers as integers, dates and times as such, text where the kinds differ."""
    import pyarrow as pa

    present = [value for value in values if value is not None]
    if present and all(type(value) is float and value.is_integer() for value in present):
        return pa.array([None if value is None else int(value) for value in values], pa.int64())
    if {type(value) for value in present} == {dt.date, dt.datetime}:
        return pa.array(
            [None if value is None else dt.datetime.fromisoformat(str(value)) for value in values]
        )
    return column_of(values)
