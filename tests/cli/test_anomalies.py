"""`mixtura anomalies`: what it prints, what it writes, what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from mixtura.core.explanation.reasons import reasons_for
from mixtura.segments.anomalies import find_anomalies


@pytest.fixture
def table(workplace: Path) -> Path:
    """Three hundred rows of dependent columns, of which the last ten do not follow."""
    rng = np.random.RandomState(0)
    first = rng.normal(50, 10, size=300)
    second = 2 * first + rng.normal(0, 2, size=300)
    second[-10:] += 60 * np.where(rng.uniform(size=10) < 0.5, -1, 1)
    third = rng.normal(size=300)
    frame = pl.DataFrame(
        {"customer_id": [f"c{i}" for i in range(300)], "visits": first, "spent": second, "age": third}
    )
    frame.write_csv("shop.csv")
    return workplace / "shop.csv"


def test_it_writes_scores_p_values_flags_and_reasons_of_every_row(run, table: Path) -> None:
    printed = run("anomalies", table.name).stdout
    assert "300 rows" in printed
    assert "stranger than chance explains" in printed
    assert "spent" in printed
    assert sorted(path.name for path in table.parent.iterdir()) == ["shop-anomalies.csv", "shop.csv"]
    written = pl.read_csv("shop-anomalies.csv")
    assert written.columns == [
        "customer_id", "anomaly", "score", "p_value", "nearest_component", "squared_distance", "stability", "reasons",
    ]  # fmt: skip
    assert written["anomaly"][290:].all()
    assert written["anomaly"][:290].sum() <= 3
    assert written["reasons"][295].startswith(("spent", "visits"))
    assert written["stability"].is_between(0, 1).all()


def test_json_has_the_flagged_rows_the_strangest_first(run, table: Path) -> None:
    found = json.loads(run("anomalies", table.name, "--json", "--fdr", "0.05").stdout)
    assert (found["n_rows"], found["threshold"], found["rate"]) == (300, "conformal", 0.05)
    assert found["n_flagged"] == len(found["anomalies"]) >= 10
    p_values = [one["p_value"] for one in found["anomalies"]]
    assert p_values == sorted(p_values)
    assert found["beyond_chance"]["low"] >= 3
    assert {"column", "value", "expected", "contribution"} == set(found["anomalies"][0]["reasons"][0])


def test_a_percentile_flags_its_share(run, table: Path) -> None:
    found = json.loads(
        run("anomalies", table.name, "--threshold", "percentile", "--contamination", "0.1", "--json").stdout
    )
    assert found["n_flagged"] == 30
    printed = run("anomalies", table.name, "--threshold", "percentile", "--overwrite").stdout
    assert "the strangest 4.0 %" in printed


def test_a_reference_gives_conformal_p_values(run, table: Path) -> None:
    frame = pl.read_csv(table)
    frame[:200].write_csv("normal.csv")
    frame[200:].with_columns(
        pl.when(pl.int_range(100) == 0).then(None).otherwise(pl.col("age")).alias("age")
    ).write_csv("new.csv")
    run("anomalies", "new.csv", "--reference", "normal.csv", "--output", "out.parquet")
    written = pl.read_parquet("out.parquet")
    steps = written["p_value"].to_numpy() * 201
    np.testing.assert_allclose(steps, np.round(steps), atol=1e-6)
    assert written["anomaly"][90:].all()


def test_rows_without_values_are_not_scored(run, table: Path) -> None:
    frame = pl.read_csv(table).with_columns(
        [
            pl.when(pl.int_range(300) == 3).then(None).otherwise(pl.col(name)).alias(name)
            for name in ("visits", "spent", "age")
        ]
    )
    frame.write_csv("gaps.csv")
    printed = run("anomalies", "gaps.csv", "--threshold", "tail").stdout
    assert "1 row not scored (customer_id c3): none of the columns used has a value there." in printed
    assert pl.read_csv("gaps-anomalies.csv")["score"][3] is None


def test_bad_options_are_refused_and_nothing_is_written(refused, table: Path) -> None:
    assert "--threshold must be" in refused("anomalies", table.name, "--threshold", "guess")
    assert "--fdr must be" in refused("anomalies", table.name, "--fdr", "2")
    assert "--contamination must be" in refused("anomalies", table.name, "--contamination", "0.9")
    assert "must end in" in refused("anomalies", table.name, "--output", "out.txt")
    pl.DataFrame({"other": [1.0, 2.5, 3.0]}).write_csv("other.csv")
    assert "visits" in refused("anomalies", "other.csv", "--reference", table.name)
    assert [path.name for path in table.parent.glob("*anomalies*")] == []


def test_contributions_add_up_and_expected_values_are_those_of_a_regression(table: Path) -> None:
    found = find_anomalies(pl.read_csv(table), threshold="percentile")
    names = found.columns
    assert names == ("visits", "spent", "age")
    row = found.order[0]
    visits, spent = names.index("visits"), names.index("spent")
    near = 2 * found.rows[row, visits]
    assert found.reasons.expected[row, spent] == pytest.approx(near, abs=15)
    total = found.reasons.contributions[row].sum()
    assert total == pytest.approx(found.reasons.squared_distances[row])
    assert found.why(row)[0]["column"] == "spent"


def test_reasons_are_the_naive_sums() -> None:
    from mixtura import Mixture

    rng = np.random.RandomState(3)
    root = rng.normal(size=(3, 3))
    covariance, mean = root @ root.T + np.eye(3), rng.normal(size=3)
    mixture = Mixture.from_parameters([1.0], [mean], [covariance])
    row = rng.normal(size=3) * 3
    found = reasons_for(mixture, row[None])
    for j in range(3):
        others = [i for i in range(3) if i != j]
        slope = covariance[j, others] @ np.linalg.inv(covariance[np.ix_(others, others)])
        expected = mean[j] + slope @ (row[others] - mean[others])
        variance = covariance[j, j] - slope @ covariance[others, j]
        assert found.expected[0, j] == pytest.approx(expected)
        assert found.contributions[0, j] == pytest.approx((row[j] - mean[j]) * (row[j] - expected) / variance)
    squared = (row - mean) @ np.linalg.inv(covariance) @ (row - mean)
    assert found.squared_distances[0] == pytest.approx(squared)
    gap = reasons_for(mixture, np.array([[row[0], row[1], np.nan]]))
    known = covariance[:2, :2]
    pulled = np.linalg.inv(known) @ (row[:2] - mean[:2])
    assert gap.expected[0, 2] == pytest.approx(mean[2] + covariance[2, :2] @ pulled)
    assert np.isnan(gap.contributions[0, 2])
    assert gap.squared_distances[0] == pytest.approx((row[:2] - mean[:2]) @ pulled)


def test_large_tables_are_read_in_parts(run, table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pl.read_csv(table).write_parquet("shop.parquet")
    run("anomalies", "shop.parquet", "--output", "here.csv")
    monkeypatch.setattr("mixtura.cli.table_input._may_be_large", lambda path: True)
    monkeypatch.setattr("mixtura.segments.large.LARGE_ROWS", 200)
    printed = " ".join(run("anomalies", "shop.parquet", "--output", "there.csv").stdout.split())
    assert "300 rows" in printed
    assert "drawn at random; all rows were scored" in printed
    assert_frame_equal(pl.read_csv("there.csv"), pl.read_csv("here.csv"), rel_tol=1e-9)


def test_columns_that_are_left_out_are_said_and_what_names_the_rows(run, table: Path) -> None:
    frame = pl.read_csv(table).with_columns(shop=pl.lit(7), city=pl.lit("Bonn"))
    frame.write_csv("more.csv")
    notes = json.loads(run("anomalies", "more.csv", "--json").stdout)["notes"]
    assert notes[0].startswith("Columns left out: shop (the same value in every row: 7); city (")
    assert notes[1] == "Rows are named by 'customer_id', which is not looked at."
    frame.select("visits", "spent", "age").head(50).write_csv("new.csv")
    judged = json.loads(run("anomalies", "new.csv", "--reference", "more.csv", "--json").stdout)["notes"]
    assert judged[0] == notes[0]


def test_errors_name_what_was_given(run, table: Path) -> None:
    pl.read_csv(table).select("visits", "spent").write_csv("lacking.csv")
    lacking = run("anomalies", "lacking.csv", "--reference", table.name)
    seeded = run("anomalies", table.name, "--seed", "-1")
    assert (lacking.exit_code, seeded.exit_code) == (2, 2)
    assert (
        "The table lacks 'age', a column that was learned from. It has: 'visits', 'spent'" in lacking.stderr
    )
    assert "--seed must be a whole number from 0" in seeded.stderr


def test_a_new_value_beyond_all_squares_has_a_number_everywhere(run, table: Path) -> None:
    frame = (
        pl.read_csv(table)
        .head(5)
        .with_columns(visits=pl.when(pl.int_range(5) == 2).then(1e160).otherwise("visits"))
    )
    frame.write_csv("new.csv")
    found = json.loads(
        run("anomalies", "new.csv", "--reference", table.name, "--json", "--fdr", "0.5").stdout
    )
    (strangest, *_) = found["anomalies"]
    assert (strangest["id"], strangest["stability"]) == ("c2", 1.0)


def test_how_many_more_are_in_the_file_is_printed(run, table: Path) -> None:
    printed = run("anomalies", table.name, "--threshold", "percentile", "--contamination", "0.05").stdout
    assert "15 anomalies" in printed
    assert "and 5 more, in the file." in printed
