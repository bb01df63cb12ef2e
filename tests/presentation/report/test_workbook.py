"""The workbook, read back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
import pytest

from mixtura.datasets import make_customers
from mixtura.exceptions import OutputError
from mixtura.io.spreadsheet import COUNT, TEXT, Sheet, write_sheets
from mixtura.report import render_report, write_workbook
from mixtura.segments import Effort, segment_table
from presentation.documents import BlankCharts, document


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> openpyxl.Workbook:
    rows = make_customers(150)
    frame = pl.DataFrame(
        {
            "customer_id": [f"=cmd{number}" for number in range(150)],
            "income": rows[:, 0],
            "spending": -rows[:, 1],
            "region": ["+north", "@south", "west"] * 50,
        }
    )
    result = segment_table(
        frame, describe=["region"], id_column="customer_id", components=[2, 3], names={1: "-A"}
    )
    path = tmp_path_factory.mktemp("book") / "workbook.xlsx"
    quick = result.with_effort(Effort(resamples=3, draws=500))
    write_workbook(quick.document, path, result.assignment)
    return openpyxl.load_workbook(path)


def test_there_is_a_sheet_per_part(book: openpyxl.Workbook) -> None:
    assert book.sheetnames == [
        "Verdict", "Segments", "Profiles", "Categories", "Index table", "Customers", "Ambiguous", "Anomalies",
        "K-means", "Stability", "Classification", "Choice of K", "Models",
    ]  # fmt: skip
    assert book["Customers"].max_row == 151


def test_no_cell_is_a_formula_and_numbers_are_numbers(book: openpyxl.Workbook) -> None:
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.value is not None]
    assert {cell.data_type for cell in cells} <= {"s", "n", "b"}
    texts = [cell.value for cell in cells if isinstance(cell.value, str)]
    assert not [text for text in texts if text[0] in "=+-@"]
    assert "'-A" in texts
    assert book["Customers"]["A2"].value == "'=cmd0"
    negative = [cell.value for cell in book["Profiles"]["F"][1:]]
    assert min(negative) < 0


def test_sheets_are_made_to_be_read(book: openpyxl.Workbook) -> None:
    for sheet in book:
        assert sheet.freeze_panes == "B2"
        assert sheet["A1"].font.bold
        assert sheet.column_dimensions["A"].width > 8
    assert book["Segments"]["D2"].number_format == "#,##0"
    assert book["Segments"]["E2"].number_format == "0.0%"


def test_the_index_table_has_formats_row_by_row(book: openpyxl.Workbook) -> None:
    page = book["Index table"]
    rows = {(row[0].value, row[2].value): row for row in page.iter_rows(min_row=2)}
    mean, share = rows["income", None], rows["region", "west"]
    assert (mean[5].number_format, share[5].number_format) == ("#,##0.00", "0.0%")
    assert mean[6].value == pytest.approx(100 * mean[5].value / mean[4].value)
    assert (mean[3].value, share[3].value) == ("yes", None)
    values = [mean[place].value for place in (5, 8, 11)]
    letters = [mean[place].value or "" for place in (7, 10, 13)]
    for own, above in zip(values, letters, strict=True):
        assert all(values["ABC".index(letter)] < own for letter in above)
    assert letters[values.index(max(values))] == "".join(
        letter for letter, value in zip("ABC", values, strict=True) if value < max(values)
    )
    assert {share[place].value for place in (7, 10, 13)} == {None}


def test_numbers_of_segments_stand_side_by_side(book: openpyxl.Workbook) -> None:
    header, *rows = book["Choice of K"].iter_rows(values_only=True)
    assert [row[0] for row in rows] == [2, 3]
    assert [name for name in header if name in {"BIC", "AIC", "CAIC", "ICL"}] == ["BIC", "AIC", "CAIC", "ICL"]
    assert sum(row[-1] == "chosen" for row in rows) == 1


def test_classification_is_that_of_the_document() -> None:
    found = document().certainty.classification
    assert found is not None
    assert found.errors == document().certainty.expected_error
    assert sum(map(sum, found.table)) == pytest.approx(120)  # type: ignore[arg-type]


def test_what_a_sheet_cannot_hold_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    write_sheets(
        [Sheet("One", [("Text", TEXT), ("Count", COUNT)], [("a\x00b\x1b", 3), ("x" * 40_000, None)])], path
    )
    page = openpyxl.load_workbook(path)["One"]
    assert page["A2"].value == "ab"
    assert len(page["A3"].value) == 32_767
    with pytest.raises(OutputError, match="exists already"):
        write_sheets([Sheet("One", [("Text", TEXT)], [])], path)


def test_models_have_their_scores_where_rows_held_out_chose(tmp_path: Path) -> None:
    def by_folds(found: dict[str, Any]) -> None:
        found["choice"] |= {"criterion_name": "cv", "n_folds": 2, "minimum": False}
        for number, one in enumerate([found["choice"], *found["candidates"]]):
            one["criteria"] |= {"cv": 4800.5 + number, "cv_standard_error": 12.25}
        found["candidates"][-1]["criteria"]["cv"] = None

    scored = document(by_folds)
    write_workbook(scored, tmp_path / "a.xlsx")
    book = openpyxl.load_workbook(tmp_path / "a.xlsx")
    assert "Customers" not in book.sheetnames
    header, *rows = book["Models"].iter_rows(values_only=True)
    shown = [dict(zip(header, row, strict=True)) for row in rows]
    assert [one["CV"] for one in shown] == [one.criterion("cv") for one in scored.candidates]
    assert {one["Standard error of CV"] for one in shown} == {12.25}
    page = render_report(scored, BlankCharts())
    assert 'aria-describedby="term-cv">CV</dfn> chose' in page
    assert "the fewest parameters within one standard error of the smallest value" in page


def test_an_outlier_stands_beside_the_segment_of_an_ambiguous_customer(tmp_path: Path) -> None:
    def beside(found: dict[str, Any]) -> None:
        found["ambiguous"]["customers"][0] |= {"second": -1, "second_membership": 0.3125}

    shown = document(beside)
    write_workbook(shown, tmp_path / "a.xlsx")
    book = openpyxl.load_workbook(tmp_path / "a.xlsx")
    first = next(book["Ambiguous"].iter_rows(min_row=2, values_only=True))
    assert first[3:5] == ("outlier", 0.3125)
    assert '<td data-value="-1">outlier</td><td class="number" data-value="0.3125">31 %' in render_report(
        shown, BlankCharts()
    )
