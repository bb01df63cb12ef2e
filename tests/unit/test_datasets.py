"""Generated customers are what they are said to be."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl
import pytest
from sklearn.cluster import KMeans
from sklearn.datasets import make_blobs
from sklearn.metrics import silhouette_score

from mixtura.datasets import customer_columns, make_customers, make_mall_customers, make_purchases
from mixtura.exceptions import ParameterError


def test_three_follows_its_recipe() -> None:
    blobs, _ = make_blobs(
        n_samples=300, centers=[[40, 60], [70, 30], [20, 80]], cluster_std=[8, 10, 7], random_state=42
    )
    np.testing.assert_array_equal(
        make_customers(), blobs @ np.array([[0.8, -0.4], [0.3, 0.9]]) + np.array([0, 30])
    )


def test_five_stand_apart() -> None:
    customers = make_customers(kind="five")
    silhouettes = {
        k: silhouette_score(customers, KMeans(k, n_init=10, random_state=42).fit_predict(customers))
        for k in range(2, 9)
    }
    assert max(silhouettes, key=silhouettes.__getitem__) == 5
    assert silhouettes[5] == pytest.approx(0.75, abs=0.01)
    assert (customers > 0).all()
    assert customers[:, 2].min() > 15


def test_seeds_and_sizes() -> None:
    assert make_customers(10).shape == (10, 2)
    assert (make_customers(random_state=1) != make_customers()).any()


@pytest.mark.parametrize("backend", ["pandas", "polars", "pyarrow"])
@pytest.mark.parametrize("kind", ["three", "five"])
def test_frames(backend, kind) -> None:
    frame = make_customers(20, kind, as_frame=backend)
    names = frame.column_names if backend == "pyarrow" else list(frame.columns)
    assert tuple(names) == customer_columns(kind)
    np.testing.assert_array_equal(
        np.column_stack([np.asarray(frame[name]) for name in names]), make_customers(20, kind)
    )


def test_an_unknown_kind() -> None:
    with pytest.raises(ParameterError, match="'six'"):
        make_customers(kind="six")


MALL = ["CustomerID", "Gender", "Age", "Annual Income (k$)", "Spending Score (1-100)"]
PURCHASES = ["customer_id", "date", "number_of_cds", "dollar_value"]


def test_the_mall_has_five_groups_of_whole_numbers_and_nobody_at_a_limit() -> None:
    frame = make_mall_customers(2000, as_frame="polars")
    assert frame.columns == MALL
    assert frame["CustomerID"].to_list() == list(range(1, 2001))
    assert set(frame["Gender"]) == {"Female", "Male"}
    income, score = MALL[3:]
    for name, low, high in (("Age", 18, 70), (income, 15, 140), (score, 1, 99)):
        assert frame[name].dtype.is_integer()
        assert low <= frame[name].min() < frame[name].max() <= high
        assert (frame[name] == low).mean() < 0.03
        assert (frame[name] == high).mean() < 0.03
    assert frame[income].is_sorted()
    corner = (
        pl.when(pl.col(income).is_between(40, 69) & pl.col(score).is_between(35, 65))
        .then(pl.lit("middle"))
        .otherwise(pl.concat_str(pl.col(income) > 60, pl.col(score) > 50, separator=" "))
    )
    shares = frame.group_by(corner.alias("group")).agg(pl.len() / 2000)
    found = dict(shares.iter_rows())
    expected = {"middle": 0.38, "true true": 0.2, "true false": 0.18, "false false": 0.13, "false true": 0.12}
    assert found == pytest.approx(expected, abs=0.03)


def test_the_mall_resembles_the_real_one(shared_data) -> None:
    real, made = pl.read_csv(shared_data / "mall_customers.csv"), make_mall_customers(5000, as_frame="polars")
    assert real.columns == made.columns
    for name in MALL[2:]:
        assert made[name].mean() == pytest.approx(real[name].mean(), rel=0.06)
        assert made[name].std() == pytest.approx(real[name].std(), rel=0.12)


def test_purchases_are_a_cohort_in_order() -> None:
    frame = make_purchases(500, as_frame="polars")
    assert frame.columns == PURCHASES
    assert frame.select(PURCHASES[:2]).equals(frame.select(PURCHASES[:2]).sort(PURCHASES[:2]))
    assert frame["customer_id"].unique().to_list() == list(range(1, 501))
    days = frame["date"].cast(pl.String).str.to_date("%Y%m%d")
    first = frame.with_columns(days.alias("day")).group_by("customer_id").agg(pl.col("day").min())["day"]
    assert (str(days.min()), str(first.max())) == ("1997-01-01", "1997-03-25")
    assert days.max() <= date(1998, 6, 30)
    assert frame["number_of_cds"].min() == 1
    assert frame["dollar_value"].min() > 0


def test_purchases_resemble_the_real_ones(shared_data) -> None:
    frames = {
        "real": pl.read_csv(shared_data / "cdnow_transactions.csv"),
        "made": make_purchases(8000, as_frame="polars"),
    }
    assert frames["real"].columns == PURCHASES
    once, amount, discs = (
        {name: number(frame) for name, frame in frames.items()}
        for number in (
            lambda frame: (frame.group_by("customer_id").len()["len"] == 1).mean(),
            lambda frame: frame["dollar_value"].median(),
            lambda frame: frame["number_of_cds"].mean(),
        )
    )
    assert once["made"] == pytest.approx(once["real"], abs=0.02)
    assert amount["made"] == pytest.approx(amount["real"], rel=0.05)
    assert discs["made"] == pytest.approx(discs["real"], rel=0.1)


@pytest.mark.parametrize("make", [make_mall_customers, make_purchases])
def test_look_alikes_have_seeds_and_backends(make) -> None:
    frame = make(30, as_frame="polars")
    assert frame.equals(make(30, as_frame="polars"))
    assert not frame.equals(make(30, random_state=1, as_frame="polars"))
    assert make(30, as_frame="pyarrow").to_pydict() == frame.to_dict(as_series=False)
    assert make(30).to_dict("list") == frame.to_dict(as_series=False)
    for wrong in (0, -3, 2.5, True):
        with pytest.raises(ParameterError, match="whole number"):
            make(wrong)
