"""``mixtura audience``, as a user would drive it."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from mixtura.segments import SegmentModel


def test_an_audience_is_listed(run, model, customers, rows) -> None:
    done = run("audience", model, customers, "--segment", "1", "--min-probability", "0.3")
    assert done.exit_code == 0, done.output
    memberships = SegmentModel.load(model).memberships(rows)
    expected = {f"{n:05d}" for n in range(300) if memberships[n, 0] >= 0.3}
    written = pl.read_csv("customers-audience.csv", schema_overrides={"id": pl.String})
    assert set(written["id"]) == expected
    assert (np.diff(written["probability"].to_numpy()) <= 0).all()
    reach = f"customers reached{len(expected):>23,}"
    assert " ".join(reach.split()) in " ".join(done.output.split())
    assert f"{memberships[memberships[:, 0] >= 0.3, 0].sum():.1f}" in done.output
    assert "Written: customers-audience.csv" in done.output


def test_customers_count_with_the_weight_named(run, model, customers, rows) -> None:
    counts = np.random.default_rng(1).integers(1, 4, 300)
    pl.read_csv(customers).with_columns(pl.Series("visits", counts)).write_csv("weighted.csv")
    options = ("--segment", "1", "--min-probability", "0.3", "--weight", "visits")
    told = json.loads(run("audience", model, "weighted.csv", *options, "--json").output)
    first = SegmentModel.load(model).memberships(rows)[:, 0]
    chosen = first >= 0.3
    assert told["weight"] == "visits"
    assert told["audiences"][0]["reach"] == chosen.sum()
    assert told["audiences"][0]["share"] == pytest.approx(counts[chosen].sum() / counts.sum())
    assert told["audiences"][0]["expected_members"] == pytest.approx(counts[chosen] @ first[chosen])
    shown = run("audience", model, "weighted.csv", *options, "--output", "again.csv").output
    assert "Shares and sums count each customer 'visits' times" in shown


def test_audiences_overlap(run, model, customers, rows) -> None:
    names = SegmentModel.load(model).names
    options = ("--segment", names[0], "--segment", names[1][:-1], "--min-probability", "0.1", "--json")
    done = run("audience", model, customers, *options, "--output", "both.parquet")
    assert done.exit_code == 0, done.output
    told = json.loads(done.output)
    memberships = SegmentModel.load(model).memberships(rows)[:, :2] >= 0.1
    assert told["overlap"][0][1] == (memberships[:, 0] & memberships[:, 1]).sum() > 0
    assert told["n_reached"] == memberships.any(axis=1).sum()
    assert len(pl.read_parquet("both.parquet")) == memberships.sum()
    shown = run("audience", model, customers, *options[:-1], "--output", "again.csv").output
    assert "customers in both" in shown
    assert f"{told['n_reached']} customers in at least one audience" in shown


def test_by_expected_value(run, model, customers, rows) -> None:
    options = ("--value", "spending", "--top", "7", "--min-expected-value", "1")
    done = run("audience", model, customers, "--segment", "2", *options)
    assert done.exit_code == 0, done.output
    worth = SegmentModel.load(model).memberships(rows)[:, 1] * rows[:, 1]
    written = pl.read_csv("customers-audience.csv")
    assert written["id"].to_list() == np.argsort(-worth)[:7].tolist()
    np.testing.assert_allclose(written["expected_value"], np.sort(worth)[:-8:-1], rtol=1e-12)
    assert "expected value" in done.output


def test_what_is_missing_is_said(run, model, workplace) -> None:
    text = "customer,income,spending,revenue\nA-1,45,80,10\nA-2,,70,10\nA-3,45,80,\n"
    (workplace / "new.csv").write_text(text)
    done = run(
        "audience", model, "new.csv", "--segment", "1", "--top", "5", "--drop-missing", "--value", "revenue"
    )
    assert done.exit_code == 0, done.output
    assert (
        "1 row in no audience (customer A-2): a column used has no value there, and --drop-missing"
        in done.output
    )
    assert "1 without a value of 'revenue': in no audience" in done.output
    assert pl.read_csv("new-audience.csv")["customer"].to_list() == ["A-1"]


def test_formulas_are_defused(run, model, workplace) -> None:
    ids = ["=1+1", "+2", "-3", "@sum", "plain, with comma", '"quoted"', "<script>"]
    with (workplace / "new.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["@customer", "income", "spending"])
        writer.writerows([[name, 45, 80] for name in ids])
    done = run("audience", model, "new.csv", "--id", "@customer", "--segment", "1", "--top", "9")
    assert done.exit_code == 0, done.output
    with Path("new-audience.csv").open(newline="", encoding="utf-8") as file:
        header, *written = csv.reader(file)
    assert header[0] == "'@customer"
    assert [row[0] for row in written] == ["'=1+1", "'+2", "'-3", "'@sum", *ids[4:]]


def test_an_empty_audience_is_no_error(run, model, workplace) -> None:
    (workplace / "new.csv").write_text("customer,income,spending\nA-1,45,80\n")
    done = run("audience", model, "new.csv", "--segment", "2", "--min-probability", "1", "--value", "income")
    assert done.exit_code == 0, done.output
    assert pl.read_csv("new-audience.csv").height == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ("--segment", "9", "--top", "3"),
            "--segment must be the name or number of a segment; got '9'. The segments are 1 '",
        ),
        (("--segment", "1"), "An audience needs a limit: --min-probability, --top or --min-expected-value"),
        (("--segment", "1", "--segment", "1", "--top", "3"), "each once"),
        (("--segment", "1", "--top", "3", "--value", "incom"), "Did you mean 'income'?"),
        (("--segment", "1", "--top", "3", "--id", "nobody"), "no such column"),
        (("--segment", "1", "--top", "3", "--output", "list.txt"), ".csv, .parquet, .sav or .dta"),
    ],
)
def test_what_cannot_be_done_is_said_and_nothing_is_written(
    refused, model, customers, options, message
) -> None:
    assert message in refused("audience", model, customers, *options)


def test_a_list_is_not_overwritten_unasked(run, model, customers) -> None:
    arguments = ("audience", model, customers, "--segment", "1", "--top", "3", "--quiet")
    assert run(*arguments).output == ""
    done = run(*arguments)
    assert done.exit_code == 2
    assert "exists already" in done.stderr
    assert run(*arguments, "--overwrite").exit_code == 0
