"""Columns that are sums of others: found with their rounding, and not seen where there is only correlation."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from mixtura.segments import segment_table
from mixtura.segments.table.dependent_columns import find_curve, find_dependence, rounding_step


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.fixture
def two(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Two columns of two clear groups."""
    first = np.r_[rng.normal(20, 3, 150), rng.normal(50, 4, 150)]
    second = np.r_[rng.normal(80, 6, 150), rng.normal(40, 5, 150)]
    return first, second


def reason(*columns: np.ndarray) -> str | None:
    found = find_dependence(np.column_stack(columns))
    return None if found is None else f"{found.column}: {found.reason('abcdef')}"


def test_a_rounded_total_does_not_make_segments(two) -> None:
    first, second = two
    frame = pl.DataFrame({"first": first, "second": second, "total": np.rint(first + second)})
    result = segment_table(frame)
    assert result.model.n_segments == 2
    assert result.columns.used == ("first", "second")
    assert [(one.name, one.reason) for one in result.columns.left_out] == [
        ("total", "the sum of 'first' and 'second'")
    ]
    named = segment_table(frame, columns=["first", "second", "total"], components=[2])
    assert named.columns.used == ("first", "second", "total")


@pytest.mark.parametrize("units", [1.0, 1e-3, 1e6])
@pytest.mark.parametrize("offset", [0.0, 1e4])
def test_sums_in_any_units_and_anywhere(two, units, offset) -> None:
    first, second = (units * column + offset * units for column in two)
    assert reason(first, first + second, second) == "1: the sum of 'a' and 'c'"


def test_differences_multiples_and_copies(two, rng) -> None:
    first, second = two
    assert reason(first, second, first - second) == "0: the sum of 'b' and 'c'"
    assert reason(first, second, 0.3 * first + 0.7 * second) == "2: a combination of 'a' and 'b'"
    assert reason(np.rint(first), 2.5 * np.rint(first) + 7) == "1: the same as 'a', up to scale and rounding"
    third = rng.normal(0, 9, 300)
    assert reason(first, second, third, first + second + third) == "3: the sum of 'a', 'b' and 'c'"


def test_rounded_parts_of_a_rounded_total(two) -> None:
    first, second = two
    assert reason(np.rint(first), np.rint(second), np.rint(first + second)) == "2: the sum of 'a' and 'b'"


def test_a_few_corrections_do_not_hide_a_sum(two, rng) -> None:
    first, second = np.rint(two)
    total = first + second
    total[[5, 80]] += [30, 12]
    assert reason(first, second, total) == "2: the sum of 'a' and 'b' in all but 2 rows"
    total[:20] += 9
    assert reason(first, second, total) is None


def test_correlation_is_not_dependence(two, rng) -> None:
    first, second = two
    assert reason(first, second) is None
    assert reason(first, first + rng.normal(0, 0.3, 300)) is None
    assert reason(first, second, first + second + rng.normal(0, 0.5, 300)) is None
    # Ratings from 1 to 5: any column is within rounding of a combination of others, and explains nothing.
    ratings = rng.integers(1, 6, size=(300, 5)).astype(float)
    assert find_dependence(ratings) is None
    # With few rows anything is a combination of the others.
    assert find_dependence(rng.normal(size=(14, 3))) is None
    assert find_dependence(rng.normal(size=(300, 1))) is None


def test_steps_of_rounding() -> None:
    assert rounding_step(np.array([1e11, 2e11])) == 0.0
    assert rounding_step(np.array([0.1, 0.2, 7.3])) == 0.1
    assert rounding_step(np.array([-3.0, 4.0])) == 1.0


def test_curves_of_a_column_are_left_out(two) -> None:
    spent = np.abs(two[0]) + 1
    frame = pl.DataFrame(
        {
            "spent": spent,
            "log": np.log(spent),
            "b": two[1],
            "rank": spent.argsort().argsort() + 0.5,
            "inverse": 1 / spent,
        }
    )
    result = segment_table(frame, components=[1, 2, 3], kinds="continuous")
    assert result.model.n_segments == 2
    assert result.columns.used == ("spent", "b")
    reasons = {one.name: one.reason for one in result.columns.left_out}
    assert reasons == dict.fromkeys(
        ("log", "rank", "inverse"), "a curve of 'spent', in the order of all rows"
    )


def test_what_is_a_curve(rng) -> None:
    x = rng.gamma(2.0, size=120)
    for curve in (np.log(x), -np.square(x), np.round(np.sqrt(x), 4)):
        assert find_curve(np.column_stack([x, curve])) == (1, 0)
        gap = np.where(np.arange(120) == 60, np.nan, curve)
        assert find_curve(np.column_stack([x, gap])) == (1, 0)
    swapped = np.log(x)
    swapped[[3, 4]] = swapped[[4, 3]]
    for other in (swapped, 2 * x + 1, np.round(x), rng.gamma(2.0, size=120)):  # a line is a multiple
        assert find_curve(np.column_stack([x, other])) is None
    assert find_curve(np.column_stack([x, np.log(x)])[:15]) is None
