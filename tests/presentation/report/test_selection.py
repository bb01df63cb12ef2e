"""Which columns build the segments: on the page, in the workbook and on the terminal."""

from __future__ import annotations

import io
from pathlib import Path

import openpyxl
from rich.console import Console

from mixtura.cli.printing.print_segmentation import print_segmentation
from mixtura.report import render_report, write_workbook
from presentation.documents import BlankCharts, document


def test_the_page_has_a_row_for_every_column() -> None:
    page = render_report(document(), BlankCharts())
    part = page[page.index("Columns that build the segments") : page.index("Columns and their roles")]
    for said in ("income", "+84.2", "100 %", "tax", "redundant", "-12.5", "86 % of its variance", "distance"):
        assert said in part
    without = render_report(document(lambda content: content.update(selection=None)), BlankCharts())
    assert "Columns that build the segments" not in without


def test_the_workbook_has_a_sheet(tmp_path: Path) -> None:
    write_workbook(document(), tmp_path / "book.xlsx")
    sheet = openpyxl.load_workbook(tmp_path / "book.xlsx")["Columns"]
    rows = list(sheet.iter_rows(values_only=True))
    assert [row[:3] for row in rows[1:]] == [
        ("income", "building", 84.2),
        ("spending", "building", None),
        ("tax", "redundant", -12.5),
        ("distance", "noise", -9.75),
    ]


def test_the_terminal_has_a_table() -> None:
    written = io.StringIO()
    print_segmentation(Console(file=written, width=120), document())
    lines = [line.split() for line in written.getvalue().splitlines()]
    assert ["tax", "redundant", "-12.5", "95.0", "%"] in [line[:5] for line in lines]
    assert ["distance", "noise", "-9.8", "70.0", "%"] in [line[:5] for line in lines]
