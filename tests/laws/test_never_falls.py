"""On tables where digits get lost the objective does not fall, and where scikit-learn is right we are what it is.

Right is what 50 digits give: `exact.py`.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import sklearn.mixture
from sklearn.exceptions import ConvergenceWarning

import mixtura
from exact import exact_lower_bounds
from mixtura.core.covariance import FAMILIES, get_family
from mixtura.core.model import GaussianModel
from mixtura.engine import as_data
from mixtura.exceptions import MixturaError
from mixtura.fit import EMStep, Outcome, Problem
from mixtura.select.priors import make_prior
from scales import hard_table

pytestmark = pytest.mark.no_cover  # what it runs is covered elsewhere; tracing takes half of its time


@pytest.fixture(autouse=True)
def unconverged_fits_are_no_news() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.simplefilter("ignore", RuntimeWarning)
        yield


@pytest.mark.parametrize("decade", range(20))
def test_the_objective_never_falls(decade: int) -> None:
    for seed in range(10 * decade, 10 * decade + 10):
        made = hard_table(seed, covariance_types=tuple(FAMILIES) if seed % 2 else ("full", "tied"))
        try:
            model = mixtura.GaussianMixture(**made.settings).fit(made.rows)
        except MixturaError:
            continue  # sums that overflow, said so
        assert np.isfinite(model.lower_bounds_).all(), seed
        assert (np.diff(model.lower_bounds_) >= 0).all(), seed
        assert model.lower_bound_ == model.lower_bounds_[-1]
        if model.result_.outcome is Outcome.REJECTED:
            assert model.result_.trace.outcome is Outcome.REJECTED
            assert not model.converged_


@pytest.mark.parametrize("name", FAMILIES)
def test_nor_where_components_lie_on_lines(name: str) -> None:
    """Of one volume, a component on a line would be so long that its covariance has no digits left: it is not taken."""
    family, lines = get_family(name), 0
    for seed in range(25):
        rng, d = np.random.default_rng(seed), 2 + seed % 3
        ranks = rng.integers(1, d + 1, size=3)
        parts = [5.0 * rng.normal(size=d) + rng.normal(size=(12, r)) @ rng.normal(size=(r, d)) for r in ranks]
        lines += (ranks == 1).any()
        data = as_data(np.vstack(parts))
        problem = Problem(data, GaussianModel(3, family, make_prior("floor", data.total, 3)))
        shares = data.state_of(0.9 * np.repeat(np.eye(3), 12, axis=0) + 0.1 / 3)
        means = np.repeat(data.mean, 3, axis=0)
        step = EMStep(problem)
        state, before = (
            step.init(problem.model.maximize(data.given(means, family.moments[-1], shares))[0]),
            -np.inf,
        )
        for _ in range(25):
            state, found = step(state)
            rounding = found.noise() if found.noise is not None else 0.0
            assert found.objective >= before - max(1e-9 * abs(before), rounding), seed
            before = found.objective
    assert lines > 10


def their_lower_bounds(made: Any) -> Any:
    try:
        bounds = np.array(sklearn.mixture.GaussianMixture(**made.settings).fit(made.rows).lower_bounds_)
    except ValueError:
        return np.array([np.nan])
    if made.init_params == "random_from_data":
        bounds[0] += np.log(len(made.rows) / made.n_components)
    return bounds


def same(found: Any, wanted: Any) -> bool:
    return len(found) == len(wanted) and np.allclose(found, wanted, rtol=1e-6, atol=0)


@pytest.mark.sampled(3)
@pytest.mark.parametrize("decade", range(8))
def test_where_scikit_learn_is_right_the_bounds_are_the_same(decade: int) -> None:
    n_right = 0
    for seed in range(10 * decade, 10 * decade + 10):
        made = hard_table(seed, small=True)
        theirs = their_lower_bounds(made)
        if not np.isfinite(theirs).all():
            continue
        arguments = (made.n_components, made.covariance_type, made.init_params)
        exact = exact_lower_bounds(made.rows, *arguments, max_iter=min(len(theirs) + 1, 50))
        if same(theirs, exact):
            n_right += 1
            ours = mixtura.GaussianMixture(**made.settings).fit(made.rows).lower_bounds_
            assert same(ours, exact), (seed, ours, exact)
    assert n_right >= 3
