"""Surveys: labels, measurement levels, declared and suspected missing codes, weights."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from mixtura.cli.option_names import with_options
from mixtura.exceptions import ColumnWarning, ParameterError
from mixtura.io import Codebook, CodebookColumn, read_table, with_codebook
from mixtura.segments import Effort, SegmentModel, advise, assign_table, choose_columns, segment_table
from mixtura.segments.table.survey.missing_codes import (
    SuspectedCodes,
    codes_asked,
    suspected_codes,
    suspected_notes,
)
from survey_files import survey_frame, write_dta, write_sav

pytest.importorskip("pyreadstat", reason="pyreadstat is not installed")

NOTHING = CodebookColumn()


def survey(tmp_path: Path, **options: Any) -> Any:
    return read_table(write_sav(tmp_path / "survey.sav", **options)).data


def segmented(table: Any, **options: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ColumnWarning)
        return segment_table(table, components=[2], covariance_types=["diag"], **options)


def test_what_the_file_says_decides_on_columns(tmp_path: Path) -> None:
    choice = choose_columns(survey(tmp_path))
    assert choice.used == ("age", "income", "trust")
    reasons = {one.name: one.reason for one in choice.left_out}
    assert reasons["sex"] == "codes of categories, such as 1 = 'Male'"
    assert reasons["weight"].startswith("a weight, by its name and values")


def test_kinds_follow_the_measurement_level(tmp_path: Path) -> None:
    measures = {"age": "scale", "income": "scale", "sex": "nominal", "trust": "ordinal", "party": "nominal"}
    result = segmented(survey(tmp_path, variable_measure=measures), kinds="auto")
    kinds = {one.name: one.kind for one in result.columns.kinds}
    assert kinds == {"age": "continuous", "income": "continuous", "trust": "ordered"}
    # Categories, which go with nothing in this table that was drawn column by column.
    assert result.columns.describe == ("sex", "party")


def test_partial_labels_leave_numbers_numbers(tmp_path: Path) -> None:
    table = read_table(write_dta(tmp_path / "survey.dta")).data
    choice = choose_columns(table)
    assert {"trust", "income"} <= set(choice.used)
    assert {"sex", "party"}.isdisjoint(choice.used)


def test_declared_missing_codes_are_no_incomes(tmp_path: Path) -> None:
    result = segmented(survey(tmp_path))
    frame = survey_frame()
    n_missing = int((frame["income"] == 98).sum())
    income = result.population.numbers["income"]
    assert income.missing == n_missing
    assert income.minimum > 98
    assert f'income (98 "Don\'t know" in {n_missing} cells)' in " ".join(result.notes)


def test_undeclared_codes_are_asked_about_and_can_be_said(tmp_path: Path) -> None:
    table = read_table(write_dta(tmp_path / "survey.dta")).data
    asked = segmented(table)
    question = next(note for note in asked.notes if note.startswith("Does 98"))
    assert "`missing_codes={'income': [98]}`" in question
    assert asked.population.numbers["income"].minimum == 98
    said = segmented(table, missing_codes={"income": [98]})
    assert said.population.numbers["income"].minimum > 98
    assert not any(note.startswith("Does 98") for note in said.notes)


def test_codes_that_were_said_count_as_missing_for_new_customers(tmp_path: Path) -> None:
    table = read_table(write_dta(tmp_path / "survey.dta")).data
    model = segmented(table, missing_codes={"income": [98]}).model
    model.save(tmp_path / "model.json")
    loaded = SegmentModel.load(tmp_path / "model.json")
    new = pl.DataFrame({"age": [30.0, 60.0], "income": [98.0, 5000.0], "trust": [7.0, 3.0]})
    empty = new.with_columns(income=pl.Series([None, 5000.0]))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ColumnWarning)
        found, expected = assign_table(loaded, new), assign_table(loaded, empty)
    np.testing.assert_array_equal(found.memberships, expected.memberships)


@pytest.mark.parametrize(
    ("values", "codes"),
    [
        ([*range(500, 600), *[97, 98, 99] * 3], (97, 98, 99)),
        ([1, 2, 3, 4, 5] * 20 + [9] * 5, (9,)),
        ([*range(18, 91)] * 2 + [99] * 4, (99,)),
        ([*range(1, 8)] * 20 + [88] * 3 + [99] * 2, (88, 99)),
        ([0, 1, 2, 3, 4] * 20 + [-1] * 4, (-1,)),
    ],
)
def test_codes_that_are_suspected(values: list[int], codes: tuple[int, ...]) -> None:
    found = suspected_codes("q", np.array(values, dtype=float), NOTHING)
    assert found is not None
    assert found.values == codes


@pytest.mark.parametrize(
    "values",
    [
        [*range(1, 10)] * 20,  # a scale to 9
        [*range(101)] * 5,  # percentages
        [*range(500, 700), 97],  # one of two hundred
        [*range(-20, 20)] * 5,  # temperatures
        list(np.random.default_rng(0).integers(80, 130, 400)),
    ],
)
def test_numbers_that_are_not_suspected(values: list[int]) -> None:
    assert suspected_codes("q", np.array(values, dtype=float), NOTHING) is None


def test_a_label_that_says_so_makes_a_code_suspected() -> None:
    values = np.array([1.0, 2, 3, 4] * 10)
    known = CodebookColumn(labels={"4": "Weiß nicht / keine Angabe"})
    found = suspected_codes("q", values, known)
    assert found is not None
    assert (
        "Does 4 ('Weiß nicht / keine Angabe') in 'q' stand for a missing value? 10 cells (25 %)"
        in suspected_notes([found])[0]
    )


def test_columns_of_the_same_codes_are_asked_about_once() -> None:
    alike = [SuspectedCodes(f"q{i}", (9.0,), ("",), 10 + i, 0.1) for i in range(1, 9)]
    other = SuspectedCodes("age", (-2147483648.0, 99.5), ("", ""), 4, 0.04)
    one, two = suspected_notes([*alike, other])
    assert one.startswith(
        "Does 9 in 'q1', 'q2', 'q3', 'q4', 'q5', 'q6' and 2 more stand for a missing value?"
    )
    assert "11 to 18 cells of each (10 %) hold it" in one
    assert "--missing-code q1=9,q2=9,q3=9,q4=9,q5=9,q6=9,q7=9,q8=9" in with_options(one)
    assert "--missing-code age=-2147483648,age=99.5" in with_options(two)


def test_a_code_among_frequent_numbers_is_one_of_them() -> None:
    dense = np.concatenate([np.repeat(np.arange(90.0, 106.0), 5), np.arange(110.0, 350.0, 3)])
    assert suspected_codes("glucose", dense, NOTHING) is None
    found = suspected_codes("glucose", np.append(dense, [99.0] * 30), NOTHING)
    assert found is not None
    assert found.values == (99.0,)


def test_missing_codes_are_checked() -> None:
    assert codes_asked([97, 98]) == {"*": [97.0, 98.0]}
    with pytest.raises(ParameterError, match=r"`missing_codes` must be finite numbers; got \[nan\]"):
        codes_asked({"income": [np.nan]})


def test_a_declared_weight_must_be_accepted_or_refused(tmp_path: Path) -> None:
    table = survey(tmp_path, weight="weight")
    with pytest.raises(
        ParameterError, match=r"declares 'weight'.*Accept it with `weight='weight'`, or refuse it"
    ):
        segmented(table)
    weights = survey_frame()["weight"].to_numpy()
    accepted, refused = segmented(table, weight="weight"), segmented(table, weight="none")
    assert accepted.population.total_weight == pytest.approx(weights.sum())
    # Kish (1965), by its definition.
    assert accepted.population.effective_base == pytest.approx(weights.sum() ** 2 / (weights**2).sum())
    for segment, label in zip(accepted.segments, range(2), strict=True):
        own = weights[accepted.assignment.labels == label]
        assert segment.effective_base == pytest.approx(own.sum() ** 2 / (own**2).sum())
    assert refused.weights is None
    assert refused.population.effective_base == pytest.approx(len(weights))
    assert "weight" not in refused.columns.used


def test_labels_stand_in_every_output(tmp_path: Path) -> None:
    result = segmented(survey(tmp_path), kinds={"sex": "category"}, describe=["party"]).with_effort(
        Effort(resamples=0)
    )
    document = result.document
    levels = {one.level for one in document.population.categories["sex"]}
    assert levels == {"Male", "Female"}
    assert {one.level for one in document.population.categories["party"]} >= {"Left", "Center", "Right"}
    assert document.table.column_labels["age"] == "Age of respondent"
    coded = next(one for one in result.model.coding.columns if one.name == "sex")
    assert (coded.levels, coded.labels) == (("1", "2"), ("Male", "Female"))


def test_a_model_of_codes_reads_labels_too(tmp_path: Path) -> None:
    table = survey(tmp_path)
    model = segmented(table, kinds={"sex": "category", "party": "category"}).model
    with_labels = pd.read_spss(tmp_path / "survey.sav")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ColumnWarning)
        by_code, by_label = assign_table(model, table), assign_table(model, with_labels)
    np.testing.assert_allclose(by_code.memberships, by_label.memberships, atol=1e-12)


def test_frames_of_pandas_readers(tmp_path: Path) -> None:
    of_spss = pd.read_spss(write_sav(tmp_path / "survey.sav"))
    ours = segmented(survey(tmp_path))
    theirs = segmented(of_spss)
    assert theirs.columns.used == ours.columns.used
    np.testing.assert_allclose(theirs.rows, ours.rows)
    with pytest.warns(ColumnWarning, match='"Don\'t know" in row'):
        segment_table(pd.read_stata(write_dta(tmp_path / "s.dta")), components=[2], covariance_types=["diag"])


def test_labels_that_repeat_are_two_levels() -> None:
    frame = survey_frame().select("age", "income", "party").to_arrow()
    column = CodebookColumn("", {"1": "Other", "2": "Other", "3": "Right", "8": "None"}, "nominal")
    result = segmented(with_codebook(frame, Codebook({"party": column})), kinds="auto")
    levels = {one.level for one in result.population.categories["party"]}
    assert levels == {"Other (1)", "Other (2)", "Right", "None"}


def test_exports_know_the_codes_that_were_said(tmp_path: Path) -> None:
    """In SQL, ONNX and JavaScript alike: 98 is no income, as for `assign_table`."""
    table = read_table(write_dta(tmp_path / "survey.dta")).data
    model = segmented(table, missing_codes={"income": [97, 98]}, kinds="continuous").model
    new = pl.DataFrame({"age": [30.0, 60.0, 45.0], "income": [98.0, 5000.0, 97.0], "trust": [7.0, 3.0, 5.0]})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ColumnWarning)
        expected = assign_table(model, new).memberships
    duckdb = pytest.importorskip("duckdb", reason="DuckDB is not installed")
    found = duckdb.sql(model.to_sql("duckdb", table="new", id_column="age")).pl().sort("age")
    order = np.argsort(new["age"].to_numpy())
    np.testing.assert_allclose(
        found.select("probability_1", "probability_2").to_numpy(), expected[order], atol=1e-12
    )
    onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    session = onnxruntime.InferenceSession(model.to_onnx().SerializeToString())
    rows = new.select(list(model.columns)).to_numpy()
    np.testing.assert_allclose(session.run(["probabilities"], {"rows": rows})[0], expected, atol=1e-10)


def test_the_command_that_advice_prints_says_the_weight(tmp_path: Path) -> None:
    advice = advise(survey(tmp_path, weight="weight"))
    assert dict(advice.verdict.arguments or {})["weight"] == "weight"
