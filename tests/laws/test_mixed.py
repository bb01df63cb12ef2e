"""Laws of mixtures with discrete columns beside the Gaussian ones."""

from __future__ import annotations

import pickle
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

import naive
from mixtura.core.covariance import FAMILIES, get_family
from mixtura.core.mixture import Mixture
from mixtura.core.model import GaussianModel
from mixtura.core.parts.discrete import DiscreteColumns, LevelTable
from mixtura.core.parts.level_models import CATEGORICAL, NEGATIVE_BINOMIAL, POISSON
from mixtura.core.prior import Ridge
from mixtura.core.protocols import MixedRows
from mixtura.engine import as_data
from mixtura.fit import AcceleratedEMStep, EMStep, Problem, RemainingGain
from mixtura.fit.init import FromPartition
from mixtura.fit.loop.driver import iterate
from mixtura.fit.loop.state import begin
from mixtura.run import set_threads, threads
from mixtura.select import cross_validate, search

FOUR = ("full", "tied", "diag", "spherical")


def table(
    n: int = 150, share: float = 0.15, seed: int = 0, apart: float = 2.0
) -> tuple[MixedRows, Any, Any, list[Any]]:
    """Rows of three groups with two continuous columns, two categories and a count; levels, groups, shares."""
    rng = np.random.RandomState(seed)
    labels = rng.randint(3, size=n)
    rows = rng.standard_normal((n, 2)) + apart * np.array([[0.0, 0.0], [1.0, 1.0], [2.0, 0.0]])[labels]
    probabilities = rng.dirichlet([0.6] * 4, size=(3, 2))
    levels = np.stack(
        [[rng.choice(4, p=probabilities[k, 0]), rng.choice(4, p=probabilities[k, 1])] for k in labels]
    )
    levels = np.column_stack(
        [levels, np.minimum(rng.poisson([1.0, 4.0, 2.0], size=(n, 3))[np.arange(n), labels], 11)]
    )
    if share:
        rows[rng.uniform(size=rows.shape) < share] = np.nan
        levels[rng.uniform(size=levels.shape) < share] = -1
    shares = []
    for column, size in zip(levels.T, (4, 4, 13), strict=True):
        counts = np.bincount(column[column >= 0], minlength=size).astype(float)
        shares.append(counts / counts.sum())
    discrete = DiscreteColumns((CATEGORICAL, CATEGORICAL, CATEGORICAL), tuple(shares))
    return MixedRows(rows, discrete.numbered(levels), discrete), levels, labels, shares


def with_counts(given: MixedRows) -> MixedRows:
    """The same rows with negative binomials for the count."""
    models = (CATEGORICAL, CATEGORICAL, NEGATIVE_BINOMIAL)
    return MixedRows(given.rows, given.levels, DiscreteColumns(models, given.discrete.shares))


def start(covariance_type: str, given: MixedRows, seed: int = 1) -> tuple[Mixture, list[Any]]:
    """A first mixture, and its tables as the loops take them."""
    rng, d = np.random.RandomState(seed), given.rows.shape[1]
    covariances = {
        "full": np.array([np.eye(d) * 2.0] * 3), "tied": np.eye(d) * 2.0,
        "diag": np.full((3, d), 2.0), "spherical": np.full(3, 2.0),
    }[covariance_type]  # fmt: skip
    means = np.nanmean(given.rows, axis=0) + rng.standard_normal((3, d))
    tables = [rng.dirichlet([3.0] * len(one), size=3) for one in given.discrete.shares]
    logs = np.vstack([np.log(np.vstack([one.T for one in tables])), np.zeros((1, 3))])
    mixture = Mixture.from_parameters([0.5, 0.3, 0.2], means, covariances, covariance_type)
    return replace(mixture, levels=LevelTable(given.discrete, np.ascontiguousarray(logs))), tables


def problem(given: MixedRows, covariance_type: str = "full", k: int = 3, weights: Any = None) -> Problem:
    data = as_data(given, weights)
    return Problem(data, GaussianModel(k, get_family(covariance_type), Ridge(1e-6), data.discrete))


