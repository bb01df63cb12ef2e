"""Typing tools: the questions, the accuracy, and every language in which they score, against the library."""

from __future__ import annotations

import json
import shutil
import subprocess
import warnings
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import openpyxl
import polars as pl
import pytest

from mixtura.exceptions import ColumnWarning, DataError, ParameterError
from mixtura.io.export import scoring_javascript, scoring_spss
from mixtura.io.questionnaire.answer_sheet import write_questionnaire
from mixtura.segments import SegmentModel, assign_table, segment_table
from mixtura.segments.model.kept_reference import with_reference
from mixtura.segments.model.read_rows import read_rows
from mixtura.segments.typing.golden_questions import find_questions, memberships_by
from mixtura.segments.typing.reduced_model import reduced_model
from mixtura.segments.typing.typing_files import TYPING_FILES, write_typing_tool
from mixtura.segments.typing.typing_tool import TypingTool, make_typing_tool
from survey_files import write_sav

QUESTIONS = ("age", "spend", "visits", "region", "satisfaction")


def customers(n: int = 500, seed: int = 0) -> pl.DataFrame:
    """Three groups in numbers with a point mass, counts, codes, words; `noise` says nothing."""
    rng = np.random.default_rng(seed)
    group = rng.choice(3, n, p=[0.5, 0.3, 0.2])
    spend = np.exp(rng.normal(np.array([2.0, 4.0, 5.0])[group], 0.4))
    return pl.DataFrame(
        {
            "age": rng.normal(np.array([30.0, 50.0, 65.0])[group], 6.0),
            "spend": np.where(rng.random(n) < np.array([0.5, 0.1, 0.05])[group], 0.0, spend),
            "noise": rng.normal(size=n),
            "visits": 1.0 + rng.poisson(np.array([0.4, 4.0, 8.0])[group]),
            "region": np.array(["north", "it's south", "west"])[(group + (rng.random(n) < 0.3)) % 3],
            "satisfaction": np.clip(np.round(rng.normal(np.array([2.0, 3.5, 4.0])[group], 0.9)), 1, 5),
        }
    )


@pytest.fixture(scope="module")
def model() -> SegmentModel:
    kinds = {"spend": "spike", "visits": "count", "region": "category", "satisfaction": "ordered"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ColumnWarning)
        found = segment_table(
            customers(), components=[3], covariance_types=["full"], kinds=kinds | {"noise": "continuous"}
        )
    return found.model


@pytest.fixture(scope="module")
def reduced(model: SegmentModel) -> SegmentModel:
    return reduced_model(model, QUESTIONS)


def answers() -> pl.DataFrame:
    """New people; some leave out one answer, one leaves out two."""
    found = customers(60, seed=7).drop("noise")
    for row, name in enumerate(("age", "spend", "visits", "region", "satisfaction")):
        found = found.with_columns(
            pl.when(pl.int_range(60) == row).then(None).otherwise(pl.col(name)).alias(name)
        )
    gone = pl.int_range(60) == 5
    return found.with_columns(
        pl.when(gone).then(None).otherwise("age").alias("age"),
        pl.when(gone).then(None).otherwise("visits").alias("visits"),
    )


def expected(reduced: SegmentModel) -> np.ndarray:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ColumnWarning)
        return assign_table(reduced, answers()).memberships


TWO_MISSING = 5


def check(found: np.ndarray, reduced: SegmentModel, tolerance: float = 1e-9) -> None:
    known = np.arange(60) != TWO_MISSING
    assert np.isnan(found[TWO_MISSING]).all()
    np.testing.assert_allclose(found[known], expected(reduced)[known], atol=tolerance)


# ---------------------------------------------------------------------------------------- the reduced model


def test_the_marginal_is_the_model_with_the_other_values_missing(model: SegmentModel) -> None:
    table = customers(80, seed=3)
    whole = read_rows(model, table).table
    for questions in (("age",), ("spend", "region"), QUESTIONS, ("noise", "visits", "spend")):
        small = reduced_model(model, questions)
        rows = read_rows(small, table).table
        np.testing.assert_allclose(
            small.memberships(rows), memberships_by(model, whole, questions), atol=1e-12
        )


def test_questions_must_be_columns_of_the_model(model: SegmentModel) -> None:
    with pytest.raises(ParameterError, match=r"`questions` must be columns of the model.*got \['income'\]"):
        reduced_model(model, ["income"])
    with pytest.raises(ParameterError, match="at least one of 'age'"):
        reduced_model(model, ["region"])


def test_a_reduced_model_is_saved_and_read(model: SegmentModel, tmp_path: Path) -> None:
    compared = with_reference(model, read_rows(model, customers()).table)
    reduced = reduced_model(compared, QUESTIONS)
    reduced.save(tmp_path / "model.json")
    read = SegmentModel.load(tmp_path / "model.json")
    np.testing.assert_allclose(expected(read), expected(reduced), atol=1e-12)


# ---------------------------------------------------------------------------------------- the questions


