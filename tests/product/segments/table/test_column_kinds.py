"""Keys, dates, parts of the calendar, codes and earlier results are recognized; measurements stay."""

from __future__ import annotations

import narwhals as nw
import numpy as np
import polars as pl
import pyarrow as pa
import pytest

from mixtura.datasets import make_customers
from mixtura.exceptions import ColumnWarning
from mixtura.io import read_table
from mixtura.segments import choose_columns, segment_table
from mixtura.segments.table.discrete.kinds import ColumnKind
from mixtura.segments.table.discrete.relevance import unrelated_categories

RNG = np.random.default_rng(21)
N = 300
INCOME = RNG.lognormal(10, 0.5, N).round(2)
DAYS = np.arange(np.datetime64("2023-01-01"), np.datetime64("2025-01-01"))
YYYYMMDD = np.array([int(str(day).replace("-", "")) for day in DAYS])


def reasons(**columns: object) -> dict[str, str]:
    return {
        one.name: one.reason for one in choose_columns(pl.DataFrame({"spent": INCOME} | columns)).left_out
    }


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("CLIENTNUM", RNG.choice(np.arange(700_000_000, 830_000_000, 7), N, replace=False)),
        ("id_customer", RNG.choice(10**6, N, replace=False)),
        ("uid", RNG.choice(10**6, N, replace=False)),
        ("PolicyNo", RNG.choice(10**6, N, replace=False)),
        ("Kundennummer", RNG.choice(10**6, N, replace=False)),
        ("Unnamed: 0", RNG.permutation(N)),
        ("Kunde", np.arange(1000, 1000 + N)),
        ("opaque", np.arange(1000, 1000 + N)),
        ("opaque", RNG.permutation(np.arange(5, 5 + 10 * N, 10))),
        ("opaque", RNG.choice(N + N // 2, N, replace=False)),  # a few customers have left
    ],
)
def test_keys_are_recognized_and_name_customers(name, values) -> None:
    choice = choose_columns(pl.DataFrame({"spent": INCOME, name: values}))
    assert choice.used == ("spent",)
    assert choice.id_column == name
    assert choice.left_out[0].reason.startswith("an id") or choice.left_out[0].reason == "row numbers"
    assert not choice.left_out[0].numeric


def test_random_keys_stand_first() -> None:
    keys = RNG.choice(np.arange(100_000, 1_000_000), N, replace=False)
    frame = pl.DataFrame({"opaque": keys, "spent": INCOME, "age": RNG.integers(18, 80, N)})
    choice = choose_columns(frame)
    assert (choice.used, choice.id_column) == (("spent", "age"), "opaque")


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("income", RNG.choice(np.arange(20_000, 90_000), N, replace=False)),
        ("income", np.sort(RNG.choice(np.arange(200_000, 900_000), N, replace=False))),
        ("age", RNG.integers(18, 80, N)),
        ("orders", RNG.integers(1, 25, N)),
        ("hours_per_week", RNG.integers(0, 24, N)),
        ("months", RNG.integers(1, 13, N)),
        ("calls per day", RNG.integers(1, 13, N)),
        ("education_years", RNG.integers(8, 20, N)),
        ("birth_year", RNG.integers(1940, 2005, N)),
        ("Year_Birth", RNG.integers(1940, 2005, N)),
        ("tenure_days", RNG.integers(0, 31, N)),
        ("cards", RNG.integers(0, 9, N)),
        ("order", RNG.integers(10, 90, N)),
        ("stars", RNG.integers(1, 6, N)),
        ("paid", RNG.integers(1, 500, N)),
        ("day_minutes", RNG.integers(0, 31, N)),
        ("price", RNG.integers(19_000_000, 21_000_000, N)),
        ("month", RNG.integers(100, 900, N)),  # not a month, whatever it is called
        ("certainty", RNG.random(N)),
        ("family size", RNG.integers(1, 9, N)),
        ("credit_class_score", RNG.integers(1, 9, N)),
    ],
)
def test_measurements_stay(name, values) -> None:
    frame = pl.DataFrame({"first": RNG.normal(size=N), name: values, "spent": INCOME})
    assert name in choose_columns(frame).used


