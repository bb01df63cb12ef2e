"""Starts on a sample, the race of short runs, and starts that are measured against a finished fit."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.datasets import load_iris

import mixtura
from mixtura.core.covariance import get_family
from mixtura.core.maximize import maximize
from mixtura.core.mixture import Mixture
from mixtura.core.model import GaussianModel
from mixtura.core.parts.discrete import DiscreteColumns, LevelTable
from mixtura.core.parts.level_models import CATEGORICAL
from mixtura.core.prior import Ridge
from mixtura.core.protocols import MixedRows
from mixtura.engine import as_data
from mixtura.exceptions import IllDefinedCovarianceError
from mixtura.fit import (
    INITIALIZATIONS,
    EMStep,
    FitResult,
    FromMixture,
    FromPartition,
    Outcome,
    Problem,
    RemainingGain,
    Settings,
    SharedStarts,
    fit_best_of,
    fit_mixture,
    join_components,
)
from mixtura.fit.init import BestOf, FromLabels, FromNearestRows, SmallEM, draw_sample
from mixtura.fit.loop.driver import iterate
from mixtura.fit.loop.state import begin
from mixtura.fit.loop.stopping import AbsoluteChange
from naive import naive_m_step

IRIS = load_iris().data


def problem_of(rows: Any, k: int, family: str = "full", ridge: float = 1e-6, weight: Any = None) -> Problem:
    return Problem(as_data(rows, weight), GaussianModel(k, get_family(family), Ridge(ridge)))


def rng() -> np.random.RandomState:
    return np.random.RandomState(0)


# --- a labeled sample --------------------------------------------------------------------------


@pytest.mark.parametrize("family", ["full", "tied", "diag", "spherical"])
def test_a_labeled_sample_starts_with_its_own_m_step(family: str) -> None:
    sample = draw_sample(as_data(IRIS, np.arange(150) % 4 + 0.5), rng(), 60)
    labels = np.arange(60) % 3
    problem = problem_of(IRIS, 3, family)
    found = FromLabels(sample, labels).prepare(problem, rng())(problem).first_mixture(problem)
    shares = np.eye(3)[labels] * sample.weights[:, None]
    weights, means, covariances = naive_m_step(family, sample.rows, np.ones(60), shares, 1e-6)
    np.testing.assert_allclose(found.weights, weights, rtol=1e-10)
    np.testing.assert_allclose(found.means, means, rtol=1e-10)
    np.testing.assert_allclose(found.covariances, covariances, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("family", ["full", "diag", "VEV", "EVV", "spherical"])
def test_a_class_of_one_row_is_lent_a_covariance(family: str) -> None:
    labels = np.r_[0, 1, np.arange(148) % 2 + 2]
    problem = problem_of(IRIS, 4, family, ridge=0.0)
    sample = draw_sample(problem.data, rng())
    start = FromLabels(sample, labels).prepare(problem, rng())(problem)
    apart = IRIS - np.array([IRIS[labels == k].mean(axis=0) for k in range(4)])[labels]
    pooled = apart.T @ apart / 150
    matrices = start.statistics.second
    lent = pooled[np.tril_indices(4)] if matrices.shape[1] == 10 else pooled.diagonal()
    np.testing.assert_allclose(matrices[:2], np.tile(lent, (2, 1)), rtol=1e-10)
    assert np.isfinite(start.first_mixture(problem).full_covariances()).all()


def test_empty_classes_are_told() -> None:
    problem = problem_of(IRIS, 5)
    start = FromLabels(draw_sample(problem.data, rng()), np.arange(150) % 3).prepare(problem, rng())(problem)
    assert start.notes[0].startswith("Number of distinct clusters (3) found smaller than n_clusters (5)")
    np.testing.assert_allclose(start.first_mixture(problem).weights[3:], 0.0)


# --- starts that all families share ------------------------------------------------------------


def shared(rows: Any, weight: Any = None, **how: Any) -> SharedStarts:
    return SharedStarts(as_data(rows, weight), rng(), **how)


def test_shared_starts_do_not_depend_on_the_order_of_requests() -> None:
    one, other = shared(IRIS), shared(IRIS)
    for k in (2, 3, 4):
        one.starts(k)
    problem = problem_of(IRIS, 4)
    for a, b in zip(one.starts(4), other.starts(4), strict=True):
        starts = [start.prepare(problem, rng())(problem) for start in (a, b)]
        np.testing.assert_array_equal(starts[0].statistics.sums, starts[1].statistics.sums)
    assert one.starts(4) is one.starts(4)


def test_the_first_shared_start_is_the_tree_and_none_is_there_twice() -> None:
    starts = shared(IRIS)
    assert len(starts.starts(1)) == 1
    for k in (2, 3, 6):
        problem = problem_of(IRIS, k)
        found = [start.prepare(problem, rng())(problem).statistics.counts for start in starts.starts(k)]
        np.testing.assert_array_equal(np.sort(found[0]), np.sort(np.bincount(starts.trees[0].labels(k))))
        assert len({tuple(np.sort(counts)) for counts in found}) == len(found) > 1


def test_shared_starts_do_not_depend_on_units() -> None:
    scale, shift = np.array([1e-4, 1e4, 3.0, 1.0]), np.array([5.0, -1e3, 0.0, 1.0])
    problems = [problem_of(rows, 3) for rows in (IRIS, np.ascontiguousarray(IRIS * scale + shift))]
    found = [
        [
            start.prepare(problem, rng())(problem).statistics.counts
            for start in shared(problem.data.rows(np.arange(150))).starts(3)
        ]
        for problem in problems
    ]
    np.testing.assert_array_equal(found[0], found[1])


def test_k_means_of_the_shared_starts_is_scikit_learns() -> None:
    starts = shared(IRIS)
    seen = starts.trees[0].sample.seen_as("svd").rows
    problem = problem_of(IRIS, 3)
    counts = starts.starts(3)[1].prepare(problem, rng())(problem).statistics.counts
    wanted = np.bincount(KMeans(3, n_init=10, random_state=0).fit(seen).labels_)
    np.testing.assert_array_equal(np.sort(counts), np.sort(wanted))


# --- short runs --------------------------------------------------------------------------------


def short_run(problem: Problem, start: Any, n_passes: int) -> Any:
    step = EMStep(problem)
    return iterate(
        begin(step, start.first_mixture(problem)), step, RemainingGain(problem.data.total_weight), n_passes
    )


def test_the_most_likely_of_several_starts_goes_on() -> None:
    problem = problem_of(IRIS, 3)
    kinds = [FromNearestRows() for _ in range(6)]
    drawing = rng()
    alone = [short_run(problem, kind.prepare(problem, drawing)(problem), 4) for kind in kinds]
    start = BestOf(kinds, n_passes=4).prepare(problem, rng())(problem)
    best = max(alone, key=lambda run: run.trace.objectives[-1])
    assert len({run.trace.objectives[-1] for run in alone}) > 1
    assert start.mixture is not None
    np.testing.assert_array_equal(start.mixture.means, best.model.means)
    assert start.n_passes == sum(len(run.trace.events) for run in alone)
    own, _ = maximize(start.statistics, problem.model.structure, problem.model.prior)
    assert own.n_components == 3


def test_small_em_finds_more_than_one_of_its_starts() -> None:
    rows = np.concatenate(
        [np.random.RandomState(3).standard_normal((60, 2)) + 6 * np.eye(2)[k % 2] * (k + 1) for k in range(6)]
    )

    def found(start: Any) -> float:
        problem = problem_of(rows, 6)
        result = fit_mixture(problem, start, Settings(RemainingGain(360), 500), random_state=rng())
        return result.lower_bound

    single = min(found(FromNearestRows()), found(SmallEM(1)))
    assert found(SmallEM()) >= single


def test_rows_go_to_the_nearest_in_units_of_deviations() -> None:
    rows = np.ascontiguousarray(IRIS * np.array([1e-4, 1e4, 1.0, 1.0]))
    for far in (False, True):
        problems = [problem_of(X, 3) for X in (IRIS, rows)]
        counts = [FromNearestRows(far).prepare(p, rng())(p).statistics.counts for p in problems]
        np.testing.assert_array_equal(counts[0], counts[1])


def test_columns_without_spread_do_no_harm() -> None:
    rows = np.column_stack([IRIS[:, 0], np.full(150, 1e8)])
    problem = problem_of(rows, 2)
    start = FromNearestRows().prepare(problem, rng())(problem)
    assert start.statistics.counts.min() > 0


@pytest.mark.parametrize("init_params", ["hierarchical", "small_em"])
def test_the_estimator_takes_them_by_name(init_params: str) -> None:
    model = mixtura.GaussianMixture(3, init_params=init_params, random_state=0, tol=1e-9, max_iter=1000).fit(
        IRIS
    )
    assert model.lower_bound_ * 150 == pytest.approx(-180.1855, abs=1e-3)
    again = mixtura.GaussianMixture(3, init_params=init_params, random_state=0, tol=1e-9, max_iter=1000)
    np.testing.assert_array_equal(again.fit(IRIS).means_, model.means_)


def test_above_two_thousand_rows_the_answer_is_the_same_at_every_call() -> None:
    draw = np.random.RandomState(4)
    rows = draw.standard_normal((6000, 2)) + 5 * draw.randint(3, size=(6000, 1))
    one, other = (
        mixtura.GaussianMixture(3, init_params="hierarchical", random_state=7).fit(rows) for _ in range(2)
    )
    np.testing.assert_array_equal(one.means_, other.means_)
    np.testing.assert_allclose(np.sort(one.means_[:, 0]), [0.0, 5.0, 10.0], atol=0.2)


# --- from another mixture ----------------------------------------------------------------------


def test_a_mixture_is_a_start_for_another_family() -> None:
    found = mixtura.GaussianMixture(3, covariance_type="tied", random_state=0).fit(IRIS)
    shares = found.predict_proba(IRIS)
    for family in ("full", "EII", "VEV", "diag"):
        problem = problem_of(IRIS, 3, family)
        first = FromMixture(found.mixture_).prepare(problem, rng())(problem).first_mixture(problem)
        wanted = FromPartition(shares).prepare(problem, rng())(problem).first_mixture(problem)
        np.testing.assert_allclose(first.means, wanted.means, rtol=1e-9)
        np.testing.assert_allclose(first.covariances, wanted.covariances, rtol=1e-6, atol=1e-12)


# --- measured against a finished fit -----------------------------------------------------------

GOOD = FromPartition(np.repeat(np.arange(3), 50))
POOR = FromPartition(np.arange(150) % 3)


def best_of(*starts: Any, **how: Any) -> FitResult:
    problem = how.pop("problem", problem_of(IRIS, 3))
    return fit_best_of(problem, starts, Settings(RemainingGain(150.0, 1e-3), 1000), random_state=rng(), **how)


def test_the_most_likely_end_is_kept() -> None:
    for order in ((GOOD, POOR), (POOR, GOOD)):
        result = best_of(*order)
        assert result.best == order.index(GOOD)
        assert result.outcome is Outcome.CONVERGED
        assert result.lower_bound * 150 == pytest.approx(-180.1855, abs=1e-3)


def test_a_start_that_falls_behind_stops_there() -> None:
    alone = best_of(POOR).trace
    result = best_of(GOOD, POOR, schedule=[(4, 2.0)])
    assert len(result.traces[1].events) == 4 < len(alone.events)
    assert not result.traces[1].converged
    assert result.traces[1].objectives == alone.objectives[:4]
    assert len(best_of(GOOD, POOR, schedule=[]).traces[1].events) == len(alone.events)
    assert len(best_of(GOOD, POOR, schedule=[(4, 1e6)]).traces[1].events) == len(alone.events)


def test_ends_near_the_best_are_rivals_each_once() -> None:
    apart = 150 * (best_of(GOOD).lower_bound - best_of(POOR).lower_bound)
    assert apart > 1
    for order in ((GOOD, POOR, GOOD), (POOR, GOOD, POOR)):
        result = best_of(*order, schedule=[], near=2 * apart)
        (rival,) = result.rivals
        np.testing.assert_allclose(
            np.sort(rival.means, axis=0), np.sort(best_of(POOR).mixture.means, axis=0), atol=0.05
        )
        assert best_of(*order, schedule=[], near=apart / 2).rivals == ()
        assert best_of(*order).rivals == ()
    refused = best_of(GOOD, POOR, near=2 * apart, accept=lambda mixture: mixture.weights.min() > 0.25)
    assert all(one.weights.min() > 0.25 for one in refused.rivals)


def test_an_end_that_is_not_accepted_neither_wins_nor_sets_the_mark() -> None:
    refused = best_of(GOOD).mixture
    result = best_of(
        GOOD,
        POOR,
        schedule=[(4, 2.0)],
        accept=lambda mixture: not np.allclose(mixture.means, refused.means, rtol=1e-3),
    )
    assert result.best == 1
    assert result.traces[1].converged
    assert result.lower_bound < result.traces[0].objectives[-1]


def test_where_none_is_accepted_the_most_likely_is_kept() -> None:
    assert best_of(POOR, GOOD, accept=lambda mixture: False).best == 1


def test_a_start_that_cannot_begin_is_passed_over() -> None:
    bad = FromPartition(np.r_[0, 1, np.full(148, 2)])
    problem = problem_of(IRIS, 3, ridge=0.0)
    result = best_of(bad, GOOD, problem=problem)
    assert len(result.traces) == 1
    with pytest.raises(IllDefinedCovarianceError):
        best_of(bad, bad, problem=problem)


def test_one_start_alone_is_the_fit_from_it() -> None:
    problem = problem_of(IRIS, 3)
    wanted = fit_mixture(
        problem,
        INITIALIZATIONS["kmeans"],
        Settings(AbsoluteChange(1e-6), 200),
        random_state=rng(),
    )
    found = fit_best_of(
        problem, [INITIALIZATIONS["kmeans"]], Settings(AbsoluteChange(1e-6), 200), random_state=rng()
    )
    assert found.trace == wanted.trace
    np.testing.assert_array_equal(found.mixture.means, wanted.mixture.means)


def test_joined_components_have_the_moments_of_both_and_the_nearest_are_joined_first() -> None:
    weights, means = np.array([0.2, 0.3, 0.5]), np.array([[0.0, 0.0], [1.0, 0.5], [9.0, 9.0]])
    covariances = np.array([np.eye(2), [[2.0, 0.5], [0.5, 1.0]], 3 * np.eye(2)])
    three = Mixture.from_parameters(weights, means, covariances)
    found = join_components(three, 2)
    assert len(found) == 2
    first = found[0]
    assert first.weights == pytest.approx([0.5, 0.5])
    # The moments of a mixture of the two by themselves.
    both = Mixture.from_parameters(weights[:2] / 0.5, means[:2], covariances[:2])
    mean = both.weights @ means[:2]
    second = np.einsum("k,kij->ij", both.weights, covariances[:2])
    second += np.einsum("k,ki,kj->ij", both.weights, means[:2], means[:2])
    assert first.means[1] == pytest.approx(mean)
    assert first.covariances[1] == pytest.approx(second - np.outer(mean, mean))
    assert np.array_equal(first.means[0], means[2])
    assert {one.covariance_type for one in found} == {"full"}
    assert len(join_components(three, 9)) == 3


def test_joined_components_have_the_levels_of_both_and_unlike_levels_cost() -> None:
    """Of three components at one place those whose levels agree are joined first."""
    columns = DiscreteColumns((CATEGORICAL,), (np.array([0.5, 0.5]),))
    shares = np.array([[0.9, 0.8, 0.1], [0.1, 0.2, 0.9], [1.0, 1.0, 1.0]])
    three = Mixture.from_parameters([0.2, 0.6, 0.2], np.zeros((3, 1)), np.ones((3, 1, 1)))
    first = join_components(replace(three, levels=LevelTable(columns, np.log(shares))), 1)[0]
    assert first.weights == pytest.approx([0.2, 0.8])
    assert first.levels is not None
    assert np.exp(first.levels.logs[:2]) == pytest.approx(np.array([[0.1, 0.825], [0.9, 0.175]]))
    assert not first.levels.logs[2].any()


def test_random_partitions_are_added_where_rows_have_levels() -> None:
    """They are other ones for every number of components, and the same for the same seed."""
    generator = np.random.default_rng(0)
    numbers, levels = generator.normal(size=(60, 2)), generator.integers(2, size=(60, 1)).astype(np.int32)
    columns = DiscreteColumns((CATEGORICAL,), (np.array([0.5, 0.5]),))
    mixed = MixedRows(numbers, levels, columns)
    problem = Problem(as_data(mixed), GaussianModel(3, get_family("diag"), Ridge(1e-6), columns))
    once, again = (shared(mixed).starts(3) for _ in range(2))
    assert 4 < len(once) <= 8
    assert len(shared(numbers).starts(3)) <= 4
    counts = [one.prepare(problem, rng())(problem).statistics.counts for one in once[-4:]]
    same = [one.prepare(problem, rng())(problem).statistics.counts for one in again[-4:]]
    np.testing.assert_array_equal(counts, same)
    assert len({tuple(one) for one in counts}) == 4
    assert np.min(counts) > 10  # of 20 expected


def test_a_component_without_weight_is_joined_all_the_same() -> None:
    mixture = Mixture.from_parameters([0.0, 0.0, 1.0], [[0.0], [1.0], [5.0]], [1.0, 1.0, 1.0], "spherical")
    joined = join_components(mixture, 3)
    assert all(one.weights.sum() == pytest.approx(1.0) for one in joined)
    assert all(np.isfinite(one.means).all() for one in joined)
