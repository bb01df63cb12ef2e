"""What every initialization must do; one body, all of them."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from mixtura.core.covariance import FAMILIES, get_family
from mixtura.core.data import Data
from mixtura.core.mixture import Mixture
from mixtura.core.model import GaussianModel
from mixtura.core.prior import Ridge
from mixtura.engine import as_data
from mixtura.fit import EMStep, Problem
from mixtura.fit.init import (
    INITIALIZATIONS,
    BestOf,
    FromLabels,
    FromMixture,
    FromNearestRows,
    FromPartition,
    FromTree,
    InitialStatistics,
    draw_sample,
    grow,
)
from mixtura.run import SerialRunner, ThreadRunner

K = 3


def rows() -> Any:
    rng = np.random.RandomState(0)
    return rng.standard_normal((400, 2)) + np.array([[0, 0], [6, 0], [0, 7]])[np.arange(400) % 3]


def weights() -> Any:
    return np.random.RandomState(1).exponential(size=400)


def data_of(n_rows: int = 400) -> Data:
    return as_data(rows()[:n_rows], weights()[:n_rows])


def mixture() -> Mixture:
    means = np.array([[0.0, 0.0], [6.0, 0.0], [0.0, 7.0]])
    return Mixture.from_parameters(np.full(K, 1 / K), means, np.array([1.0, 2.0, 3.0]), "spherical")


ALL = {
    **INITIALIZATIONS,
    "labels": FromPartition(np.arange(400) % K),
    "shares": FromPartition(np.random.RandomState(2).dirichlet(np.ones(K), size=400)),
    "mixture": FromMixture(mixture()),
    "tree": FromTree(grow(data_of(), np.random.RandomState(0), max_rows=150)),
    "sample": FromLabels(draw_sample(data_of(), np.random.RandomState(0), 90), np.arange(90) % K),
    "even rows": FromNearestRows(),
    "far rows": FromNearestRows(far=True),
    "best": BestOf([FromNearestRows(), FromNearestRows(), INITIALIZATIONS["kmeans"]], n_passes=3),
}


def problem_of(family: str = "full", runner: Any = None) -> Problem:
    data = replace(data_of(), runner=SerialRunner() if runner is None else runner)
    return Problem(data, GaussianModel(K, get_family(family), Ridge(1e-6)))


def begin(name: str, problem: Problem, seed: int = 0) -> InitialStatistics:
    return ALL[name].prepare(problem, np.random.RandomState(seed))(problem)


@pytest.fixture(params=ALL)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.sampled(3)
@pytest.mark.parametrize("family", FAMILIES)
def test_it_leads_to_a_mixture_that_em_improves(name: str, family: str) -> None:
    problem = problem_of(family)
    start = begin(name, problem)
    assert start.statistics.means.shape == (K, 2)
    assert np.isfinite(start.statistics.sums).all()
    first = start.first_mixture(problem)
    assert first.family.name == family
    assert first.weights.sum() == pytest.approx(1.0)
    step = EMStep(problem)
    state, second = step(step.init(first))
    _, third = step(state)
    assert third.objective >= second.objective - 1e-9 * abs(second.objective)


def test_it_is_the_same_for_the_same_seed(name: str) -> None:
    one, other = (begin(name, problem_of()) for _ in range(2))
    np.testing.assert_array_equal(one.statistics.sums, other.statistics.sums)
    np.testing.assert_array_equal(
        one.first_mixture(problem_of()).means, other.first_mixture(problem_of()).means
    )


def test_it_is_the_same_for_any_number_of_threads(name: str) -> None:
    one, other = (begin(name, problem_of(runner=runner)) for runner in (SerialRunner(), ThreadRunner(3)))
    np.testing.assert_array_equal(one.statistics.sums, other.statistics.sums)
    np.testing.assert_array_equal(
        one.first_mixture(problem_of()).means, other.first_mixture(problem_of()).means
    )


def test_nothing_is_drawn_once_the_draws_are_made(name: str) -> None:
    problem, rng = problem_of(), np.random.RandomState(0)
    initializer = ALL[name].prepare(problem, rng)
    state = rng.get_state()[1].copy()  # type: ignore[union-attr, index]
    one, other = initializer(problem), initializer(problem)
    np.testing.assert_array_equal(rng.get_state()[1], state)  # type: ignore[index]
    np.testing.assert_array_equal(one.statistics.sums, other.statistics.sums)


@pytest.mark.parametrize("family", ["full", "tied", "diag", "VEV"])
def test_as_many_components_as_rows_begin_all_the_same(name: str, family: str) -> None:
    if name not in INITIALIZATIONS and name not in ("even rows", "far rows", "best"):
        pytest.skip("made for these rows")
    five = as_data(rows()[:5])
    problem = Problem(five, GaussianModel(5, get_family(family), Ridge(1e-6)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        first = ALL[name].prepare(problem, np.random.RandomState(0))(problem).first_mixture(problem)
    assert np.isfinite(first.means).all()
    assert first.weights.sum() == pytest.approx(1.0)
