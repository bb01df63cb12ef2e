"""Laws of sums that are kept: one step on sums of several sites is that of the pooled rows, and the bound holds."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

import naive
from mixtura.core.covariance import FAMILIES, get_family
from mixtura.core.mixture import Mixture
from mixtura.core.model import GaussianModel
from mixtura.core.parts.discrete import DiscreteColumns
from mixtura.core.parts.level_models import CATEGORICAL, NEGATIVE_BINOMIAL
from mixtura.core.parts.student import StudentTails
from mixtura.core.parts.volume import measure_background
from mixtura.core.prior import Ridge
from mixtura.core.protocols import MixedRows
from mixtura.engine import as_data
from mixtura.fit import (
    EMStep,
    IncrementalEMStep,
    KeptSums,
    Problem,
    RemainingGain,
    Settings,
    continue_fit,
    implied_sums,
    log_likelihood,
    sums_of,
)

FOUR = ("full", "tied", "diag", "spherical")
KINDS = ("plain", "missing", "t", "noise", "mixed")
N, K, D = 90, 2, 3


def rows_of(kind: str, n: int = N, seed: int = 0) -> Any:
    """Two groups of rows; some values missing, heavy tails, far rows, or two discrete columns."""
    rng = np.random.RandomState(seed)
    rows = rng.standard_normal((n, D))
    if kind == "t":
        rows /= np.sqrt(rng.chisquare(4.0, n) / 4.0)[:, None]
    rows[n // 2 :] = 0.6 * rows[n // 2 :] + 3.0
    rows = rows[rng.permutation(n)]
    if kind == "noise":
        rows[:8] = rng.uniform(-15.0, 15.0, (8, D))
    if kind in {"missing", "mixed"}:
        rows[rng.uniform(size=rows.shape) < 0.15] = np.nan
    if kind != "mixed":
        return rows
    shares = (np.array([0.3, 0.5, 0.2]), np.full(6, 1 / 6))
    columns = DiscreteColumns((CATEGORICAL, NEGATIVE_BINOMIAL), shares)
    levels = np.column_stack([rng.randint(-1, 3, n), rng.randint(0, 6, n)])
    return MixedRows(rows, columns.numbered(levels), columns)


def start_of(covariance_type: str) -> Mixture:
    shape = get_family(covariance_type).storage.shape(K, D)
    covariances = np.ones(shape) if len(shape) < 2 or shape == (K, D) else np.broadcast_to(np.eye(D), shape)
    means = np.array([[0.5, -0.5, 0.0], [2.0, 2.5, 3.0]])
    return Mixture.from_parameters([0.4, 0.6], means, covariances, covariance_type)


def problem_of(kind: str, covariance_type: str, rows: Any, weights: Any = None) -> tuple[Problem, Mixture]:
    """A problem, and the mixture to begin with."""
    data = as_data(rows, weights)
    model = GaussianModel(K, get_family(covariance_type), Ridge(1e-6), data.discrete)
    if kind == "t":
        model = replace(model, tails=StudentTails())
    if kind == "noise":
        model = replace(model, background=measure_background(as_data(rows_of(kind))))
    return Problem(data, model), model.begin_from(start_of(covariance_type))


def parts_of(rows: Any) -> list[Any]:
    return [rows[:20], rows[20:21], rows[21:]]


def added(kind: str, covariance_type: str, rows: Any, mixture: Mixture, weights: Any = None) -> Any:
    """The sums of three sites, one of which has one row."""
    given = [None] * 3 if weights is None else parts_of(weights)
    total = None
    for part, weight in zip(parts_of(rows), given, strict=True):
        sums = sums_of(problem_of(kind, covariance_type, part, weight)[0].data, mixture)
        total = sums if total is None else total + sums
    return total


@pytest.mark.parametrize("covariance_type", FOUR)
@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
def test_a_step_on_sums_of_sites_is_that_of_a_loop_over_all_rows(
    covariance_type: str, weighted: bool
) -> None:
    rows = rows_of("plain")
    weights = np.random.RandomState(1).uniform(0.5, 2.0, N) if weighted else None
    problem, start = problem_of("plain", covariance_type, rows)
    sums = added("plain", covariance_type, rows, start, weights)
    found, _ = problem.model.maximize(sums, start)
    wanted = naive.naive_em(
        covariance_type, rows, start.weights, start.means, start.covariances, 1, weights, ridge=1e-6
    )
    for name, value in zip(("weights", "means", "covariances"), wanted, strict=False):
        np.testing.assert_allclose(getattr(found, name), value, rtol=1e-10, atol=1e-12, err_msg=name)
    assert sums.log_likelihood / sums.total_weight == pytest.approx(wanted[3][0], rel=1e-12)


@pytest.mark.parametrize("covariance_type", FOUR)
def test_so_it_is_where_values_are_missing(covariance_type: str) -> None:
    rows = rows_of("missing")
    problem, start = problem_of("missing", covariance_type, rows)
    found, _ = problem.model.maximize(added("missing", covariance_type, rows, start), start)
    wanted = naive.naive_missing_em(
        covariance_type, rows, start.weights, start.means, start.covariances, 1, ridge=1e-6
    )
    for name, value in zip(("weights", "means", "covariances"), wanted, strict=False):
        np.testing.assert_allclose(getattr(found, name), value, rtol=1e-10, atol=1e-11, err_msg=name)


def test_so_it_is_of_t_components() -> None:
    rows = rows_of("t")
    problem, start = problem_of("t", "full", rows)
    assert start.tails is not None
    found, _ = problem.model.maximize(added("t", "full", rows, start), start)
    mixing, means, covariances, freedom, _ = naive.naive_t_em(
        "full", rows, start.weights, start.means, start.covariances, start.tails.freedom, 1, ridge=1e-6
    )
    np.testing.assert_allclose(found.weights, mixing, rtol=1e-10)
    np.testing.assert_allclose(found.means, means, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(found.covariances, covariances, rtol=1e-9, atol=1e-12)
    assert found.tails is not None
    np.testing.assert_allclose(found.tails.freedom, freedom, rtol=1e-7)


@pytest.mark.sampled(3)
@pytest.mark.parametrize("covariance_type", FAMILIES)
@pytest.mark.parametrize("kind", KINDS)
def test_so_it_is_of_every_family_and_kind(covariance_type: str, kind: str) -> None:
    """Against the loop's own step on the pooled rows, which the tests of each kind hold against loops over rows."""
    rows = rows_of(kind)
    problem, start = problem_of(kind, covariance_type, rows)
    found, _ = problem.model.maximize(added(kind, covariance_type, rows, start), start)
    step = EMStep(problem)
    wanted = step(step.init(start))[0].model
    for name in ("weights", "means", "covariances"):
        np.testing.assert_allclose(getattr(found, name), getattr(wanted, name), rtol=1e-8, atol=1e-10)
    if kind == "noise":
        assert found.background is not None
        assert wanted.background is not None
        assert found.background.weight == pytest.approx(wanted.background.weight, rel=1e-10)
    if kind == "mixed":
        assert found.levels is not None
        assert wanted.levels is not None
        np.testing.assert_allclose(found.levels.logs, wanted.levels.logs, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("covariance_type", ["full", "VEI", "EII", "tied"])
def test_what_is_kept_bounds_the_likelihood_of_any_other_mixture(covariance_type: str, kind: str) -> None:
    problem, start = problem_of(kind, covariance_type, rows_of(kind))
    kept, step = KeptSums(sums_of(problem.data, start), start), EMStep(problem)
    assert kept.about(start).log_likelihood == pytest.approx(log_likelihood(problem.data, start), rel=1e-12)
    state = step.init(start)
    for _ in range(6):
        state, _ = step(state)
        true = log_likelihood(problem.data, state.model)
        assert kept.about(state.model).log_likelihood <= true + 1e-9
    # It is a bound, and not far below: it says that the first step gained.
    assert kept.about(step(step.init(start))[0].model).log_likelihood > log_likelihood(problem.data, start)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("covariance_type", ["full", "VVI", "EEV", "spherical"])
def test_the_objective_never_falls_and_is_below_the_likelihood_of_all_rows(
    covariance_type: str, kind: str
) -> None:
    rows = rows_of(kind)
    old, start = problem_of(kind, covariance_type, rows[:60])
    new, _ = problem_of(kind, covariance_type, rows[60:])
    whole, _ = problem_of(kind, covariance_type, rows)
    kept = KeptSums(sums_of(old.data, start), start)
    settings = Settings(RemainingGain(N, 1e-6), 60, step=partial(IncrementalEMStep, kept=kept))
    found = continue_fit(new, start, settings)
    objectives = found.trace.objectives
    assert len(objectives) > 3
    assert all(after >= before - 1e-6 for before, after in pairwise(objectives))  # the ridge may cost as much
    assert objectives[0] == pytest.approx(
        (log_likelihood(whole.data, start) + whole.model.log_prior(start)) / N, rel=1e-10
    )
    total = log_likelihood(whole.data, found.mixture) + whole.model.log_prior(found.mixture)
    assert objectives[-1] <= total / N + 1e-9


@pytest.mark.parametrize("kind", KINDS)
def test_rounds_of_sums_end_where_em_on_the_pooled_rows_ends(kind: str) -> None:
    rows = rows_of(kind)
    problem, start = problem_of(kind, "full", rows)
    mixture, state, step = start, EMStep(problem).init(start), EMStep(problem)
    for _ in range(25):
        mixture, _ = problem.model.maximize(added(kind, "full", rows, mixture), mixture)
        state, _ = step(state)
    np.testing.assert_allclose(mixture.means, state.model.means, rtol=1e-8, atol=1e-9)
    np.testing.assert_allclose(mixture.covariances, state.model.covariances, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("covariance_type", ["full", "diag", "spherical"])
def test_of_one_component_batches_are_the_whole(covariance_type: str) -> None:
    """Sums of one component are those of the rows: whatever the batches, the mean and the covariance are theirs."""
    rows = rows_of("plain")
    model = GaussianModel(1, get_family(covariance_type), Ridge(0.0))
    centered = rows - rows.mean(axis=0)
    scatter = centered.T @ centered / N
    mixture = Mixture.from_parameters(
        [1.0], np.zeros((1, D)), np.ones(get_family(covariance_type).storage.shape(1, D)) * np.eye(D)
        if covariance_type == "full" else np.ones(get_family(covariance_type).storage.shape(1, D)), covariance_type,
    )  # fmt: skip
    kept = None
    for part in parts_of(rows):
        data = as_data(part)
        if kept is None:
            mixture = continue_fit(Problem(data, model), mixture, Settings(RemainingGain(N), 50)).mixture
            kept = KeptSums(sums_of(data, mixture), mixture)
            continue
        settings = Settings(RemainingGain(N), 50, step=partial(IncrementalEMStep, kept=kept))
        found = continue_fit(Problem(data, model), mixture, settings).mixture
        kept = KeptSums(kept.about(found) + sums_of(data, found), found)
        mixture = found
    np.testing.assert_allclose(mixture.means[0], rows.mean(axis=0), atol=1e-12)
    wanted = {
        "full": scatter[None],
        "diag": np.diag(scatter)[None],
        "spherical": np.array([np.trace(scatter) / D]),
    }
    np.testing.assert_allclose(mixture.covariances, wanted[covariance_type], rtol=1e-10, atol=1e-12)


@pytest.mark.sampled(3)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("covariance_type", FAMILIES)
def test_implied_sums_lead_back_to_their_mixture(covariance_type: str, kind: str) -> None:
    problem, start = problem_of(kind, covariance_type, rows_of(kind))
    step = EMStep(problem)
    mixture = step(step(step.init(start))[0])[0].model
    implied = implied_sums(mixture, 500.0, ridge=1e-6)
    again, _ = problem.model.maximize(implied, mixture)
    np.testing.assert_allclose(again.weights, mixture.weights, rtol=1e-9)
    np.testing.assert_allclose(again.means, mixture.means, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(again.full_covariances(), mixture.full_covariances(), rtol=2e-5, atol=2e-5)
    if kind == "t":
        assert again.tails is not None
        assert mixture.tails is not None
        np.testing.assert_allclose(again.tails.freedom, mixture.tails.freedom, rtol=1e-6)
    if kind == "mixed":
        assert again.levels is not None
        assert mixture.levels is not None
        table = mixture.levels.columns.starts[1]
        np.testing.assert_allclose(again.levels.logs[:table], mixture.levels.logs[:table], rtol=1e-8)


def test_a_wrong_bound_would_be_noticed() -> None:
    """Without the entropy of the memberships kept sums would say too little of the mixture they are of."""
    problem, start = problem_of("plain", "full", rows_of("plain"))
    kept = KeptSums(sums_of(problem.data, start), start)
    halved = KeptSums(kept.sums.scale(0.5), start)
    assert halved.about(start).log_likelihood == pytest.approx(0.5 * kept.about(start).log_likelihood)
    assert kept.about(start).log_likelihood != pytest.approx(halved.about(start).log_likelihood)
