"""What the search and its relatives take as rows, numbers of components and seeds."""

from __future__ import annotations

from decimal import Decimal
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy.sparse import csr_matrix

from mixtura import GaussianMixture, Mixture
from mixtura.exceptions import DataError, MissingValuesError, ParameterError
from mixtura.select import (
    ColumnRole,
    ColumnSelection,
    Role,
    bootstrap_lrt,
    bootstrap_parameters,
    cross_validate,
    search,
)
from mixtura.validation import Interval, as_rows, as_seed, require

ROWS = np.random.default_rng(0).normal(size=(60, 3)) + 5 * (np.arange(60) % 2)[:, None]
WHOLE = np.round(10 * ROWS).astype(np.int64)


@cache
def wanted() -> float:
    return search(ROWS, components=[1, 2], covariance_types=["EEE"]).best.criterion("bic")


@pytest.mark.parametrize(
    "make",
    [
        np.asfortranarray,
        lambda rows: rows.tolist(),
        lambda rows: np.repeat(rows, 2, axis=0)[::2],
        lambda rows: rows[::-1][::-1],
        pd.DataFrame,
        lambda rows: pl.DataFrame(rows, schema=list("abc")),
        lambda rows: np.frombuffer(memoryview(bytearray(b"abc" + rows.tobytes()))[3:]).reshape(rows.shape),
        lambda rows: rows.astype(">f8"),
        np.ma.asarray,
    ],
)
def test_rows_may_be_any_array_like(make: Any) -> None:
    assert search(make(ROWS), components=[1, 2], covariance_types=["EEE"]).best.criterion("bic") == wanted()


def test_whole_numbers_are_numbers() -> None:
    found = [
        search(rows, components=[2], covariance_types=["EEE"]).best for rows in (WHOLE, WHOLE.astype(float))
    ]
    assert found[0].criterion("bic") == found[1].criterion("bic")


@pytest.mark.parametrize("sizes", [range(1, 3), np.arange(1, 3), (1, 2), np.array([1.0, 2.0]), iter([1, 2])])
def test_numbers_of_components_may_be_any_sequence(sizes: Any) -> None:
    assert search(ROWS, components=sizes, covariance_types=["EEE"]).best.criterion("bic") == wanted()


@pytest.mark.parametrize("seed", [None, np.int64(0), np.random.RandomState(0)])
def test_seeds_may_be_drawn(seed: Any) -> None:
    found = search(ROWS, components=[1, 2], covariance_types=["EEE"], random_state=seed).best.criterion("bic")
    assert found == pytest.approx(wanted(), rel=1e-6)


def test_a_generator_gives_one_seed_after_the_other() -> None:
    rng = np.random.RandomState(1)
    assert as_seed(rng) != as_seed(rng)
    assert as_seed(np.random.RandomState(1)) == as_seed(np.random.RandomState(1))
    assert as_seed(np.int32(7)) == 7


@pytest.mark.parametrize("seed", [-1, 2**32, "a", 0.5])
def test_what_is_not_a_seed_is_refused(seed: Any) -> None:
    with pytest.raises(ParameterError, match="`random_state` must be a whole number"):
        search(ROWS, random_state=seed)


def test_the_relatives_take_the_same() -> None:
    rows = np.asfortranarray(ROWS)
    assert len(cross_validate(rows, components=np.arange(1, 3), n_folds=2, random_state=None).candidates) == 8
    test = bootstrap_lrt(
        rows.tolist(), max_components=2, n_boot=3, level=0.25, random_state=np.random.RandomState(0)
    )
    assert test.table()


@pytest.mark.parametrize(
    "rows", [[["a", "b"]], [[1.0, 2.0], [3.0]], ROWS[0], pd.DataFrame({"a": ["x", "y"]})]
)
def test_what_is_not_a_table_of_numbers_is_refused(rows: Any) -> None:
    with pytest.raises(DataError):
        search(rows)


def with_types(rows: Any) -> pd.DataFrame:
    """Return a frame of whole numbers, of which one is missing, in two of pandas' own types."""
    frame = pd.DataFrame(rows, columns=list("abc")).astype({"a": "Int64", "b": "int64[pyarrow]"})
    frame.loc[3, ["a", "b"]] = pd.NA
    return frame


@pytest.mark.parametrize(
    "make",
    [
        with_types,
        lambda rows: with_types(rows).astype(object),
        lambda rows: [[None if x is pd.NA else Decimal(x) for x in row] for row in with_types(rows).values],
        lambda rows: np.ma.array(rows, mask=with_types(rows).isna().to_numpy()),
    ],
)
def test_numbers_of_any_type_are_numbers_and_those_that_lack_are_missing(make: Any) -> None:
    expected = WHOLE.astype(float)
    expected[3, :2] = np.nan
    np.testing.assert_array_equal(as_rows(make(WHOLE), "fiml"), expected)
    with pytest.raises(MissingValuesError, match="got 2 values that are missing"):
        as_rows(make(WHOLE))
    mixture = Mixture.from_parameters([1.0], np.zeros((1, 3)), [np.eye(3)])
    np.testing.assert_array_equal(mixture.log_density(make(WHOLE)), mixture.log_density(expected))


