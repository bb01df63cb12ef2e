"""`mixtura segment --known`: customers whose segment is known."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import polars as pl
import pytest


def labeled(customers: Path) -> None:
    """Add a column that knows the segment of twenty customers, and one wrong one."""
    table = pl.read_csv(customers, schema_overrides={"id": pl.String})
    rank = pl.col("spending").rank("ordinal")
    tier = pl.when(rank > 285).then(pl.lit("gold")).when(rank < 6).then(pl.lit("plain"))
    table.with_columns(tier=tier).with_columns(
        tier=pl.when(rank == 1).then(pl.lit("gold")).otherwise("tier")
    ).write_csv(customers)


def test_it_prints_and_writes_what_is_known(run, customers, workplace) -> None:
    labeled(customers)
    printed = run(
        "segment", customers.name, "--known", "tier", "--components", "3", "--resamples", "0"
    ).output
    assert "Segments known by tier" in printed
    assert "Labels that look wrong: 1 of 20 known customers" in printed
    folder = workplace / "customers-segments"
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    assert summary["known"]["n_known"] == 20
    assert {"gold", "plain"} < {one["name"] for one in summary["segments"]}
    table = pl.read_csv(folder / "segments.csv", schema_overrides={"id": pl.String})
    tiers = pl.read_csv(customers, schema_overrides={"id": pl.String})["tier"]
    known = table.filter(tiers.is_not_null())
    assert known["segment_name"].to_list() == tiers.drop_nulls().to_list()
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "Segments known by" in page
    assert "Labels that look wrong" in page


def test_a_column_that_is_not_there_is_refused(refused, customers, workplace) -> None:
    said = refused("segment", customers.name, "--known", "tyre")
    assert "--known" in said
    assert not (workplace / "customers-segments").exists()


def test_segments_of_a_model_are_kept(run, kept, customers, workplace) -> None:
    kept("segment", customers.name, "--components", "3", "--resamples", "0")
    model = Path("customers-segments/model.json")
    before = json.loads(model.read_text(encoding="utf-8"))
    printed = run(
        "segment", customers.name, "--keep", str(model), "--components", "3-4", "--output", "again"
    ).output
    assert "Segments kept from customers.csv" in printed
    after = json.loads((workplace / "again" / "model.json").read_text(encoding="utf-8"))
    assert after["mixture"]["means"][:3] == before["mixture"]["means"]
    assert after["segments"][:3] == before["segments"]
    learned = before["training"]["created"]
    assert "kept_from" not in before["training"]
    assert after["training"]["kept_from"] == {"source": customers.name, "created": learned, "segments": 3}
    assert f"segments 1 to 3 of {customers.name}, {learned}" in run("show", "again/model.json").output
    assert "Kept" not in run("show", str(model)).output
    assert "Segments kept" in (workplace / "again" / "report.html").read_text(encoding="utf-8")


def test_what_the_model_says_is_not_asked_again(refused, kept, customers, workplace) -> None:
    kept("segment", customers.name, "--components", "3", "--resamples", "0")
    arguments = "segment", customers.name, "--keep", "customers-segments/model.json", "--output", "again"
    said = refused(*arguments, "--columns", "income")
    assert "--columns cannot be given with --keep" in said
    assert "model" in refused("segment", customers.name, "--keep", "nothing.json", "--output", "again")


def test_what_was_not_tried_is_not_judged(run, refused, kept, customers, workplace) -> None:
    kept("segment", customers.name, "--components", "3", "--resamples", "0")
    arguments = "segment", customers.name, "--keep", "customers-segments/model.json", "--output", "again"
    assert "Try --components 3-6" in refused(*arguments, "--components", "2")
    assert "--resamples cannot be given with --keep" in refused(*arguments, "--resamples", "5")
    printed = run(*arguments, "--components", "3").output
    assert "No new segment was tried" in printed
    assert "No new segment was tried" in (workplace / "again" / "report.html").read_text(encoding="utf-8")
    # Three segments of two columns that stay: two shares were estimated.
    assert "2 of them estimated" in run("show", "again/model.json").output


def test_the_page_says_what_the_criterion_would_be_without_new_segments(
    run, kept, customers, workplace
) -> None:
    everybody = pl.read_csv(customers, schema_overrides={"id": pl.String})
    everybody.filter(pl.col("spending").rank("ordinal") <= 190).write_csv("fewer.csv")
    kept("segment", "fewer.csv", "--components", "2", "--resamples", "0")
    model = "fewer-segments/model.json"
    printed = run(
        "segment", customers.name, "--keep", model, "--components", "2-3", "--output", "again"
    ).output
    summary = json.loads((workplace / "again" / "summary.json").read_text(encoding="utf-8"))
    assert summary["kept"]["n_new"] == 1
    more = summary["kept"]["criterion_without_new"] - summary["choice"]["criteria"]["bic"]
    assert f"Without the new segments BIC would be {more:,.1f} larger." in printed
    page = (workplace / "again" / "report.html").read_text(encoding="utf-8")
    (said,) = re.findall(r"Without the new segments BIC would be ([0-9,.]+) larger\.", page)
    assert float(said.replace(",", "")) == pytest.approx(more, rel=0.01)


def test_labels_that_are_not_printed_are_counted(run, customers, workplace) -> None:
    table = pl.read_csv(customers, schema_overrides={"id": pl.String})
    rank = pl.col("spending").rank("ordinal")
    low = pl.when(rank < 21).then(pl.lit("plain"))
    swapped = pl.when(rank.is_between(21, 28)).then(pl.lit("gold"))
    tier = pl.coalesce(pl.when(rank > 260).then(pl.lit("gold")), low, swapped)
    table.with_columns(tier=tier).write_csv(customers)
    printed = run(
        "segment", customers.name, "--known", "tier", "--components", "3", "--resamples", "0"
    ).output
    wrong = json.loads((workplace / "customers-segments" / "summary.json").read_text("utf-8"))["known"][
        "n_elsewhere"
    ]
    assert wrong > 5
    assert f"and {wrong - 5} more" in printed


def test_a_table_of_answers_alone(run, workplace) -> None:
    rng = np.random.default_rng(0)
    share = np.where(np.arange(240) % 2 == 0, 0.9, 0.1)
    answers = {f"q{j}": np.where(rng.uniform(size=240) < share, "yes", "no") for j in range(5)}
    pl.DataFrame(answers).write_csv(workplace / "answers.csv")
    printed = run("segment", "answers.csv", "--components", "1-3", "--resamples", "0").output
    assert "2 segments (latent classes)" in printed
    model = "answers-segments/model.json"
    shown = run("show", model)
    assert shown.exit_code == 0, shown.output
    assert "none, 11 parameters" in shown.output
    updated = run("update", model, "answers.csv", "--output", "updated.json")
    assert updated.exit_code == 0, updated.output
    assigned = run("assign", "updated.json", "answers.csv", "--output", "assigned.csv")
    assert assigned.exit_code == 0, assigned.output
    found = pl.read_csv(workplace / "assigned.csv")["segment"].to_numpy()
    assert max((found[::2] == 1).mean(), (found[::2] == 2).mean()) > 0.95
