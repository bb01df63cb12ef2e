"""Acceleration changes how many passes a fit takes, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_iris

from mixtura.core.covariance import FAMILIES, get_family
from mixtura.core.mixture import Mixture
from mixtura.core.model import GaussianModel
from mixtura.core.moments import DENSE
from mixtura.core.prior import Ridge
from mixtura.engine import as_data
from mixtura.fit import (
    INITIALIZATIONS,
    AbsoluteChange,
    AcceleratedEMStep,
    EMStep,
    PassKind,
    Problem,
    RemainingGain,
    Settings,
    fit_mixture,
)
from mixtura.fit.loop.driver import LoopResult, iterate
from mixtura.fit.loop.state import begin
from mixtura.run import ThreadRunner, threads

MANY = 4000


def problem_of(
    rows: Any, covariance_type: str, n_components: int, *, weight: Any = None, ridge: float = 1e-6
) -> Problem:
    family = get_family(covariance_type)
    return Problem(as_data(rows, weight).alone(), GaussianModel(n_components, family, Ridge(ridge)))


def start_of(problem: Problem, seed: int = 0) -> Mixture:
    found = INITIALIZATIONS["kmeans"].prepare(problem, np.random.RandomState(seed))(problem).statistics
    return problem.model.maximize(found)[0]


def fit(
    problem: Problem, step: Any, *, tolerance: float = 0.01, max_iter: int = MANY, start: Any = None
) -> LoopResult[Mixture]:
    stop = RemainingGain(problem.data.total_weight, tolerance)
    return iterate(begin(step, start_of(problem) if start is None else start), step, stop, max_iter)


def accelerated(problem: Problem, **arguments: Any) -> LoopResult[Mixture]:
    return fit(problem, AcceleratedEMStep(problem, arguments.get("tolerance", 0.01)), **arguments)


def plain(problem: Problem, **arguments: Any) -> LoopResult[Mixture]:
    return fit(problem, EMStep(problem), **arguments)


def overlapping(
    seed: int, n_rows: int = 600, n_features: int = 2, n_components: int = 3, spread: float = 1.2
) -> Any:
    rng = np.random.RandomState(seed)
    centers = spread * rng.standard_normal((n_components, n_features))
    shapes = rng.uniform(0.4, 1.6, (n_components, n_features))
    labels = rng.randint(n_components, size=n_rows)
    return rng.standard_normal((n_rows, n_features)) * shapes[labels] + centers[labels]


def total_of(problem: Problem, mixture: Mixture) -> float:
    return EMStep(problem).gather(EMStep(problem).init(mixture)).log_likelihood


def is_valid(mixture: Mixture) -> bool:
    """Whether the weights are shares, and the covariances can be factored."""
    weights, (k, d) = mixture.weights, mixture.means.shape
    factors = mixture.family.storage.factor(mixture.covariances, k, d)
    finite = np.isfinite(factors.whitening).all() and np.isfinite(mixture.means).all()
    return bool(finite and (weights >= 0).all() and abs(weights.sum() - 1) < 1e-12)


@pytest.mark.sampled(3)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("covariance_type", FAMILIES)
def test_no_accepted_model_loses_likelihood(covariance_type: str, weighted: bool) -> None:
    rng, n_extrapolated = np.random.RandomState(5), 0
    for rows in (overlapping(1), load_iris().data, rng.standard_t(3, size=(300, 2))):
        weight = rng.exponential(size=len(rows)) if weighted else None
        problem = problem_of(rows, covariance_type, 4, weight=weight, ridge=0.0)
        step, objectives = AcceleratedEMStep(problem), list[float]()
        state = step.init(start_of(problem))
        for _ in range(60):
            state, move = step(state)
            objectives.append(move.objective)
            assert is_valid(move.model)
            assert problem.model.structure.contains(move.model.covariances, 4, rows.shape[1])
            n_extrapolated += move.kind is PassKind.EXTRAPOLATED
            # A covariance that had to be repaired is singular but for rounding, which its likelihood then follows.
            if move.repairs:
                break
        assert (np.diff(objectives) >= -1e-12 * np.abs(objectives).max()).all()
    assert n_extrapolated > 0


@pytest.mark.parametrize("covariance_type", FAMILIES)
def test_it_ends_where_plain_steps_end(covariance_type: str) -> None:
    """From a start in whose neighborhood there is one maximum only."""
    problem = problem_of(overlapping(2, spread=2.0), covariance_type, 3)
    near = plain(problem, tolerance=1.0).model
    slow = plain(problem, tolerance=1e-10, start=near)
    fast = accelerated(problem, tolerance=1e-10, start=near)
    assert slow.trace.converged
    assert fast.trace.converged
    np.testing.assert_allclose(total_of(problem, fast.model), total_of(problem, slow.model), rtol=1e-11)
    np.testing.assert_allclose(fast.model.weights, slow.model.weights, atol=1e-4)
    np.testing.assert_allclose(fast.model.means, slow.model.means, atol=1e-4)
    found, wanted = fast.model.full_covariances(), slow.model.full_covariances()
    np.testing.assert_allclose(found, wanted, atol=1e-4)


@pytest.mark.parametrize("seed", range(6))
def test_where_plain_steps_are_quick_not_a_digit_changes(seed: int) -> None:
    rng = np.random.RandomState(seed)
    centers = 10.0 * np.eye(4)[:, :3] + rng.standard_normal((4, 3))
    rows = rng.standard_normal((400, 3)) + centers[rng.randint(4, size=400)]
    problem = problem_of(rows, "full", 4)
    start = Mixture.from_parameters(np.full(4, 0.25), centers, np.array([np.eye(3)] * 4))
    slow, fast = plain(problem, start=start), accelerated(problem, start=start)
    assert fast.trace.events == slow.trace.events
    np.testing.assert_array_equal(fast.model.covariances, slow.model.covariances)


SLOW: dict[str, Callable[[], tuple[Any, int, str]]] = {
    **{f"overlap {seed}": (lambda seed=seed: (overlapping(seed, 1500), 3, "full")) for seed in range(4)},
    "one component too many": lambda: (overlapping(7, spread=3.0), 4, "diag"),
    "one cluster": lambda: (np.random.RandomState(1).standard_normal((500, 2)), 2, "full"),
    "shared covariance": lambda: (overlapping(11, 1500), 3, "tied"),
    "one column": lambda: (overlapping(12, 1500, 1, 2), 2, "V"),
    "a plane in five columns": lambda: (overlapping(13, 800, 5, 4), 4, "VVE"),
    "iris": lambda: (load_iris().data, 3, "VEV"),
}


@pytest.mark.parametrize("name", SLOW)
def test_when_it_stops_no_more_is_left_to_gain_than_it_says(name: str) -> None:
    """Against the same run gone on until nothing changes; Aitken's estimate may err by half."""
    rows, n_components, covariance_type = SLOW[name]()
    problem = problem_of(rows, covariance_type, n_components)
    left = []
    for step in (AcceleratedEMStep(problem), EMStep(problem)):
        run = fit(problem, step)
        assert run.trace.converged
        end = iterate(begin(EMStep(problem), run.model), EMStep(problem), AbsoluteChange(1e-14), 20_000).model
        left.append(total_of(problem, end) - total_of(problem, run.model))
        assert left[-1] < 0.015
        assert run.trace.remaining_gain * problem.data.total_weight < 0.01
    assert min(left) > -1e-6


