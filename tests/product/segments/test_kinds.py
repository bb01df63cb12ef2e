"""Tables with point masses, counts and categories: what columns are taken for, and segments that use them."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import narwhals as nw
import numpy as np
import polars as pl
import pytest
from rich.console import Console
from sklearn.metrics import adjusted_rand_score

import mixtura
from mixtura.cli.printing.print_profiles import print_profiles
from mixtura.exceptions import ColumnError, ModelFileError, ParameterError
from mixtura.report.view import page_view
from mixtura.segments import Effort, SegmentModel, advise, assign_table, segment_table, select_table
from mixtura.segments.results.choice_notes import choice_notes
from mixtura.segments.stability.model_choice import Contender, ModelChoice
from mixtura.segments.table.discrete.find_kinds import REPEATED, UNRELATED
from mixtura.segments.table.discrete.kinds import kind_of
from mixtura.segments.table.discrete.number_rules import level_kind, point_masses


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


def test_a_negative_zero_is_shown_as_zero() -> None:
    returns = -np.append(np.zeros(60), np.linspace(1.5, 90.25, 40))
    kind = kind_of(nw.from_native(pl.Series("returns", returns), series_only=True), numeric=True)
    assert kind is not None
    assert (kind.kind, kind.reason) == ("spike", "60 % are 0, far more than usual values")


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
    alone = segment_table(table, kinds="continuous", components=[3])
    together = adjusted_rand_score(groups, result.assignment.labels)
    assert result.model.n_segments == 3
    assert together > adjusted_rand_score(groups, alone.assignment.labels) + 0.1


def test_discrete_columns_are_profiled_and_named(found: Any) -> None:
    result, *_ = found
    document = result.with_effort(Effort(resamples=0)).document
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


def test_the_means_on_the_terminal_have_counts(found: Any) -> None:
    result, table, _ = found
    shown = StringIO()
    print_profiles(
        Console(file=shown, width=120, markup=False), result.with_effort(Effort(resamples=0)).document
    )
    means = shown.getvalue().partition("mean of")[2].partition("What distinguishes")[0]
    (cells,) = (line.split()[1:] for line in means.splitlines() if line.split()[:1] == ["visits"])
    visits, labels = table["visits"].to_numpy(), result.assignment.labels
    expected = [visits[labels == k].mean() for k in range(result.model.n_segments)]
    printed = [float(cell) for cell in cells if cell.strip("+-")]
    np.testing.assert_allclose(printed, [visits.mean(), *expected], atol=0.051)
    apart = (np.array(expected) - visits.mean()) / visits.std()
    marks = [("-" if one < 0 else "+") * (1 + (abs(one) >= 1)) for one in apart if abs(one) >= 0.5]
    assert marks
    assert [cell for cell in cells if not cell.strip("+-")] == marks


def test_missing_counts_and_categories_are_counted_where_customers_are_assigned(found: Any) -> None:
    result, table, _ = found
    place = pl.int_range(pl.len())
    some = table.head(10).with_columns(
        channel=pl.lit(None, dtype=pl.String),
        visits=pl.when(place >= 4).then(pl.col("visits")),
        age=pl.when(place != 9).then(pl.col("age")),
    )
    (said,) = (note for note in assign_table(result.model, some).notes if "missing" in note)
    assert (
        "15 values are missing, in channel (10, 100 %), visits (4, 40 %), age (1, 10 %): 10 rows of 10"
        in said
    )
    whole = assign_table(result.model, table.head(10))
    assert not any("missing" in note for note in whole.notes)


def test_truth_values_are_the_same_in_every_spelling(found: Any) -> None:
    result, table, _ = found
    model, wanted = result.model, result.assignment.labels
    spelled = {
        "numbers": table.with_columns(pl.col("member").cast(pl.Int64)),
        "words": table.with_columns(pl.col("member").cast(pl.String).str.to_titlecase()),
    }
    for frame in spelled.values():
        np.testing.assert_array_equal(assign_table(model, frame).labels, wanted)
    numbers = segment_table(spelled["numbers"], components=[3])
    assert "member" in numbers.columns.discrete
    np.testing.assert_array_equal(assign_table(numbers.model, table).labels, numbers.assignment.labels)


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
    result = segment_table(table, columns=["age", "channel"], components=[2])
    assert (result.columns.used, result.columns.discrete) == (("age",), ("channel",))
    with pytest.raises(ColumnError, match="channel"):
        segment_table(table, columns=["age", "channel"], kinds="continuous", components=[2])


@pytest.mark.slow
def test_categories_that_go_with_nothing_describe_the_segments() -> None:
    """What is independent of all other columns says nothing of segments within which columns are independent."""
    table, _ = customers(600)
    rng = np.random.default_rng(1)
    table = table.with_columns(
        handed=pl.Series(rng.choice(["left", "right"], 600, p=[0.1, 0.9])),
        moon=pl.Series(rng.choice(["new", "half", "full"], 600)),
    )
    result = segment_table(table, components=[3])
    assert result.columns.discrete == ("visits", "channel", "member")
    assert result.columns.describe == ("handed", "moon")
    assert {one.name: one.reason for one in result.columns.left_out}["moon"] == UNRELATED
    assert {one.column for one in result.segments[0].categories} >= {"handed", "moon"}
    said = segment_table(table, kinds={"moon": "category"}, components=[3])
    assert "moon" in said.columns.discrete
    named = segment_table(table, columns=["age", "visits", "handed"], components=[3])
    assert named.columns.discrete == ("visits", "handed")


def a_code_and_its_name(n: int = 400) -> pl.DataFrame:
    """Two groups by an amount, and a region that goes with nothing, named twice."""
    rng = np.random.default_rng(5)
    region = rng.integers(4, size=n)
    return pl.DataFrame(
        {
            "amount": rng.normal(np.array([20.0, 50.0])[np.arange(n) % 2], 6.0),
            "age": rng.normal(45.0, 9.0, size=n),
            "code": np.array(["N", "S", "W", "E"])[region],
            "region": np.array(["North", "South", "West", "East"])[region],
        }
    )


def test_a_category_that_repeats_another_does_not_make_the_segments() -> None:
    result = segment_table(a_code_and_its_name(), components=[1, 2, 3, 4])
    assert len(result.segments) == 2
    reasons = {one.name: one.reason for one in result.columns.left_out}
    assert reasons == {"region": f"{REPEATED}'code', level by level", "code": UNRELATED}
    assert set(result.columns.describe) == {"code", "region"}
    assert any("region is the same as 'code', level by level" in note for note in result.notes)


def test_of_a_code_and_its_name_the_one_with_more_missing_values_repeats_the_other() -> None:
    table = a_code_and_its_name().with_columns(
        code=pl.when(pl.int_range(pl.len()) % 9 == 0).then(None).otherwise(pl.col("code"))
    )
    result = segment_table(table, components=[2])
    assert {one.name for one in result.columns.left_out if one.reason.startswith(REPEATED)} == {"code"}


def test_categories_that_differ_in_one_row_or_are_said_both_build() -> None:
    table = a_code_and_its_name()
    said = segment_table(table, kinds={"region": "category"}, components=[2])
    assert said.columns.discrete == ("code", "region")
    other = table.with_columns(region=pl.Series([*table["region"][:-1], "North"]))
    assert table["region"][-1] != "North"
    assert segment_table(other, components=[2]).columns.discrete == ("code", "region")


def test_a_category_that_goes_with_another_alone_builds() -> None:
    rng = np.random.default_rng(0)
    first = rng.integers(2, size=500)
    second = np.where(rng.uniform(size=500) < 0.8, first, 1 - first)
    table = pl.DataFrame(
        {"age": rng.normal(40, 9, 500), "a": np.array(["x", "y"])[first], "b": np.array(["u", "v"])[second]}
    )
    assert segment_table(table, components=[2]).columns.discrete == ("a", "b")


def test_parts_of_the_calendar_are_not_categories() -> None:
    table, _ = customers(300)
    table = table.with_columns(year=pl.Series(np.repeat([2007, 2008, 2009], 100)))
    result = segment_table(table, components=[2])
    assert "year" not in result.columns.building
    assert {one.name: one.reason for one in result.columns.left_out}["year"].startswith("part of a date")


def test_rows_that_do_not_count_do_not_say_what_a_column_is() -> None:
    table, _ = customers(600)
    off = table["amount"] != 0
    with pytest.raises(ColumnError, match=r"'amount' .* has no differences among the rows that count"):
        segment_table(table.with_columns(weight=(~off).cast(pl.Int64)), weight="weight", components=[2])
    rare = table.with_columns(weight=off.cast(pl.Int64))
    found = segment_table(rare, weight="weight", components=[2], transform="auto")
    assert {one.name: one.kind for one in found.columns.kinds}["amount"] == "continuous"


def test_a_column_with_a_transform_is_an_amount_unless_it_is_said_otherwise() -> None:
    table, _ = customers(300)
    result = segment_table(table, transform={"visits": "log1p", "*": "none"}, components=[2])
    assert "visits" in result.columns.used
    with pytest.raises(ParameterError, match="'visits', which `kinds` takes for a count"):
        segment_table(table, transform={"visits": "log1p"}, kinds={"visits": "count"}, components=[2])


@pytest.mark.slow
def test_advice_is_on_columns_as_they_are_taken() -> None:
    table, _ = customers(600)
    topics = {
        kinds: [one.topic for one in advise(table, kinds=kinds).findings] for kinds in ("auto", "continuous")
    }
    assert "point masses" in topics["continuous"]
    assert "point masses" not in topics["auto"]
    arguments = advise(table, kinds={"visits": "count"}).verdict.arguments
    assert arguments is None or arguments["kinds"] == {"visits": "count"}


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


def test_where_all_columns_would_be_discrete_numbers_stay_continuous() -> None:
    rng = np.random.default_rng(0)
    answers = pl.DataFrame({f"q{j}": rng.integers(1, 6, size=200) for j in range(3)})
    result = segment_table(answers, kinds="auto", components=[2])
    assert result.columns.discrete == ()
    words = pl.DataFrame({"a": rng.integers(1, 6, size=200), "b": rng.choice(["x", "y"], size=200)})
    kinds = {"a": "category", "b": "category"}
    assert segment_table(words, kinds=kinds, components=[2]).columns.discrete == ("a", "b")


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


def test_a_point_mass_that_follows_from_a_count_or_from_more_point_masses_counts_once(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    orders = rng.negative_binomial(0.7, 0.12, 800)
    share = np.where(orders == 0, 0.0, np.minimum(rng.uniform(0.1, 1.3, 800), 1.0)).round(3)
    table = pl.DataFrame(
        {
            "amount": np.where(orders == 0, 0.0, rng.lognormal(3, 0.5, 800)).round(2),
            "share": share,
            "orders": orders,
            "age": rng.normal(40, 9, 800).round(1),
        }
    )
    result = segment_table(table, components=[2], covariance_types=["diag"])
    kinds = {one.name: (one.kind, one.spikes) for one in result.columns.kinds}
    assert kinds["amount"] == ("spike", (0.0,))
    assert kinds["share"] == ("spike", (0.0, 1.0))
    assert kinds["orders"][0] == "count"
    assert result.model.coding is not None
    assert [one.name for one in result.model.coding.columns] == ["share", "orders"]
    assert all(result.model.scaling.spikes[:2])
    result.model.save(tmp_path / "model.json")
    again = assign_table(SegmentModel.load(tmp_path / "model.json"), table)
    np.testing.assert_allclose(again.memberships, result.assignment.memberships, atol=1e-9)


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        (np.concatenate([np.zeros(50), np.linspace(1, 2, 50)]), (0.0,)),
        (np.concatenate([np.zeros(30), np.ones(30), np.linspace(0.1, 0.9, 40)]), (0.0, 1.0)),
        (np.linspace(0, 1, 100), ()),
        (np.repeat(np.arange(1000.0, 1020.0), 10), ()),
        (np.concatenate([np.zeros(3), np.linspace(1, 2, 97)]), ()),
        (np.repeat([0.0, 1.0], 50), ()),
        (np.concatenate([np.full(300, 12), np.repeat(np.arange(5, 20), 20)]).astype(float), ()),
        (np.concatenate([np.full(300, 80), np.arange(20_000, 20_700, dtype=float) / 100]), (80.0,)),
        (np.repeat([0.0, *np.arange(1, 12) / 12, 0.95, 1.0], [440, *[35] * 11, 10, 150]), (0.0, 1.0)),
        (np.repeat([0.0, *np.arange(1, 12) / 12, 0.95, 1.0], [440, *[35] * 11, 10, 80]), (0.0,)),
        (np.repeat([0.0, *np.arange(1, 12) / 12, 0.95, 1.0], [400, 160, *[25] * 10, 5, 70]), (0.0, 1.0)),
        (np.minimum(np.random.default_rng(0).exponential(40.0, 1000).round(1), 90.0), (90.0,)),
        (np.maximum(np.random.default_rng(0).normal(20, 10, 1000).round(1), 0.0), ()),
    ],
    ids=[
        "zeros",
        "both ends",
        "none",
        "heaped",
        "too few",
        "two values",
        "years of school",
        "an amount in between",
        "a frequency in twelfths and its cap",
        "a last step",
        "a cap less frequent than a low value",
        "a cap",
        "few at zero",
    ],
)
def test_point_masses(values: Any, wanted: tuple[float, ...]) -> None:
    assert point_masses(values) == wanted


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (np.random.default_rng(0).poisson(3.0, 500), "count"),
        (np.random.default_rng(0).negative_binomial(1, 0.3, 800), "count"),
        (np.random.default_rng(0).integers(1, 6, 500), "ordered"),
        (np.random.default_rng(0).choice(7, 500, p=[0.7, 0.1, 0.05, 0.05, 0.04, 0.03, 0.03]) + 1, "ordered"),
        (np.random.default_rng(0).choice([0.0, 0.05, 0.1, 0.2], 500), "ordered"),
        (np.random.default_rng(0).choice([500, 1000, 5000, 25000], 500), "ordered"),
        (np.repeat([0.0, *np.linspace(9.5, 80.5, 9)], [991, *[1] * 9]), "ordered"),
        (np.random.default_rng(0).integers(18, 90, 500), None),
        (np.random.default_rng(0).normal(size=500), None),
        (np.random.default_rng(0).poisson(3.0, 40), None),
        (np.random.default_rng(0).poisson(3.0, 500) + 100, None),
        (1 + np.random.default_rng(0).negative_binomial(0.7, 0.12, 3000), "count"),
        (np.random.default_rng(0).negative_binomial(0.7, 0.12, 3000), "count"),
        (np.random.default_rng(0).negative_binomial(3, 0.1, 3000), None),
        (np.clip(np.random.default_rng(0).normal(42, 20, 3000).round(), 0, 95), None),
        (np.floor(np.random.default_rng(0).uniform(0, 41, 3000)), None),
        (np.random.default_rng(0).binomial(100, np.random.default_rng(1).beta(2, 2, 3000)), None),
        (np.random.default_rng(0).binomial(100, np.random.default_rng(1).beta(0.6, 4, 3000)), None),
        (np.ceil(np.random.default_rng(0).lognormal(3, 1, 3000)), None),
        (5 * np.random.default_rng(0).negative_binomial(1, 0.3, 3000), None),
        (np.random.default_rng(0).choice(61, 3000), None),
        (np.random.default_rng(0).integers(1990, 2025, 3000), None),
        (np.where(np.random.default_rng(0).uniform(size=3000) < 0.6, 0, np.arange(3000) % 600), None),
    ],
    ids=[
        "poisson", "negative binomial", "answers", "grades", "discounts", "limits", "nearly all zero", "ages", "normal",
        "few rows", "far from zero", "a long tail from one", "a long tail from zero", "wide counts", "ages from birth",
        "years with us", "scores", "low scores", "prices", "prices in fives", "shops", "years", "minutes, or none",
    ],
)  # fmt: skip
def test_counts_and_answers(values: Any, kind: str | None) -> None:
    found = level_kind(values.astype(float))
    assert (None if found is None else found[0]) == kind


def test_a_column_without_any_value_is_refused_in_every_kind() -> None:
    table, _ = customers(300)
    empty = table.with_columns(nothing=pl.lit(None, dtype=pl.Float64))
    for kind in ("spike", "count", "ordered", "category"):
        with pytest.raises(ColumnError, match="nothing"):
            segment_table(empty, kinds={"nothing": kind}, components=[2])


def test_missing_levels_are_counted_with_missing_numbers() -> None:
    table, _ = customers(400)
    table = table.with_columns(
        channel=pl.when(pl.int_range(400) % 8 == 0).then(None).otherwise(pl.col("channel")),
        age=pl.when(pl.int_range(400) % 100 == 1).then(None).otherwise(pl.col("age")),
    )
    notes = " ".join(segment_table(table, components=[2]).notes)
    assert "54 values are missing, in channel (50, 12 %), age (4, 1 %)" in notes


def test_the_report_has_ratings_in_their_order_and_kinds_among_the_roles() -> None:
    table, groups = customers(500)
    rating = np.clip(np.random.default_rng(4).normal(np.array([2.0, 3.0, 4.0])[groups], 0.8).round(), 1, 5)
    table = table.with_columns(rating=pl.Series(rating.astype(int)))
    table = table.with_columns(hand=pl.Series(np.random.default_rng(5).choice(["l", "r"], 500)))
    result = segment_table(table, components=[3]).with_effort(Effort(resamples=0))
    shown = page_view(result.document)
    assert [row["level"] for row in shown["category_table"] if row["column"] == "rating"] == [
        "1",
        "2",
        "3",
        "4",
        "5",
    ]
    assert not [note for note in shown["notes"] if "is taken for" in note]
    assert {row["column"]: row["why"] for row in shown["active"]}["rating"].startswith(
        "5 different whole numbers"
    )
    assert shown["described"] == [{"column": "hand", "why": UNRELATED}]
    assert "hand" not in [one["column"] for one in shown["left_out"]]


def test_a_note_says_where_the_covariance_type_is_not_that_of_the_smallest_bic(found: Any) -> None:
    """Also where the number is the most stable one: the type is not left to stability."""
    result, *_ = found
    best = result.best
    other = replace(best, covariance_type="tied", n_parameters=best.n_parameters - 1)
    compared = (Contender(best, 0.0, np.ones(5), 1.0),)
    for choice in (None, ModelChoice(best, best, compared)):
        (first, *_) = choice_notes([other, best], best, ["amount"], {}, choice=choice)
        assert first.startswith(f"BIC is smaller of tied with {best.n_components} ({other.bic:,.1f}) than of")
