"""Rows as algorithms see them: descriptions found once, samples by hash, weights by factor."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from mixtura import GaussianMixture
from mixtura.core.covariance import get_family
from mixtura.core.data import Data
from mixtura.core.evaluate import hash_numbers
from mixtura.core.model import GaussianModel
from mixtura.core.moments import FIRST
from mixtura.core.prior import Ridge
from mixtura.data import ArrayBlocks
from mixtura.engine import as_data
from mixtura.exceptions import DataError
from mixtura.fit import AbsoluteChange, EMStep, Problem, Settings, continue_fit

RNG = np.random.RandomState(0)
ROWS = RNG.standard_normal((7000, 3)) * [1.0, 5.0, 0.1] + [1e6, 0.0, -3.0]
WEIGHTS = RNG.exponential(size=7000)


class OddBlocks(ArrayBlocks):
    """The same rows cut in another way."""

    def __init__(self, rows: Any, sample_weight: Any = None) -> None:
        super().__init__(rows, sample_weight)
        self._size = 777


def cut_otherwise(data: Data, rows: Any, weights: Any = None) -> Data:
    return Data(OddBlocks(rows, weights), data.kernel, data.runner)


def test_the_total_is_the_moments_about_the_mean() -> None:
    data = as_data(ROWS, WEIGHTS)
    mean = np.average(ROWS, axis=0, weights=WEIGHTS)
    scatter = np.cov(ROWS.T, aweights=WEIGHTS, ddof=0) * WEIGHTS.sum()
    np.testing.assert_allclose(data.total.means[0], mean, rtol=1e-12)
    np.testing.assert_allclose(data.total.second_matrices()[0], scatter, rtol=1e-8, atol=1e-8)
    assert data.total_weight == pytest.approx(WEIGHTS.sum(), rel=1e-14)
    variances = np.diagonal(scatter) / WEIGHTS.sum()
    assert data.mean_variance == pytest.approx(variances.mean(), rel=1e-10)


def test_descriptions_are_found_once_and_shared_with_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    data, asked = as_data(ROWS), []
    block = ArrayBlocks.block

    def counted(self: ArrayBlocks, number: int) -> object:
        asked.append(number)
        return block(self, number)

    monkeypatch.setattr(ArrayBlocks, "block", counted)
    total = data.total
    assert asked
    asked.clear()
    assert data.total is total
    assert data.alone().total is total
    assert data.alone().mean is data.mean
    assert asked == []


def test_rows_whose_squares_overflow_are_refused() -> None:
    with pytest.raises(DataError, match="not finite"):
        _ = as_data(np.array([[1e200], [-1e200]])).total


@pytest.mark.parametrize("weighted", [False, True])
def test_prefixes_of_samples_nest(weighted: bool) -> None:
    data = as_data(ROWS, WEIGHTS if weighted else None)
    large, small = (data.sample(n, seed=5).rows_and_weights(np.arange(n)) for n in (900, 100))
    np.testing.assert_array_equal(large[0][:100], small[0])
    np.testing.assert_array_equal(large[1][:100], small[1])


def test_a_sample_is_the_same_rows_however_they_are_cut() -> None:
    data = as_data(ROWS, WEIGHTS)
    one = data.sample(500, 3).rows_and_weights(np.arange(500))
    other = cut_otherwise(data, ROWS, WEIGHTS).sample(500, 3).rows_and_weights(np.arange(500))
    np.testing.assert_array_equal(one[0], other[0])
    np.testing.assert_array_equal(one[1], other[1])


def test_a_sample_is_without_replacement_and_even() -> None:
    numbers = np.arange(20_000.0)[:, None]
    chosen = np.sort(as_data(numbers).sample(2000, 1).rows(np.arange(2000))[:, 0])
    assert np.unique(chosen).size == 2000
    # The largest distance to an even spread, of Kolmogorov and Smirnov; 1.63 / sqrt(n) has probability 1 percent.
    assert np.abs((chosen + 0.5) / 20_000 - (np.arange(2000) + 0.5) / 2000).max() < 1.63 / np.sqrt(2000)
    other = as_data(numbers).sample(2000, 2).rows(np.arange(2000))[:, 0]
    assert 100 < np.intersect1d(chosen, other).size < 300  # 200 expected of independent samples


def test_a_sample_of_more_rows_than_there_are_is_all_of_them() -> None:
    rows = ROWS[:50].astype(np.float32)
    sample = as_data(rows).sample(1000, 0)
    assert sample.n_rows == 50
    assert sample.blocks.block(0).rows.dtype == np.float32
    assert sample.blocks.block(0).sample_weight is None
    assert sorted(map(tuple, sample.blocks.block(0).rows.tolist())) == sorted(map(tuple, rows.tolist()))


def splitmix64(state: int) -> int:
    """The generator as its authors publish it, in whole numbers of any size."""
    mask = 2**64 - 1
    state = (state + 0x9E3779B97F4A7C15) & mask
    state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & mask
    state = ((state ^ (state >> 27)) * 0x94D049BB133111EB) & mask
    return state ^ (state >> 31)


def test_hashes_are_those_of_splitmix64() -> None:
    # 0xe220a8397b1dcdaf is the first number from seed 0 (Vigna's splitmix64.c, and Java's SplittableRandom).
    assert int(hash_numbers(np.arange(1), 0)[0]) == 0xE220A8397B1DCDAF == splitmix64(0)
    steps = [number * 0x9E3779B97F4A7C15 for number in range(50)]
    found = hash_numbers(np.arange(50), 0)
    assert [int(one) for one in found] == [splitmix64(step % 2**64) for step in steps]
    assert not (hash_numbers(np.arange(50), 1) == found).any()


@pytest.mark.parametrize("family", ["full", "tied", "diag"])
def test_weights_by_factor_are_weights(family: str) -> None:
    """Folds and bootstrap counts need no copies: rows of weight zero add nothing."""
    factor = RNG.randint(3, size=7000).astype(float)
    kept = np.flatnonzero(factor)
    data = as_data(ROWS, WEIGHTS)
    by_factor = data.weighted(data.state_of(factor))
    copied = as_data(np.ascontiguousarray(ROWS[kept]), (WEIGHTS * factor)[kept])
    assert by_factor.total_weight == pytest.approx(copied.total_weight, rel=1e-13)
    np.testing.assert_allclose(by_factor.total.sums, copied.total.sums, rtol=1e-7, atol=1e-6)
    start = GaussianMixture(2, covariance_type=family, max_iter=2, tol=100.0).fit(ROWS).mixture_
    settings = Settings(AbsoluteChange(0.0), 8)
    one, other = (
        continue_fit(
            Problem(each, GaussianModel(2, get_family(family), Ridge(1e-6))), start, settings
        ).mixture
        for each in (by_factor, copied)
    )
    np.testing.assert_allclose(one.means, other.means, rtol=1e-8)
    np.testing.assert_allclose(one.weights, other.weights, rtol=1e-7)


def test_weights_may_be_multiplied_again() -> None:
    data = as_data(ROWS)
    twice, thrice = (data.state_of(np.full(7000, value)) for value in (2.0, 3.0))
    both = data.weighted(twice).weighted(thrice)
    assert both.total_weight == 6.0 * 7000
    assert both.describe(FIRST).counts[0] == 6.0 * 7000


def test_outputs_fill_what_they_are_given() -> None:
    mixture = GaussianMixture(2, max_iter=2, tol=100.0).fit(ROWS).mixture_
    data = as_data(ROWS)
    states = {
        "log_density": data.state(np.float64),
        "memberships": data.state(np.float64, columns=2),
        "labels": data.state(np.intp),
    }
    data.evaluate(mixture.components(), **states)  # type: ignore[arg-type]
    np.testing.assert_allclose(states["log_density"].gathered(), mixture.log_density(ROWS), rtol=1e-12)
    np.testing.assert_allclose(states["memberships"].gathered(), mixture.responsibilities(ROWS), atol=1e-12)
    np.testing.assert_array_equal(states["labels"].gathered(), data.labels(mixture.components()).gathered())
    step = EMStep(Problem(data, GaussianModel(2, mixture.family, Ridge())))
    log_likelihood = step.gather(step.init(mixture)).log_likelihood
    assert log_likelihood == pytest.approx(states["log_density"].gathered().sum())


@pytest.mark.parametrize("library", [pd, pl])
def test_frames_are_rows(library: Any) -> None:
    frame = library.DataFrame({"name": ["a", "b"], "x": [1, 2], "y": [0.5, 4.0]})
    data = as_data(frame, columns=["y", "x"])
    np.testing.assert_array_equal(data.rows(np.arange(2)), [[0.5, 1.0], [4.0, 2.0]])


def test_columns_of_an_array_are_chosen_by_number() -> None:
    np.testing.assert_array_equal(as_data(ROWS, columns=[2, 0]).rows(np.arange(3)), ROWS[:3, [2, 0]])


def test_arrays_are_not_copied() -> None:
    for rows in (ROWS, ROWS.astype(np.float32)):
        assert np.shares_memory(as_data(rows).blocks.block(1).rows, rows)


@pytest.mark.parametrize(
    ("rows", "weights", "words"),
    [
        (np.zeros(3), None, "`X` must be a table of numbers"),
        (np.zeros((0, 2)), None, "`X` must be a table of numbers"),
        (np.array([["a"]]), None, "`X` must be a table of numbers"),
        (np.zeros((3, 1)), np.ones(2), "`sample_weight` must hold one weight per row"),
    ],
)
def test_what_is_not_a_table_is_refused(rows: Any, weights: Any, words: str) -> None:
    with pytest.raises(DataError, match=words):
        as_data(rows, weights)