def test_a_column_that_says_nothing_comes_late(model: SegmentModel) -> None:
    table = customers()
    found = find_questions(model, read_rows(model, table).table)
    assert found.questions[0] in {"age", "spend"}
    assert "noise" not in found.questions[:3]
    assert found.curve[-1].agreement == 1.0
    assert found.curve[0].agreement > found.base_rate


def test_the_curve_is_of_people_held_out() -> None:
    """Of many columns that say nothing, those chosen look good among the people they are chosen by, and only there."""
    rng = np.random.default_rng(0)
    flattered = []
    for _ in range(3):
        frame, fresh = (pl.DataFrame({f"x{d:02}": rng.normal(size=60) for d in range(20)}) for _ in "ab")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ColumnWarning)
            model = segment_table(frame, components=[2], covariance_types=["diag"]).model
        curve = find_questions(model, read_rows(model, fresh).table, most=5).curve
        flattered += [one.chosen_on - one.agreement for one in curve]
    assert np.mean(flattered) > 0.02


def test_agreement_by_its_definition(model: SegmentModel) -> None:
    table = customers(200, seed=1)
    rows = read_rows(model, table).table
    weights = np.random.default_rng(0).uniform(0.5, 2.0, 200)
    n = len(model.columns) + len(model.discrete_columns)
    found = find_questions(model, rows, weights, most=n)
    labels = model.memberships(rows).argmax(axis=1)
    agree = memberships_by(model, rows, found.questions[:2]).argmax(axis=1) == labels
    assert found.curve[1].chosen_on == pytest.approx((weights * agree).sum() / weights.sum())
    shares = [weights[labels == k].sum() / weights.sum() for k in range(3)]
    assert found.base_rate == pytest.approx(max(shares))


def test_a_tool_takes_as_many_questions_as_needed(model: SegmentModel) -> None:
    tool = make_typing_tool(model, customers(), min_agreement=0.9)
    n = len(tool.questions)
    assert tool.found.curve[n - 1].agreement >= 0.9
    assert all(one.agreement < 0.9 for one in tool.found.curve[: n - 1])
    assert len(make_typing_tool(model, customers(), n_questions=2).questions) == 2
    document = json.loads(json.dumps(tool.to_dict()))
    assert (document["format"], document["agreement"]) == ("mixtura-typing", tool.agreement)


def test_what_cannot_be_asked_is_said(model: SegmentModel) -> None:
    with pytest.raises(ParameterError, match="`columns` must name columns of the model"):
        make_typing_tool(model, customers(), columns=["region"])
    with pytest.raises(ParameterError, match="`n_questions` must be"):
        make_typing_tool(model, customers(), n_questions=40)
    with pytest.raises(DataError, match="at least 10 people; got 3 and 9"):
        make_typing_tool(model, customers(9))


# ---------------------------------------------------------------------------------------- languages


