"""Audiences: who is in them, and what is said of them, against plain loops."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from mixtura.datasets import make_customers
from mixtura.exceptions import ColumnError, DataError, MissingValuesError, ParameterError
from mixtura.segments import (
    audiences_of_table,
    combine_audiences,
    find_segment,
    segment_table,
    select_audience,
)

NAMES = ("high income", "high spending", "2")


@pytest.fixture
def memberships() -> np.ndarray:
    found = np.random.default_rng(0).dirichlet([0.5, 0.7, 0.4], size=300)
    found[5] = np.nan
    return found


@pytest.fixture
def value() -> np.ndarray:
    found = np.random.default_rng(1).gamma(2.0, 50.0, size=300)
    found[9] = np.nan
    return found


@pytest.fixture(scope="module")
def frame() -> pl.DataFrame:
    rng = np.random.default_rng(2)
    return make_customers(as_frame="polars").with_columns(
        pl.Series("customer", [f"C{n:03d}" for n in range(300)]), pl.Series("revenue", rng.gamma(2, 50, 300))
    )


@pytest.fixture(scope="module")
def model(frame):
    return segment_table(frame, columns=["income", "spending"], components=[3]).model


@pytest.mark.parametrize(
    ("wanted", "found"),
    [("high income", 0), ("HIGH S", 1), (1, 0), ("3", 2), ("2", 2), (2, 2), (" high spending ", 1)],
)
def test_segments_are_found_by_name_start_or_number(wanted, found) -> None:
    assert find_segment(NAMES, wanted) == found


def test_names_that_differ_in_case_only_are_told_apart() -> None:
    assert [find_segment(["a", "A"], name) for name in ("A", "a")] == [1, 0]


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        (
            "high",
            "`segment` must name one segment; got 'high', with which 2 names begin: 'high income' and 'high spending'",
        ),
        ("hihg income", "Did you mean 'high income'"),
        (0, "`segment` must be the name or number of a segment; got 0"),
        ("4", "`segment` must be the name or number of a segment; got '4'"),
        ("", "`segment` must be the name or number of a segment; got ''"),
    ],
)
def test_segments_that_are_not_meant_clearly_are_refused(wanted, message) -> None:
    with pytest.raises(ParameterError, match=message):
        find_segment(NAMES, wanted)


def test_everybody_with_enough_membership_is_in(memberships) -> None:
    found = select_audience(memberships, NAMES, 1, min_probability=0.3)
    expected = [n for n in range(300) if memberships[n, 0] >= 0.3]
    assert sorted(found.rows.tolist()) == expected
    assert found.probability.tolist() == sorted((memberships[n, 0] for n in expected), reverse=True)
    likely = sum(memberships[n, 0] for n in expected)
    assert (found.reach, found.n_customers) == (len(expected), 299)
    assert found.share == pytest.approx(len(expected) / 299)
    assert found.expected_members == pytest.approx(likely)
    assert found.expected_share == pytest.approx(likely / len(expected))
    assert found.coverage == pytest.approx(likely / np.nansum(memberships[:, 0]))
    assert (found.value, found.expected_value, found.total_value) == (None, None, None)
    assert found.rule == "high income: customers with a membership of 0.3 or more"


def test_the_first_are_the_most_probable(memberships) -> None:
    found = select_audience(memberships, NAMES, 2, top=10)
    assert set(found.rows) == set(np.argsort(-np.nan_to_num(memberships[:, 2]))[:10])
    assert found.rule == "2: the first 10 customers by membership"
    assert select_audience(memberships, NAMES, 2, top=10_000).reach == 299


def test_with_values_the_first_are_expected_to_be_worth_most(memberships, value) -> None:
    found = select_audience(memberships, NAMES, "high s", top=20, value=value, min_probability=0.1)
    known = [n for n in range(300) if n not in {5, 9} and memberships[n, 1] >= 0.1]
    best = sorted(known, key=lambda n: -memberships[n, 1] * value[n])[:20]
    assert found.rows.tolist() == best
    np.testing.assert_allclose(found.value, value[best])
    np.testing.assert_allclose(found.expected_value, [memberships[n, 1] * value[n] for n in best])
    assert found.total_value == pytest.approx(sum(value[n] for n in best))
    assert found.total_expected_value == pytest.approx(sum(found.expected_value))
    assert found.n_customers == 298
    expected = "the first 20 customers by expected value with a membership of 0.1 or more"
    assert found.rule == f"high spending: {expected}"


def test_a_least_expected_value(memberships, value) -> None:
    found = select_audience(memberships, NAMES, 1, value=value, min_expected_value=40.0, min_probability=0.5)
    worth = memberships[:, 0] * value
    assert set(found.rows) == {n for n in range(300) if worth[n] >= 40 and memberships[n, 0] >= 0.5}
    assert found.rule.endswith("with a membership of 0.5 or more and with an expected value of 40 or more")


def test_a_weight_is_a_number_of_customers(memberships, value) -> None:
    counts = np.random.default_rng(3).integers(1, 4, size=300)
    options = {"min_probability": 0.2}
    weighted = select_audience(memberships, NAMES, 1, value=value, weights=counts.astype(float), **options)
    repeated = select_audience(
        np.repeat(memberships, counts, axis=0), NAMES, 1, value=np.repeat(value, counts), **options
    )
    sums = ("share", "expected_members", "expected_share", "coverage", "total_value", "total_expected_value")
    for name in sums:
        assert getattr(weighted, name) == pytest.approx(getattr(repeated, name), rel=1e-12)
    assert weighted.reach < repeated.reach


def test_an_audience_may_be_empty() -> None:
    found = select_audience(np.array([[0.9, 0.1]]), ["A", "B"], "B", min_probability=0.5)
    assert (found.reach, found.share, found.expected_members, found.coverage) == (0, 0.0, 0.0, 0.0)
    assert np.isnan(found.expected_share)
    assert json.loads(json.dumps(found.to_dict(), allow_nan=False))["expected_share"] is None
    nobody = select_audience(np.array([[1.0, 0.0]]), ["A", "B"], "B", top=1)
    assert np.isnan(nobody.coverage)


def test_overlap_counts_customers_in_both(memberships) -> None:
    audiences = [
        select_audience(memberships, NAMES, k, min_probability=0.2) for k in ("high i", "high s", "3")
    ]
    found = combine_audiences(audiences, 300)
    sets = [set(audience.rows) for audience in audiences]
    np.testing.assert_array_equal(found.overlap, [[len(one & other) for other in sets] for one in sets])
    assert found.n_reached == len(set.union(*sets))
    told = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert told["overlap"] == found.overlap.tolist()
    assert [audience["segment"] for audience in told["audiences"]] == [1, 2, 3]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "An audience needs a limit: `min_probability`, `top` or `min_expected_value`; got none"),
        ({"min_probability": 1.5}, r"`min_probability` must be at least 0 and at most 1; got 1\.5"),
        ({"min_probability": float("nan")}, "`min_probability` must be at least 0 and at most 1; got nan"),
        ({"top": 0}, "`top` must be a whole number of at least 1; got 0"),
        ({"min_expected_value": 3.0}, "without values"),
    ],
)
def test_limits_that_cannot_be_are_refused(memberships, options, message) -> None:
    with pytest.raises(ParameterError, match=message):
        select_audience(memberships, NAMES, 1, **options)


def test_without_memberships_there_is_no_audience() -> None:
    with pytest.raises(DataError, match="has a membership\\. At"):
        select_audience(np.full((2, 2), np.nan), ["A", "B"], 1, top=1)
    with pytest.raises(DataError, match="has a membership and a value"):
        select_audience(np.eye(2), ["A", "B"], 1, top=1, value=np.full(2, np.nan))


@pytest.mark.parametrize("kind", ["polars", "pandas", "pyarrow"])
def test_the_list_of_any_table_is_written(model, frame, kind, tmp_path) -> None:
    table = {"polars": frame, "pandas": frame.to_pandas(), "pyarrow": frame.to_arrow()}[kind]
    assert isinstance(table, pl.DataFrame | pd.DataFrame | pa.Table)
    result = audiences_of_table(model, table, [1, 3], min_probability=0.2, value="revenue")
    result.write(tmp_path / "list.parquet")
    written = pl.read_parquet(tmp_path / "list.parquet")
    assert written.columns == [
        "customer",
        "segment",
        "segment_name",
        "probability",
        "value",
        "expected_value",
    ]
    rows = np.concatenate([audience.rows for audience in result.found.audiences])
    assert written["customer"].to_list() == frame["customer"][rows].to_list()
    np.testing.assert_allclose(written["value"], frame["revenue"].to_numpy()[rows])
    memberships = model.memberships(frame.select("income", "spending").to_numpy())
    np.testing.assert_allclose(written["probability"], memberships[rows, written["segment"].to_numpy() - 1])


def test_row_numbers_where_there_are_no_ids(model, frame, tmp_path) -> None:
    result = audiences_of_table(model, frame.drop("customer"), [1], top=5)
    result.write(tmp_path / "list.csv")
    written = pl.read_csv(tmp_path / "list.csv")
    assert written["row"].to_list() == (result.found.audiences[0].rows + 1).tolist()


def test_missing_values(model, frame) -> None:
    holes = frame.with_columns(
        income=pl.when(pl.int_range(300) == 3).then(None).otherwise(pl.col("income")),
        revenue=pl.when(pl.int_range(300) < 2).then(None).otherwise(pl.col("revenue")),
    )
    assert audiences_of_table(model, holes, [1], top=300).found.audiences[0].reach == 300
    result = audiences_of_table(model, holes, [1], top=300, value="revenue", drop_missing=True)
    assert result.found.audiences[0].reach == 297
    told = result.to_dict()
    assert (told["customers"], told["customers_unassigned"], told["customers_without_value"]) == (300, 1, 2)


def test_tables_and_segments_that_do_not_serve_are_refused(model, frame) -> None:
    with pytest.raises(ParameterError, match="each once"):
        audiences_of_table(model, frame, [1, "1"], top=1)
    with pytest.raises(
        ParameterError, match=r"`segments` must name at least one segment, and each once; got \[\]"
    ):
        audiences_of_table(model, frame, [], top=1)
    with pytest.raises(ColumnError, match="Did you mean 'revenue'"):
        audiences_of_table(model, frame, [1], top=1, value="revenu")
    with pytest.raises(ColumnError, match="Choose one of them"):
        audiences_of_table(model, frame, [1], top=1, value="zzz")
    with pytest.raises(
        ColumnError,
        match=r"`value` must be a numeric column; got 'customer', which holds, for example, \['C000'\]",
    ):
        audiences_of_table(model, frame, [1], top=1, value="customer")


def weighted_table() -> tuple[pl.DataFrame, np.ndarray]:
    rng = np.random.default_rng(8)
    counts = rng.integers(1, 4, size=300)
    frame = make_customers(as_frame="polars").with_columns(
        pl.Series("revenue", rng.gamma(2, 50, 300)), pl.Series("visits", counts)
    )
    return frame, counts


def test_customers_count_with_the_weight_of_the_model_or_the_one_named() -> None:
    frame, counts = weighted_table()
    model = segment_table(frame, columns=["income", "spending"], weight="visits", components=[3]).model
    options = {"min_probability": 0.2, "value": "revenue"}
    found = audiences_of_table(model, frame, [1, 2], **options)
    repeated = audiences_of_table(
        model, frame[np.repeat(np.arange(300), counts)].drop("visits"), [1, 2], **options
    )
    assert (found.weight_name, repeated.weight_name) == ("visits", None)
    for few, many in zip(found.found.audiences, repeated.found.audiences, strict=True):
        assert few.reach == len(few.rows) < many.reach
        for name in (
            "share",
            "expected_members",
            "expected_share",
            "coverage",
            "total_value",
            "total_expected_value",
        ):
            assert getattr(few, name) == pytest.approx(getattr(many, name), rel=1e-12), name
    renamed = frame.rename({"visits": "times"})
    assert audiences_of_table(model, renamed, [1], top=9).weight_name is None
    told = audiences_of_table(model, renamed, [1], top=9, weight="times")
    assert told.to_dict()["weight"] == "times"
    assert (
        told.found.audiences[0].share == audiences_of_table(model, frame, [1], top=9).found.audiences[0].share
    )
    worded = frame.with_columns(pl.col("visits").cast(pl.String))
    assert audiences_of_table(model, worded, [1], top=9).weight_name is None


def test_weights_of_an_audience_that_cannot_be_used() -> None:
    frame, counts = weighted_table()
    model = segment_table(frame, columns=["income", "spending"], components=[2]).model
    at = pl.int_range(300) == 7
    negative = frame.with_columns(pl.when(at).then(-1).otherwise(pl.col("visits")).alias("visits"))
    with pytest.raises(DataError, match="`weight` must not be negative; 'visits' is -1 in row 8 of the data"):
        audiences_of_table(model, negative, [1], top=9, weight="visits")
    holes = frame.with_columns(pl.when(at).then(None).otherwise(pl.col("visits")).alias("visits"))
    with pytest.raises(
        MissingValuesError,
        match=r"`weight` must be .* in 'visits' \(1 missing\); 1 of 300 rows: 8 \(the first row is 1\)",
    ):
        audiences_of_table(model, holes, [1], top=9, weight="visits")
    audience = audiences_of_table(
        model, holes, [1], min_probability=0.0, weight="visits", drop_missing=True
    ).found.audiences[0]
    assert audience.reach == 300
    assert audience.share == 1.0
    memberships = model.memberships(frame.select("income", "spending").to_numpy())[:, 0]
    expected = np.delete(memberships, 7) @ np.delete(counts, 7)
    assert audience.expected_members == pytest.approx(expected, rel=1e-12)
    with pytest.raises(ColumnError, match=r"`weight` names .visit., .* Did you mean .visits."):
        audiences_of_table(model, frame, [1], top=9, weight="visit")
