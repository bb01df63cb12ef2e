"""Whatever the columns of a table hold: a valid model, or an error of mixtura's own."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mixtura.exceptions import ColumnWarning, MixturaError
from mixtura.segments import segment_table

MAGNITUDES = st.one_of(st.just(0.0), st.floats(-150, 150).map(lambda power: 10.0**power))


def spread(rng: np.random.Generator, n: int, scale: float) -> np.ndarray:
    return scale * rng.normal(size=n)


def far_away(rng: np.random.Generator, n: int, scale: float) -> np.ndarray:
    return scale * (1e8 + rng.normal(size=n))


def constant(rng: np.random.Generator, n: int, scale: float) -> np.ndarray:
    return np.full(n, scale)


def two_values(rng: np.random.Generator, n: int, scale: float) -> np.ndarray:
    return scale * rng.integers(0, 2, size=n)


def one_outlier(rng: np.random.Generator, n: int, scale: float) -> np.ndarray:
    values = rng.normal(size=n)
    values[rng.integers(n)] = 1e6
    return scale * values


def skewed(rng: np.random.Generator, n: int, scale: float) -> np.ndarray:
    return scale * np.exp(4 * rng.normal(size=n))


def holes(rng: np.random.Generator, n: int, scale: float) -> np.ndarray:
    return np.where(rng.random(n) < 0.1, rng.choice([np.nan, np.inf, -np.inf]), scale * rng.normal(size=n))


def blank(rng: np.random.Generator, n: int, scale: float) -> np.ndarray:
    return np.full(n, np.nan)


def spike(rng: np.random.Generator, n: int, scale: float) -> np.ndarray:
    return np.where(rng.random(n) < 0.5, 0.0, scale * rng.normal(size=n))


def count(rng: np.random.Generator, n: int, scale: float) -> np.ndarray:
    return rng.poisson(rng.choice([0.3, 3.0], size=n))


def count_with_others(rng: np.random.Generator, n: int, scale: float) -> np.ndarray:
    return np.where(rng.random(n) < 0.1, rng.choice([-1.0, 0.5]), count(rng, n, scale))


def category(rng: np.random.Generator, n: int, scale: float) -> np.ndarray:
    words = np.array(["web", "shop", "", "shop ", "Ä"], dtype=object)[rng.integers(5, size=n)]
    words[rng.random(n) < 0.1] = None
    return words


def level_per_row(rng: np.random.Generator, n: int, scale: float) -> np.ndarray:
    return np.array([f"customer {row}" for row in rng.permutation(n)], dtype=object)


Column = Callable[[np.random.Generator, int, float], np.ndarray]
NUMBERS: list[Column] = [spread, far_away, constant, two_values, one_outlier, skewed, holes]
MIXED: list[Column] = [spread, holes, blank, spike, count, count_with_others, category, level_per_row]
SAID = [None, None, "continuous", "spike", "count", "ordered", "category"]


@st.composite
def tables(draw: st.DrawFn, kinds: list[Column]) -> pl.DataFrame:
    """Tables of 1 to 60 rows, repeated up to a thousand times over, of 1 to 4 columns, the last perhaps twice."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n_rows = draw(st.sampled_from([1, 2, 3, 5, 20, 60]))
    drawn = draw(st.lists(st.tuples(st.sampled_from(kinds), MAGNITUDES), min_size=1, max_size=4))
    columns = [kind(rng, n_rows, scale) for kind, scale in drawn]
    if draw(st.booleans()):
        columns.append(columns[-1])
    repeats = draw(st.sampled_from([1, 1, 1, 3, 50])) if n_rows > 3 else draw(st.sampled_from([1, 1000]))
    return pl.DataFrame({f"c{j}": np.repeat(column, repeats).tolist() for j, column in enumerate(columns)})


def check(result) -> None:
    mixture, assignment = result.model.mixture, result.assignment
    assert mixture.weights.sum() == pytest.approx(1)
    assert (mixture.weights >= 0).all()
    assert np.isfinite(mixture.means).all()
    assert np.isfinite(mixture.covariances).all()
    assert (np.linalg.eigvalsh(mixture.full_covariances()) > 0).all()
    memberships = assignment.memberships[assignment.complete]
    assert (memberships >= 0).all()
    if mixture.background is None:
        np.testing.assert_allclose(memberships.sum(axis=1), 1)
    else:
        assert (memberships.sum(axis=1) <= 1 + 1e-9).all()
    assert all(np.isfinite(one.differences).all() for one in result.segments)
    assert np.isfinite(assignment.log_density[assignment.complete]).all()
    assert len(set(result.model.names)) == result.model.n_segments


def segment(table: pl.DataFrame, **options: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", ColumnWarning)  # what is missing is said
        try:
            result = segment_table(table, components=[1, 2, 3], **options)
        except MixturaError as error:
            assert str(error)
            return
    check(result)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(table=tables(NUMBERS), drop_missing=st.booleans())
def test_a_valid_model_or_an_error_of_our_own(table: pl.DataFrame, drop_missing: bool) -> None:
    segment(table, drop_missing=drop_missing)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(
    table=tables(MIXED),
    drop_missing=st.booleans(),
    said=st.sampled_from(SAID),
    last=st.booleans(),
    robust=st.sampled_from(["none", "none", "noise"]),
)
def test_blanks_categories_spikes_and_counts(
    table: pl.DataFrame, drop_missing: bool, said: str | None, last: bool, robust: str
) -> None:
    """What a column is said to be may contradict what it holds."""
    kinds = {} if said is None else {"kinds": {f"c{table.width - 1}" if last else "c0": said}}
    segment(table, drop_missing=drop_missing, robust=robust, **kinds)