def test_slow_fits_take_far_fewer_passes() -> None:
    slow, fast = 0, 0
    for seed in range(6):
        problem = problem_of(overlapping(seed, 1500), "full", 3)
        slow += len(plain(problem).trace.events)
        fast += len(accelerated(problem).trace.events)
    assert slow > 500
    assert fast < slow / 2


@pytest.mark.parametrize("covariance_type", ["full", "tied", "VEI", "VVE"])
def test_any_number_of_threads_gives_the_same_digits(
    covariance_type: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threads, "_SMALL_WORK", 0.0)
    problem = problem_of(overlapping(1, 20_000, spread=0.8), covariance_type, 3)
    start = start_of(problem)
    runs = []
    for n_threads in (1, 2, 5):
        shared = replace(problem, data=replace(problem.data, runner=ThreadRunner(n_threads)))
        runs.append(accelerated(shared, start=start, max_iter=60))
    assert runs[0].trace.count(PassKind.EXTRAPOLATED) > 0
    for run in runs[1:]:
        assert run.trace.events == runs[0].trace.events
        np.testing.assert_array_equal(run.model.covariances, runs[0].model.covariances)


@pytest.mark.parametrize("covariance_type", ["full", "tied", "diag"])
def test_weights_are_copies_of_rows(covariance_type: str) -> None:
    rows = overlapping(1, spread=0.8)
    weight = np.random.RandomState(0).randint(1, 4, len(rows))
    one = problem_of(rows, covariance_type, 3, weight=weight.astype(float))
    other = problem_of(np.repeat(rows, weight, axis=0), covariance_type, 3)
    start = start_of(one)
    weighted, repeated = accelerated(one, start=start), accelerated(other, start=start)
    assert weighted.trace.count(PassKind.EXTRAPOLATED) > 0
    np.testing.assert_allclose(
        total_of(one, weighted.model), total_of(other, repeated.model), rtol=0, atol=0.01
    )
    # Until rounding has grown, the passes are the same ones.
    np.testing.assert_allclose(weighted.trace.objectives[:25], repeated.trace.objectives[:25], rtol=1e-7)


@pytest.mark.parametrize("covariance_type", ["full", "tied", "diag", "VEV", "EVI"])
def test_units_and_origin_of_columns_do_not_matter(covariance_type: str) -> None:
    rows = overlapping(1, spread=0.8)
    scale, shift = np.array([1e-4, 1e3]), np.array([5.0, -2e4])
    if covariance_type == "VEV":
        scale = np.full(2, 1e3)
    one = problem_of(rows, covariance_type, 3, ridge=0.0)
    other = problem_of(rows * scale + shift, covariance_type, 3, ridge=0.0)
    start = start_of(one)
    there = Mixture.from_parameters(
        start.weights,
        start.means * scale + shift,
        one.model.structure.storage.rescale(start.covariances, scale)
        if covariance_type != "VEV"
        else start.covariances * 1e6,
        covariance_type,
    )
    here, moved = (
        accelerated(one, start=start, tolerance=1e-6),
        accelerated(other, start=there, tolerance=1e-6),
    )
    assert here.trace.count(PassKind.EXTRAPOLATED) > 0
    units = np.log(scale).sum()
    np.testing.assert_allclose(
        np.array(moved.trace.objectives[:25]) + units, here.trace.objectives[:25], rtol=1e-6
    )


