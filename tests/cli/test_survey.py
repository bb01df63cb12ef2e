"""Surveys at the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from command_line import LoopResult
from survey_files import write_dta, write_sav

pyreadstat = pytest.importorskip("pyreadstat", reason="pyreadstat is not installed")

QUICK = ("--components", "2", "--covariance-type", "diag", "--resamples", "0")


@pytest.mark.usefixtures("quick_reports")
def test_a_survey_is_segmented_and_written_as_one(run: LoopResult, workplace: Path) -> None:
    table = write_sav(workplace / "survey.sav", weight="weight")
    done = run("segment", table, *QUICK, "--weight", "weight", "--describe", "sex,party")
    text = " ".join(done.output.split())
    assert done.exit_code == 0, done.output
    assert "Declared missing by the file" in text
    assert "The effective base (Kish) is" in text
    frame, meta = pyreadstat.read_sav(str(workplace / "survey-segments" / "segments.sav"))
    summary = json.loads((workplace / "survey-segments" / "summary.json").read_text(encoding="utf-8"))
    names = {one["number"]: one["name"] for one in summary["segments"]}
    assert meta.variable_value_labels["segment"] == names
    assert list(frame.columns[:3]) == ["resp", "segment", "certainty"]
    assert frame["segment"].value_counts().to_dict() == {
        one["number"]: one["count"] for one in summary["segments"]
    }


def test_a_declared_weight_is_asked_about(refused: Callable[..., str], workplace: Path) -> None:
    table = write_sav(workplace / "survey.sav", weight="weight")
    said = refused("segment", table, *QUICK)
    assert "Accept it with --weight weight, or refuse it with --weight none" in said


def test_a_truncated_survey_leaves_nothing(refused: Callable[..., str], workplace: Path) -> None:
    table = write_sav(workplace / "survey.sav")
    table.write_bytes(table.read_bytes()[:4000])
    assert "is not an SPSS file that can be read" in refused("segment", table, *QUICK)
    assert [path.name for path in workplace.iterdir()] == ["survey.sav"]


@pytest.mark.usefixtures("quick_reports")
def test_codes_are_said_with_an_option(run: LoopResult, workplace: Path) -> None:
    table = write_dta(workplace / "survey.dta")
    asked = run("segment", table, *QUICK)
    assert "--missing-code income=98" in " ".join(asked.output.split())
    done = run("segment", table, *QUICK, "--missing-code", "income=98", "--overwrite", "--weight", "weight")
    assert "'income' holds 98" in " ".join(done.output.split())
    assigned = run("assign", "survey-segments/model.json", table, "--output", "new.dta")
    assert assigned.exit_code == 0, assigned.output
    frame, meta = pyreadstat.read_dta(str(workplace / "new.dta"))
    assert len(frame) == 600
    assert set(meta.variable_value_labels) == {"segment", "anomaly"}


def test_a_code_that_is_not_a_number(refused: Callable[..., str], workplace: Path) -> None:
    table = write_dta(workplace / "survey.dta")
    assert "'x' is not a number" in refused("segment", table, "--missing-code", "income=x")
