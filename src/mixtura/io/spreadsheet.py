"""Workbooks for spreadsheets: several tables, each on a sheet, with formats and without formulas."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any, Final, TypeAlias

from mixtura._optional import require_extra
from mixtura.io.outputs import output_file

__all__ = ["COUNT", "NUMBER", "PERCENT", "TEXT", "Cell", "Sheet", "safe_text", "write_sheets"]

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
        xlsxwriter is not installed.

    Notes
    -----
    Text that starts with ``=``, ``+``, ``-`` or ``@`` gets an apostrophe in front, so that no program takes it for a
    formula when the sheet is exported; numbers stay numbers. A number that is not finite becomes an empty cell.
    """
    with require_extra("xlsxwriter", extra="excel", purpose="write workbooks"):
        from xlsxwriter import Workbook
    with output_file(path, overwrite=overwrite) as temporary:
        # Row by row: a workbook held in memory takes a kilobyte per row.
        book = Workbook(
            temporary, {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
        )
        formats = {kind: book.add_format({"num_format": kind}) for kind in (COUNT, NUMBER, PERCENT)}
        headings = {"bold": True, "bg_color": "#E7EAEE", "text_wrap": True}
        formats["left"] = book.add_format(headings | {"align": "left"})
        formats["right"] = book.add_format(headings | {"align": "right"})
        for sheet in sheets:
            _write(book.add_worksheet(sheet.title), sheet, formats)
        book.close()


def _write(page: Any, sheet: Sheet, formats: Mapping[str, Any]) -> None:
    rows = iter([_safe(value) for value in row] for row in sheet.rows)
    first = list(islice(rows, _JUDGED))
    page.freeze_panes(1, 1)
    for place, (heading, kind) in enumerate(sheet.columns):
        longest = max((len(str(row[place])) for row in first if row[place] is not None), default=0)
        page.set_column(place, place, min(_WIDEST, max(longest, len(heading), 8) + 3))
        page.write_string(0, place, str(_safe(heading)), formats["left" if kind == TEXT else "right"])
    number = 0
    for number, row in enumerate(chain(first, rows), start=1):
        for place, (value, (_, kind)) in enumerate(zip(row, sheet.columns, strict=True)):
            _write_cell(page, number, place, value, formats.get(kind))
    if number:
        page.autofilter(0, 0, number, len(sheet.columns) - 1)


def _write_cell(page: Any, row: int, column: int, value: Cell, number_format: Any) -> None:
    if isinstance(value, str) and value:
        page.write_string(row, column, value)
    elif isinstance(value, bool):
        page.write_boolean(row, column, value)
    elif isinstance(value, int | float) and math.isfinite(value):
        page.write_number(row, column, value, number_format)


def _safe(value: Cell) -> Cell:
    return safe_text(value) if isinstance(value, str) else value


def safe_text(text: str) -> str:
    """Return a text without what a sheet cannot hold, and without the beginning of a formula.

    Examples
    --------
    >>> from mixtura.io.spreadsheet import safe_text
    >>> safe_text("=1+1"), safe_text("income")
    ("'=1+1", 'income')
    """
    text = _FORBIDDEN.sub("", text)
    return (f"'{text}" if _FORMULA.match(text) else text)[:_LONGEST]
