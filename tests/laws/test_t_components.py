"""Multivariate t components: the EM of a loop over rows, and what holds of it whatever the family."""

from __future__ import annotations

import pickle
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from scipy.stats import multivariate_t

import naive
from mixtura.core.covariance import FAMILIES, get_family
from mixtura.core.mixture import Mixture
from mixtura.core.model import GaussianModel
from mixtura.core.parts.student import StudentTails
from mixtura.core.parts.volume import measure_background
from mixtura.core.prior import Floor, Ridge
from mixtura.engine import as_data
from mixtura.exceptions import ParameterError
from mixtura.fit import AcceleratedEMStep, Problem, RemainingGain
from mixtura.fit.loop.driver import iterate
from mixtura.fit.loop.state import begin
from mixtura.fit.steps.em import EMStep
from mixtura.run import set_threads, threads
from mixtura.select.priors import make_prior

FOUR = ("full", "tied", "diag", "spherical")


def table(n: int = 120, share: float = 0.0, seed: int = 0, freedom: float = 4.0) -> Any:
    """Two groups with heavy tails."""
    rng = np.random.RandomState(seed)
    scale = np.sqrt(rng.chisquare(freedom, size=n) / freedom)[:, None]
    rows = rng.standard_normal((n, 3)) / scale
    rows[n // 2 :] = rows[n // 2 :] * 0.7 + 6.0
    rows[rng.uniform(size=rows.shape) < share] = np.nan
    return rows


def problem(
    rows: Any, covariance_type: str = "full", weights: Any = None, *, common: bool = False, prior: Any = None
) -> Problem:
    data = as_data(rows, weights)
    prior = Ridge(1e-6) if prior is None else prior
    return Problem(data, GaussianModel(2, get_family(covariance_type), prior, tails=StudentTails(common)))


def start(asked: Problem) -> Mixture:
    covariances = {
        "full": np.array([np.eye(3) * 2.0] * 2), "tied": np.eye(3) * 2.0,
        "diag": np.full((2, 3), 2.0), "spherical": np.full(2, 2.0),
    }  # fmt: skip
    means = np.array([[0.5, 0.0, -0.5], [3.0, 4.0, 5.0]])
    name = asked.model.structure.name
    if name in covariances:
        return asked.model.begin_from(Mixture.from_parameters([0.4, 0.6], means, covariances[name], name))
    rows = np.nan_to_num(asked.data.rows_with_missing(np.arange(asked.data.n_rows)))
    labels = asked.data.state_of((rows[:, 0] > 3.0).astype(np.intp))
    return asked.model.maximize(asked.data.given(means, asked.model.structure.moments[-1], labels))[0]


def freedom_of(mixture: Mixture) -> Any:
    assert mixture.tails is not None
    return mixture.tails.freedom


@pytest.mark.sampled(4)
@pytest.mark.parametrize("covariance_type", FOUR)
@pytest.mark.parametrize("share", [0.0, 0.15], ids=["complete", "missing"])
@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
@pytest.mark.parametrize("common", [False, True], ids=["own", "common"])
def test_steps_are_those_of_a_loop_over_rows(
    covariance_type: str, share: float, weighted: bool, common: bool
) -> None:
    rows = table(share=share)
    weights = np.random.RandomState(3).uniform(0.5, 2.0, len(rows)) if weighted else None
    asked = problem(rows, covariance_type, weights, common=common)
    first, step = start(asked), EMStep(asked)
    state, objectives = step.init(first), []
    for _ in range(8):
        state, found = step(state)
        objectives.append(found.objective)
    mixing, means, covariances, freedom, wanted = naive.naive_t_em(
        covariance_type, rows, first.weights, first.means, first.covariances, freedom_of(first), 8, weights,
        ridge=1e-6, common=common,
    )  # fmt: skip
    np.testing.assert_allclose(objectives, wanted, rtol=1e-10)
    np.testing.assert_allclose(state.model.weights, mixing, rtol=1e-10)
    np.testing.assert_allclose(state.model.means, means, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(state.model.covariances, covariances, rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(freedom_of(state.model), freedom, rtol=1e-7)
    assert wanted[0] < wanted[-1]


@pytest.mark.sampled(3)
@pytest.mark.parametrize("covariance_type", FAMILIES)
@pytest.mark.parametrize("share", [0.0, 0.1], ids=["complete", "missing"])
@pytest.mark.parametrize("noise", [False, True], ids=["alone", "noise"])
def test_the_objective_never_falls(covariance_type: str, share: float, noise: bool) -> None:
    asked = problem(table(300, share, seed=2), covariance_type, common=noise)
    asked = replace(asked, model=replace(asked.model, prior=make_prior("floor", asked.data.total, 2)))
    if noise:
        asked = replace(asked, model=replace(asked.model, background=measure_background(asked.data)))
    step = AcceleratedEMStep(asked)
    run = iterate(begin(step, start(asked)), step, RemainingGain(asked.data.total_weight, 1e-4), 150)
    objectives = run.trace.objectives
    assert len(objectives) > 5
    assert all(after >= before - 1e-9 for before, after in pairwise(objectives))
    assert isinstance(asked.model.prior, Floor)


def test_what_was_drawn_is_estimated() -> None:
    asked = problem(table(20_000, freedom=5.0), prior=Ridge(0.0))
    step = EMStep(asked)
    run = iterate(begin(step, start(asked)), step, RemainingGain(asked.data.total_weight, 1e-3), 300)
    np.testing.assert_allclose(freedom_of(run.model), 5.0, atol=0.7)
    np.testing.assert_allclose(run.model.means, [[0.0] * 3, [6.0] * 3], atol=0.05)
    np.testing.assert_allclose(run.model.covariances, [np.eye(3), 0.49 * np.eye(3)], atol=0.05)


def test_gaussian_rows_have_the_most_degrees_of_freedom() -> None:
    rows = np.random.RandomState(0).uniform(-1.0, 1.0, size=(500, 3))  # lighter tails than a Gaussian's
    model = GaussianModel(1, get_family("full"), Ridge(0.0), tails=StudentTails())
    asked = Problem(as_data(rows), model)
    first = model.begin_from(Mixture.from_parameters([1.0], np.zeros((1, 3)), np.eye(3)[None]))
    step = EMStep(asked)
    run = iterate(begin(step, first), step, RemainingGain(500.0, 1e-4), 500)
    assert freedom_of(run.model) == pytest.approx(200.0)


def test_integer_weights_are_repetitions_and_threads_change_no_digit(monkeypatch: Any) -> None:
    rows = table()
    weights = np.random.RandomState(0).randint(0, 3, len(rows))
    repeated = np.repeat(np.arange(len(rows)), weights)
    found = []
    for each, weight in [(rows, weights.astype(float)), (rows[repeated], None)]:
        asked = problem(each, weights=weight)
        found.append(EMStep(asked)(EMStep(asked).init(start(asked)))[0].model)
    one, other = found
    np.testing.assert_allclose(one.means, other.means, rtol=1e-11)
    np.testing.assert_allclose(one.covariances, other.covariances, rtol=1e-10)
    np.testing.assert_allclose(freedom_of(one), freedom_of(other), rtol=1e-9)
    sums, large = [], table(9000, seed=4)
    for number in (1, 3):
        monkeypatch.setattr(threads, "_SMALL_WORK", 0.0)
        with set_threads(number):
            asked = problem(large)
            sums.append(EMStep(asked).gather(EMStep(asked).init(start(asked))))
    np.testing.assert_array_equal(sums[0].sums, sums[1].sums)
    assert sums[0].tails is not None
    assert sums[1].tails is not None
    np.testing.assert_array_equal(sums[0].tails, sums[1].tails)


def test_sums_about_other_means_lead_to_the_same() -> None:
    asked = problem(table())
    sums = EMStep(asked).gather(EMStep(asked).init(start(asked)))
    moved = (sums + sums).scale(0.5).rebase(sums.means + 0.7)
    one, other = (asked.model.maximize(each)[0] for each in (sums, moved))
    np.testing.assert_allclose(one.means, other.means, rtol=1e-12)
    np.testing.assert_allclose(one.covariances, other.covariances, rtol=1e-10)
    np.testing.assert_allclose(freedom_of(one), freedom_of(other), rtol=1e-9)


def test_a_conjugate_prior_is_refused() -> None:
    data = as_data(table())
    with pytest.raises(ParameterError, match="`prior` must not add pseudo-observations"):
        GaussianModel(2, get_family("full"), make_prior("conjugate", data.total, 2), tails=StudentTails())


def test_mixtures_of_t_distributions_say_it_of_rows() -> None:
    asked = problem(table(), common=True)
    mixture = start(asked)
    again = pickle.loads(pickle.dumps(mixture))
    rows = np.array([[0.0, 0.0, 0.0], [30.0, 0.0, 0.0]])
    each = [
        np.log(weight) + multivariate_t(mean, covariance, df=20.0).logpdf(rows)
        for weight, mean, covariance in zip(mixture.weights, mixture.means, mixture.covariances, strict=True)
    ]
    np.testing.assert_allclose(again.log_density(rows), np.logaddexp(*each), rtol=1e-12)
    some = np.array([[np.nan, 1.0, 2.0]])
    each = [
        np.log(weight) + multivariate_t(mean[1:], covariance[1:, 1:], df=20.0).logpdf(some[:, 1:])
        for weight, mean, covariance in zip(mixture.weights, mixture.means, mixture.covariances, strict=True)
    ]
    np.testing.assert_allclose(again.log_density(some), np.logaddexp(*each), rtol=1e-12)
    assert (
        mixture.n_parameters == replace(mixture, tails=None).n_parameters + 1 == asked.model.n_parameters(3)
    )
