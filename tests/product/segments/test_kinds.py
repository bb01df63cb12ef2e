"""Tables with point masses, counts and categories: what columns are taken for, and segments that use them."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import adjusted_rand_score

import mixtura
from mixtura.exceptions import ColumnError, ModelFileError, ParameterError
from mixtura.segments import SegmentModel, assign_table, segment_table, select_table
from mixtura.segments.table.discrete.kinds import count_reason, point_masses


@pytest.fixture(autouse=True)
def columns_are_reported() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", mixtura.exceptions.ColumnWarning)
        yield


def customers(n: int = 900, seed: int = 0) -> tuple[pl.DataFrame, Any]:
    """Three groups that differ in an amount with zeros, in age, in visits, in the channel and in being a member."""
    rng = np.random.default_rng(seed)
    groups = rng.integers(3, size=n)
    amount = rng.normal(np.array([20.0, 30.0, 60.0])[groups], 5.0)
    spent = rng.uniform(size=n) > np.array([0.6, 0.1, 0.2])[groups]
    shares = np.array([[0.7, 0.2, 0.1], [0.2, 0.7, 0.1], [0.1, 0.2, 0.7]])
    channel = [rng.choice(["web", "shop", "phone"], p=shares[k]) for k in groups]
    return pl.DataFrame(
        {
            "customer": np.arange(1, n + 1),
            "amount": np.where(spent, amount, 0.0).round(2),
            "age": rng.normal(np.array([35.0, 45.0, 50.0])[groups], 7.0).round(1),
            "visits": rng.poisson(np.array([1.0, 6.0, 3.0])[groups]),
            "channel": channel,
            "member": rng.uniform(size=n) < np.array([0.2, 0.8, 0.5])[groups],
        }
    ), groups


@pytest.fixture(scope="module")
def found() -> Any:
    table, groups = customers()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", mixtura.exceptions.ColumnWarning)
        return segment_table(table, kinds="auto", components=[2, 3, 4]), table, groups


def test_columns_are_taken_for_what_they_are(found: Any) -> None:
    result, *_ = found
    kinds = {one.name: one.kind for one in result.columns.kinds}
    assert kinds == {
        "amount": "spike", "age": "continuous", "visits": "count", "channel": "category", "member": "category",
    }  # fmt: skip
    assert result.columns.used == ("amount", "age")
    assert result.columns.discrete == ("visits", "channel", "member")
    notes = " ".join(result.notes)
    assert "amount is taken for an amount with point masses" in notes
    assert "visits is taken for a count" in notes
    assert "form around" not in notes


def test_all_columns_find_the_groups_and_numbers_alone_do_not(found: Any) -> None:
    result, table, groups = found
    alone = segment_table(table, components=[3])
    together = adjusted_rand_score(groups, result.assignment.labels)
    assert result.model.n_segments == 3
    assert together > adjusted_rand_score(groups, alone.assignment.labels) + 0.1


def test_discrete_columns_are_profiled_and_named(found: Any) -> None:
    result, *_ = found
    document = result.document
    assert document.table.discrete == ["visits", "channel", "member"]
    assert [one.kind for one in document.table.kinds] == [
        "spike",
        "continuous",
        "count",
        "category",
        "category",
    ]
    assert {one.column for one in document.segments[0].categories} == {"channel", "member"}
    assert "visits" in {one.column for one in document.segments[0].numbers}
    assert any("visits" in name for name in result.model.names)


def test_a_model_file_keeps_levels_and_assigns_the_same(found: Any, tmp_path: Path) -> None:
    result, table, _ = found
    path = tmp_path / "model.json"
    result.model.save(path)
    again = assign_table(
        SegmentModel.load(path), table.sample(fraction=1.0, shuffle=True, seed=1).sort("customer")
    )
    np.testing.assert_allclose(again.memberships, result.assignment.memberships, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(again.log_density, result.assignment.log_density, rtol=1e-12)
    np.testing.assert_array_equal(again.anomaly, result.assignment.anomaly)


def test_a_level_that_was_never_seen_counts_as_missing(found: Any) -> None:
    result, table, _ = found
    some = table.head(5)
    unknown = some.with_columns(channel=pl.lit("letter"))
    missing = some.with_columns(channel=pl.lit(None, dtype=pl.String))
    np.testing.assert_allclose(
        assign_table(result.model, unknown).memberships, assign_table(result.model, missing).memberships
    )
    assert "channel: 5 of 5 values are unknown to the model, such as 'letter'" in " ".join(
        assign_table(result.model, unknown).notes
    )
    assert not any("unknown" in note for note in assign_table(result.model, missing).notes)
    more = some.with_columns(visits=pl.lit(500))
    assert np.isfinite(assign_table(result.model, more).memberships).all()


def test_a_model_without_one_of_its_columns_is_refused(found: Any) -> None:
    result, table, _ = found
    with pytest.raises(ColumnError, match="lacks 'channel'"):
        assign_table(result.model, table.drop("channel"))


def test_memberships_are_those_of_densities_by_hand(found: Any) -> None:
    """Of customers at the point mass the Gaussian part knows the age alone."""
    result, table, _ = found
    model, mixture = result.model, result.model.mixture
    row = int(np.flatnonzero(table["amount"].to_numpy() == 0)[0])
    age = (table["age"][row] - model.scaling.center[1]) / model.scaling.scale[1]
    variances = mixture.full_covariances()[:, 1, 1]
    apart = (age - mixture.means[:, 1]) ** 2 / variances
    logs = np.log(mixture.weights) - 0.5 * (np.log(2 * np.pi * variances) + apart)
    levels = result.levels[row]
    assert mixture.levels is not None
    logs += mixture.levels.logs[levels].sum(axis=0)
    wanted = np.exp(logs - np.logaddexp.reduce(logs))
    np.testing.assert_allclose(result.assignment.memberships[row], wanted, rtol=1e-9)


def test_onnx_of_discrete_columns_is_refused(found: Any) -> None:
    with pytest.raises(ParameterError, match=r"discrete columns \(amount, visits, channel, member\)"):
        found[0].model.to_onnx()


def test_rows_with_levels_alone_are_assigned() -> None:
    table, _ = customers(300)
    blank = pl.when(pl.col("customer") <= 20).then(None)
    table = table.with_columns(blank.otherwise(pl.col(name)).alias(name) for name in ("amount", "age"))
    result = segment_table(table, kinds="auto", components=[3])
    assert result.assignment.complete.all()
    assert np.isfinite(result.assignment.memberships).all()


def test_stability_and_comparison_work_on_discrete_columns(found: Any) -> None:
    result, table, _ = found
    stability = mixtura.Segmentation(result.model, result, table).stability(n_bootstraps=6)
    assert stability.overall.adjusted_rand > 0.5
    assert 0 <= result.kmeans.agreement <= 1


def test_kinds_can_be_said() -> None:
    table, _ = customers(300)
    result = segment_table(
        table, kinds={"amount": "continuous", "visits": "ordered", "*": "auto"}, components=[2]
    )
    kinds = {one.name: one.kind for one in result.columns.kinds}
    assert (kinds["amount"], kinds["visits"], kinds["channel"]) == ("continuous", "ordered", "category")
    only = segment_table(table, kinds={"channel": "category", "*": "continuous"}, components=[2])
    assert only.columns.discrete == ("channel",)
    assert only.columns.used == ("amount", "age", "visits")


def test_named_columns_may_be_categories() -> None:
    table, _ = customers(300)
    result = segment_table(table, columns=["age", "channel"], kinds="auto", components=[2])
    assert (result.columns.used, result.columns.discrete) == (("age",), ("channel",))
    with pytest.raises(ColumnError, match="channel"):
        segment_table(table, columns=["age", "channel"], components=[2])


def test_selection_takes_kinds_too() -> None:
    table, _ = customers(300)
    found = select_table(table, kinds="auto", components=[2, 3], covariance_types=["diag"])
    assert found.columns.discrete == ("visits", "channel", "member")


@pytest.mark.parametrize(
    ("kinds", "error", "match"),
    [
        ("discrete", ParameterError, r"`kinds` must be 'auto', 'continuous', or a mapping"),
        ({"age": "nominal"}, ParameterError, "got 'nominal' for the column 'age'"),
        ({"age": "count"}, ColumnError, "whole numbers from 0 are required"),
        ({"age": "spike"}, ColumnError, "has a point mass; its most frequent value"),
        ({"customer": "category"}, ColumnError, "has 300 different values in 300 rows"),
        ({"channel": "count"}, ColumnError, "for which numbers are required"),
        ({"chanel": "category"}, ColumnError, "chanel"),
        ({"amount": "category", "age": "category"}, ColumnError, "different values in"),
    ],
)
def test_kinds_that_cannot_be_are_refused(kinds: Any, error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        segment_table(customers(300)[0], kinds=kinds, components=[2])


def test_all_columns_discrete_is_refused_unless_numbers_can_stay() -> None:
    rng = np.random.default_rng(0)
    answers = pl.DataFrame({f"q{j}": rng.integers(1, 6, size=200) for j in range(3)})
    result = segment_table(answers, kinds="auto", components=[2])
    assert result.columns.discrete == ()
    words = pl.DataFrame({"a": rng.integers(1, 6, size=200), "b": rng.choice(["x", "y"], size=200)})
    with pytest.raises(ColumnError, match="at least one continuous column is required"):
        segment_table(words, kinds={"a": "category", "b": "category"}, components=[2])


def test_a_model_file_with_shares_that_do_not_fit_is_refused(found: Any, tmp_path: Path) -> None:
    result, *_ = found
    path = tmp_path / "model.json"
    text = result.model.to_json().replace('"kind": "count"', '"kind": "counts"')
    path.write_text(text)
    with pytest.raises(ModelFileError):
        SegmentModel.load(path)


def test_amounts_and_frequencies_that_are_zero_together_count_once() -> None:
    rng = np.random.default_rng(0)
    zero = rng.uniform(size=500) < 0.4
    table = pl.DataFrame(
        {
            "amount": np.where(zero, 0.0, rng.lognormal(3, 0.5, 500)).round(2),
            "frequency": np.where(zero, 0.0, rng.uniform(0.1, 0.9, 500)).round(3),
            "age": rng.normal(40, 9, 500).round(1),
        }
    )
    result = segment_table(table, kinds="auto", components=[2])
    assert [one.kind for one in result.columns.kinds] == ["spike", "spike", "continuous"]
    assert result.model.coding is not None
    assert [one.name for one in result.model.coding.columns] == ["amount"]
    assert all(result.model.scaling.spikes[:2])


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        (np.concatenate([np.zeros(50), np.linspace(1, 2, 50)]), (0.0,)),
        (np.concatenate([np.zeros(30), np.ones(30), np.linspace(0.1, 0.9, 40)]), (0.0, 1.0)),
        (np.linspace(0, 1, 100), ()),
        (np.repeat(np.arange(1000.0, 1020.0), 10), ()),
        (np.concatenate([np.zeros(3), np.linspace(1, 2, 97)]), ()),
        (np.repeat([0.0, 1.0], 50), ()),
    ],
    ids=["zeros", "both ends", "none", "heaped", "too few", "two values"],
)
def test_point_masses(values: Any, wanted: tuple[float, ...]) -> None:
    assert point_masses(values) == wanted


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (np.random.default_rng(0).poisson(3.0, 500), "small whole numbers"),
        (np.random.default_rng(0).negative_binomial(1, 0.3, 800), "small whole numbers"),
        (np.random.default_rng(0).integers(1, 6, 500), "5 different whole numbers"),
        (np.random.default_rng(0).integers(18, 90, 500), None),
        (np.random.default_rng(0).normal(size=500), None),
        (np.random.default_rng(0).poisson(3.0, 40), None),
        (np.random.default_rng(0).poisson(3.0, 500) + 100, None),
    ],
    ids=["poisson", "negative binomial", "answers", "ages", "normal", "few rows", "far from zero"],
)
def test_counts_and_answers(values: Any, kind: str | None) -> None:
    reason = count_reason(values.astype(float))
    assert reason is None if kind is None else reason is not None and reason.startswith(kind)


def test_a_column_without_any_value_is_refused_in_every_kind() -> None:
    table, _ = customers(300)
    empty = table.with_columns(nothing=pl.lit(None, dtype=pl.Float64))
    for kind in ("spike", "count", "ordered", "category"):
        with pytest.raises(ColumnError, match="nothing"):
            segment_table(empty, kinds={"nothing": kind}, components=[2])
