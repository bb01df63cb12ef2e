"""Noise beside the components: the EM of a loop over rows, and what holds of it whatever the family."""

from __future__ import annotations

import pickle
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

import naive
from mixtura import GaussianMixture
from mixtura.core.covariance import FAMILIES, get_family
from mixtura.core.impute import expected_log_density
from mixtura.core.mixture import Mixture
from mixtura.core.model import GaussianModel
from mixtura.core.parts.student import StudentTails
from mixtura.core.parts.volume import measure_background
from mixtura.core.prior import Ridge
from mixtura.engine import as_data
from mixtura.exceptions import DataError, ParameterError
from mixtura.fit import AcceleratedEMStep, Problem, RemainingGain
from mixtura.fit.loop.driver import iterate
from mixtura.fit.loop.state import begin
from mixtura.fit.steps.em import EMStep
from mixtura.run import set_threads, threads

FOUR = ("full", "tied", "diag", "spherical")


def table(n: int = 120, share: float = 0.0, seed: int = 0) -> Any:
    """Two groups, and a tenth of the rows spread over a wide box."""
    rng = np.random.RandomState(seed)
    rows = np.vstack(
        [
            rng.standard_normal((n // 2, 3)),
            rng.standard_normal((n - n // 2, 3)) * 0.7 + 4.0,
            rng.uniform(-15.0, 15.0, size=(n // 10, 3)),
        ]
    )
    rows[rng.uniform(size=rows.shape) < share] = np.nan
    return rows


def problem(rows: Any, covariance_type: str = "full", weights: Any = None) -> Problem:
    data = as_data(rows, weights)
    noise = measure_background(data)
    return Problem(data, GaussianModel(2, get_family(covariance_type), Ridge(1e-6), background=noise))


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
    labels = asked.data.state_of((rows[:, 0] > 2.0).astype(np.intp))
    return asked.model.maximize(asked.data.given(means, asked.model.structure.moments[-1], labels))[0]


@pytest.mark.sampled(3)
@pytest.mark.parametrize("covariance_type", FOUR)
@pytest.mark.parametrize("share", [0.0, 0.15], ids=["complete", "missing"])
@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
def test_steps_are_those_of_a_loop_over_rows(covariance_type: str, share: float, weighted: bool) -> None:
    rows = table(share=share)
    weights = np.random.RandomState(3).uniform(0.5, 2.0, len(rows)) if weighted else None
    asked = problem(rows, covariance_type, weights)
    first, step = start(asked), EMStep(asked)
    assert first.background is not None
    noise, state, objectives = first.background, step.init(first), []
    for _ in range(8):
        state, found = step(state)
        objectives.append(found.objective)
    share_of_noise, mixing, means, covariances, wanted = naive.naive_noise_em(
        covariance_type, rows, noise.weight, noise.with_weight(1.0).log_densities(rows),
        first.weights, first.means, first.covariances, 8, weights,
        ridge=1e-6,
    )  # fmt: skip
    assert state.model.background is not None
    assert state.model.background.weight == pytest.approx(share_of_noise, rel=1e-9)
    np.testing.assert_allclose(state.model.weights, mixing, rtol=1e-10)
    np.testing.assert_allclose(state.model.means, means, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(state.model.covariances, covariances, rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(objectives, wanted, rtol=1e-10)
    assert wanted[0] < wanted[-1]


@pytest.mark.parametrize("covariance_type", FAMILIES)
@pytest.mark.parametrize("accelerated", [False, True], ids=["plain", "accelerated"])
@pytest.mark.parametrize("share", [0.0, 0.1], ids=["complete", "missing"])
def test_the_objective_never_falls(covariance_type: str, accelerated: bool, share: float) -> None:
    asked = problem(table(300, share, seed=2), covariance_type)
    step = AcceleratedEMStep(asked) if accelerated else EMStep(asked)
    run = iterate(begin(step, start(asked)), step, RemainingGain(asked.data.total_weight, 1e-6), 200)
    objectives = run.trace.objectives
    assert len(objectives) > 5
    assert all(after >= before - 1e-9 for before, after in pairwise(objectives))
    assert run.model.background is not None
    assert run.model.weights.sum() + run.model.background.weight == pytest.approx(1.0, abs=1e-12)
    assert 0.05 < run.model.background.weight < 0.15


def test_acceleration_ends_where_plain_steps_end() -> None:
    asked = problem(table(400, seed=5))
    ends = []
    for step in (EMStep(asked), AcceleratedEMStep(asked, 1e-9)):
        run = iterate(begin(step, start(asked)), step, RemainingGain(asked.data.total_weight, 1e-9), 5000)
        ends.append(run.trace.objectives[-1])
    assert ends[0] == pytest.approx(ends[1], abs=1e-9)


def test_integer_weights_are_repetitions_and_threads_change_no_digit(monkeypatch: Any) -> None:
    rows = table()
    weights = np.random.RandomState(0).randint(0, 3, len(rows))
    weights[np.r_[rows.argmin(axis=0), rows.argmax(axis=0)]] = 1  # the volume stays
    repeated = np.repeat(np.arange(len(rows)), weights)
    found = []
    for each, weight in [(rows, weights.astype(float)), (rows[repeated], None)]:
        asked = problem(each, weights=weight)
        found.append(EMStep(asked)(EMStep(asked).init(start(asked)))[0].model)
    one, other = found
    np.testing.assert_allclose(one.weights, other.weights, rtol=1e-12)
    np.testing.assert_allclose(one.covariances, other.covariances, rtol=1e-10)
    assert one.background is not None
    assert other.background is not None
    assert one.background.weight == pytest.approx(other.background.weight, rel=1e-10)
    sums, large = [], table(9000, seed=4)
    for number in (1, 3):
        monkeypatch.setattr(threads, "_SMALL_WORK", 0.0)
        with set_threads(number):
            asked = problem(large)
            sums.append(EMStep(asked).gather(EMStep(asked).init(start(asked))).sums)
    np.testing.assert_array_equal(sums[0], sums[1])


def test_the_volume_is_the_smaller_box() -> None:
    rng = np.random.RandomState(0)
    turned = rng.uniform(-1.0, 1.0, size=(500, 2)) * [10.0, 0.1] @ np.array([[0.6, 0.8], [-0.8, 0.6]])
    along = measure_background(as_data(turned))
    assert np.exp(along.box.log_volume) == pytest.approx(4.0, rel=0.05)
    assert np.exp(along.columns.log_volume) > 100
    straight = measure_background(as_data(rng.uniform(size=(500, 2))))
    assert straight.box is straight.columns
    far = np.vstack([[[99.0, 99.0]], turned])
    weighted = measure_background(as_data(far, [0.0] + [1.0] * 500))
    np.testing.assert_allclose(weighted.columns.ranges, np.ptp(turned, axis=0))
    turned[0, 0] = np.nan
    missing = measure_background(as_data(turned))
    assert missing.box is missing.columns
    np.testing.assert_allclose(missing.box.ranges, np.nanmax(turned, axis=0) - np.nanmin(turned, axis=0))


def test_columns_in_a_plane_are_given_the_box_of_the_columns() -> None:
    line = np.linspace(0.0, 1.0, 20)
    found = measure_background(as_data(np.column_stack([line, 2.0 * line])))
    assert found.box is found.columns


@pytest.mark.filterwarnings("ignore:Best performing initialization did not converge")
@pytest.mark.parametrize("tails", ["gaussian", "t"])
@pytest.mark.parametrize("scale", [1e-11, 1e-14])
def test_components_that_are_left_nothing_stay_as_they_are(scale: float, tails: Any) -> None:
    """A `reg_covar` far above the variances of the columns makes any component less likely than noise, ever more so."""
    rows = np.random.default_rng(0).normal(size=(60, 5)) * scale
    for settings in ({}, {"tol": 0.0, "max_iter": 300}):
        with pytest.warns(UserWarning, match="100% of the rows are noise"):
            model = GaussianMixture(2, noise=True, tails=tails, random_state=0, **settings).fit(rows)
        assert model.noise_weight_ == 1.0
        assert (model.weights_ > 0).all()
        assert np.isfinite(model.means_).all()
        assert (np.diff(model.lower_bounds_) >= 0).all()
        # Wherever a row lies: the volume of noise is that of the rows.
        assert model.score(rows) == pytest.approx(-np.log(np.ptp(rows, axis=0)).sum(), rel=0.02)


def test_a_constant_column_has_no_volume() -> None:
    with pytest.raises(DataError, match="column 1 is constant"):
        measure_background(as_data(np.array([[0.0, 1.0], [2.0, 1.0]])))


def test_mixtures_with_noise_say_it_of_rows() -> None:
    asked = problem(table())
    mixture = start(asked)
    assert mixture.background is not None
    rows = np.array([[0.0, 0.0, 0.0], [14.0, -14.0, 14.0], [np.nan] * 3])
    again = pickle.loads(pickle.dumps(mixture))
    bare = replace(mixture, background=None)
    densities = bare.log_density(rows), mixture.background.log_densities(rows)
    np.testing.assert_allclose(again.log_density(rows), np.logaddexp(*densities), rtol=1e-12, atol=1e-12)
    shares = np.exp(densities[1] - np.logaddexp(*densities))
    np.testing.assert_allclose(1.0 - again.responsibilities(rows).sum(axis=1), shares, atol=1e-12)
    assert again.predict(rows).tolist() == [0, -1, 1]
    assert mixture.n_parameters == bare.n_parameters + 2 == asked.model.n_parameters(3)


def both_kinds() -> Mixture:
    asked = problem(table())
    model = replace(asked.model, tails=StudentTails())
    return model.begin_from(replace(start(asked), offsets=None))


@pytest.mark.parametrize("kind", ["noise", "t", "both"])
def test_a_joint_density_is_a_marginal_times_a_conditional(kind: str) -> None:
    mixture = both_kinds()
    if kind == "t":
        mixture = replace(mixture, weights=mixture.weights / mixture.weights.sum(), background=None)
    if kind == "noise":
        mixture = replace(mixture, tails=None)
    rows = np.array([[0.3, 0.7, 1.0], [2.0, 0.7, -4.0], [-9.0, 0.7, 9.0]])
    joint, marginal = mixture.log_density(rows), mixture.marginal([1]).log_density(rows[:, [1]])
    if mixture.background is not None:  # the density of a box along the columns
        mixture = replace(mixture, background=replace(mixture.background, box=mixture.background.columns))
        joint = mixture.log_density(rows)
    conditional = mixture.conditional([1], [0.7])
    np.testing.assert_allclose(conditional.log_density(rows[:, [0, 2]]), joint - marginal, rtol=1e-10)


@pytest.mark.parametrize("matrix", [[2.0, 0.5, 3.0], [[2.0, 0.3, 0.0], [0.0, 1.0, 0.5], [0.2, 0.0, 1.0]]])
def test_densities_follow_an_affine_map(matrix: Any) -> None:
    mixture, shift = both_kinds(), np.array([1.0, 2.0, 3.0])
    rows = np.random.RandomState(0).uniform(-9.0, 9.0, size=(20, 3))
    square = np.diag(matrix) if np.ndim(matrix) == 1 else np.array(matrix)
    mapped = mixture.affine(matrix, shift)
    found = mapped.log_density(rows @ square.T + shift) + np.linalg.slogdet(square)[1]
    np.testing.assert_allclose(found, mixture.log_density(rows), rtol=1e-10)
    assert mixture.background is not None
    assert mapped.background is not None
    drawn = mapped.background.box.draw(np.random.RandomState(1), 4000)
    wanted = mixture.background.box.draw(np.random.RandomState(1), 4000) @ square.T + shift
    np.testing.assert_allclose(drawn, wanted, rtol=1e-10)
    columns = mapped.background.columns
    corners = mixture.background.columns.draw(np.random.RandomState(1), 4000) @ square.T + shift
    inside = (corners >= columns.lower - 1e-9) & (corners <= columns.lower + columns.ranges + 1e-9)
    assert inside.all()


def test_noise_has_no_projection() -> None:
    with pytest.raises(ParameterError, match="`matrix` must be square where there is noise"):
        both_kinds().affine(np.ones((1, 3)))


def test_samples_are_of_the_mixture() -> None:
    mixture = both_kinds()
    rows, labels = mixture.sample(40_000, random_state=0)
    shares = np.bincount(labels + 1, minlength=3) / len(rows)
    assert mixture.background is not None
    np.testing.assert_allclose(shares, [mixture.background.weight, *mixture.weights], atol=0.01)
    own = rows[labels == 0]
    np.testing.assert_allclose(np.cov(own.T), mixture.covariances[0] * 20.0 / 18.0, atol=0.1)
    again, _ = EMStep(problem(rows))(EMStep(problem(rows)).init(replace(mixture, tails=None)))
    np.testing.assert_allclose(again.model.means, mixture.means, atol=0.05)


def test_what_densities_lack_of_whole_rows_is_expected_of_noise_too() -> None:
    mixture = replace(start(problem(table())), offsets=None)
    noise = mixture.background
    assert noise is not None
    rows = np.array([[14.0, -14.0, np.nan], [0.0, 0.0, np.nan], [1.0, 2.0, 3.0]])
    memberships = mixture.responsibilities(rows)
    found = expected_log_density(mixture, rows, memberships)
    gaussian = -0.5 * (np.log(2 * np.pi * 2.0) + 1.0)  # of the variance of the last column, given the others
    inside, left = memberships.sum(axis=1), 1.0 - memberships.sum(axis=1)
    wanted = inside * gaussian - left * np.log(noise.columns.ranges[2])
    np.testing.assert_allclose(found, [*wanted[:2], 0.0], rtol=1e-12)