def test_an_income_that_is_first_and_related_stays() -> None:
    """The same numbers as a key would have, but they say something."""
    income = np.sort(RNG.choice(np.arange(100_000, 1_000_000), N, replace=False))
    frame = pl.DataFrame({"income": income, "spent": income * 0.1 + RNG.normal(size=N) * 9000})
    assert choose_columns(frame).used == ("income", "spent")
    normal = RNG.normal(500_000, 90_000, N).round()
    assert choose_columns(pl.DataFrame({"income": normal, "spent": INCOME})).used == ("income", "spent")


def test_dates_written_as_numbers() -> None:
    days = RNG.choice(YYYYMMDD, N)
    assert "days since then" in reasons(last_order=days)["last_order"]
    assert "months since then" in reasons(joined=days // 100)["joined"]
    assert "dates written as numbers" in reasons(signup_date=RNG.integers(44_000, 46_000, N))["signup_date"]
    assert (
        "dates written as numbers" in reasons(timestamp=RNG.integers(16 * 10**8, 17 * 10**8, N))["timestamp"]
    )
    assert reasons(amount=RNG.integers(44_000, 46_000, N)) == {}


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [("day", 1, 31), ("month", 1, 12), ("mnth", 1, 12), ("hour", 0, 23), ("hr", 0, 23), ("weekday", 0, 6),
     ("week", 1, 52), ("DayOfWeek", 1, 7), ("order_month", 1, 12), ("year", 2010, 2020),
     ("hour_of_day", 0, 23), ("minute", 0, 59)],
)  # fmt: skip
def test_parts_of_a_date(name, low, high) -> None:
    assert reasons(**{name: RNG.integers(low, high + 1, N)})[name].startswith("part of a date")


@pytest.mark.parametrize(
    ("name", "high"), [("EDUCATION", 6), ("region", 9), ("season", 4), ("job_type", 11), ("zip code", 99_999)]
)
def test_codes_of_categories(name, high) -> None:
    assert "codes of categories" in reasons(**{name: RNG.integers(0, high + 1, N)})[name]
    assert "subject" in reasons(subject=RNG.integers(1, 31, N))


def test_the_results_of_an_earlier_segmentation() -> None:
    frame = make_customers(as_frame="polars")
    first = segment_table(frame, components=[3])
    joined = frame.with_columns(
        **{name: pl.Series(values.tolist()) for name, values in first.assignment.columns().items()}
    )
    with pytest.warns(ColumnWarning, match="an earlier segmentation"):
        again = segment_table(joined, components=[3])
    assert again.model.columns == first.model.columns
    added = [one.name for one in again.columns.left_out if one.reason == "added by an earlier segmentation"]
    assert set(added) == set(first.assignment.columns())


def purchases() -> pl.DataFrame:
    return pl.DataFrame(
        {
            "CustomerID": np.repeat(np.arange(40), 10),
            "order_day": RNG.choice(YYYYMMDD, 400),
            "basket": RNG.lognormal(3, 1, 400),
        }
    )


def test_customers_that_repeat_are_said_with_the_statement_that_helps() -> None:
    import duckdb

    table = purchases()
    with pytest.warns(ColumnWarning, match="'CustomerID' has 40 different values in 400 rows"):
        result = segment_table(table, components=[1])
    statement = next(note for note in result.notes if "SELECT" in note).partition("for example: ")[2]
    connection = duckdb.connect()
    connection.register("purchases", table.to_arrow())
    customers = connection.sql(statement.removesuffix(".")).pl().sort("CustomerID")
    assert customers.columns == ["CustomerID", "frequency", "monetary", "recency"]
    assert customers["frequency"].to_list() == [10] * 40
    by_hand = (
        table.group_by("CustomerID").agg(pl.col("basket").sum(), pl.col("order_day").max()).sort("CustomerID")
    )
    np.testing.assert_allclose(customers["monetary"], by_hand["basket"])
    last = by_hand["order_day"].cast(pl.String).str.to_date("%Y%m%d")
    np.testing.assert_array_equal(customers["recency"], (last.max() - last).dt.total_days())


