"""EM that leaves out unlikely components on the way ends where EM that counts all does."""

from __future__ import annotations

import numpy as np
import pytest

from mixtura import GaussianMixture
from mixtura.core.covariance import get_family
from mixtura.core.model import GaussianModel
from mixtura.core.prior import Ridge
from mixtura.engine import as_data
from mixtura.fit import PassKind, Problem, TruncatedEMStep, begin, take
from mixtura.fit.checkpoint import from_arrays, to_arrays

K, NEGLIGIBLE = 80, 1e-3


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(0)
    return rng.normal(0, 4, (K, 3))[rng.integers(0, K, 3000)] + rng.normal(size=(3000, 3))


@pytest.fixture(scope="module", params=["full", "diag", "tied"])
def fits(request, rows):
    def fit(negligible):
        means = rows[:K]
        mixture = GaussianMixture(
            K,
            covariance_type=request.param,
            means_init=means,
            random_state=0,
            max_iter=400,
            tol=1e-4,
            negligible=negligible,
            init_params="random_from_data",
        )
        return mixture.fit(rows)

    return fit(0.0), fit(1e-12), fit(NEGLIGIBLE)


def test_it_ends_at_the_same_likelihood(fits):
    exact, default, truncated = (fit.lower_bound_ for fit in fits)
    np.testing.assert_allclose(default, exact, rtol=1e-9)
    np.testing.assert_allclose(truncated, exact, rtol=1e-6)


def test_the_last_pass_counts_all_and_tells_the_gap(fits):
    exact, _, truncated = fits
    trace = truncated.result_.trace
    assert truncated.converged_
    assert exact.result_.trace.gap is None
    kinds = [event.kind for event in trace.events]
    n_bounds = kinds.count(PassKind.TRUNCATED)
    assert 1 < n_bounds < len(kinds)
    assert kinds == [PassKind.TRUNCATED] * n_bounds + [PassKind.PLAIN] * (len(kinds) - n_bounds)
    assert trace.gap is not None
    assert 0 <= trace.gap <= -np.log1p(-NEGLIGIBLE)
    assert trace.gap == pytest.approx(trace.objectives[n_bounds] - trace.objectives[n_bounds - 1], abs=1e-12)


def test_the_bound_does_not_fall_by_more_than_is_left_out(fits):
    changes = np.diff(fits[2].lower_bounds_)
    assert changes.min() >= np.log1p(-NEGLIGIBLE)


def test_verbose_prints_the_gap(rows, capsys):
    means = rows[:K]
    GaussianMixture(
        K, means_init=means, init_params="random_from_data", verbose=1, negligible=NEGLIGIBLE
    ).fit(rows)
    assert "Components left out: the bound was" in capsys.readouterr().out


def test_a_saved_state_goes_on_to_the_last_bit(rows):
    problem = Problem(as_data(rows), GaussianModel(K, get_family("diag"), Ridge(1e-6)))
    start = GaussianMixture(
        K, covariance_type="diag", means_init=rows[:K], init_params="random_from_data", max_iter=0
    )
    step = TruncatedEMStep(problem, NEGLIGIBLE, 1e-2)
    state = begin(step, start.fit(rows).mixture_)
    for _ in range(20):
        other = from_arrays(to_arrays(state))
        state, again = (take(one, *step(one.step))[0] for one in (state, other))
        assert state.events == again.events
        np.testing.assert_array_equal(state.model.means, again.model.means)
    assert state.step.exact


@pytest.mark.parametrize("negligible", [-1e-9, 1.0])
def test_a_share_that_is_none_is_refused(rows, negligible):
    with pytest.raises(ValueError, match="negligible"):
        GaussianMixture(2, negligible=negligible).fit(rows)
