"""Customers who lie far from all segments: found, in none, and said so in every result."""

from __future__ import annotations

import csv
import json
import re
import warnings
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from rich.console import Console
from sklearn.metrics import adjusted_rand_score

from mixtura import Segmentation
from mixtura.cli.printing.print_segmentation import print_segmentation
from mixtura.exceptions import ColumnWarning, ModelFileError, ParameterError
from mixtura.segments import Effort, SegmentModel, assign_table, make_typing_tool, segment_table

CENTERS = np.array([[20.0, 30.0], [60.0, 20.0], [40.0, 70.0]])


def customers(seed: int = 0, n: int = 450, far: int = 30) -> tuple[pl.DataFrame, Any]:
    """Three groups, and customers spread evenly over a box three times as wide; groups -1 are those."""
    rng = np.random.default_rng(seed)
    groups = np.r_[rng.integers(3, size=n), np.full(far, -1)]
    near = CENTERS[groups[:n]] + rng.normal(size=(n, 2)) * [5, 4]
    rows = np.vstack([near, rng.uniform(-60, 160, (far, 2))])
    order = rng.permutation(n + far)
    table = {"id": [f"c{one}" for one in range(n + far)], "income": rows[order, 0], "score": rows[order, 1]}
    return pl.DataFrame(table).with_columns(plan=pl.Series(np.array(["a", "b"])[(order % 7) // 4])), groups[
        order
    ]


@pytest.fixture(scope="module")
def found() -> Any:
    table, groups = customers()
    table = table.with_columns(
        income=pl.when(pl.int_range(480) % 40 == 0).then(None).otherwise(pl.col("income")),
        weight=pl.Series(np.random.default_rng(1).integers(1, 4, 480)),
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ColumnWarning)
        result = segment_table(table, robust="noise", weight="weight", components=[2, 3], id_column="id")
    return result.with_effort(Effort(resamples=5)), table, groups


def test_outliers_are_in_no_segment_and_the_groups_are_found(found: Any) -> None:
    result, _, groups = found
    assignment = result.assignment
    assert result.model.n_segments == 3
    assert assignment.outlier is not None
    # A tenth of the box is within two deviations of a center: some of those spread are there by chance.
    assert np.mean(assignment.outlier == (groups < 0)) > 0.98
    inside = assignment.complete
    np.testing.assert_array_equal(inside, ~assignment.outlier)
    assert (
        adjusted_rand_score(groups[inside & (groups >= 0)], assignment.labels[inside & (groups >= 0)]) > 0.98
    )
    assert (assignment.labels[assignment.outlier] == -1).all()
    assert assignment.anomaly[assignment.outlier].all()


def test_everything_that_is_counted_is_of_those_in_a_segment(found: Any) -> None:
    result, table, _ = found
    n_outliers, inside = result.assignment.n_outliers, result.assignment.complete
    document = result.document
    assert n_outliers > 0
    assert (
        sum(one.count for one in document.segments) == len(table) - n_outliers == document.verdict.customers
    )
    assert document.table.outliers == document.verdict.customers_left_out == n_outliers
    assert document.table.rows_unassigned == 0
    assert document.table.rows == len(table)
    assert len(result.rows) == len(result.kmeans.labels) == inside.sum()
    weights = table["weight"].to_numpy()[inside]
    shares = np.bincount(result.assignment.labels[inside], weights) / weights.sum()
    np.testing.assert_allclose([one.share for one in document.segments], shares)
    income = table["income"].to_numpy()[inside & (result.assignment.labels == 0)]
    known = ~np.isnan(income)
    own = weights[result.assignment.labels[inside] == 0]
    mean = float(np.average(income[known], weights=own[known]))
    assert document.segments[0].means["income"] == pytest.approx(mean)
    assert document.choice.robust == "noise"
    assert 0.03 < document.choice.outlier_share < 0.1
    assert f"{n_outliers} customers" in " ".join(document.notes)


def test_memberships_are_those_by_hand(found: Any) -> None:
    """``r_k = w_k N_k / (sum_j w_j N_j + w_0 / V)``, V the volume of the scaled rows."""
    result, *_ = found
    mixture, scaled = result.model.mixture, result.model.scaling.apply(result.rows)
    whole = ~np.isnan(scaled).any(axis=1)
    rows = scaled[whole]
    densities = np.empty((len(rows), 3))
    for k, covariance in enumerate(mixture.full_covariances()):
        apart = rows - mixture.means[k]
        squares = np.einsum("nd,de,ne->n", apart, np.linalg.inv(covariance), apart)
        densities[:, k] = np.exp(-0.5 * squares) / (2 * np.pi * np.sqrt(np.linalg.det(covariance)))
    joint = mixture.weights * densities
    noise = mixture.background.weight / np.exp(mixture.background.box.log_volume)
    expected = joint / (joint.sum(axis=1, keepdims=True) + noise)
    np.testing.assert_allclose(result.memberships[whole], expected, rtol=1e-9, atol=1e-300)
    assert mixture.weights.sum() + mixture.background.weight == pytest.approx(1.0, abs=1e-12)


def test_the_model_file_and_the_tables_say_the_same(found: Any, tmp_path: Path) -> None:
    result, table, _ = found
    path = tmp_path / "model.json"
    result.model.save(path)
    assert json.loads(path.read_text())["format_version"] == 4
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ColumnWarning)
        again = assign_table(SegmentModel.load(path), table)
    np.testing.assert_array_equal(again.labels, result.assignment.labels)
    np.testing.assert_allclose(again.memberships, result.assignment.memberships, rtol=1e-12)
    np.testing.assert_array_equal(again.anomaly, result.assignment.anomaly)
    again.write(tmp_path / "segments.csv")
    with (tmp_path / "segments.csv").open() as file:
        rows = list(csv.DictReader(file))
    outlier = [row for row in rows if row["segment"] == "-1"]
    assert len(outlier) == result.assignment.n_outliers
    assert {row["segment_name"] for row in outlier} == {"outlier"}
    assert min(float(row["certainty"]) for row in outlier) > 0.3
    frame = Segmentation(result.model, result, table).memberships
    assert frame.filter(pl.col("segment") == -1).height == len(outlier)
    broken = json.loads(path.read_text())
    broken["robust"]["noise"]["box"]["ranges"] = [1.0]
    path.write_text(json.dumps(broken))
    with pytest.raises(ModelFileError):
        SegmentModel.load(path)


def test_anomalies_name_the_outliers_with_their_values(found: Any) -> None:
    result, table, _ = found
    listed = {one.row: one for one in result.document.anomalies.customers}
    assert {row for row, one in listed.items() if one.outlier} == set(
        np.flatnonzero(result.assignment.outlier)
    )
    for row, one in listed.items():
        for driver in one.drivers:
            assert driver.value == pytest.approx(table[driver.column][row])


def test_resamples_give_the_same_segments(found: Any) -> None:
    result, *_ = found
    assert result.stability is not None
    assert result.stability.n_rows == result.assignment.complete.sum()
    assert result.stability.overall.adjusted_rand > 0.95


def test_ambiguous_customers_stand_between_a_segment_and_an_outlier(found: Any) -> None:
    result, table, _ = found
    document = result.document
    memberships = result.assignment.memberships
    for one in document.least_certain:
        inside = memberships[one.row].tolist()
        ordered = sorted([(1 - sum(inside), -1), *((share, k + 1) for k, share in enumerate(inside))])
        assert [one.second, one.first] == [number for _, number in ordered[-2:]]
    beside = [one for one in document.ambiguous.customers if one.second == -1]
    assert beside
    for customer in beside:
        assert customer.second_membership == pytest.approx(1 - memberships[customer.row].sum())
        assert customer.second_membership > 0.05
    shown = StringIO()
    print_segmentation(Console(file=shown, width=120, markup=False), document)
    least = next(one for one in document.least_certain if one.second == -1)
    line = next(line for line in shown.getvalue().splitlines() if line.split()[:1] == [least.customer])
    assert re.search(rf"outlier +{100 * (1 - sum(least.memberships)):.2f} %", line)
    frame = Segmentation(result.model, result, table).ambiguous(0.9)
    assert frame["second_segment"].to_list().count("outlier") == len(beside)
    assert (frame["membership"] + frame["second_membership"]).min() > 0.9


def test_other_programs_are_not_given_half_a_model(found: Any) -> None:
    result, table, _ = found
    with pytest.raises(ParameterError, match="noise for outliers cannot be written as SQL"):
        result.model.to_sql("duckdb", table="customers")
    with pytest.raises(ParameterError, match="cannot be written as ONNX; only"):
        result.model.to_onnx()
    with pytest.raises(ParameterError, match="noise for outliers cannot be written as a typing tool; only"):
        make_typing_tool(result.model, table)


@pytest.mark.slow
def test_the_criterion_decides_and_says_so() -> None:
    table, _ = customers(1)
    with_outliers = segment_table(table, robust="auto", components=[3], id_column="id")
    assert with_outliers.document.choice.robust == "noise"
    assert "BIC chose a noise component" in " ".join(with_outliers.notes)
    clean, _ = customers(1, far=0)
    without = segment_table(clean, robust="auto", components=[3], id_column="id")
    assert without.document.choice.robust == "none"
    assert without.assignment.outlier is None
    assert "BIC chose" in " ".join(without.notes)


def test_segments_with_heavy_tails(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    groups = rng.integers(2, size=500)
    rows = np.array([[0.0, 0.0], [12.0, 0.0]])[groups] + rng.standard_t(3, size=(500, 2))
    table = pl.DataFrame(rows, schema=["a", "b"])
    result = segment_table(table, robust="t", components=[2]).with_effort(Effort(resamples=4))
    best = adjusted_rand_score(groups, rows[:, 0] > 6)
    assert adjusted_rand_score(groups, result.assignment.labels) > best - 0.02
    freedom = result.document.choice.degrees_of_freedom
    assert len(freedom) == 2
    assert all(2 < one < 8 for one in freedom)
    assert result.stability.overall.adjusted_rand > 0.95
    assert "degrees of freedom" in " ".join(result.notes)
    result.model.save(tmp_path / "model.json")
    loaded = SegmentModel.load(tmp_path / "model.json")
    np.testing.assert_allclose(
        assign_table(loaded, table).memberships, result.assignment.memberships, rtol=1e-9, atol=1e-300
    )


@pytest.mark.slow
def test_outliers_beside_counts_and_categories() -> None:
    table, groups = customers(2)
    visits = np.random.default_rng(2).poisson(np.array([1.0, 5.0, 9.0, 4.0])[groups])
    table = table.with_columns(visits=pl.Series(visits))
    result = segment_table(table, robust="noise", components=[3], id_column="id")
    assert "visits" in result.columns.discrete
    assert np.mean(result.assignment.outlier == (groups < 0)) > 0.95
    assert result.document.verdict.customers == result.assignment.complete.sum()


def test_a_column_that_is_constant_but_for_outliers_has_no_differences() -> None:
    table = pl.DataFrame({"visits": [3.0, 3.0, 3.0, 3.0, -1.0]})
    result = segment_table(table, robust="noise", components=[1])
    assert result.assignment.labels.tolist() == [0, 0, 0, 0, -1]
    assert [one.differences.tolist() for one in result.segments] == [[0.0]]
