"""When fits end, and what is said to be left."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture

from mixtura.fit import Outcome, RemainingGain
from mixtura.fit.loop.stopping import Progress, remaining_gain, without_rounding
from mixtura.fit.loop.trace import Event, Trace
from mixtura.select import search

ROUNDING = 1.7763568394002505e-15


def progress(*changes: float) -> Progress:
    return Progress(-10.27, changes, float("nan"), -1)


def test_the_gain_left_is_the_sum_of_a_geometric_series() -> None:
    assert remaining_gain(0.25, 0.5) == pytest.approx(sum(0.25 * 0.5**j for j in range(1, 60)))
    assert remaining_gain(0.5, 0.25) == float("inf")
    assert remaining_gain(-1e-3, 0.25) == 0.0


def test_changes_that_are_rounding_are_none() -> None:
    assert without_rounding((ROUNDING, -ROUNDING, 1e-9), -10.27) == (0.0, 0.0, 1e-9)
    assert without_rounding((ROUNDING, -3e-14), -0.1) == (0.0, -3e-14)


def test_an_end_at_which_the_last_digit_alternates_is_an_end() -> None:
    stop = RemainingGain(200.0, 1e-4)
    assert stop(progress(ROUNDING, -ROUNDING, ROUNDING))
    assert not stop(progress(2e-3, 1e-3, ROUNDING))
    events = (Event(1, -10.27, float("inf")), Event(2, -10.27, -ROUNDING), Event(3, -10.27, ROUNDING))
    assert Trace(events).remaining_gain == 0.0
    assert Trace(events[:1]).remaining_gain == float("inf")


@pytest.mark.parametrize("seed", [1, 13, 18, 20, 26, 28])
def test_one_component_is_found_in_a_few_passes(seed: int) -> None:
    rows = np.random.default_rng(seed).normal(size=(200, 3)) * [1, 5, 100] + [0, 50, 1000]
    found = search(rows, components=[1], covariance_types=["tied", "diag", "EEV", "VVE"])
    for one in found.candidates:
        assert one.outcome is Outcome.CONVERGED
        assert one.n_iter < 20


def test_falls_count_where_the_objective_may_fall() -> None:
    stop, either = RemainingGain(1000.0), RemainingGain(1000.0, may_fall=True)
    falling = progress(-1e-2, -2e-2, -4e-2)
    assert stop(falling) is Outcome.CONVERGED
    assert either(falling) is None
    assert either(progress(-1e-6, -2e-6, -4e-6)) is Outcome.CONVERGED
    assert either(progress(-2e-2, -1e-2, 1e-2)) is None


@pytest.mark.parametrize(("ridge", "apart", "seed"), [(0.5, 2.0, 0), (0.1, 1.5, 0), (0.01, 2.5, 0)])
def test_with_a_ridge_a_search_ends_where_scikit_learn_ends_though_the_likelihood_falls(
    ridge: float, apart: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(1000, 2)) + apart * rng.integers(0, 3, size=(1000, 1)) * [1.0, 0.3]
    rows = (rows - rows.mean(axis=0)) / rows.std(axis=0)
    found = search(rows, components=[3], covariance_types=["full"], prior=ridge).best
    assert found.outcome is Outcome.CONVERGED
    assert found.mixture is not None
    further = GaussianMixture(
        3,
        reg_covar=ridge,
        tol=0.0,
        max_iter=200,
        weights_init=found.mixture.weights,
        means_init=found.mixture.means,
        precisions_init=np.linalg.inv(found.mixture.full_covariances()),
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        further.fit(rows)
    assert found.log_likelihood == pytest.approx(1000 * further.score(rows), abs=0.02)
