"""How a fit ends: each outcome reached by data, none by pretending."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

import mixtura
from mixtura.core.covariance import FAMILIES
from mixtura.core.maximize import RepairKind
from mixtura.exceptions import IllDefinedCovarianceError
from mixtura.fit import Outcome

TYPES = tuple(FAMILIES)


def blobs() -> Any:
    rng = np.random.RandomState(0)
    return rng.standard_normal((200, 2)) + 8 * rng.randint(2, size=(200, 1))


def test_every_outcome_explains_itself() -> None:
    explanations = [outcome.explanation for outcome in Outcome]
    assert len(set(explanations)) == len(explanations) == len(Outcome)
    assert all(len(text) > 20 for text in explanations)
    assert len({kind.value for kind in RepairKind}) == 2


def test_converged() -> None:
    result = mixtura.GaussianMixture(2, random_state=0).fit(blobs()).result_
    assert result.outcome is Outcome.CONVERGED
    assert result.converged
    assert result.repairs == ()
    events = result.trace.events
    assert [event.iteration for event in events] == list(range(1, result.n_iter + 1))
    assert abs(events[-1].change) < 1e-3
    assert all(abs(event.change) >= 1e-3 for event in events[:-1])
    # The objective that is recorded does not fall by rounding; the change is what was found.
    gain = events[-1].objective - events[-2].objective
    np.testing.assert_allclose(
        events[-1].change, gain, rtol=1e-7, atol=8 * np.spacing(abs(events[-1].objective))
    )


def test_a_result_says_in_a_line_how_it_ended() -> None:
    result = mixtura.GaussianMixture(2, random_state=0, n_init=3).fit(blobs()).result_
    assert str(result).startswith(f"converged after {result.n_iter} iterations, best of 3 starts; ")
    assert f"{result.kernel} kernel ({result.instruction_set})" in str(result)
    assert repr(result) == f"<FitResult: {result}>"


def test_iteration_limit() -> None:
    model = mixtura.GaussianMixture(2, max_iter=2, tol=0, random_state=0)
    with pytest.warns(ConvergenceWarning, match="did not converge.* increase max_iter, tol"):
        model.fit(blobs())
    assert model.result_.outcome is Outcome.ITERATION_LIMIT
    assert not model.converged_
    assert model.n_iter_ == 2


def test_not_iterated() -> None:
    """Without a warning: nothing was asked for."""
    model = mixtura.GaussianMixture(2, max_iter=0, random_state=0).fit(blobs())
    assert model.result_.outcome is Outcome.NOT_ITERATED
    assert not model.converged_
    assert model.lower_bound_ == -np.inf
    assert model.lower_bounds_ == []


@pytest.mark.parametrize("covariance_type", TYPES)
def test_repaired_where_a_component_loses_its_rows(covariance_type: str) -> None:
    X = blobs()
    model = mixtura.GaussianMixture(
        3, covariance_type=covariance_type, means_init=[[0, 0], [8, 8], [1e5, 1e5]], random_state=0
    ).fit(X)
    assert model.result_.outcome is Outcome.REPAIRED
    assert model.converged_
    assert {(repair.component, repair.kind) for repair in model.result_.repairs} == {(2, RepairKind.EMPTY)}
    assert model.weights_[2] == 0
    np.testing.assert_array_equal(model.means_[2], [1e5, 1e5])
    assert set(model.predict(X)) == {0, 1}
    # The other two are what two components alone come to.
    two = mixtura.GaussianMixture(
        2, covariance_type=covariance_type, means_init=[[0, 0], [8, 8]], random_state=0
    )
    np.testing.assert_allclose(model.means_[:2], two.fit(X).means_, atol=1e-2)


@pytest.mark.parametrize("covariance_type", ["full", "tied"])
def test_repaired_where_a_column_is_a_multiple_of_another(covariance_type: str) -> None:
    """The ridge is lost in the rounding of variances around 1e17."""
    rng = np.random.RandomState(3)
    x = rng.standard_normal(100) + 5 * rng.randint(2, size=100)
    X = 1e8 * np.column_stack([x, -3 * x, 0.1 * x])
    model = mixtura.GaussianMixture(2, covariance_type=covariance_type, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(X)
    assert {repair.kind for repair in model.result_.repairs} == {RepairKind.COLLAPSED}
    assert model.result_.outcome in (Outcome.REPAIRED, Outcome.ITERATION_LIMIT)
    for covariance in model.mixture_.full_covariances():
        np.linalg.cholesky(covariance)
    assert np.isfinite(model.score(X))


@pytest.mark.parametrize("covariance_type", TYPES)
def test_without_a_floor_a_start_without_width_is_an_error(covariance_type: str) -> None:
    model = mixtura.GaussianMixture(
        2, covariance_type=covariance_type, reg_covar=0, init_params=[0, 0, 0, 0, 1, 1]
    )
    X = np.repeat([[0.0, 0.0], [1.0, 1.0]], [4, 2], axis=0)
    with pytest.raises(
        IllDefinedCovarianceError, match=r"ill-defined empirical covariance.* increase reg_covar"
    ):
        model.fit(X)


def test_without_a_floor_a_component_that_collapses_keeps_its_last_width() -> None:
    X = np.vstack([np.random.RandomState(0).standard_normal((60, 1)), np.full((20, 1), 50.0)])
    labels = np.r_[np.zeros(59, int), 1, np.ones(20, int)]
    model = mixtura.GaussianMixture(2, reg_covar=0, init_params=labels, tol=0, max_iter=60)
    with pytest.warns(ConvergenceWarning):
        model.fit(X)
    assert (1, RepairKind.COLLAPSED) in {(repair.component, repair.kind) for repair in model.result_.repairs}
    assert model.covariances_[1, 0, 0] > 0
    steps = np.diff(model.lower_bounds_)
    assert (steps >= -1e-12 * np.abs(model.lower_bounds_).max()).all()


def smallest_share(model: Any) -> float:
    """The smallest eigenvalue of a covariance, as a share of its largest."""
    values = np.linalg.eigvalsh(model.mixture_.full_covariances())
    return float((values[:, 0] / values[:, -1]).min())


@pytest.mark.parametrize("covariance_type", TYPES)
def test_without_a_floor_a_scatter_without_width_keeps_the_last_covariances(covariance_type: str) -> None:
    """All rows of a cluster on a line, or on a point: some families then have no estimate; all have a model."""
    rng = np.random.RandomState(0)
    line = rng.standard_normal((30, 1)) * [1.0, 0.5, 0.0]
    X = np.vstack([rng.standard_normal((40, 3)) + 20, line, np.full((10, 3), -20.0)])
    soft = np.repeat(np.eye(3), [40, 30, 10], axis=0) + 1e-3
    model = mixtura.GaussianMixture(
        3, covariance_type=covariance_type, reg_covar=0, init_params=soft, tol=0, max_iter=40
    )
    with pytest.warns(ConvergenceWarning):
        model.fit(X)
    result = model.result_
    if covariance_type in ("full", "diag", "spherical", "VVE", "VEV", "VEE", "VEI", "EVV", "EVI", "EVE"):
        assert RepairKind.COLLAPSED in {repair.kind for repair in result.repairs}
    for value in (model.weights_, model.means_, model.covariances_, model.precisions_cholesky_):
        assert np.isfinite(value).all()
    assert smallest_share(model) > -1e-15
    assert model.mixture_.family.contains(model.mixture_.covariances, 3, 3)
    steps = np.diff(model.lower_bounds_)
    assert (steps >= -1e-12 * np.abs(model.lower_bounds_).max()).all()


@pytest.mark.sampled(3)
@pytest.mark.parametrize("reg_covar", [0.0, 1e-6, 0.1])
@pytest.mark.parametrize("shape", [(2, 1), (3, 1), (2, 4), (4, 3), (7, 2)])
@pytest.mark.parametrize("covariance_type", TYPES)
def test_few_rows_give_a_model_or_say_why(
    covariance_type: str, shape: tuple[int, int], reg_covar: float
) -> None:
    X = np.random.RandomState(sum(shape)).standard_normal(shape)
    for k in range(1, shape[0] + 1):
        model = mixtura.GaussianMixture(
            k, covariance_type=covariance_type, reg_covar=reg_covar, random_state=0
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            try:
                model.fit(X)
            except IllDefinedCovarianceError:
                assert reg_covar == 0
                continue
        full = model.mixture_.full_covariances()
        assert np.isfinite(full).all()
        assert smallest_share(model) > -1e-15
        assert model.mixture_.family.contains(model.mixture_.covariances, k, shape[1])
        assert np.isfinite(model.score(X))


def test_the_result_says_what_ran() -> None:
    with mixtura.set_threads(1):
        model = mixtura.GaussianMixture(2, n_init=4, init_params="random", random_state=2).fit(blobs())
    result, info = model.result_, mixtura.build_info()
    assert (result.kernel, result.instruction_set) == (info["kernel"], info["instruction_set"])
    assert result.n_threads == 1
    assert set(result.seconds) == {"initialization", "iterations"}
    assert all(seconds >= 0 for seconds in result.seconds.values())
    assert len(result.traces) == 4
    ends = [trace.objectives[-1] for trace in result.traces]
    assert result.lower_bound == max(ends) == ends[result.best]
    assert result.trace is result.traces[result.best]


def test_too_few_distinct_rows_are_told_of() -> None:
    X = np.repeat([[0.0], [1.0]], 10, axis=0)
    with pytest.warns(
        ConvergenceWarning, match=r"distinct clusters \(2\) found smaller than n_clusters \(3\)"
    ):
        model = mixtura.GaussianMixture(3, random_state=0).fit(X)
    assert len(model.result_.notes) == 1
    assert np.isfinite(model.covariances_).all()


def test_of_starts_that_end_alike_the_first_is_kept() -> None:
    """Which one rounding favors is chance; with it the order of the components would be."""
    X = np.random.RandomState(1).standard_normal((400, 3)) + 20 * (np.arange(400) % 4)[:, None]
    for seed in range(6):
        result = mixtura.GaussianMixture(4, n_init=8, random_state=seed).fit(X).result_
        ends = np.array([trace.objectives[-1] for trace in result.traces])
        alike = np.flatnonzero(ends > ends.max() - 1e-12 * abs(ends.max()))
        assert alike.size > 1
        assert result.best == alike[0]
