"""The parts of acceleration, each against what defines it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from mixtura.core.covariance import get_family
from mixtura.core.maximize import maximize
from mixtura.core.mixture import Mixture
from mixtura.core.model import GaussianModel
from mixtura.core.prior import Ridge
from mixtura.core.statistics import Statistics
from mixtura.engine import as_data
from mixtura.fit import AcceleratedEMStep, EMStep, PassKind, Problem, RemainingGain
from mixtura.fit.loop.driver import iterate
from mixtura.fit.loop.state import begin
from mixtura.fit.steps.coordinates import Coordinates
from mixtura.fit.steps.lbfgs import LimitedMemoryBFGS

TYPES = ("full", "diag", "tied")


def problem_of(rows: Any, covariance_type: str, n_components: int, ridge: float = 0.0) -> Problem:
    family = get_family(covariance_type)
    return Problem(as_data(rows), GaussianModel(n_components, family, Ridge(ridge)))


def rows_of(seed: int = 0, n_rows: int = 300) -> Any:
    rng = np.random.RandomState(seed)
    X = rng.standard_normal((n_rows, 3)) @ np.array([[1, 0.5, 0], [0, 1, 0.3], [0, 0, 0.5]])
    return X + 1.5 * rng.randint(2, size=(n_rows, 1))


def start_of(problem: Problem, seed: int = 0) -> Mixture:
    """A mixture near the maximum, but not at it."""
    k, d = problem.model.n_components, problem.data.n_features
    rng = np.random.RandomState(seed)
    rows = problem.data.rows(np.arange(problem.data.n_rows))
    means = rows.mean(axis=0) + rng.standard_normal((k, d)) * rows.std(axis=0) / 2
    variances = np.ones((k, 1)) * rows.var(axis=0)
    shapes: dict[str, Any] = {"diag": variances, "tied": np.diag(variances[0])}
    full = np.stack([np.diag(one) for one in variances])
    covariances = shapes.get(problem.model.structure.name, full)
    return Mixture.from_parameters(np.full(k, 1 / k), means, covariances, problem.model.structure.name)


def a_pass(covariance_type: str) -> tuple[Problem, Mixture, Statistics, Statistics, Coordinates]:
    """Sums x, the mixture M(x), the sums of its pass, and coordinates about the mixture.

    In the coordinates' own words the mixture's sums are those of the pass before.
    """
    problem = problem_of(rows_of(), covariance_type, 2)
    step = EMStep(problem)
    state = step.init(start_of(problem))
    for _ in range(3):
        entered = step.gather(state)
        state, _ = step.finish(state, entered)
    model = state.model
    # The information is that of the mixture's own counts, those of the sums it was made of.
    coordinates = Coordinates.about(model, entered)
    return problem, model, entered, step.gather(state), coordinates


@pytest.mark.parametrize("covariance_type", TYPES)
def test_coordinates_there_and_back(covariance_type: str) -> None:
    _, _, entered, left, coordinates = a_pass(covariance_type)
    for statistics in (entered, left):
        back = coordinates.sums(coordinates.of(statistics), statistics)
        np.testing.assert_allclose(
            back.sums, statistics.gathered().rebase(coordinates.means).sums, rtol=1e-10, atol=1e-10
        )


def complete_divergence(one: Mixture, other: Mixture, total: float) -> float:
    """Kullback-Leibler divergence of rows and labels together, by its textbook formula, times the rows."""
    d, divergence = one.n_features, 0.0
    for k in range(one.n_components):
        a, b = one.full_covariances()[k], other.full_covariances()[k]
        shift = other.means[k] - one.means[k]
        spread = np.trace(np.linalg.solve(b, a)) - d + np.log(np.linalg.det(b) / np.linalg.det(a))
        apart = shift @ np.linalg.solve(b, shift)
        divergence += one.weights[k] * (np.log(one.weights[k] / other.weights[k]) + 0.5 * (spread + apart))
    return total * divergence


@pytest.mark.parametrize("covariance_type", ["full", "diag"])
def test_in_coordinates_the_complete_information_is_the_identity(covariance_type: str) -> None:
    problem, model, entered, _, coordinates = a_pass(covariance_type)
    point, rng = coordinates.of(entered), np.random.RandomState(1)
    for _ in range(5):
        step = rng.standard_normal(point.size)
        # Counts add up to the rows: their sum is no parameter.
        roots = coordinates.roots
        step[:2] -= roots * (roots @ step[:2]) / (roots @ roots)
        step *= 1e-3 / np.sqrt(step @ step)
        moved, _ = maximize(
            coordinates.sums(point + step, entered), problem.model.structure, problem.model.prior
        )
        divergence = complete_divergence(model, moved, entered.total_weight)
        assert divergence == pytest.approx(0.5 * step @ step, rel=1e-3)


@pytest.mark.parametrize("covariance_type", ["full", "diag"])
def test_what_a_pass_changes_is_the_gradient(covariance_type: str) -> None:
    """Against central differences of the log-likelihood."""
    problem, _, entered, left, coordinates = a_pass(covariance_type)
    point, rng = coordinates.of(entered), np.random.RandomState(2)
    gradient = coordinates.of(left) - point
    rows = problem.data.rows(np.arange(problem.data.n_rows))

    def log_likelihood(at: Any) -> float:
        sums = coordinates.sums(at, entered)
        return maximize(sums, problem.model.structure, problem.model.prior)[0].log_likelihood(rows)

    for _ in range(5):
        step = rng.standard_normal(point.size)
        slope = (log_likelihood(point + 1e-4 * step) - log_likelihood(point - 1e-4 * step)) / 2e-4
        assert slope == pytest.approx(gradient @ step, rel=1e-5, abs=1e-5)


@pytest.mark.parametrize("covariance_type", TYPES)
def test_the_step_length_is_the_largest_relative_change(covariance_type: str) -> None:
    _, _, entered, _, coordinates = a_pass(covariance_type)
    point = coordinates.of(entered)
    more = np.zeros_like(point)
    more[1] = 0.25 * coordinates.roots[1]
    assert coordinates.step_length(more) == pytest.approx(0.25)
    counts = coordinates.sums(point + more, entered).counts
    np.testing.assert_allclose(counts, entered.counts * [1, 1.25])
    moved = np.zeros_like(point)
    moved[2:4] = 0.3 * coordinates.roots[0], 0.4 * coordinates.roots[0]
    assert coordinates.step_length(moved) == pytest.approx(0.5)
    if covariance_type == "full":
        wider = replace(entered.rebase(coordinates.means), sums=entered.rebase(coordinates.means).sums.copy())
        wider.second[0] *= 1.1
        assert coordinates.step_length(coordinates.of(wider) - point) == pytest.approx(0.1 * np.sqrt(3))


def naive_inverse(moves: Any, drops: Any) -> Any:
    """BFGS matrix by its textbook update (Nocedal and Wright 2006, equation 6.17)."""
    last = len(moves) - 1
    inverse = max(1.0, moves[last] @ drops[last] / (drops[last] @ drops[last])) * np.eye(moves.shape[1])
    for move, drop in zip(moves, drops, strict=True):
        rho = 1 / (move @ drop)
        left = np.eye(len(move)) - rho * np.outer(move, drop)
        inverse = left @ inverse @ left.T + rho * np.outer(move, move)
    return inverse


def test_the_compact_form_is_the_textbook_update() -> None:
    rng = np.random.RandomState(0)
    root = rng.standard_normal((6, 6))
    hessian = root @ root.T + np.eye(6)
    points = rng.standard_normal((8, 6))
    curvature = LimitedMemoryBFGS(4)
    np.testing.assert_array_equal(curvature.direction(points[0]), points[0])
    for point in points:
        curvature = curvature.update(point, -hessian @ point)
    moves = np.diff(points, axis=0)[-4:]
    gradient = rng.standard_normal(6)
    wanted = naive_inverse(moves, moves @ hessian) @ gradient
    assert len(curvature) == 4
    np.testing.assert_allclose(curvature.direction(gradient), wanted, rtol=1e-9)


def test_upward_bends_are_noticed_and_left_out() -> None:
    curvature = LimitedMemoryBFGS()
    curvature = curvature.update(np.array([0.0, 0.0]), np.array([0.0, 0.0]))
    curvature = curvature.update(np.array([1.0, 0.0]), np.array([2.0, 0.0]), stay=True)
    assert not curvature.is_concave
    assert len(curvature) == 0
    curvature = curvature.update(np.array([0.0, 1.0]), np.array([0.0, -2.0]))
    assert curvature.is_concave
    assert len(curvature) == 1
    np.testing.assert_allclose(curvature.direction(np.array([0.0, 2.0])), [0.0, 1.0])


def slow_rows() -> Any:
    rng = np.random.RandomState(3)
    return rng.standard_normal((500, 2)) + 1.2 * rng.randint(3, size=(500, 1))


def accelerated(problem: Problem, start: Mixture, max_iter: int = 2000, tolerance: float = 0.01) -> Any:
    stop = RemainingGain(problem.data.total_weight, tolerance)
    step = AcceleratedEMStep(problem, tolerance)
    return iterate(begin(step, start), step, stop, max_iter)


def test_a_refused_extrapolation_costs_a_pass_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = problem_of(slow_rows(), "full", 3, 1e-6)
    start = start_of(problem)
    monkeypatch.setattr(LimitedMemoryBFGS, "direction", lambda self, gradient: 1e3 * gradient[::-1])
    trace = accelerated(problem, start, 60, 1e-9).trace
    kinds = [event.kind for event in trace.events]
    refused = [number for number, kind in enumerate(kinds[:-1]) if kind is PassKind.REJECTED]
    assert refused
    for number in refused:
        assert trace.events[number].objective == trace.events[number - 1].objective
        assert trace.events[number].change == 0
        assert kinds[number + 1] is PassKind.PLAIN
    assert (np.diff(trace.objectives) >= -1e-13).all()


def test_extrapolations_that_need_repairs_are_not_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = problem_of(slow_rows(), "full", 3, 1e-6)
    broken = Coordinates.sums

    def indefinite(self: Coordinates, point: Any, like: Statistics) -> Statistics:
        found = broken(self, point, like)
        found.second[:, 0] = -found.counts
        return found

    monkeypatch.setattr(Coordinates, "sums", indefinite)
    run = accelerated(problem, start_of(problem), 60, 1e-9)
    assert run.trace.count(PassKind.PLAIN) == 60
    assert run.trace.repairs == ()

    def negative(self: Coordinates, point: Any, like: Statistics) -> Statistics:
        found = broken(self, point, like)
        found.counts[0] = -1.0
        return found

    monkeypatch.setattr(Coordinates, "sums", negative)
    assert accelerated(problem, start_of(problem), 60, 1e-9).trace.count(PassKind.PLAIN) == 60
