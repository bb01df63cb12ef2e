"""Whatever the numbers of a table: a valid model, or an error of mixtura's own."""

from __future__ import annotations

import warnings
from collections.abc import Callable

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


Column = Callable[[np.random.Generator, int, float], np.ndarray]
KINDS: list[Column] = [spread, far_away, constant, two_values, one_outlier, skewed, holes]


@st.composite
def tables(draw: st.DrawFn) -> pl.DataFrame:
    """Tables of 1 to 60 rows, repeated up to a thousand times over, of 1 to 4 columns, the last perhaps twice."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n_rows = draw(st.sampled_from([1, 2, 3, 5, 20, 60]))
    columns = [
        kind(rng, n_rows, scale)
        for kind, scale in draw(
            st.lists(st.tuples(st.sampled_from(KINDS), MAGNITUDES), min_size=1, max_size=4)
        )
    ]
    if draw(st.booleans()):
        columns.append(columns[-1])
    repeats = draw(st.sampled_from([1, 1, 1, 3, 50])) if n_rows > 3 else draw(st.sampled_from([1, 1000]))
    values = np.repeat(np.column_stack(columns), repeats, axis=0)
    return pl.DataFrame(values, schema=[f"c{i}" for i in range(len(columns))])


def check(result) -> None:
    mixture, assignment = result.model.mixture, result.assignment
    assert mixture.weights.sum() == pytest.approx(1)
    assert (mixture.weights >= 0).all()
    assert np.isfinite(mixture.means).all()
    assert np.isfinite(mixture.covariances).all()
    assert (np.linalg.eigvalsh(mixture.full_covariances()) > 0).all()
    memberships = assignment.memberships[assignment.complete]
    np.testing.assert_allclose(memberships.sum(axis=1), 1)
    assert np.isfinite(assignment.log_density[assignment.complete]).all()
    assert len(set(result.model.names)) == result.model.n_segments


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(table=tables(), drop_missing=st.booleans())
def test_a_valid_model_or_an_error_of_our_own(table: pl.DataFrame, drop_missing: bool) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", ColumnWarning)  # what is missing is said
        try:
            result = segment_table(table, components=[1, 2, 3], drop_missing=drop_missing)
        except MixturaError as error:
            assert str(error)
            return
    check(result)
