"""Columns sorted out; rows complete and on one scale."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.preprocessing import StandardScaler

from mixtura.exceptions import ColumnError, DataError, MissingValuesError, TableError
from mixtura.segments import choose_columns
from mixtura.segments.table.complete import missing_notes, usable_rows
from mixtura.segments.transforms.scaling import scaling_of

N = 40
RNG = np.random.default_rng(3)
COLUMNS = {
    "CustomerID": list(range(1001, 1001 + N)),
    "counter": list(range(N)),
    "income": RNG.normal(size=N).tolist(),
    "sorted": list(range(5, 5 + N)),
    "flag": [0, 1] * (N // 2),
    "stars": [1, 2, 3, 4] * (N // 4),
    "shop": [7] * N,
    "name": [f"n{i}" for i in range(N)],
    "member": [True, False] * (N // 2),
    "joined": [f"2024-01-{i % 28 + 1:02d}" for i in range(N)],
    "left": ["31.12.2024"] * N,
    "login": ["2024-06-22T22:00:22+02:00"] * N,
    "since": [dt.date(2024, 1, 1)] * N,
    "stay": [dt.timedelta(minutes=i) for i in range(N)],
    "ticked": ["x", None] * (N // 2),
    "order_date": [20240101 + i % 3 for i in range(N)],
    "void": pl.Series([None] * N, dtype=pl.Float64),
    "nan": [float("nan")] * N,
}
REASONS = {
    "CustomerID": "an id",
    "counter": "row numbers",
    "flag": "only 2 different values (0, 1): a code",
    "shop": "the same value in every row: 7",
    "name": "text, such as 'n0'",
    "member": "true or false",
    "joined": "dates, such as '2024-01-01'",
    "left": "dates, such as '31.12.2024'",
    "login": "dates, such as '2024-06-22T22:00:22+02:00'",
    "since": "dates or times",
    "stay": "durations, which are used where they are numbers, such as of minutes",
    "ticked": "'x' or missing: with a word where it is missing it is a category",
    "order_date": "dates written as numbers (20240101 to 20240103); days since then would be a measurement",
    "sorted": "an id: whole numbers that never repeat",
    "void": "no values",
    "nan": "no values",
}


@pytest.mark.parametrize("backend", ["polars", "pandas", "pyarrow"])
def test_each_column_has_its_reason(backend) -> None:
    frame = pl.DataFrame(COLUMNS)
    native = {"polars": frame, "pandas": frame.to_pandas(), "pyarrow": frame.to_arrow()}[backend]
    choice = choose_columns(native)
    assert choice.used == ("income", "stars")
    reasons = {column.name: column.reason for column in choice.left_out}
    assert reasons == REASONS
    assert choice.id_column == "CustomerID"


@pytest.mark.parametrize(
    ("columns", "id_column"),
    [
        ({"x": [1.5, 2.5], "CUST_ID": ["a", "b"]}, "CUST_ID"),
        ({"who": ["a", "b"], "x": [1.5, 2.5]}, "who"),
        ({"x": [1.5, 2.5], "who": ["a", "b"]}, None),
        ({"CUST_ID": ["a", "a"], "x": [1.5, 2.5]}, None),
        ({"CUST_ID": ["a", None], "x": [1.5, 2.5]}, None),
        ({"n": [0, 1, 2], "x": [1.5, 2.5, 4.0]}, "n"),
    ],
)
def test_the_id_is_guessed(columns, id_column) -> None:
    assert choose_columns(pl.DataFrame(columns)).id_column == id_column


def test_what_is_asked_for_is_used() -> None:
    frame = pl.DataFrame(COLUMNS)
    choice = choose_columns(frame, columns=["flag", "income"], id_column="name")
    assert choice.used == ("flag", "income")
    assert choice.id_column == "name"
    assert {column.reason for column in choice.left_out} == {"not asked for", "the id"}


def test_what_cannot_be_used_is_refused() -> None:
    frame = pl.DataFrame(COLUMNS)
    with pytest.raises(ColumnError, match="Did you mean 'income'") as caught:
        choose_columns(frame, columns=["incom"])
    assert caught.value.closest[0] == "income"
    with pytest.raises(ColumnError, match="Did you mean 'income'"):
        choose_columns(frame, columns=["INCOME"])
    with pytest.raises(ColumnError, match="Choose one of them"):
        choose_columns(frame, columns=["zzz"])
    with pytest.raises(ColumnError, match="no values"):
        choose_columns(frame, columns=["void"])
    with pytest.raises(ColumnError, match="not numeric: it holds 'x', 'y'"):
        choose_columns(pl.DataFrame({"a": ["1", "x", "y"]}), columns=["a"])
    with pytest.raises(ColumnError, match="not numeric: it holds 'True'"):
        choose_columns(frame, columns=["member"])
    with pytest.raises(TableError, match="No numeric column is left"):
        choose_columns(frame.select("name", "shop"))
    with pytest.raises(
        TableError,
        match=r"required here: add one, .* Categories alone can be segmented",
    ):
        choose_columns(pl.DataFrame({"q": ["yes", "no", "maybe"] * 4}))
    many = pl.DataFrame({f"c{i}": [1.0] for i in range(30)})
    with pytest.raises(ColumnError, match="and 10 more"):
        choose_columns(many, columns=["x"])


def test_rows_with_missing_values_are_used_or_left_out() -> None:
    frame = pd.DataFrame({"a": [1.0, np.nan, np.inf, np.nan], "b": [1, 2, 3, np.nan]})
    rows, weights, usable = usable_rows(frame, ["b", "a"], drop_missing=False)
    np.testing.assert_array_equal(rows, [[1, 1], [2, np.nan], [3, np.nan]])
    assert weights is None
    np.testing.assert_array_equal(usable, [True, True, True, False])
    rows, _, usable = usable_rows(frame, ["b", "a"], drop_missing=True)
    np.testing.assert_array_equal(rows, [[1, 1]])
    np.testing.assert_array_equal(usable, [True, False, False, False])
    apart = pl.DataFrame({"a": [1.0, None], "b": [None, 1.0]})
    with pytest.raises(DataError, match="None of the 2 rows has a value in all of"):
        usable_rows(apart, ["a", "b"], drop_missing=True)
    assert usable_rows(apart, ["a", "b"], drop_missing=False)[2].all()
    with pytest.raises(DataError, match="None of the 1 rows has a value in any of"):
        usable_rows(pl.DataFrame({"a": [None]}, schema={"a": pl.Float64}), ["a"], drop_missing=False)


def test_every_row_must_have_a_weight() -> None:
    frame = pl.DataFrame({"a": [1.0, 2.0, None], "w": [1.0, None, np.inf]})
    with pytest.raises(MissingValuesError, match=r"in 'w' \(1 missing, 1 infinite\)") as caught:
        usable_rows(frame, ["a"], drop_missing=False, weight="w")
    assert (caught.value.columns, caught.value.rows, caught.value.count) == (("w",), (1, 2), 2)
    rows, weights, usable = usable_rows(frame, ["a"], drop_missing=True, weight="w")
    assert (rows.tolist(), weights.tolist(), usable.tolist()) == ([[1.0]], [1.0], [True, False, False])


def test_missing_values_are_counted_by_column() -> None:
    rows = np.array([[1.0, np.nan, 3.0], [np.nan, np.nan, 3.0], [1.0, 2.0, 3.0]])
    (said,) = missing_notes(rows, ["a", "b", "c"])
    assert said.startswith(
        "3 values are missing, in b (2, 67 %), a (1, 33 %): 2 rows of 3 lack one. They are used"
    )
    (one,) = missing_notes(rows[:, [0, 2]], ["a", "c"])
    assert one.startswith("1 value is missing, in a (1, 33 %): 1 row of 3 lacks one. It is used")
    assert missing_notes(rows[:, 2:], ["c"]) == ()


def test_scaling_is_that_of_scikit_learn() -> None:
    rows = RNG.normal(size=(50, 3)) * [1, 1e4, 1e-4] + [0, 1e6, 5]
    reference = StandardScaler().fit(rows)
    scaling = scaling_of(rows)
    np.testing.assert_allclose(scaling.center, reference.mean_, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(scaling.scale, reference.scale_, rtol=1e-9)
    np.testing.assert_allclose(scaling.apply(rows), reference.transform(rows), rtol=1e-6, atol=1e-9)
    assert scaling.log_volume == pytest.approx(np.log(reference.scale_).sum())


@pytest.mark.parametrize("magnitude", [1e-290, 1e-150, 1e150, 1e290])
def test_scaling_of_extreme_magnitudes(magnitude) -> None:
    rows = RNG.normal(size=(50, 1))
    expected = scaling_of(rows)
    scaling = scaling_of(rows * magnitude)
    np.testing.assert_allclose(scaling.scale, expected.scale * magnitude, rtol=1e-12)
    np.testing.assert_allclose(scaling.center, expected.center * magnitude, rtol=1e-9)


def test_a_constant_column_has_no_scale() -> None:
    np.testing.assert_array_equal(
        scaling_of(np.array([[0.1, 1], [0.1, 2], [0.1, 3]])).scale > 0, [False, True]
    )
