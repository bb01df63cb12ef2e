"""Files of SPSS, Stata and SAS: what other writers put in must come out."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest

from mixtura.exceptions import OptionalDependencyError, OutputError, TableError
from mixtura.io import Codebook, CodebookColumn, TableWriter, codebook_of, read_table, write_table
from mixtura.io.survey.codebook import code_text
from mixtura.io.survey.declared_weight import declared_weight
from mixtura.io.survey.file_dates import dates_of
from survey_files import survey_frame, write_dta, write_sav

pyreadstat = pytest.importorskip("pyreadstat", reason="pyreadstat is not installed")

OF_PSPP = Path(__file__).parents[2] / "reference" / "survey"
"""Written by GNU PSPP from weighted.sps, which holds the values."""


@pytest.mark.parametrize("name", ["weighted.sav", "weighted.zsav", "unweighted.sav"])
def test_files_of_pspp(name: str) -> None:
    table = read_table(OF_PSPP / name).data
    assert table.to_pydict() == {
        "resp": [1, 2, 3, 4],
        "longlonglongname": ["aaaaaaaaaaaaaaaa", "b", "c", "d"],
        "sex": [1, 2, 2, 1],
        "income": [2400.5, None, None, 3100.0],
        "trust": [0, 10, None, 5],
        "joined": [dt.date(2019, 1, 1), dt.date(2020, 2, 1), dt.date(1999, 12, 1), None],
        "seen": [dt.date(2020, 1, 5), dt.date(2020, 2, 28), dt.date(1999, 12, 31), dt.date(1582, 10, 15)],
        "at": [
            dt.datetime(2020, 1, 5, 10, 30),
            dt.datetime(2020, 2, 28, 0, 0, 1),
            dt.datetime(1999, 12, 31, 23, 59, 59),
            dt.datetime(1582, 10, 15),
        ],
        "household": [2, 1, 3, 4],
        "design": [0.5, 1.25, 2.0, 0.25],
    }
    book = codebook_of(table)
    assert book.column("sex") == CodebookColumn(
        "Sex of respondent", {"1": "Male", "2": "Female"}, "nominal", {}
    )
    assert book.column("income").missing == {"97": 1, "99": 1}
    assert book.column("trust").missing == {"88": 1}
    assert book.column("trust").measure == "ordinal"


def test_a_portable_file_of_pspp() -> None:
    table = read_table(OF_PSPP / "weighted.por").data
    assert table["INCOME"].to_pylist() == [2400.5, None, None, 3100.0]
    assert table["JOINED"].to_pylist()[0] == dt.date(2019, 1, 1)
    assert codebook_of(table).column("SEX").labels == {"1": "Male", "2": "Female"}


@pytest.mark.parametrize(
    ("name", "weight"),
    [
        ("weighted.sav", "design"),
        ("weighted.zsav", "design"),
        ("weighted.por", "DESIGN"),
        ("unweighted.sav", None),
    ],
)
def test_the_weight_that_a_file_declares(name: str, weight: str | None) -> None:
    # The variable stands behind a text of 300 letters, which takes two variables and 38 places of the dictionary.
    assert declared_weight(OF_PSPP / name) == weight
    assert codebook_of(read_table(OF_PSPP / name).data).weight == weight


def test_dates_of_stata_are_those_of_pandas(tmp_path: Path) -> None:
    values = np.array([708.0, 0, -1, 250])
    forms = {"m": "%tm", "q": "%tq", "w": "%tw", "h": "%th", "d": "%td"}
    frame = pl.DataFrame(dict.fromkeys(forms, values))
    pyreadstat.write_dta(frame, str(tmp_path / "dates.dta"), variable_format=forms)
    ours = read_table(tmp_path / "dates.dta").data.to_pydict()
    theirs = pd.read_stata(tmp_path / "dates.dta")
    for name in forms:
        assert ours[name] == [one.date() for one in theirs[name]], name


@pytest.mark.parametrize(
    ("program", "form", "number", "date"),
    [
        ("spss", "QYR6", 13197600000.0, "2000-12-31"),
        ("spss", "EDATE10", 86400.0, "1582-10-15"),
        ("sas", "MONYY7.", 21550.0, "2019-01-01"),
        ("sas", "DATETIME20.", 1861920000.0, "2019-01-01"),
        ("stata", "%tc", 1861920000000.0, "2019-01-01"),
        ("stata", "%tdCCYY-NN-DD", 21550.0, "2019-01-01"),
    ],
)
def test_dates_by_format(program: str, form: str, number: float, date: str) -> None:
    found = dates_of(np.array([number]), program, form)  # type: ignore[arg-type]
    assert found is not None
    assert found[0] == np.datetime64(date)


@pytest.mark.parametrize(
    ("program", "form"), [("spss", "F8.2"), ("spss", "TIME8"), ("stata", "%9.0g"), ("sas", "BEST12.")]
)
def test_numbers_are_no_dates(program: str, form: str) -> None:
    assert dates_of(np.array([5.0]), program, form) is None  # type: ignore[arg-type]


def test_special_missing_values_of_stata(tmp_path: Path) -> None:
    frame = pd.DataFrame({"income": pd.Series([1.5, "a", "b", "a"], dtype=object)})
    pyreadstat.write_dta(
        frame,
        str(tmp_path / "t.dta"),
        missing_user_values={"income": ["a", "b"]},
        variable_value_labels={"income": {"a": "Refused"}},
    )
    table = read_table(tmp_path / "t.dta").data
    assert table["income"].to_pylist() == [1.5, None, None, None]
    assert codebook_of(table).column("income").missing == {".a": 2, ".b": 1}


@pytest.mark.parametrize("suffix", [".sav", ".dta", ".xpt"])
def test_numbers_and_text_come_back(tmp_path: Path, suffix: str) -> None:
    frame = pl.DataFrame({"A": [1.0, 2.5, None], "B": [3.0, 4.0, 5.0], "T": ["ä", "", "c"]})
    write = {".sav": pyreadstat.write_sav, ".dta": pyreadstat.write_dta, ".xpt": pyreadstat.write_xport}[
        suffix
    ]
    write(frame, str(tmp_path / f"t{suffix}"))
    table = read_table(tmp_path / f"t{suffix}").data
    assert table.to_pydict() == {"A": [1.0, 2.5, None], "B": [3, 4, 5], "T": ["ä", None, "c"]}


def test_a_truncated_file(tmp_path: Path) -> None:
    path = write_sav(tmp_path / "survey.sav")
    path.write_bytes(path.read_bytes()[:-700])
    with pytest.raises(
        TableError, match=r"is not an SPSS file that can be read, whole and uncorrupted: .*number of rows"
    ):
        read_table(path)


@pytest.mark.parametrize("suffix", [".sav", ".zsav", ".por", ".dta", ".sas7bdat", ".xpt"])
def test_a_file_of_another_kind(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"customers{suffix}"
    path.write_text("id,income\n1,2\n" * 60, encoding="utf-8")
    with pytest.raises(
        TableError, match=r"that can be read, whole and uncorrupted: .*\. Export or copy it again"
    ):
        read_table(path)


def test_the_extra_is_named_where_the_reader_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_dta(tmp_path / "survey.dta")
    monkeypatch.setitem(__import__("sys").modules, "pyreadstat", None)
    with pytest.raises(
        OptionalDependencyError, match=r"read a Stata file. Install it with: pip install .mixtura\[survey\]"
    ):
        read_table(path)


def test_labels_that_repeat_are_distinguished() -> None:
    column = CodebookColumn(labels={"1": "Yes", "6": "Other", "7": "Other"})
    assert column.shown(["1", "6", "7"]) == ("Yes", "Other (6)", "Other (7)")


def test_code_text() -> None:
    assert [code_text(one) for one in (3.0, -1.0, 2.5, "x")] == ["3", "-1", "2.5", "x"]


@pytest.mark.parametrize("suffix", [".sav", ".dta"])
def test_what_is_written_is_read_by_others(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"out{suffix}"
    book = Codebook({"segment": CodebookColumn("Segment", {"1": "Savers", "2": "Spenders"}, "nominal")})
    columns = {
        "segment": np.array([1, 2, 0]),
        "probability": np.array([0.75, 1.0, np.nan]),
        "anomaly": np.array([True, False, False]),
    }
    ids = {"Customer no.": np.array(["007", "äöü", "x"], dtype=object)}
    write_table(path, ids, columns, np.array([True, True, False]), book)
    read = pyreadstat.read_sav if suffix == ".sav" else pyreadstat.read_dta
    frame, meta = read(str(path))
    assert frame["Customer_no_"].tolist() == ["007", "äöü", "x"]
    assert meta.column_names_to_labels["Customer_no_"] == "Customer no."
    assert meta.column_names_to_labels["segment"] == "Segment"
    assert frame["segment"].tolist()[:2] == [1, 2]
    assert frame["segment"].isna().tolist() == [False, False, True]
    assert meta.variable_value_labels["segment"] == {1: "Savers", 2: "Spenders"}
    assert frame["probability"].tolist()[:2] == [0.75, 1.0]
    assert frame["anomaly"].tolist()[:2] == [1, 0]


def test_names_that_spss_does_not_allow(tmp_path: Path) -> None:
    names = ["by", "1st", "a b", "A_B", "x" * 80]
    write_table(tmp_path / "t.sav", {}, {name: np.arange(2.0) for name in names}, np.ones(2, dtype=bool))
    _, meta = pyreadstat.read_sav(str(tmp_path / "t.sav"))
    assert meta.column_names == ["v_by", "v_1st", "a_b", "A_B_2", "x" * 64]


def test_a_frame_of_pandas_read_spss_has_the_codes(tmp_path: Path) -> None:
    frame = pd.read_spss(write_sav(tmp_path / "survey.sav"))
    book = codebook_of(frame)
    assert book.column("trust").labels == {"0": "No trust at all", "10": "Complete trust"}
    assert book.column("party").measure == "nominal"
    assert len(frame) == len(survey_frame())


def test_a_table_in_parts_is_not_written_as_a_survey(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"in parts is written to a \.csv or \.parquet file; got .*\.sav"):
        TableWriter(tmp_path / "t.sav")
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_sas_wrote() -> None:
    """Fisher's irises, as R's haven ships them; pyreadstat cannot write such a file."""
    path = os.environ.get("MIXTURA_SAS_EXAMPLE", "")
    if not Path(path).is_file():
        pytest.skip("MIXTURA_SAS_EXAMPLE names no iris.sas7bdat")
    irises = pytest.importorskip("sklearn.datasets").load_iris()
    table = read_table(path)
    columns = ("Sepal_Length", "Sepal_Width", "Petal_Length", "Petal_Width")
    assert table.columns == (*columns, "Species")
    assert table.notes == ()
    values = np.column_stack([table.data[name].to_numpy() for name in columns])
    # Rows 35 and 38 are printed wrongly in the copy that scikit-learn has, as its description says.
    right = np.delete(np.arange(150), [34, 37])
    np.testing.assert_allclose(values[right], irises.data[right], rtol=1e-12)
    assert [name[:6] for name in table.data["Species"].to_pylist()] == [
        irises.target_names[kind][:6] for kind in irises.target
    ]
