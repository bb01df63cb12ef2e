"""`mixtura drift`: what it prints, what it writes, what it refuses, and with which code it ends."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from mixtura.datasets import make_customers
from mixtura.segments import SegmentModel


def later(name: str, *, shift: float = 0.0, seed: int = 1) -> str:
    rows = make_customers(random_state=seed, as_frame="polars")
    rich = pl.col("income") > 60
    rows = rows.with_columns(income=pl.when(rich).then(pl.col("income") + shift).otherwise(pl.col("income")))
    rows.with_columns(id=pl.Series([f"{i:05}" for i in range(300)])).write_csv(name)
    return name


def test_it_says_what_to_do_and_writes_it(run, model: Path, customers: Path, workplace: Path) -> None:
    done = run("drift", model, later("june.csv", shift=15.0), "--before", customers.name)
    assert done.exit_code == 0
    assert "june.csv: 300 rows, compared with customers.csv, 300 rows" in done.stdout
    assert "segments moved: yes" in done.stdout
    assert "Who moved from customers.csv to june.csv" in done.stdout
    assert sorted(path.name for path in (workplace / "june-drift").iterdir()) == [
        "drift.json", "model.json", "movers.csv", "report.html",
    ]  # fmt: skip
    movers = pl.read_csv("june-drift/movers.csv", schema_overrides={"id": pl.String})
    assert movers["id"][0] in {f"{i:05}" for i in range(300)}
    page = (workplace / "june-drift" / "report.html").read_text()
    assert "Where the centers went" in page
    # The model that it wrote can be used at once.
    assert (
        run(
            "drift", "june-drift/model.json", later("july.csv", shift=15.0, seed=2), "--fail-on", "update"
        ).exit_code
        == 0
    )


def test_nothing_is_to_be_done_where_nothing_changed(run, model: Path, workplace: Path) -> None:
    done = run("drift", model, later("june.csv"), "--fail-on", "update")
    assert done.exit_code == 0
    assert "KEEP" in done.stdout
    assert sorted(path.name for path in (workplace / "june-drift").iterdir()) == ["drift.json", "report.html"]


@pytest.mark.parametrize(("fail_on", "code"), [("refit", 0), ("update", 3)])
def test_it_ends_with_3_where_it_is_asked_to(
    run, model: Path, workplace: Path, fail_on: str, code: int
) -> None:
    done = run("drift", model, later("june.csv", shift=8.0), "--fail-on", fail_on, "--json", "--no-model")
    assert done.exit_code == code
    found = json.loads(done.stdout)
    assert (found["format"], found["verdict"]["word"]) == ("mixtura-drift", "update")
    assert found == json.loads((workplace / "june-drift" / "drift.json").read_text())
    assert not (workplace / "june-drift" / "model.json").exists()


def test_a_table_by_periods(run, workplace: Path) -> None:
    parts = [
        pl.read_csv(
            later("part.csv", shift=shift, seed=seed), schema_overrides={"id": pl.String}
        ).with_columns(month=pl.lit(f"2024-0{seed}"))
        for seed, shift in ((1, 0.0), (2, 0.0), (3, 6.0))
    ]
    pl.concat(parts).write_csv("shop.csv")
    done = run("drift", "shop.csv", "--time", "month", "--components", "3")
    assert done.exit_code == 0, done.output
    assert "compared with 2024-01" in done.stdout
    lines = [line.split() for line in done.stdout.splitlines() if line.strip().startswith("2024-0")]
    assert [(line[0], line[2]) for line in lines] == [("2024-02", "keep"), ("2024-03", "update")]
    assert (workplace / "shop-drift" / "report.html").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["customers.csv"], "a table needs a time column"),
        (["customers-segments/model.json"], "a model needs a table"),
        (["customers.csv", "--time", "country"], "does not hold times in 300 of 300 rows: 'NL'"),
        (["customers.csv", "--time", "when"], "'when'"),
        (
            ["customers-segments/model.json", "customers.csv", "--columns", "income"],
            "columns cannot be chosen",
        ),
        (["customers-segments/model.json", "customers.csv", "--fail-on", "keep"], "--fail-on must be"),
        (
            ["customers-segments/model.json", "customers.csv", "--before", "customers.csv", "--time", "id"],
            "Leave one out",
        ),
        (
            ["customers-segments/model.json", "customers.csv", "--value", "profit"],
            "--value must name a column of numbers",
        ),
        (["customers-segments/model.json", "other.csv"], "lacks 'income'"),
        (
            ["customers-segments/model.json", "twice.csv", "--before", "customers.csv"],
            "'00000' stands 2 times",
        ),
        (
            ["customers-segments/model.json", "customers.csv", "--reference", "x"],
            "--reference names a period",
        ),
    ],
)
def test_what_it_refuses_leaves_nothing(refused, model: Path, customers: Path, arguments, said) -> None:
    customers.with_name("other.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    text = customers.read_text()
    customers.with_name("twice.csv").write_text(text + text.splitlines()[1] + "\n", encoding="utf-8")
    assert said in refused("drift", *arguments)


def test_results_are_not_overwritten_unasked(run, refused, model: Path, workplace: Path) -> None:
    assert run("drift", model, later("june.csv")).exit_code == 0
    assert "june-drift" in refused("drift", model, "june.csv")
    assert run("drift", model, "june.csv", "--overwrite").exit_code == 0


def test_model_files_of_earlier_versions_give_a_partial_answer(run, model: Path, workplace: Path) -> None:
    replace(SegmentModel.load(model), reference=None).save("old.json")
    done = run("drift", "old.json", later("june.csv", shift=15.0))
    assert done.exit_code == 0
    assert "of an earlier version" in " ".join(done.stdout.split())
    assert json.loads((workplace / "june-drift" / "drift.json").read_text())["reference"]["simulated"] is True