def test_the_largest_number_of_passes_is_kept_and_ends_on_no_trial() -> None:
    problem = problem_of(overlapping(0, 1500), "full", 3)
    start, ended_on = start_of(problem), set[PassKind]()
    for max_iter in range(1, 60):
        run = accelerated(problem, start=start, max_iter=max_iter)
        assert len(run.trace.events) <= max_iter
        ended_on.add(run.trace.events[-1].kind)
        total = problem.data.total_weight
        assert total_of(problem, run.model) >= (run.trace.events[-1].objective - 1e-12) * total
    assert ended_on >= {PassKind.PLAIN, PassKind.EXTRAPOLATED}


def test_it_goes_on_where_nothing_shrinks() -> None:
    """Two components that begin all but equal: gains grow for long before they shrink."""
    rows = overlapping(1, 2000, spread=0.8, n_components=2)
    problem = problem_of(rows, "spherical", 2)
    middle, apart = rows.mean(axis=0), 1e-3
    start = Mixture.from_parameters(
        [0.5, 0.5], [middle - apart, middle + apart], [rows.var()] * 2, "spherical"
    )
    slow, fast = plain(problem, start=start), accelerated(problem, start=start)
    assert total_of(problem, fast.model) > total_of(problem, slow.model) - 0.01
    assert len(fast.trace.events) < len(slow.trace.events)


@pytest.mark.parametrize("ridge", [0.0, 1e-6])
@pytest.mark.parametrize("covariance_type", FAMILIES)
def test_empty_and_collapsing_components_break_nothing(covariance_type: str, ridge: float) -> None:
    rng = np.random.RandomState(2)
    rows = np.vstack([np.round(rng.standard_normal((80, 2)), 1), np.ones((20, 2)), np.zeros((10, 2))])
    problem = problem_of(rows, covariance_type, 6, ridge=ridge)
    start = start_of(replace(problem, model=replace(problem.model, prior=Ridge(1e-3))))
    run = accelerated(problem, start=start, max_iter=300, tolerance=1e-6)
    assert is_valid(run.model)
    assert np.isfinite(run.trace.objectives).all()


def test_a_component_without_rows_leaves_plain_steps() -> None:
    problem = problem_of(overlapping(0, 1500), "full", 4)
    start = start_of(replace(problem, model=replace(problem.model, n_components=3)))
    weights, means = np.append(start.weights, 0.0), np.vstack([start.means, [[500.0, 0.0]]])
    covariances = np.concatenate([start.covariances, np.eye(2)[None]])
    run = accelerated(problem, start=Mixture.from_parameters(weights, means, covariances), max_iter=80)
    assert run.trace.count(PassKind.PLAIN) == len(run.trace.events) == 80
    assert run.model.weights[3] == 0


def test_other_moments_start_the_acceleration_again() -> None:
    """Where pooled moments have lost their digits, passes gather dense ones from then on."""
    rng = np.random.RandomState(4)
    groups = [1e6 * group + 1e-3 * overlapping(group, 400, spread=1.0, n_components=2) for group in range(2)]
    rows = np.vstack(groups)
    problem = problem_of(rows, "tied", 4, ridge=0.0)
    labels = 2 * (np.arange(800) >= 400) + (rng.uniform(size=800) < 0.5)
    means = np.array([rows[labels == k].mean(axis=0) for k in range(4)])
    start = Mixture.from_parameters(np.full(4, 0.25), means, 1e-6 * np.eye(2), "tied")
    run = accelerated(problem, start=start, max_iter=150)
    step = EMStep(problem)
    state, _ = step(step.init(start))
    assert step.gather(state).moments is DENSE
    assert run.trace.count(PassKind.EXTRAPOLATED) > 0
    assert (np.diff(run.trace.objectives) >= -1e-12 * abs(run.trace.objectives[-1])).all()


def test_settings_switch_it_on() -> None:
    problem = problem_of(overlapping(0, 1500), "full", 3)
    stop, kmeans = RemainingGain(1500.0), INITIALIZATIONS["kmeans"]
    found = [
        fit_mixture(
            problem,
            kmeans,
            Settings(stop, MANY, step=step),
            random_state=np.random.RandomState(0),
        )
        for step in (EMStep, AcceleratedEMStep)
    ]
    assert found[0].n_iter == found[0].trace.count(PassKind.PLAIN)
    assert found[1].trace.count(PassKind.EXTRAPOLATED) > 0
    assert found[1].n_iter == len(found[1].trace.events) < found[0].n_iter / 2
    assert found[1].remaining_gain < 0.01
