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
from mixtura.core.covariance import FAMILIES
from mixtura.exceptions import MixturaError
from mixtura.fit import Outcome
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
