"""Columns that are the quotient of two others: found with their rounding, and not seen where there is none."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from mixtura.segments import advise, segment_table
from mixtura.segments.table.quotient_columns import find_quotient


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.fixture
def shop(rng: np.random.Generator) -> pl.DataFrame:
    """What customers of an online shop bought: one cloud, in which how often is a small whole number (case 19)."""
    frequency, basket = rng.geometric(0.35, 600), np.exp(rng.normal(3, 0.6, 600)).round(2)
    return pl.DataFrame(
        {
            "recency": rng.normal(180, 40, 600),
            "frequency": frequency,
            "basket": basket,
            "monetary": frequency * basket,
        }
    )


def test_an_average_does_not_make_segments_of_how_often(shop) -> None:
    tied = {"transform": "log1p", "covariance_types": ["tied"], "components": [3]}
    found = segment_table(shop, **tied)
    assert found.columns.used == ("recency", "monetary")
    assert [(one.name, one.reason) for one in found.columns.left_out] == [
        ("basket", "the quotient of 'monetary' and 'frequency'")
    ]
    ordered_twice = shop["frequency"].to_numpy() == 2
    assert len(set(found.assignment.labels[ordered_twice])) > 1
    assert found.assignment.memberships.max(axis=1).mean() < 0.9
    # With the basket all are certain: each segment is a value of the count.
    named = segment_table(shop, columns=shop.columns, **tied | {"components": [5]})
    assert named.columns.used == ("recency", "basket", "monetary")
    assert len(set(named.assignment.labels[ordered_twice])) == 1
    assert named.assignment.memberships.max(axis=1).mean() > 0.99


def test_advice_names_it(shop) -> None:
    found = next(one for one in advise(shop).findings if one.topic == "dependent columns")
    assert found.measured == "basket is the quotient of 'monetary' and 'frequency'"


@pytest.mark.parametrize("digits", [0, 2, 12])
def test_quotients_with_their_rounding_missing_values_and_exceptions(rng, digits) -> None:
    count, total = rng.integers(0, 30, 500).astype(float), rng.lognormal(6, 1, 500).round(2)
    total[count == 0] = 0.0
    with np.errstate(invalid="ignore"):
        average = (total / count).round(digits)
    average[[7, 70]] = np.nan
    total[[11, 400]] += 500.0
    found = find_quotient(np.column_stack([average, rng.normal(size=500), count, total]))
    assert found is not None
    assert (found.column, found.total, found.count, found.n_exceptions) == (0, 3, 2, 2)
    total[:20] += 500.0
    assert find_quotient(np.column_stack([average, count, total])) is None


def test_what_is_nearly_a_product_is_none(rng) -> None:
    months, charge = rng.integers(1, 72, 500), rng.normal(65, 20, 500).round(2)
    assert find_quotient(np.column_stack([months, charge, months * charge + rng.normal(0, 5, 500)])) is None
    # Ratings and flags: products of small whole numbers are near to other small whole numbers.
    ratings = rng.integers(1, 6, size=(500, 6)).astype(float)
    assert find_quotient(ratings) is None
    flags = rng.integers(0, 2, size=(500, 3)).astype(float)
    assert find_quotient(np.column_stack([flags, rng.normal(size=500)])) is None
    # A charge that is the same for everybody is a multiple, not a quotient.
    same = np.full(500, 3.0) + np.where(np.arange(500) == 4, 1e-7, 0.0)
    assert find_quotient(np.column_stack([months, same, 3.0 * months])) is None
    assert find_quotient(rng.normal(size=(500, 2))) is None
    assert find_quotient(rng.normal(size=(20, 4))) is None
