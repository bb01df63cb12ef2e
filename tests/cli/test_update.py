"""`mixtura update` and `mixtura merge`: what they print, what they write, and what they refuse."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from mixtura.datasets import make_customers
from mixtura.segments import SegmentModel, SiteStatistics


def month(name: str, seed: int, n: int = 300) -> str:
    frame = make_customers(n, random_state=seed, as_frame="polars")
    days = pl.Series([f"2024-{seed + 1:02}-{i % 28 + 1:02}" for i in range(n)])
    frame.with_columns(id=pl.Series([f"{seed}{i:04}" for i in range(n)]), day=days).write_csv(name)
    return name


def test_months_are_added_one_after_the_other(run, model: Path, workplace: Path) -> None:
    done = run("update", model, month("february.csv", 1))
    assert done.exit_code == 0, done.output
    assert "february.csv: 300 customers added to 300; the model is now learned from 600" in done.stdout
    assert "largest move of its center" in done.stdout
    assert "Log density of a new customer:" in done.stdout
    assert done.stdout.rstrip().endswith("Written: february-model.json")
    done = run("update", "february-model.json", month("march.csv", 2), "--time", "day", "--half-life", "30d")
    assert done.exit_code == 0, done.output
    assert "Earlier customers count 53.6 % of what they did" in done.stdout
    shown = run("show", "march-model.json").stdout
    assert "customers.csv, 300 rows" in shown
    assert "march.csv, 300 rows" in shown
    assert "earlier ones count 53.6 %" in shown
    assert "900 rows, as of 2024-03-28" in shown
    drift = run("drift", "march-model.json", month("april.csv", 3), "--fail-on", "update")
    assert drift.exit_code == 0, drift.output
    assert "compared with customers.csv and 2 added later, 900 rows" in drift.stdout
    assert SegmentModel.load("march-model.json").names == SegmentModel.load(model).names


def test_a_model_may_be_replaced_in_its_place(run, model: Path, workplace: Path) -> None:
    before = model.read_text()
    assert run("update", model, month("may.csv", 4), "--output", model).exit_code == 2
    assert model.read_text() == before
    assert run("update", model, month("may.csv", 4), "--output", model, "--overwrite", "--quiet").stdout == ""
    assert SegmentModel.load(model).training.rows == 600


def test_what_is_read_is_not_replaced(run, model: Path, workplace: Path) -> None:
    run("update", model, month("may.csv", 4), "--statistics", "may.stats")
    held = {name: Path(name).read_bytes() for name in ("may.csv", str(model), "may.stats")}
    for arguments in (
        ["update", model, "may.csv", "--output", "may.csv"],
        ["update", model, "m*.csv", "--output", workplace / "may.csv"],
        ["update", model, "may.csv", "--statistics", model],
        ["merge", model, "may.stats", "--output", "may.stats"],
        ["merge", model, "may.stats", "--statistics", model],
        ["assign", model, "may.csv", "--output", "may.csv"],
        ["anomalies", "may.csv", "--output", "may.csv"],
        ["advise", "may.csv", "--output", "may.csv"],
        ["export", model, "--sql", "duckdb", "--table", "t", "--output", model],
    ):
        done = run(*arguments, "--overwrite")
        assert done.exit_code == 2, arguments
        assert "is an input, which the output would replace" in done.stderr, arguments
    assert held == {name: Path(name).read_bytes() for name in held}


def test_sites_share_sums_and_get_one_model(run, model: Path, workplace: Path) -> None:
    for number, name in enumerate(["north", "south"], 1):
        done = run("update", model, month(f"{name}.csv", number), "--statistics", f"{name}.stats")
        assert done.exit_code == 0, done.output
        assert f"{name}.csv: sums of 300 customers" in done.stdout
        assert "and no row" in done.stdout
    done = run("merge", model, "north.stats", "south.stats")
    assert done.exit_code == 0, done.output
    assert "north.csv, south.csv: one step on 600 customers of all sites" in done.stdout
    assert "this step gains" in done.stdout
    assert done.stdout.rstrip().endswith("Written: model-merged.json")
    assert SegmentModel.load("model-merged.json").training.rows == 600
    assert run("merge", model, "north.stats", "south.stats", "--statistics", "all.stats").exit_code == 0
    assert SiteStatistics.load("all.stats").rows == 600
    assert run("assign", "model-merged.json", "north.csv").exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--half-life", "90d"],
            "--half-life requires the column that says when a row is of. Name it as --time",
        ),
        (["--half-life", "90", "--time", "when"], "'when'"),
        (["--half-life", "0d", "--time", "day"], "--half-life must be a positive time"),
        (["--statistics", "a.stats", "--time", "day"], "--time is for a model, and with --statistics"),
        (["--statistics", "a.stats", "--output", "b.json"], "--output is for a model, and with --statistics"),
        (["--min-rows", "3"], "--min-rows is for --statistics that leave a site"),
        (["--statistics", "a.stats", "--min-rows", "200"], "allow it with --min-rows 0"),
    ],
)
def test_what_cannot_be_is_refused_before_a_file_is_written(
    refused, model: Path, arguments: list[str], message: str
) -> None:
    month("june.csv", 5)
    assert message in refused("update", model, "june.csv", *arguments)


def test_merging_what_does_not_belong_together_is_refused(run, refused, model: Path, workplace: Path) -> None:
    run("update", model, month("north.csv", 1), "--statistics", "north.stats")
    run("update", model, "north.csv")
    assert "are given twice" in refused("merge", model, "north.stats", "north.stats")
    assert "are about another model: its segments differ" in refused(
        "merge", "north-model.json", "north.stats"
    )
    assert "is not a file of statistics of mixtura" in refused("merge", model, model)
    assert "There is no file 'none.stats'" in refused("merge", model, "none.stats")
    assert "--output is for a model" in refused(
        "merge", model, "north.stats", "--statistics", "x.stats", "--output", "y.json"
    )
