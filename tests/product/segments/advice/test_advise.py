"""The verdict on tables that are made to deserve it, and on real ones."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest

from made_tables import MADE, ellipses, make_table, many_columns, nested, round_groups
from mixtura.datasets import make_customers
from mixtura.exceptions import ColumnError, ParameterError, TableError
from mixtura.segments import Advice, advise
from mixtura.segments.advice import METHODS


def advice_on(rows: np.ndarray, **options: object) -> Advice:
    return advise(pl.DataFrame({f"c{k}": column for k, column in enumerate(rows.T)}), **options)


def sizes_for(number: int, sizes: tuple[int, int]) -> tuple[tuple[int, int], ...]:
    """Return numbers of rows, each with a seed: both for the first table that deserves a verdict, one for others."""
    both = (sizes[0], 0), (sizes[1], 2)
    return both if number == 0 else (both[number % 2],)


CASES = [
    pytest.param(method, maker, n_rows, seed, id=f"{method}-{maker.__name__}-{n_rows}-{seed}")
    for method, (_, makers, sizes) in MADE.items()
    for number, maker in enumerate(makers)
    for n_rows, seed in sizes_for(number, sizes)
]


@pytest.mark.sampled(3)
@pytest.mark.parametrize(("method", "maker", "n_rows", "seed"), CASES)
def test_every_verdict_is_given_where_it_is_deserved(method, maker, n_rows, seed) -> None:
    advice = advice_on(make_table(maker, n_rows, seed), random_state=seed)
    assert advice.method == method, dict(advice.evidence)


def test_every_method_has_a_table() -> None:
    assert set(MADE) == set(METHODS)


@pytest.mark.slow
def test_the_numbers_of_groups_are_those_that_were_made() -> None:
    nested_ones = advice_on(make_table(nested, 360, 0))
    assert nested_ones.evidence["levels_groups"] == 3
    assert nested_ones.evidence["levels_leaves"] == 9
    assert nested_ones.verdict.arguments == {"components": [3, 9]}
    assert advice_on(make_table(round_groups, 240, 0)).evidence["n_components"] == 4
    ellipses_found = advice_on(make_table(ellipses, 800, 0))
    assert (ellipses_found.evidence["covariance_type"], ellipses_found.evidence["n_components"]) == (
        "full",
        3,
    )


@pytest.mark.slow
def test_round_in_the_users_units_is_round() -> None:
    """Standardizing stretches round groups that lie in a row; the spread of a column is then not that of a group."""
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(300, 2)) + np.repeat([[0, 0], [9, 1], [18, 0]], 100, axis=0)
    advice = advice_on(rng.permutation(rows))
    assert advice.method == "kmeans"
    assert advice.evidence["bic_loss_round"] > 10
    assert advice.verdict.arguments == {"components": [3], "covariance_types": ["EEI"]}
    stretched = advice_on(rng.permutation(rows) * [1, 50])
    assert stretched.method == "gmm"


@pytest.mark.slow
def test_unequal_groups_are_left_to_the_mixture() -> None:
    rng = np.random.default_rng(1)
    rows = rng.normal(size=(400, 2)) + np.repeat([[0, 0], [7, 6]], [350, 50], axis=0)
    advice = advice_on(rng.permutation(rows))
    assert advice.method == "gmm"
    assert any("K-means would misplace some" in reason for reason in advice.verdict.reasons)


def test_the_same_seed_gives_the_same_advice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mixtura.segments.advice.evidence.quick_fit._COMPONENTS", range(1, 4))
    rng = np.random.default_rng(3)
    rows = rng.normal(size=(2600, 1)) + rng.permutation(np.repeat([[0], [20]], 1300, axis=0))
    first, again, other = (advice_on(rows, random_state=seed) for seed in (5, 5, 6))
    assert first.n_sampled == 2000
    assert dict(first.evidence) == dict(again.evidence)
    assert first.verdict == again.verdict
    assert first.findings == again.findings
    assert dict(first.evidence) != dict(other.evidence)


def test_all_of_it_is_json() -> None:
    for rows in (make_table(ellipses, 300, 0), make_table(many_columns, 60, 0)):
        advice = advice_on(rows)
        plain = json.loads(json.dumps(advice.to_dict(), allow_nan=False))
        assert plain["verdict"]["method"] == advice.method
        assert [one["topic"] for one in plain["findings"]] == [one.topic for one in advice.findings]
        assert plain["table"]["rows"] == len(rows)
        assert plain["evidence"]["overlap"] == pytest.approx(advice.evidence["overlap"])


def test_what_is_not_finite_is_none() -> None:
    one = advice_on(np.random.default_rng(0).normal(size=(40, 25)))
    plain = one.to_dict()
    assert all(value is None or value == value for value in plain["evidence"].values())


def test_findings_are_sorted_and_explain_themselves() -> None:
    rng = np.random.default_rng(2)
    advice = advice_on(np.column_stack([np.exp(2 * rng.normal(size=200)), rng.normal(size=200)]))
    ranks = [finding.rank for finding in advice.findings]
    assert ranks == sorted(ranks)
    assert ranks[0] == 0
    for finding in advice.findings:
        assert finding.measured
        assert finding.meaning.endswith(".")
        assert finding.action or finding.severity == "fine"
    assert advice.logged == ("c0",)
    assert advice.verdict.steps[0].startswith("First, skew (c0)")


def test_steps_are_what_has_to_be_done() -> None:
    """Missing values are found, and used as they are."""
    rows = make_table(ellipses, 200, 0)
    rows[::8, 0] = np.nan
    advice = advice_on(rows)
    assert [one.severity for one in advice.findings if one.topic == "missing values"] == ["serious"]
    assert advice.verdict.steps == ("Segment the table.",)


def test_suggestions_segment_the_table_that_was_examined() -> None:
    rows = make_table(ellipses, 300, 0)
    frame = pl.DataFrame({"in come": rows[:, 0], "a, b": rows[:, 1], "more": rows[:, 1] * 2})
    frame = frame.with_columns(pl.when(pl.int_range(300) == 3).then(None).otherwise("in come").alias("x"))
    holes = frame.with_columns(
        pl.when(pl.int_range(300) == 3).then(None).otherwise(pl.col("in come")).alias("in come")
    )
    advice = advise(holes, columns=["in come", "a, b"])
    needed = {"columns": ["in come", "a, b"]}
    assert advice.verdict.arguments == needed
    assert advice.verdict.call == "segment_table(table, columns=['in come', 'a, b'])"
    assert (advice.n_rows, advice.n_dropped) == (299, 1)


@pytest.mark.parametrize("backend", ["pandas", "polars", "pyarrow"])
def test_tables_of_any_kind(backend) -> None:
    advice = advise(make_customers(90, as_frame=backend))
    assert advice.columns.used == ("income", "spending")


def test_what_cannot_be_used_is_refused() -> None:
    frame = make_customers(60, as_frame="polars")
    with pytest.raises(ParameterError, match=r"`random_state` must be .* got -1"):
        advise(frame, random_state=-1)
    with pytest.raises(ColumnError, match="incme"):
        advise(frame, columns=["incme"])
    with pytest.raises(TableError):
        advise(pl.DataFrame({"name": ["a", "b"]}))


REAL = {
    # Two groups of eruptions; the ellipses are tilted and of different sizes.
    "old_faithful.csv": ("gmm", set()),
    # Known groups whose covariances are tilted.
    "penguins.csv": ("gmm", {"missing values"}),
    "swiss_banknote.csv": ("gmm", set()),
    # Seen to have five groups in income and spending, unequal in spread.
    "mall_customers.csv": ("gmm", set()),
    # Money with long tails: logs first; then a single overlapping cloud, in which BIC likes three components.
    "wholesale_customers.csv": ("none", {"skew"}),
    # Frequencies that are zero or one, money that is zero, totals of other columns.
    "cc_general.csv": (
        "gmm",
        {"point masses", "skew", "missing values", "missing not at random", "dependent columns"},
    ),
}


@pytest.mark.sampled(3)
@pytest.mark.parametrize("name", REAL)
def test_real_tables_get_a_statisticians_advice(name, shared_data) -> None:
    from mixtura.io import read_table

    method, topics = REAL[name]
    advice = advise(read_table(shared_data / name).data)
    assert advice.method == method
    notable = {finding.topic for finding in advice.findings if finding.severity != "fine"}
    assert topics <= notable
    if name == "cc_general.csv":
        selective = next(one for one in advice.findings if one.topic == "missing not at random")
        assert "where PAYMENTS is 0: in 240 of 313 rows" in selective.measured


def test_one_column_may_be_named_without_a_list() -> None:
    table = make_customers(as_frame="polars")
    assert advise(table, columns="income").verdict.arguments == {"columns": ["income"]}  # type: ignore[arg-type]


def test_missing_categories_are_counted_with_missing_numbers() -> None:
    """Rows that lack a category are left out as those that lack a number: what is reported adds up."""
    rng = np.random.default_rng(0)
    group = np.arange(300) % 2
    amount = rng.normal(np.array([20.0, 60.0])[group], 5.0)
    amount[[3, 4]] = np.nan
    channel = [None if row in (4, 5, 6) else "ab"[one] for row, one in enumerate(group)]
    advice = advise(pl.DataFrame({"amount": amount, "age": rng.normal(size=300), "channel": channel}))
    assert advice.columns.discrete == ("channel",)
    assert advice.n_dropped == 4
    found = next(one for one in advice.findings if one.topic == "missing values")
    assert found.measured == "4 of 300 rows (1.3%) lack a value: amount 2, channel 3"


def test_a_best_fit_of_one_component_is_not_said_to_beat_itself() -> None:
    advice = advice_on(np.random.default_rng(0).normal(size=(200, 1)))
    assert advice.evidence["n_components"] == 1
    assert any("with 1 component; further ones do not lower" in reason for reason in advice.verdict.reasons)