@pytest.mark.sampled(3)
@pytest.mark.parametrize("covariance_type", FOUR)
@pytest.mark.parametrize("share", [0.0, 0.15], ids=["complete", "missing"])
@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
def test_steps_are_those_of_a_loop_over_rows(covariance_type: str, share: float, weighted: bool) -> None:
    given, levels, _, shares = table(share=share)
    weights = np.random.RandomState(3).uniform(0.5, 2.0, len(given)) if weighted else None
    first, tables = start(covariance_type, given)
    asked = problem(given, covariance_type, weights=weights)
    step = EMStep(asked)
    state = step.init(first)
    objectives = []
    for _ in range(8):
        state, found = step(state)
        objectives.append(found.objective * asked.data.total_weight)
    mixing, means, covariances, tables, wanted = naive.naive_mixed_em(
        covariance_type, given.rows, levels, shares, first.weights, first.means, first.covariances, tables, 8,
        weights, ridge=1e-6,
    )  # fmt: skip
    np.testing.assert_allclose(state.model.weights, mixing, rtol=1e-10)
    np.testing.assert_allclose(state.model.means, means, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(state.model.covariances, covariances, rtol=1e-8, atol=1e-10)
    assert state.model.levels is not None
    with np.errstate(divide="ignore"):
        logs = np.log(np.vstack([np.array(one).T for one in tables]))
    np.testing.assert_allclose(state.model.levels.logs[:-1], logs, rtol=1e-9, atol=1e-10)
    assert wanted[0] < wanted[-1]


@pytest.mark.sampled(3)
@pytest.mark.parametrize("covariance_type", FAMILIES)
@pytest.mark.parametrize("accelerated", [False, True], ids=["plain", "accelerated"])
def test_the_objective_never_falls(covariance_type: str, accelerated: bool) -> None:
    given, *_ = table(300, seed=2, apart=1.0)
    given = with_counts(given)
    asked = problem(given, covariance_type)
    first = _first(asked, given)
    step = AcceleratedEMStep(asked) if accelerated else EMStep(asked)
    run = iterate(begin(step, first), step, RemainingGain(asked.data.total_weight, 1e-6), 60)
    objectives = np.array(run.trace.objectives)
    assert len(objectives) > 3
    assert (np.diff(objectives) >= -1e-9).all()


def _first(asked: Problem, given: MixedRows) -> Mixture:
    labels = np.arange(len(given)) % asked.model.n_components
    return FromPartition(labels).prepare(asked, np.random.RandomState(0))(asked).first_mixture(asked)


def test_acceleration_ends_where_plain_steps_end() -> None:
    given, *_ = table(400, seed=5, apart=1.5)
    asked = problem(given)
    ends = []
    for step in (EMStep(asked), AcceleratedEMStep(asked, 1e-8)):
        first = start("full", given)[0]
        run = iterate(begin(step, first), step, RemainingGain(asked.data.total_weight, 1e-8), 5000)
        ends.append((run.trace.objectives[-1], len(run.trace.events)))
    assert ends[0][0] == pytest.approx(ends[1][0], abs=1e-7)
    assert ends[1][1] < ends[0][1]


def test_integer_weights_are_repetitions_and_threads_change_no_digit(monkeypatch: Any) -> None:
    given, *_ = table(60, seed=3)
    weights = np.random.RandomState(0).randint(0, 3, len(given))
    repeated = np.repeat(np.arange(len(given)), weights)
    sums = []
    for rows, weight in [(given, weights.astype(float)), (given[repeated], None)]:
        asked = problem(rows, weights=weight)
        sums.append(EMStep(asked).gather(EMStep(asked).init(start("full", given)[0])))
    np.testing.assert_allclose(sums[0].sums, sums[1].sums, rtol=1e-12, atol=1e-10)
    np.testing.assert_allclose(sums[0].levels[:-1], sums[1].levels[:-1], rtol=1e-12, atol=1e-12)
    large, *_ = table(9000, seed=4)
    first, found = start("full", large)[0], []
    for number in (1, 3):
        monkeypatch.setattr(threads, "_SMALL_WORK", 0.0)
        with set_threads(number):
            asked = problem(large)
            found.append(EMStep(asked).gather(EMStep(asked).init(first)))
    np.testing.assert_array_equal(found[0].sums, found[1].sums)
    np.testing.assert_array_equal(found[0].levels, found[1].levels)


def test_discrete_columns_find_groups_that_the_others_hide() -> None:
    given, _, labels, _ = table(1500, seed=6, apart=0.7)
    given = with_counts(given)
    found = search(given, components=range(1, 6), covariance_types=["spherical", "diag"])
    alone = search(given.rows, components=[3], covariance_types=["spherical", "diag"], missing="fiml")
    assert found.best.n_components == 3
    together = adjusted_rand_score(labels, found.best.mixture.predict(given))
    assert together > adjusted_rand_score(labels, alone.best.mixture.predict(given.rows)) + 0.2
    assert found.best.n_parameters == found.best.mixture.n_parameters
    assert found.best.log_likelihood == pytest.approx(found.best.mixture.log_likelihood(given), rel=1e-10)


def test_held_out_rows_are_scored_with_their_levels() -> None:
    given = with_counts(table(1500, seed=6, share=0.0)[0])
    found = cross_validate(given, components=[1, 3, 5], covariance_types="diag", n_folds=4)
    assert found.best.n_components == 3


def test_models_of_counts_prefer_the_number_of_groups_that_there_are() -> None:
    rng = np.random.RandomState(0)
    labels = rng.randint(2, size=1200)
    counts = np.minimum(rng.poisson(np.where(labels == 0, 1.0, 6.0)), 20)[:, None]
    rows = rng.standard_normal((1200, 1))
    shares = (np.append(np.bincount(counts[:, 0]), 0) / 1200,)
    discrete = DiscreteColumns((POISSON,), shares)
    given = MixedRows(rows, discrete.numbered(counts), discrete)
    found = search(given, components=range(1, 6), covariance_types="tied")
    assert found.best.n_components == 2


def test_mixtures_and_rows_pickle() -> None:
    given, *_ = table(30)
    mixture, _ = start("full", given)
    again, rows = pickle.loads(pickle.dumps((mixture, given)))
    np.testing.assert_array_equal(again.log_density(rows), mixture.log_density(given))
