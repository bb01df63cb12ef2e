"""What the search and its relatives take as rows, numbers of components and seeds."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy.sparse import csr_matrix

from mixtura.exceptions import DataError, ParameterError
from mixtura.select import bootstrap_lrt, cross_validate, search
from mixtura.validation import Interval, as_seed, require

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
