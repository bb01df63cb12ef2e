"""The log-likelihood never falls, whatever the family, the weights and the start (Dempster et al. 1977)."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_iris, load_wine
from sklearn.exceptions import ConvergenceWarning

import mixtura
from mixtura.core.covariance import FAMILIES
from naive import naive_em, naive_full_covariances, naive_m_step

TYPES = ("full", "tied", "diag", "spherical")


def table(name: str) -> Any:
    rng = np.random.RandomState(3)
    return {
        "iris": lambda: load_iris().data,
        "wine": lambda: load_wine().data,
        "no clusters": lambda: rng.random_sample((300, 3)),
        "far away": lambda: rng.standard_normal((300, 2)) + np.array([1e6, -1e6]),
        "heavy tails": lambda: rng.standard_t(2, size=(400, 2)),
        "float32": lambda: (rng.standard_normal((300, 3)) + 50).astype(np.float32),
    }[name]()


@pytest.mark.sampled(4)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("start", ["kmeans", "random", "partition"])
@pytest.mark.parametrize("covariance_type", FAMILIES)
@pytest.mark.parametrize("name", ["iris", "wine", "no clusters", "far away", "heavy tails", "float32"])
def test_no_iteration_loses_likelihood(name: str, covariance_type: str, start: str, weighted: bool) -> None:
    X = table(name)
    rng = np.random.RandomState(0)
    weight = rng.exponential(size=len(X)) if weighted else None
    init: Any = rng.dirichlet(np.ones(3), size=len(X)) if start == "partition" else start
    model = mixtura.GaussianMixture(
        3, covariance_type=covariance_type, init_params=init, reg_covar=0, tol=0, max_iter=80, random_state=1
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(X, sample_weight=weight)
    bounds = np.array(model.lower_bounds_)
    assert len(bounds) > 3
    steps = np.diff(bounds)
    assert (steps >= -1e-12 * np.abs(bounds).max()).all()
    assert bounds[-1] > bounds[0]


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("covariance_type", TYPES)
def test_each_iteration_is_the_plain_loop(covariance_type: str, weighted: bool) -> None:
    rng = np.random.RandomState(8)
    X = rng.standard_normal((50, 2)) + 3 * rng.randint(2, size=(50, 1))
    weight = rng.uniform(0.2, 3, 50) if weighted else np.ones(50)
    shares = rng.dirichlet(np.ones(3), size=50)
    first = naive_m_step(covariance_type, X, weight, shares, 1e-3)
    wanted = naive_em(covariance_type, X, *first, 10, weight, 1e-3)
    model = mixtura.GaussianMixture(
        3, covariance_type=covariance_type, init_params=shares, reg_covar=1e-3, tol=0, max_iter=10
    )
    with pytest.warns(ConvergenceWarning):
        model.fit(X, sample_weight=weight if weighted else None)
    np.testing.assert_allclose(model.weights_, wanted[0], rtol=1e-9)
    np.testing.assert_allclose(model.means_, wanted[1], rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(model.covariances_, wanted[2], rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(model.lower_bounds_, wanted[3], rtol=1e-10)
    full = naive_full_covariances(covariance_type, wanted[2], 3, 2)
    np.testing.assert_allclose(model.mixture_.full_covariances(), full, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("n_iter", [1, 4])
@pytest.mark.parametrize("covariance_type", TYPES)
def test_components_far_apart_for_their_width_keep_their_digits(covariance_type: str, n_iter: int) -> None:
    """Nothing of a covariance within is left when the scatter between is subtracted from the total."""
    rng = np.random.RandomState(4)
    labels = np.arange(60) % 3
    X = 1e-3 * rng.standard_normal((60, 2)) @ np.array([[1.0, 0.8], [0.0, 0.5]]) + 1e6 * labels[:, None]
    first = naive_m_step(covariance_type, X, np.ones(60), np.eye(3)[labels], 0.0)
    _, means, covariances, bounds = naive_em(covariance_type, X, *first, n_iter)
    model = mixtura.GaussianMixture(
        3, covariance_type=covariance_type, init_params=labels, reg_covar=0, tol=0, max_iter=n_iter
    )
    with pytest.warns(ConvergenceWarning):
        model.fit(X)
    np.testing.assert_allclose(model.means_, means, rtol=1e-14)
    # Rows near 2e6 are multiples of 2e-10, a ten-millionth of the width.
    np.testing.assert_allclose(model.covariances_, covariances, rtol=1e-6, atol=1e-13)
    np.testing.assert_allclose(model.lower_bounds_, bounds, rtol=1e-7)