def test_javascript_scores_as_the_library(reduced: SegmentModel, tmp_path: Path) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("there is no Node.js; on Debian: apt-get install nodejs")
    (tmp_path / "typing.js").write_text(scoring_javascript(reduced.scorer()), encoding="utf-8")
    (tmp_path / "people.json").write_text(json.dumps(answers().to_dicts()), encoding="utf-8")
    script = (
        'const { assignSegment } = require("./typing.js");'
        'const people = JSON.parse(require("fs").readFileSync("people.json"));'
        "console.log(JSON.stringify(people.map(assignSegment)));"
    )
    done = subprocess.run([node, "-e", script], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    check(np.array([[one[f"probability_{k}"] for k in (1, 2, 3)] for one in found], dtype=float), reduced)
    assert found[TWO_MISSING]["segment"] is found[TWO_MISSING]["segment_name"] is None
    assert [one["segment_name"] for one in found if one["segment"]] == [
        reduced.names[one["segment"] - 1] for one in found if one["segment"]
    ]


def test_spss_syntax_scores_as_the_library(reduced: SegmentModel, tmp_path: Path) -> None:
    pyreadstat = pytest.importorskip("pyreadstat", reason="pyreadstat is not installed")
    pspp = shutil.which("pspp")
    if pspp is None:
        pytest.skip("there is no PSPP; on Debian: apt-get install pspp")
    pyreadstat.write_sav(answers(), str(tmp_path / "people.sav"))
    syntax = scoring_spss(reduced.scorer())
    assert max(map(len, syntax.splitlines())) < 256
    # Such a line would be a comment, and the statement above it incomplete.
    assert not [
        line for line in syntax.splitlines() if line.lstrip().startswith("*") and line.startswith(" ")
    ]
    (tmp_path / "run.sps").write_text(
        f'GET FILE="people.sav".\n{syntax}SAVE OUTFILE="scored.sav".\n', encoding="utf-8"
    )
    done = subprocess.run([pspp, "run.sps"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    frame, meta = pyreadstat.read_sav(str(tmp_path / "scored.sav"))
    check(frame[[f"probability_{k}" for k in (1, 2, 3)]].to_numpy(), reduced)
    assert meta.variable_value_labels["segment"] == dict(enumerate(reduced.names, 1))
    assert not [name for name in meta.column_names if name.startswith("#")]


def test_sql_scores_as_the_library(reduced: SegmentModel) -> None:
    people = answers().with_row_index("number")  # noqa: F841
    found = duckdb.sql(reduced.to_sql("duckdb", table="people", id_column="number", max_missing=1)).pl()
    found = found.sort("number").select(f"probability_{k}" for k in (1, 2, 3)).to_numpy()
    check(found.astype(float), reduced, 1e-12)


def questionnaire_of(reduced: SegmentModel, model: SegmentModel) -> Any:
    tool = make_typing_tool(model, customers(), columns=list(QUESTIONS), n_questions=5)
    return TypingTool(reduced, tool.questions, tool.found, tool.source, tool.n_columns).questionnaire()


@pytest.mark.slow
def test_formulas_of_a_spreadsheet_score_as_the_library(
    reduced: SegmentModel, model: SegmentModel, tmp_path: Path
) -> None:
    office = shutil.which("soffice") or shutil.which("libreoffice")
    if office is None:
        pytest.skip("there is no LibreOffice; on Debian: apt-get install libreoffice-calc")
    shown = questionnaire_of(reduced, model)
    write_questionnaire(reduced.scorer(), shown, tmp_path / "typing.xlsx")
    book = openpyxl.load_workbook(tmp_path / "typing.xlsx")
    page = book["Answers"]
    columns = [one.column for one in shown.questions]
    for row, person in enumerate(answers().to_dicts(), start=2):
        for place, name in enumerate(columns, start=2):
            page.cell(row, place).value = person[name]
    book.save(tmp_path / "filled.xlsx")
    profile = f"-env:UserInstallation=file://{tmp_path}/profile"
    words = [office, profile, "--headless", "--convert-to", "xlsx", "--outdir", "computed", "filled.xlsx"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (tmp_path / "computed" / "filled.xlsx").exists(), done.stdout + done.stderr
    computed = openpyxl.load_workbook(tmp_path / "computed" / "filled.xlsx", data_only=True)["Answers"]
    found = [[computed.cell(row, 1 + len(columns) + 3 + k).value for k in (1, 2, 3)] for row in range(2, 62)]
    check(np.array([[np.nan if cell in (None, "") else cell for cell in row] for row in found]), reduced)


def test_the_workbook_holds_formulas_questions_and_accuracy(
    reduced: SegmentModel, model: SegmentModel, tmp_path: Path
) -> None:
    shown = questionnaire_of(reduced, model)
    write_questionnaire(reduced.scorer(), shown, tmp_path / "typing.xlsx")
    book = openpyxl.load_workbook(tmp_path / "typing.xlsx")
    assert book.sheetnames == ["Answers", "Questions", "Accuracy", "Steps"]
    assert book["Steps"].sheet_state == "hidden"
    header = [cell.value for cell in book["Answers"][1]]
    assert header[6:9] == ["Segment", "Name of the segment", "Certainty"]
    assert str(book["Answers"].cell(2, 7).value).startswith("=IFERROR(Steps!")
    lengths = [len(str(cell.value)) for row in book["Steps"].iter_rows(min_row=2, max_row=2) for cell in row]
    assert max(lengths) < 8_192
    assert book["Accuracy"].cell(2, 3).value == pytest.approx(shown.curve[0].agreement)


def test_a_formula_that_excel_cannot_read_is_refused(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    frame = pl.DataFrame({f"x{d:02}": rng.normal(size=200) for d in range(25)})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ColumnWarning)
        model = segment_table(frame, components=[2], covariance_types=["full"]).model
    tool = make_typing_tool(model, frame, n_questions=25)
    with pytest.raises(ParameterError, match="A formula of a spreadsheet must have at most 8,000 characters"):
        write_typing_tool(tool, tmp_path / "typing")
    assert list(tmp_path.iterdir()) == []


def test_labels_may_be_answered_in_place_of_codes(tmp_path: Path) -> None:
    pytest.importorskip("pyreadstat", reason="pyreadstat is not installed")
    from mixtura.io import read_table

    survey = read_table(write_sav(tmp_path / "survey.sav")).data
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ColumnWarning)
        model = segment_table(
            survey, components=[2], covariance_types=["diag"], kinds={"party": "category"}
        ).model
    small = reduced_model(model, ["age", "party"])
    people = pl.DataFrame({"age": [40.0, 40.0], "party": ["3", "Right"]})  # noqa: F841
    statement = small.to_sql("duckdb", table="people", id_column=[])
    found = duckdb.sql(statement).pl().select("probability_1").to_series().to_list()
    assert found[0] == found[1]


def test_the_files_of_a_tool(model: SegmentModel, tmp_path: Path) -> None:
    write_typing_tool(make_typing_tool(model, customers()), tmp_path / "typing")
    assert {path.name for path in (tmp_path / "typing").iterdir()} == set(TYPING_FILES)
