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

__all__ = [
    "COUNT",
    "FINE",
    "NUMBER",
    "PERCENT",
    "TEXT",
    "Cell",
    "Formatted",
    "Sheet",
    "safe_text",
    "write_sheets",
]


@dataclass(frozen=True, slots=True)
class Formatted:
    """A value with a format of its own.

    Parameters
    ----------
    value : str, int, float, bool or None
    kind : str
        `COUNT`, `NUMBER`, `PERCENT` or `TEXT`.
    shade : int, default=0
        1 for a green background, -1 for a red one.
    """

    value: str | int | float | bool | None
    kind: str
    shade: int = 0


Plain: TypeAlias = str | int | float | bool | None
Cell: TypeAlias = Plain | Formatted

COUNT: Final = "#,##0"
"""Format of whole numbers."""
NUMBER: Final = "#,##0.00"
"""Format of measured numbers."""
FINE: Final = "0.0000"
"""Format of statistics between 0 and 1."""
PERCENT: Final = "0.0%"
"""Format of shares."""
TEXT: Final = "@"
"""Format of words."""

_WIDEST = 60
_JUDGED = 200
"""Rows that decide on the width of a column."""
_LONGEST = 32_767
"""Characters that a cell can hold."""

_SHADES: Final[dict[int, dict[str, Any]]] = {
    0: {},
    1: {"bg_color": "#D9EFDF"},
    -1: {"bg_color": "#F8DEDA"},
}

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
        formats = {kind: book.add_format({"num_format": kind}) for kind in (COUNT, NUMBER, FINE, PERCENT)}
        formats |= {
            f"{kind}{shade}": book.add_format({"num_format": kind} | _SHADES[shade])
            for kind in (COUNT, NUMBER, FINE, PERCENT)
            for shade in _SHADES
        }
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
        held = [one.value if isinstance(one, Formatted) else one for one in (row[place] for row in first)]
        longest = max((len(_shown(one)) for one in held if one is not None), default=0)
        page.set_column(place, place, min(_WIDEST, max(longest, len(heading), 8) + 3))
        _write_heading(page, place, heading, formats["left" if kind == TEXT else "right"])
    number = 0
    for number, row in enumerate(chain(first, rows), start=1):
        for place, (value, (_, kind)) in enumerate(zip(row, sheet.columns, strict=True)):
            form = f"{value.kind}{value.shade}" if isinstance(value, Formatted) else kind
            plain = value.value if isinstance(value, Formatted) else value
            _write_cell(page, number, place, plain, formats.get(form))
    if number:
        page.autofilter(0, 0, number, len(sheet.columns) - 1)


def _write_heading(page: Any, place: int, heading: str, text_format: Any) -> None:
    if heading:
        page.write_string(0, place, safe_text(heading), text_format)
    else:
        page.write_blank(0, place, None, text_format)


def _write_cell(page: Any, row: int, column: int, value: Plain, number_format: Any) -> None:
    if isinstance(value, str) and value:
        page.write_string(row, column, value)
    elif isinstance(value, bool):
        page.write_boolean(row, column, value)
    elif isinstance(value, int | float) and math.isfinite(value):
        page.write_number(row, column, value, number_format)


def _shown(value: object) -> str:
    return f"{value:.2f}" if isinstance(value, float) else str(value)


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
