"""Workbooks for spreadsheets: several tables, each on a sheet, with formats and no formulas."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

from mixtura._optional import require_extra
from mixtura.io.outputs import output_file

__all__ = ["COUNT", "NUMBER", "PERCENT", "TEXT", "Cell", "Sheet", "write_sheets"]

Cell: TypeAlias = str | int | float | bool | None

COUNT: Final = "#,##0"
"""Format of whole numbers."""
NUMBER: Final = "#,##0.00"
"""Format of measured numbers."""
PERCENT: Final = "0.0%"
"""Format of shares."""
TEXT: Final = "@"
"""Format of words."""

_WIDEST = 60
_JUDGED = 200
"""Rows that decide on the width of a column."""
_LONGEST = 32_767
"""Characters that a cell can hold."""

_FORMULA = re.compile(r"^[=+\-@\t\r]")
# What XML 1.0 cannot hold.
_FORBIDDEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True, slots=True)
class Sheet:
    r"""A table of a workbook.

    Parameters
    ----------
    title : str
        At most 31 characters, none of ``[]:*?/\``.
    columns : sequence of (str, str)
        Headings, each with the number format of its column: `COUNT`, `NUMBER`, `PERCENT` or `TEXT`.
    rows : iterable of sequences of cells
    """

    title: str
    columns: Sequence[tuple[str, str]]
    rows: Iterable[Sequence[Cell]]


def write_sheets(sheets: Iterable[Sheet], path: str | Path, *, overwrite: bool = False) -> None:
    """Write a workbook, all of it or nothing.

    Parameters
    ----------
    sheets : iterable of Sheet
    path : str or Path
        Ends in ``.xlsx``.
    overwrite : bool, default=False

    Raises
    ------
    OutputError
        The file exists and `overwrite` is False, or it cannot be written.
    OptionalDependencyError
        openpyxl is not installed.

    Notes
    -----
    Text that starts with ``=``, ``+``, ``-`` or ``@`` gets an apostrophe in front, so that no spreadsheet takes it for
    a formula; numbers stay numbers.
    """
    with require_extra("openpyxl", extra="excel", purpose="write workbooks"):
        from openpyxl import Workbook
    with output_file(path, overwrite=overwrite) as temporary:
        # Written row by row: a workbook held in memory takes a kilobyte per row.
        book = Workbook(write_only=True)
        for sheet in sheets:
            _write(book, sheet)
        book.save(temporary)


def _write(book: Any, sheet: Sheet) -> None:
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Alignment, Font, PatternFill

    page = book.create_sheet(sheet.title)
    rows = [[_safe(value) for value in row] for row in sheet.rows]
    page.freeze_panes = "B2"
    for place, (heading, _) in enumerate(sheet.columns):
        longest = max((len(str(row[place])) for row in rows[:_JUDGED] if row[place] is not None), default=0)
        page.column_dimensions[_letters(place)].width = min(_WIDEST, max(longest, len(heading), 8) + 3)
    header = []
    for heading, kind in sheet.columns:
        cell = WriteOnlyCell(page, _safe(heading))
        cell.font, cell.fill = Font(bold=True), PatternFill("solid", fgColor="E7EAEE")
        cell.alignment = Alignment(horizontal="left" if kind == TEXT else "right", wrap_text=True)
        header.append(cell)
    page.append(header)
    for row in rows:
        page.append([_cell(page, value, kind) for value, (_, kind) in zip(row, sheet.columns, strict=True)])
    if rows:
        page.auto_filter.ref = f"A1:{_letters(len(sheet.columns) - 1)}{len(rows) + 1}"


def _cell(page: Any, value: Cell, kind: str) -> Any:
    from openpyxl.cell import WriteOnlyCell

    if value is None:
        return None
    cell = WriteOnlyCell(page, value)
    if isinstance(value, str):
        # Said explicitly: openpyxl guesses formulas and errors from texts.
        cell.data_type = "s"
    else:
        cell.number_format = kind if kind != TEXT else "General"
    return cell


def _safe(value: Cell) -> Cell:
    """Return a text without what a sheet cannot hold, and without the beginning of a formula."""
    if not isinstance(value, str):
        return value
    text = _FORBIDDEN.sub("", value)
    return (f"'{text}" if _FORMULA.match(text) else text)[:_LONGEST]


def _letters(place: int) -> str:
    from openpyxl.utils import get_column_letter

    return str(get_column_letter(place + 1))
