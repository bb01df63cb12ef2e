"""Iterations that a sample makes ahead of all rows."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from mixtura.core.covariance import get_family
from mixtura.core.mixture import Mixture
from mixtura.core.model import GaussianModel
from mixtura.core.parts.discrete import DiscreteColumns, LevelTable
from mixtura.core.parts.level_models import CATEGORICAL
from mixtura.core.prior import Floor
from mixtura.core.protocols import MixedRows
from mixtura.engine import as_data
from mixtura.fit import (
    FitResult,
    PassKind,
    Problem,
    RemainingGain,
    SampleAhead,
    SampledEMStep,
    Settings,
    continue_batch,
    continue_fit,
    log_likelihood,
)
from mixtura.fit.steps.em import EMStep

N_ROWS, N_DRAWN = 40_000, 4_000


def overlapping(seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    centers = np.array([[0.0, 0.0], [2.0, 0.5], [0.5, 2.5]])
    labels = rng.integers(0, 3, N_ROWS)
    return (
        centers[labels]
        + rng.normal(size=(N_ROWS, 2)) * np.array([[1.0, 0.7], [0.6, 1.0], [0.9, 0.9]])[labels]
    )


def near_start(family: str) -> Mixture:
    """The end of a sample of a tenth of the rows is about as far away as this."""
    start = Mixture.from_parameters(
        [0.35, 0.33, 0.32],
        [[0.05, 0.0], [1.95, 0.45], [0.5, 2.4]],
        np.array([[0.9, 0.6], [0.5, 1.1], [0.9, 0.8]]),
        "diag",
    )
    full = Mixture.from_parameters(start.weights, start.means, start.full_covariances(), "full")
    return {"diag": start, "full": full}.get(family) or Mixture.from_parameters(
        start.weights, start.means, full.full_covariances().mean(axis=0), family
    )


def case(family: str) -> tuple[Problem, Mixture, SampleAhead]:
    data = as_data(overlapping())
    problem = Problem(data, GaussianModel(3, get_family(family), Floor.of(data.total)))
    sample = data.select(np.random.default_rng(1).permutation(N_ROWS)[:N_DRAWN])
    return problem, near_start(family), SampleAhead(sample, 8)


@pytest.mark.parametrize("family", ["full", "tied", "diag"])
def test_one_pass_over_all_rows_leads_further_than_four(family: str) -> None:
    problem, start, ahead = case(family)
    (found,) = continue_batch(
        [problem], [start], RemainingGain(N_ROWS), 1, partial(SampledEMStep, ahead=ahead)
    )
    (plain,) = continue_batch([problem], [start], RemainingGain(N_ROWS), 4)
    assert isinstance(found, FitResult)
    assert isinstance(plain, FitResult)
    assert found.ahead is not None
    assert log_likelihood(problem.data, found.ahead) > log_likelihood(problem.data, plain.mixture)


def test_the_whole_table_as_its_own_sample_makes_iterations_of_all_rows() -> None:
    problem, start, _ = case("full")
    every = SampleAhead(problem.data, 3)
    (found,) = continue_batch(
        [problem], [start], RemainingGain(N_ROWS), 1, partial(SampledEMStep, ahead=every)
    )
    (plain,) = continue_batch([problem], [start], RemainingGain(N_ROWS), 4)
    assert isinstance(found, FitResult)
    assert isinstance(plain, FitResult)
    assert found.ahead is not None
    np.testing.assert_allclose(found.ahead.means, plain.mixture.means, rtol=1e-9)
    np.testing.assert_allclose(found.ahead.covariances, plain.mixture.covariances, rtol=1e-9)


@pytest.mark.parametrize("family", ["full", "tied"])
def test_in_the_loop_it_has_the_fixed_points_of_em_and_never_falls(family: str) -> None:
    problem, start, ahead = case(family)
    settings = Settings(RemainingGain(N_ROWS, 1e-3), 400)
    plain = continue_fit(problem, start, settings)
    found = continue_fit(
        problem, start, Settings(RemainingGain(N_ROWS, 1e-3), 400, step=partial(SampledEMStep, ahead=ahead))
    )
    assert (np.diff(found.trace.objectives) >= -1e-12).all()
    assert found.trace.count(PassKind.EXTRAPOLATED) > 0
    end, far = log_likelihood(problem.data, found.mixture), log_likelihood(problem.data, plain.mixture)
    assert end == pytest.approx(far, abs=0.05)


def test_a_sample_that_misleads_is_not_followed() -> None:
    problem, start, _ = case("full")
    rows = problem.data.rows(np.arange(50))
    other = SampleAhead(as_data(rows * 0.1 + 3.0), 8)  # not drawn from these rows at all
    step = SampledEMStep(problem, other)
    settings = Settings(RemainingGain(N_ROWS), 6, step=lambda problem: step)
    found, plain = continue_fit(problem, start, settings), EMStep(problem)
    state = plain.init(start)
    for _ in range(4):
        state, result = plain(state)
    assert (np.diff(found.trace.objectives) >= -1e-12).all()
    assert found.trace.objectives[-1] >= result.objective - 1e-12


def test_one_component_needs_no_sample() -> None:
    problem, _, ahead = case("full")
    one = Problem(problem.data, GaussianModel(1, get_family("full"), problem.model.prior))
    start = Mixture.from_parameters([1.0], [[0.0, 0.0]], np.eye(2)[None], "full")
    (found,) = continue_batch([one], [start], RemainingGain(N_ROWS), 1, partial(SampledEMStep, ahead=ahead))
    assert isinstance(found, FitResult)
    assert found.ahead is None


@pytest.mark.parametrize("n_drawn", [100, 1000, 3000])
def test_no_component_loses_most_of_its_rows_to_what_a_sample_says(n_drawn: int) -> None:
    data = as_data(overlapping(1))
    problem = Problem(data, GaussianModel(5, get_family("full"), Floor.of(data.total)))
    rng = np.random.default_rng(1)
    means = data.rows(rng.integers(0, N_ROWS, 5))
    start = Mixture.from_parameters(np.full(5, 1 / 5), means, np.tile(0.5 * np.eye(2), (5, 1, 1)), "full")
    (near,) = continue_batch([problem], [start], RemainingGain(N_ROWS), 20)
    assert isinstance(near, FitResult)
    few = SampleAhead(data.select(rng.permutation(N_ROWS)[:n_drawn]), 40)
    make = partial(SampledEMStep, ahead=few)
    (found,) = continue_batch([problem], [near.mixture], RemainingGain(N_ROWS), 1, make)
    assert isinstance(found, FitResult)
    # Were it followed, a component would be left with less than a twentieth of its rows.
    assert found.ahead is None


def test_a_level_that_the_sample_has_too_often_is_in_no_component_less_than_never() -> None:
    """Sums of the sample, corrected by those of all rows, had negative counts, whose logarithm is none."""
    drawn = np.random.default_rng(1).permutation(N_ROWS)[:N_DRAWN]
    levels = np.zeros((N_ROWS, 1), dtype=np.int32)
    levels[drawn[:4]] = 1
    discrete = DiscreteColumns((CATEGORICAL,), (np.array([1 - 4 / N_ROWS, 4 / N_ROWS]),))
    data = as_data(MixedRows(overlapping(), discrete.numbered(levels), discrete))
    problem = Problem(data, GaussianModel(3, get_family("full"), Floor.of(data.total), discrete))
    counts = np.array([[N_ROWS - 4.0] * 3, [4.0] * 3, [0.0] * 3]) / 3
    start = replace(near_start("full"), levels=LevelTable(discrete, discrete.maximize(counts)))
    make = partial(SampledEMStep, ahead=SampleAhead(data.select(drawn), 8))
    (found,) = continue_batch([problem], [start], RemainingGain(N_ROWS), 1, make)
    assert isinstance(found, FitResult)
    assert found.ahead is not None
    assert found.ahead.levels is not None
    probabilities = np.exp(found.ahead.levels.logs[:2])
    np.testing.assert_allclose(probabilities.sum(axis=0), 1.0, rtol=1e-12)
    assert (probabilities > 0).all()