@pytest.mark.parametrize("dates", [DAYS[:400], [str(day) for day in DAYS[:400]]])
def test_recency_of_dates(dates) -> None:
    import duckdb

    table = purchases().drop("order_day").with_columns(pl.Series("date", dates))
    with pytest.warns(ColumnWarning):
        notes = select_table_notes(table)
    connection = duckdb.connect()
    connection.register("purchases", table.to_arrow())
    found = connection.sql(notes.partition("for example: ")[2]).pl()
    assert found["recency"].min() == 0
    assert found["recency"].max() == 390


def select_table_notes(table: pl.DataFrame) -> str:
    from mixtura.segments import select_table

    return next(note for note in select_table(table, components=[1]).notes if "SELECT" in note)


def test_some_ids_that_repeat_and_ids_of_others_that_may() -> None:
    ids = [*range(N - 2), 5, 6]
    with pytest.warns(ColumnWarning, match="'client' has only 298 different values in 300 rows"):
        segment_table(pl.DataFrame({"client": ids, "spent": INCOME}), components=[1])
    result = segment_table(pl.DataFrame({"store_id": np.arange(N) % 7, "spent": INCOME}), components=[1])
    assert not any("different values" in note for note in result.notes)


@pytest.mark.parametrize(
    ("name", "used", "id_column"),
    [
        ("mall_customers.csv", {"Age", "Annual Income (k$)", "Spending Score (1-100)"}, "CustomerID"),
        (
            "wholesale_customers.csv",
            {"Fresh", "Milk", "Grocery", "Frozen", "Detergents_Paper", "Delicassen"},
            None,
        ),
        ("old_faithful.csv", {"eruptions", "waiting"}, None),
        (
            "bike_sharing_hour.csv",
            {"temp", "atemp", "hum", "windspeed", "casual", "registered", "cnt"},
            "instant",
        ),
        ("cdnow_transactions.csv", {"number_of_cds", "dollar_value"}, None),
        ("anomaly/ad_pendigits.parquet", None, None),
        ("cc_general.csv", 17, "CUST_ID"),
        ("penguins.csv", {"bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g"}, None),
        ("swiss_banknote.csv", 6, None),
        ("thyroid_gland.csv", 5, None),
        ("diabetes_reaven_miller.csv", 3, None),
    ],
)
def test_real_tables(shared_data, name, used, id_column) -> None:
    choice = choose_columns(read_table(shared_data / name).data)
    if isinstance(used, int):
        assert len(choice.used) == used
    elif used is not None:
        assert set(choice.used) == used
    if id_column is not None:
        assert choice.id_column == id_column


@pytest.mark.parametrize("n_rows", [9_999, 10_000, 25_001])
def test_long_tables_are_looked_at_in_part(n_rows: int) -> None:
    """Of Arrow tables not every way to take each second row works."""
    rng = np.random.default_rng(0)
    group = rng.integers(0, 2, n_rows)
    table = pa.table(
        {
            "spend": rng.normal(10.0 * group, 1.0),
            "region": np.array(["north", "south"])[group],
            "coin": np.array(["heads", "tails"])[rng.integers(0, 2, n_rows)],
        }
    )
    kinds = {
        name: ColumnKind(name, kind, "")
        for name, kind in (("spend", "continuous"), ("region", "category"), ("coin", "category"))
    }
    assert unrelated_categories(nw.from_native(table), kinds) == ("coin",)
