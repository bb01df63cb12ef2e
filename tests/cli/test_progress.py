"""Progress of long work: how much is done of each stage, and a time to go that is said only once it is known."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from mixtura.cli import progress
from mixtura.cli.progress import _Lines, model_callbacks
from mixtura.cli.time_to_go import TimeToGo, rounded_time
from mixtura.data.sources import open_source
from mixtura.datasets import make_customers
from mixtura.segments import Effort, large, segment_table
from mixtura.segments.large import segment_source


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.time = 0.0

    def __call__(self) -> float:
        return self.time


def test_the_time_to_go_of_even_work_is_right() -> None:
    clock = Clock()
    watched, said = TimeToGo(clock), []
    for clock.time in np.arange(0.0, 100.0, 1.0):
        said.append(watched.at(clock.time, 100))
    assert said[0] == said[1] == ""
    assert said[40] == "about 60 s to go"
    assert said[98:] == ["about 2 s to go", ""]


def test_of_work_that_slows_down_it_is_a_range_that_holds_what_it_takes() -> None:
    """A hundred pieces: each of the first half takes one second, each of the second three."""
    clock, ranges = Clock(), 0
    watched = TimeToGo(clock)
    for done in range(100):
        found = re.fullmatch(r"about (\d+) (s|min) to (\d+) (s|min) to go", watched.at(done, 100))
        if found is not None and done >= 75:
            low, high = (float(found[i]) * {"s": 1, "min": 60}[found[i + 1]] for i in (1, 3))
            true, ranges = 3.0 * (100 - done), ranges + 1
            assert 0.4 * true < low < high
            assert 0.8 * true < high < 1.25 * true
        clock.time += 1.0 if done < 50 else 3.0
    assert ranges >= 15


def test_steps_that_come_at_once_are_no_trouble() -> None:
    """Models that another process has fitted meanwhile are done all at once."""
    clock = Clock()
    watched = TimeToGo(clock)
    for clock.time, done in ((0.0, 1), (3.0, 2), (3.0, 20), (3.01, 21), (3.02, 22)):
        text = watched.at(done, 40)
    assert text == "about 3 s to go"


def test_nothing_is_said_of_work_of_unknown_size_or_another_piece_of_work() -> None:
    clock = Clock()
    watched = TimeToGo(clock)
    assert watched.at(5, None) == ""
    for clock.time, done in ((0.0, 0), (10.0, 50), (20.0, 90)):
        text = watched.at(done, 100)
    assert text != ""
    assert watched.at(1, 100) == ""  # it has begun again
    assert [rounded_time(one) for one in (0.2, 9.4, 63.0, 600.0, 7_300.0)] == [
        "1 s",
        "9 s",
        "65 s",
        "10 min",
        "2.0 h",
    ]


def test_lines_are_written_now_and_then(capsys: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    shown = _Lines(clock)
    shown.begin("Reading big.csv")
    for clock.time in np.arange(0.0, 30.5, 0.5):
        shown.show(int(1000 * clock.time), 60_000, "rows")
    shown.begin("Fitting the model to all rows")
    clock.time = 41.0
    shown.show(1, None, "passes")
    assert capsys.readouterr().err.splitlines() == [
        "  0:00  Reading big.csv",
        "  0:10  Reading big.csv: 10,000 of 60,000 rows, about 50 s to go",
        "  0:20  Reading big.csv: 20,000 of 60,000 rows, about 40 s to go",
        "  0:30  Reading big.csv: 30,000 of 60,000 rows, about 30 s to go",
        "  0:30  Fitting the model to all rows",
        "  0:41  Fitting the model to all rows: 1 pass",
    ]


def test_lines_are_there_where_they_are_asked_for(run, customers: Path, workplace: Path) -> None:
    asked = (
        "segment",
        customers.name,
        "--components",
        "1-2",
        "--covariance-type",
        "full",
        "--resamples",
        "3",
    )
    done = run(*asked, "--progress")
    assert done.exit_code == 0, done.output
    stages = [line[8:] for line in done.stderr.splitlines()]
    assert stages == [
        "Reading customers.csv", "Fitting models", "Comparing the best models", "Summarizing", "Resampling",
        "Writing the report",
    ]  # fmt: skip
    assert run(*asked, "--overwrite").stderr == ""
    assert run(*asked, "--overwrite", "--progress", "--quiet").stderr == ""
    assert "Fitting models" in run("select", customers.name, "--components", "1", "--progress").stderr
    assert (
        "Assigning customers"
        in run("assign", "customers-segments/model.json", customers.name, "--progress").stderr
    )


def test_a_table_in_parts_reports_rows_and_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(large, "LARGE_ROWS", 1_000)
    monkeypatch.setattr(segment_source, "LARGE_ROWS", 1_000)
    rows = make_customers(3_000)
    table = pa.table({"income": rows[:, 0], "spending": rows[:, 1]})
    seen: list[tuple[str, int, int | None]] = []
    stage = [""]
    segment_source.segment_source(
        open_source(table),
        components=[2],
        covariance_types=["diag"],
        on_stage=lambda name: stage.__setitem__(0, name),
        on_rows=lambda done, total: seen.append((stage[0], done, total)),
        on_pass=lambda done, total: seen.append((stage[0], done, total)),
    )
    assert ("Drawing 1,000 of 3,000 rows", 3_000, 3_000) in seen
    assert ("Reading the columns of all rows", 3_000, 3_000) in seen
    passes = [(done, total) for name, done, total in seen if name == "Fitting the model to all rows"]
    assert passes == [(number, None) for number in range(1, len(passes) + 1)]
    assert len(passes) >= 3


def test_resamples_are_counted_to_the_last() -> None:
    seen: list[tuple[int, int]] = []
    found = segment_table(make_customers(as_frame="polars"), components=[3], covariance_types=["diag"])
    stability = found.with_effort(
        Effort(4, on_resample=lambda done, total: seen.append((done, total)))
    ).stability
    assert stability is not None
    assert {total for _, total in seen} == {12}  # of two, three and four segments
    assert len(seen) == 12
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert seen[-1] == (12, 12)


def test_nobody_is_called_where_nobody_looks() -> None:
    assert model_callbacks(progress.Stages(), "bic", parts=True) == {}
