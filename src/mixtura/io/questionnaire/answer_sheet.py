"""The workbook of a typing tool: answers in, segments out, the questions, and how well they assign people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mixtura._optional import require_extra
from mixtura.io.export.scorer import Scorer
from mixtura.io.outputs import output_file
from mixtura.io.questionnaire.excel_formulas import column_letters, scoring_formulas
from mixtura.io.spreadsheet import PERCENT, safe_text

__all__ = ["AccuracyRow", "Question", "Questionnaire", "write_questionnaire"]

_PEOPLE = 200
"""Rows for answers."""
_LISTED = 250
"""Characters of the answers that a cell offers: Excel holds 255."""
_ANSWERS = "Answers"
_STEPS = "Steps"


@dataclass(frozen=True, slots=True)
class Question:
    """A question.

    Parameters
    ----------
    column : str
        Its name in the table.
    label : str
        In words; empty where there are none.
    kind : str
        Such as ``"a number from 18 to 90"``.
    answers : tuple of (str, str)
        Codes and their labels; empty for numbers.
    typical : tuple of float or str
        An answer for each segment.
    """

    column: str
    label: str
    kind: str
    answers: tuple[tuple[str, str], ...]
    typical: tuple[float | str, ...]


@dataclass(frozen=True, slots=True)
class AccuracyRow:
    """How well the first n questions assign people; see `mixtura.segments.typing.golden_questions.Accuracy`."""

    n_questions: int
    question: str
    agreement: float
    standard_error: float
    chosen_on: float
    recall: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Questionnaire:
    """What the workbook shows beside the formulas.

    Parameters
    ----------
    title : str
    questions : tuple of Question
        In the order in which they stand.
    names : tuple of str
        Of the segments.
    curve : tuple of AccuracyRow
    notes : tuple of str
    """

    title: str
    questions: tuple[Question, ...]
    names: tuple[str, ...]
    curve: tuple[AccuracyRow, ...]
    notes: tuple[str, ...]


def write_questionnaire(
    scorer: Scorer, shown: Questionnaire, path: str | Path, *, max_missing: int = 1, overwrite: bool = False
) -> None:
    """Write the workbook, all of it or nothing.

    Parameters
    ----------
    scorer : Scorer
    shown : Questionnaire
    path : str or Path
    max_missing : int, default=1
        How many answers a person may leave out.
    overwrite : bool, default=False

    Raises
    ------
    ParameterError
        A formula would be longer than Excel reads.
    OutputError
        The file exists and `overwrite` is False, or it cannot be written.
    OptionalDependencyError
        xlsxwriter is not installed.
    """
    with require_extra("xlsxwriter", extra="excel", purpose="write workbooks"):
        from xlsxwriter import Workbook
    places = {one.column: column_letters(1 + number) for number, one in enumerate(shown.questions)}
    steps, results = scoring_formulas(
        scorer, lambda name, row: f"{_ANSWERS}!${places[name]}{row}", max_missing=max_missing
    )
    with output_file(path, overwrite=overwrite) as temporary:
        book = Workbook(temporary, {"strings_to_formulas": False, "strings_to_urls": False})
        formats = _formats(book)
        answers = book.add_worksheet(_ANSWERS)
        _about(book.add_worksheet("Questions"), shown, formats)
        _accuracy(book, shown, formats)
        _steps(book.add_worksheet(_STEPS), steps)
        for page in book.worksheets():
            page.set_landscape()
            page.fit_to_pages(1, 0)
        _answers(answers, shown, results, formats)
        book.close()


def _formats(book: Any) -> dict[str, Any]:
    heading = {"bold": True, "bg_color": "#E7EAEE", "text_wrap": True, "valign": "top"}
    entry = {"bg_color": "#FFF8DC", "border": 1, "border_color": "#D9CFA8", "align": "center"}
    return {
        "heading": book.add_format(heading),
        "entry": book.add_format(entry),
        "result": book.add_format({"bold": True, "align": "left"}),
        "percent": book.add_format({"num_format": PERCENT}),
        "plain": book.add_format({"valign": "top", "text_wrap": True, "align": "left"}),
        "title": book.add_format({"bold": True, "font_size": 14}),
        "soft": book.add_format({"font_color": "#5A6470", "text_wrap": True, "valign": "top"}),
    }


def _answers(page: Any, shown: Questionnaire, results: Sequence[Any], formats: dict[str, Any]) -> None:
    """Write cells for answers, and beside them the results."""
    n = len(shown.questions)
    page.set_row(0, 62)
    page.repeat_rows(0)
    page.freeze_panes(1, 1)
    page.set_column(0, 0, 34)
    page.set_column(1, n, 20)
    page.write_string(0, 0, "Person", formats["heading"])
    for place, one in enumerate(shown.questions, start=1):
        page.write_string(0, place, safe_text(one.label or one.column), formats["heading"])
        _offer(page, place, one)
    for row in range(1, _PEOPLE + 1):
        for place in range(1, n + 1):
            page.write_blank(row, place, None, formats["entry"])
    for number, name in enumerate(shown.names):
        page.write_string(number + 1, 0, safe_text(f"Example: {name}"))
        for place, one in enumerate(shown.questions, start=1):
            page.write(number + 1, place, one.typical[number], formats["entry"])
    wanted = [one for one in results if one.name not in ("log_density", "anomaly")]
    for place, column in enumerate(wanted, start=n + 1):
        _result(page, place, column, shown, formats)


def _result(page: Any, place: int, column: Any, shown: Questionnaire, formats: dict[str, Any]) -> None:
    is_share = column.name == "certainty" or column.name.startswith("probability_")
    title = {"segment": "Segment", "segment_name": "Name of the segment", "certainty": "Certainty"}.get(
        column.name
    )
    if title is None:
        title = f"Probability of {shown.names[int(column.name.rpartition('_')[2]) - 1]}"
    page.set_column(place, place, 34 if column.name == "segment_name" else 13)
    page.write_string(0, place, safe_text(title), formats["heading"])
    for row in range(2, _PEOPLE + 2):
        text = f'=IFERROR({column.formula(row)},"")'
        page.write_formula(row - 1, place, text, formats["percent" if is_share else "result"], "")


def _offer(page: Any, place: int, one: Question) -> None:
    """Offer the answers of a question in its cells, or say what they may be."""
    said: dict[str, Any] = {
        "input_title": one.column[:32],
        "input_message": one.kind[:255],
        "error_type": "warning",
    }
    listed = [label or code for code, label in one.answers]
    if listed and len(",".join(listed)) <= _LISTED and not any("," in text for text in listed):
        said |= {"validate": "list", "source": listed}
    elif one.answers:
        said |= {"validate": "any"}
    else:
        said |= {"validate": "decimal", "criteria": "between", "minimum": -1e100, "maximum": 1e100}
    page.data_validation(1, place, _PEOPLE, place, said)


def _steps(page: Any, steps: Sequence[Any]) -> None:
    for place, column in enumerate(steps):
        page.write_string(0, place, column.name)
        for row in range(2, _PEOPLE + 2):
            page.write_formula(row - 1, place, f"={column.formula(row)}", None, "")
    page.hide()


def _about(page: Any, shown: Questionnaire, formats: dict[str, Any]) -> None:
    page.set_column(0, 0, 8)
    page.set_column(1, 1, 22)
    page.set_column(2, 2, 48)
    page.set_column(3, 3, 60)
    page.write_string(0, 0, safe_text(shown.title), formats["title"])
    for row, note in enumerate(shown.notes, start=1):
        page.merge_range(row, 0, row, 3, safe_text(note), formats["soft"])
        page.set_row(row, 15 * (1 + len(note) // 125))
    start = len(shown.notes) + 2
    for place, title in enumerate(("Order", "Column", "Question", "Answers")):
        page.write_string(start, place, title, formats["heading"])
    for number, one in enumerate(shown.questions, start=1):
        answers = "; ".join(f"{code} = {label}" if label else code for code, label in one.answers)
        page.write_number(start + number, 0, number, formats["plain"])
        for place, text in enumerate((one.column, one.label, answers or one.kind), start=1):
            page.write_string(start + number, place, safe_text(text), formats["plain"])


def _accuracy(book: Any, shown: Questionnaire, formats: dict[str, Any]) -> None:
    """Write the curve, as a table and as a chart."""
    page = book.add_worksheet("Accuracy")
    titles = [
        "Questions",
        "Question added",
        "Agreement, people held out",
        "Standard error",
        "People chosen with",
    ]
    titles += [f"Of {name}" for name in shown.names]
    page.set_row(0, 48)
    page.set_column(0, 0, 11)
    page.set_column(1, 1, 22)
    page.set_column(2, len(titles), 14)
    for place, title in enumerate(titles):
        page.write_string(0, place, safe_text(title), formats["heading"])
    for row, one in enumerate(shown.curve, start=1):
        page.write_number(row, 0, one.n_questions, formats["plain"])
        page.write_string(row, 1, safe_text(one.question))
        for place, share in enumerate(
            (one.agreement, one.standard_error, one.chosen_on, *one.recall), start=2
        ):
            if share == share:
                page.write_number(row, place, share, formats["percent"])
    chart = book.add_chart({"type": "line"})
    last = len(shown.curve)
    chart.add_series(
        {
            "name": "People held out",
            "categories": ["Accuracy", 1, 0, last, 0],
            "values": ["Accuracy", 1, 2, last, 2],
            "marker": {"type": "circle"},
        }
    )
    chart.set_title({"name": "Agreement with the whole model", "name_font": {"size": 12}})
    chart.set_x_axis({"name": "Questions"})
    chart.set_y_axis({"num_format": "0%", "max": 1})
    chart.set_legend({"none": True})
    page.insert_chart(last + 2, 0, chart, {"x_scale": 1.3})
