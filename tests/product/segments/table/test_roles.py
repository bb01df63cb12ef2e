"""Roles of columns: what each is for, and what it must not be, too."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from mixtura.exceptions import ColumnError, DataError, MissingValuesError
from mixtura.segments import choose_columns, segment_table

RNG = np.random.default_rng(12)
N = 60
FRAME = pl.DataFrame(
    {
        "who": [f"c{i}" for i in range(N)],
        "income": RNG.normal(size=N),
        "visits": RNG.normal(size=N),
        "age": RNG.normal(size=N),
        "region": ["north", "south"] * (N // 2),
        "revenue": RNG.gamma(2, 3, size=N),
        "count": RNG.integers(1, 4, size=N),
    }
)


def test_columns_with_a_role_do_not_build() -> None:
    choice = choose_columns(
        FRAME, describe=["age", "region"], value="revenue", weight="count", id_column="who"
    )
    assert choice.used == ("income", "visits")
    assert (choice.describe, choice.value, choice.weight) == (("age", "region"), "revenue", "count")
    reasons = {one.name: one.reason for one in choice.left_out}
    assert reasons == {
        "who": "the id",
        "age": "descriptive",
        "region": "descriptive",
        "revenue": "the value",
        "count": "the weight",
    }


def test_a_value_may_build_where_it_is_named() -> None:
    choice = choose_columns(FRAME, columns=["income", "revenue"], value="revenue")
    assert (choice.used, choice.value) == (("income", "revenue"), "revenue")
    assert "revenue" not in {one.name for one in choice.left_out}
    result = segment_table(FRAME, columns=["income", "revenue"], value="revenue", components=[2])
    assert [one.role for one in result.segments[0].numbers if one.column == "revenue"] == ["active"]
    assert result.segments[0].value is not None


@pytest.mark.parametrize(
    ("roles", "said"),
    [
        (
            {"columns": ["income", "age"], "describe": ["age"]},
            "'age' is named by `columns` and by `describe`",
        ),
        ({"columns": ["income"], "id_column": "income"}, "'income' is named by `columns` and by `id_column`"),
        (
            {"columns": ["income", "count"], "weight": "count"},
            "'count' is named by `columns` and by `weight`",
        ),
        ({"describe": ["revenue"], "value": "revenue"}, "by `describe` and by `value`"),
        ({"describe": ["who"], "id_column": "who"}, "by `describe` and by `id_column`"),
        ({"value": "revenue", "weight": "revenue"}, "by `value` and by `weight`"),
        ({"describe": ["age", "age"]}, "`describe` names 'age' twice"),
        ({"describe": ["regoin"]}, "`describe` names 'regoin'.*Did you mean 'region'"),
        ({"value": "revenu"}, "`value` names 'revenu'.*Did you mean 'revenue'"),
        ({"weight": "region"}, "'region' is not numeric: it holds 'north', 'south'.*`weight`"),
        ({"value": "region"}, "'region' is not numeric"),
    ],
)
def test_conflicts_are_refused_before_any_work(roles, said) -> None:
    def never(*_: object) -> None:
        raise AssertionError("a model was fitted")

    with pytest.raises(ColumnError, match=said):
        segment_table(FRAME, on_candidate=never, **roles)


def test_weights_must_be_weights() -> None:
    with pytest.raises(DataError, match="is -1 in row 3"):
        segment_table(FRAME.with_columns(pl.Series("count", [1, 1, -1] + [1] * (N - 3))), weight="count")
    with pytest.raises(DataError, match="zero in all rows but 1"):
        segment_table(FRAME.with_columns(pl.Series("count", [1] + [0] * (N - 1))), weight="count")
    holes = FRAME.with_columns(pl.Series("count", [None] + [1.0] * (N - 1)))
    with pytest.raises(MissingValuesError, match=r"in 'count' \(1 missing\); 1 of .* rows: 1"):
        segment_table(holes, weight="count")
    result = segment_table(holes, weight="count", components=[1], drop_missing=True)
    assert result.assignment.complete.sum() == N - 1
    assert result.population.total_weight == N - 1


def test_rows_that_count_must_differ() -> None:
    values = np.full(N, 3.0)
    values[:5] = RNG.normal(size=5)
    frame = pl.DataFrame({"x": values, "y": RNG.normal(size=N), "w": [0] * 5 + [1] * (N - 5)})
    with pytest.raises(
        ColumnError, match=r"'x' \(transform none\) has no differences among the rows that count"
    ):
        segment_table(frame, columns=["x", "y"], weight="w")


def test_a_customer_without_weight_is_assigned_all_the_same() -> None:
    frame = FRAME.with_columns(pl.Series("count", [0, 0] + [1] * (N - 2)))
    result = segment_table(
        frame, columns=["income", "visits"], weight="count", components=[1], anomaly_percentile=10
    )
    assert result.assignment.complete.all()
    assert result.segments[0].count == N
    density = np.sort(result.assignment.log_density[2:])
    expected = np.percentile(density, 10)
    assert result.model.anomaly_threshold == pytest.approx(expected)


def test_values_may_be_negative_and_it_is_said() -> None:
    refunds = FRAME.with_columns(pl.Series("revenue", [-1.0, -2.0] + [5.0] * (N - 2)))
    result = segment_table(refunds, value="revenue", components=[2])
    assert any("2 customers with a negative 'revenue'" in note for note in result.notes)
    assert sum(one.value.share for one in result.segments) == pytest.approx(1)
    losses = FRAME.with_columns(pl.Series("revenue", [-5.0] * (N - 1) + [1.0]))
    result = segment_table(losses, columns=["income"], value="revenue", components=[1])
    assert any("not above zero" in note for note in result.notes)
    assert np.isnan(result.segments[0].value.share)
    assert np.isnan(result.segments[0].value.index)
