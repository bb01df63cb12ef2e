"""mixtura segment: the report, the workbook, and JSON for scripts."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import openpyxl

from pictures import pixels


def test_the_report_and_the_summary_say_the_same(run, customers) -> None:
    assert run("segment", customers, "--components", "2-3", "--resamples", "3").exit_code == 0
    page = Path("customers-segments", "report.html").read_text(encoding="utf-8")
    summary = json.loads(Path("customers-segments", "summary.json").read_text(encoding="utf-8"))
    assert f"{summary['verdict']['segments']} segments among 300 customers" in page
    assert summary["stability"]["n_bootstraps"] == 3
    assert not Path("customers-segments", "workbook.xlsx").exists()


def test_json_is_all_that_is_printed(run, customers) -> None:
    done = run("segment", customers, "--components", "3", "--resamples", "0", "--json")
    assert done.exit_code == 0
    written = Path("customers-segments", "summary.json").read_text(encoding="utf-8")
    assert done.stdout == written
    assert json.loads(done.stdout)["stability"] is None


def test_a_workbook_on_request_and_replaced_with_the_rest(run, customers) -> None:
    arguments = ("segment", customers, "--components", "3", "--resamples", "0")
    done = run(*arguments, "--excel")
    assert done.exit_code == 0
    assert "workbook.xlsx" in done.stdout
    book = openpyxl.load_workbook("customers-segments/workbook.xlsx")
    assert book["Customers"]["A2"].value == "00000"
    assert run(*arguments, "--overwrite").exit_code == 0
    assert not Path("customers-segments", "workbook.xlsx").exists()


def test_quiet_prints_nothing(run, customers) -> None:
    done = run("segment", customers, "--components", "3", "--resamples", "0", "--quiet")
    assert (done.exit_code, done.output) == (0, "")


def test_the_picture_exists_and_is_not_blank(kept, customers) -> None:
    kept("segment", customers.name, "--components", "2-4", "--resamples", "0")
    picture = pixels(Path("customers-segments", "segments.png").read_bytes())
    assert picture.shape[1] > 1000
    assert picture.shape[0] > 600
    assert 0.02 < np.mean(picture.sum(axis=2) < 740) < 0.6
    colorful = picture[np.ptp(picture, axis=2) > 60]
    assert len(np.unique(colorful // 32, axis=0)) > 10
    gray, middle = picture @ [0.299, 0.587, 0.114], picture.shape[1] // 2
    assert gray[:, :middle].std() > 10
    assert gray[:, middle:].std() > 5
