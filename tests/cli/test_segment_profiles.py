"""`mixtura segment` with roles, transforms and names: what it prints and what it writes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from mixtura.segments import SegmentModel


@pytest.fixture
def shop(workplace) -> Path:
    """300 customers with a skewed revenue, a region with holes, and a weight."""
    rng = np.random.default_rng(2)
    kind = rng.integers(0, 2, 300)
    frame = pl.DataFrame(
        {
            "customer": [f"c{i}" for i in range(300)],
            "revenue": np.exp(rng.normal(3 + 2 * kind, 0.5)),
            "visits": rng.normal(10 + 8 * kind, 2),
            "region": [["=north", "south", None][i] for i in kind + rng.integers(0, 2, 300)],
            "profit": rng.normal(5 + 20 * kind, 2),
            "count": rng.integers(1, 3, 300),
        }
    )
    frame.write_csv("shop.csv")
    return workplace / "shop.csv"


OPTIONS = ("--describe", "region", "--value", "profit", "--weight", "count", "--components", "2")


def test_roles_reach_everything(run, shop) -> None:
    done = run("segment", shop, *OPTIONS, "--transform", "auto,visits=none")
    assert done.exit_code == 0, done.output
    for text in ("Describing", "Value", "Weight", "of all profit", "region: ", "What distinguishes them"):
        assert text in done.output, text
    summary = json.loads(Path("shop-segments/summary.json").read_text())
    assert summary["format_version"] == 3
    assert summary["table"]["active"] == ["revenue", "visits"]
    assert (summary["table"]["descriptive"], summary["table"]["value_column"]) == (["region"], "profit")
    assert [one["kind"] for one in summary["transforms"]] == ["log1p", "none"]
    model = SegmentModel.load("shop-segments/model.json")
    assert model.training.weight_column == "count"
    assert [one["value"]["mean"] for one in summary["segments"]] == list(model.mean_values)
    shown = run("show", "shop-segments/model.json")
    assert "log1p of revenue" in shown.output
    center = SegmentModel.load("shop-segments/model.json").scaling.restore(model.mixture.means)[0, 0]
    assert f"{center:.0f} (" in shown.output


def test_profiles_are_a_table(run, shop) -> None:
    assert run("segment", shop, *OPTIONS).exit_code == 0
    table = pl.read_csv("shop-segments/profiles.csv")
    summary = json.loads(Path("shop-segments/summary.json").read_text())
    segments = pl.read_parquet("shop-segments/segments.parquet")["segment"]
    customers = pl.read_csv(shop).with_columns(segments)
    for segment in summary["segments"]:
        for one in segment["numbers"]:
            row = table.filter(
                (pl.col("segment") == segment["number"]) & (pl.col("column") == one["column"])
            ).row(0, named=True)
            assert all(row[key] == pytest.approx(value) for key, value in one.items() if key != "column")
            inside = customers.filter(pl.col("segment") == segment["number"])
            mean = (inside[one["column"]] * inside["count"]).sum() / inside["count"].sum()
            assert row["mean"] == pytest.approx(mean)
    everybody = table.filter((pl.col("segment") == 0) & (pl.col("column") == "visits")).row(0, named=True)
    assert everybody["mean"] == pytest.approx(
        (customers["visits"] * customers["count"]).sum() / customers["count"].sum()
    )
    assert everybody["level"] is None
    assert everybody["lift"] is None
    levels = table.filter((pl.col("segment") == 1) & (pl.col("column") == "region"))
    assert set(levels["level"]) == {"'=north", "south", "(missing)"}
    assert levels["share"].sum() == pytest.approx(1)


def test_without_a_transform_the_command_to_type_is_told(run, shop) -> None:
    done = run("segment", shop, *OPTIONS)
    assert "--transform auto" in " ".join(done.output.split())
    done = run("select", shop, "--components", "1-2", "--weight", "count", "--columns", "revenue")
    assert "--transform auto" in " ".join(done.output.split())
    done = run(
        "select",
        shop,
        "--components",
        "1-2",
        "--weight",
        "count",
        "--transform",
        "revenue=log1p",
        "--columns",
        "revenue",
        "--overwrite",
    )
    assert done.exit_code == 0, done.output
    assert "--transform" not in done.output


def test_names_come_from_a_file(run, shop) -> None:
    Path("names.toml").write_text('2 = "Guests"\n')
    done = run("segment", shop, *OPTIONS, "--names", "names.toml")
    assert done.exit_code == 0, done.output
    assert "Guests" in done.output
    assert SegmentModel.load("shop-segments/model.json").names[1] == "Guests"
    Path("names.toml").write_text('9 = "Guests"\n')
    done = run("segment", shop, *OPTIONS, "--names", "names.toml", "--overwrite")
    assert done.exit_code == 2
    assert "--names must have segments as keys" in done.output
    assert SegmentModel.load("shop-segments/model.json").names[1] == "Guests"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            ("--transform", "cube"),
            "yeo-johnson, winsorize, for all columns or by column; got 'cube'",
        ),
        (
            ("--transform", "revenu=log1p"),
            "--transform must name columns that build the segments; got 'revenu'",
        ),
        (
            ("--transform", "region=log1p"),
            "--transform is for amounts; got 'log1p' for 'region', which --kind takes for a count or a category",
        ),
        (("--transform", "revenue="), "'revenue=' is empty or repeats a column"),
        (("--transform", "auto,log1p"), "'log1p' is empty or repeats a column"),
        (("--transform", ","), "is empty"),
        (("--describe", ","), "--describe [','] names no column. At least one is required. Leave it out."),
        (("--describe", "region", "--value", "region"), "by --describe and by --value"),
        (("--value", "region"), "not numeric"),
        (("--names", "none.toml"), "cannot be read"),
    ],
)
def test_what_cannot_be_asked(refused, shop, options, said) -> None:
    assert said in refused("segment", shop, "--components", "2", *options)


@pytest.mark.parametrize("width", ["40", "80", "200"])
def test_profiles_fit_the_terminal(run, shop, width, monkeypatch) -> None:
    monkeypatch.setenv("COLUMNS", width)
    printed = run("segment", shop, *OPTIONS).output
    tables = [line for line in printed.splitlines() if "─" in line]
    assert max(map(len, tables)) <= int(width)


def test_of_many_columns_the_telling_ones_are_told(run, workplace) -> None:
    rng = np.random.default_rng(0)
    group = rng.integers(0, 2, 200)
    frame = pl.DataFrame({f"noise{i}": rng.normal(size=200) for i in range(14)})
    frame = frame.with_columns(pl.Series("signal", rng.normal(5.0 * group)))
    frame.write_csv("many.csv")
    done = run("segment", "many.csv", "--components", "2", "--covariance-type", "diag")
    assert done.exit_code == 0, done.output
    assert "3 more columns are in profiles.csv" in done.output
    means = done.output.partition("mean of")[2].partition("What distinguishes")[0]
    assert "signal" in means


def test_one_segment_has_nothing_that_distinguishes(run, shop) -> None:
    done = run("segment", shop, "--components", "1", "--value", "profit")
    assert done.exit_code == 0, done.output
    assert "What distinguishes" not in done.output
    shown = json.loads(Path("shop-segments/summary.json").read_text())
    assert shown["segments"][0]["numbers"][0]["cohens_d"] is None


def test_categories_alone_are_printed_and_reported_also_with_a_segment_that_nobody_is_in(
    run, workplace
) -> None:
    """Of three latent classes where there are two one is nobody's most probable: it has no shares to draw."""
    rng = np.random.default_rng(0)
    kind = rng.integers(2, size=800)
    shares = np.array([[0.9, 0.2], [0.8, 0.1], [0.2, 0.9], [0.3, 0.8]])
    answers = {
        f"q{j}": np.where(rng.uniform(size=800) < one[kind], "yes", "no") for j, one in enumerate(shares)
    }
    pl.DataFrame(answers).write_csv("answers.csv")
    done = run("segment", "answers.csv", "--components", "3", "--resamples", "0")
    assert done.exit_code == 0, done.output
    summary = json.loads(Path("answers-segments/summary.json").read_text())
    nobody, *groups = sorted(one["count"] for one in summary["segments"])
    assert nobody == 0
    np.testing.assert_allclose(groups, np.sort(np.bincount(kind)), atol=20)
    assert "mean of" not in done.output
    assert "</html>" in Path("answers-segments/report.html").read_text()