def test_what_an_estimator_is_given_masked_is_missing() -> None:
    rows = np.ma.masked_greater(ROWS, 6)
    plain = np.where(ROWS > 6, np.nan, ROWS)
    settings: dict[str, Any] = {"n_components": 2, "missing": "fiml", "random_state": 0}
    means = [GaussianMixture(**settings).fit(one).means_ for one in (rows, plain)]
    np.testing.assert_array_equal(*means)
    with pytest.raises(MissingValuesError):
        GaussianMixture(2).fit(rows)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (pd.DataFrame({"a": [1, 2], "b": [1.5, "x"]}), "got 'x' in row 1 of column 1"),
        ([["a", "b"]], "got 'a' in row 0 of column 0"),
        ([[10**400]], "below 1e308"),
        (None, r"must have the shape \(rows, columns\)"),
        ({"a": [1]}, r"got {'a': \[1\]}"),
        (np.ones((2, 2), dtype=complex), "got type 'complex128'"),
    ],
)
def test_what_is_no_number_is_shown(rows: Any, said: str) -> None:
    with pytest.raises(DataError, match=said):
        as_rows(rows)


@pytest.mark.parametrize("weight", [5e-324, 1e300, 1e308])
def test_weights_that_count_no_rows_are_refused(weight: float) -> None:
    for fit in (
        search,
        lambda rows, sample_weight: GaussianMixture(2).fit(rows, sample_weight=sample_weight),
    ):
        with pytest.raises(
            DataError, match=r"`sample_weight` must sum to at least 1e-100 and at most 1e\+100"
        ):
            fit(ROWS, sample_weight=np.full(60, weight))


def test_weights_may_be_more_than_whole_numbers_count() -> None:
    heavy = np.where(np.arange(60) % 2, 1e20, 2e20)
    found = [
        search(ROWS, components=[2], covariance_types="EII", sample_weight=weights).best.mixture
        for weights in (heavy, heavy / 1e20)
    ]
    np.testing.assert_allclose(found[0].means, found[1].means, rtol=1e-6)


def test_samples_are_not_drawn_of_more_rows_than_memory_holds() -> None:
    mixture = Mixture.from_parameters([1.0], np.zeros((1, 3)), [np.eye(3)])
    weights = np.full(60, 1e12)
    for test in (
        lambda: bootstrap_lrt(ROWS, max_components=2, n_boot=19, sample_weight=weights),
        lambda: bootstrap_parameters(ROWS, mixture, n_boot=9, sample_weight=weights),
    ):
        with pytest.raises(
            DataError, match=r"at most 1e\+08, as samples have as many rows; got a sum of 6e\+13"
        ):
            test()


@pytest.mark.parametrize("names", [3, None, []])
def test_covariance_types_are_names(names: Any) -> None:
    with pytest.raises(ParameterError, match="`covariance_types` must name at least one; got "):
        search(ROWS, covariance_types=names)


def test_a_sparse_matrix_is_named() -> None:
    with pytest.raises(DataError, match="must be a dense array; got a sparse one"):
        search(csr_matrix(np.eye(30)))


@pytest.mark.parametrize("value", ["auto", 0, 0.5, np.float32(2.0)])
def test_a_word_or_a_number_may_be_allowed(value: Any) -> None:
    require("size", value, ("auto", Interval(0)))


@pytest.mark.parametrize("value", ["large", -1, np.nan, np.inf, True, None, [1]])
def test_neither_word_nor_number(value: Any) -> None:
    with pytest.raises(ParameterError, match="`size` must be 'auto', or a number of at least 0; got "):
        require("size", value, ("auto", Interval(0)), "Try `size=1`.")


def test_results_show_themselves_in_a_line() -> None:
    one = {"components": [2], "covariance_types": ["EII"]}
    shown = "<{}: best of 1: EII with 2 components, {}>"
    found = search(ROWS, **one)
    assert repr(found) == shown.format("SearchResult", f"bic {found.best.bic:.1f}")
    held_out = cross_validate(ROWS, n_folds=2, **one)
    assert repr(held_out) == shown.format("CrossValidation", f"score {held_out.best.score:.1f}")
    roles = ColumnSelection(
        (ColumnRole("age", Role.BUILDING, 9.0), ColumnRole("id", Role.NOISE, -2.0)), None, 9, 0
    )
    assert repr(roles) == "<ColumnSelection: building: age; redundant: none; noise: id>"
