"""K-means is the limit of a mixture with one spherical covariance for all, as that becomes narrow."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

import mixtura
from mixtura.core.accumulate import accumulate
from mixtura.core.mixture import Mixture
from mixtura.core.moments import DENSE, FIRST, Moments
from mixtura.core.protocols import Block
from mixtura.kernels import get_kernel
from naive import naive_lloyd

K, NARROW = 4, 1e-7


def rows_and_centers(offset: float = 0.0) -> tuple[Any, Any]:
    rng = np.random.RandomState(6)
    X = rng.standard_normal((200, 3)) + 3 * rng.randint(4, size=(200, 1)) + offset
    return X, X[rng.choice(200, K, replace=False)]


def narrow(centers: Any) -> Mixture:
    return Mixture.from_parameters(
        np.full(K, 1 / K), centers, NARROW * np.eye(centers.shape[1]), covariance_type="tied"
    )


@pytest.mark.parametrize("moments", [FIRST, DENSE])
@pytest.mark.parametrize("weighted", [False, True])
def test_means_of_a_narrow_mixture_move_like_centers(moments: Moments, weighted: bool) -> None:
    X, centers = rows_and_centers()
    weight = np.random.RandomState(1).uniform(0.5, 2, len(X)) if weighted else None
    means = centers
    for n_iter in range(1, 6):
        sums = accumulate(Block(X, weight, 0, 0), narrow(means).components(moments), get_kernel())
        means = sums.means + sums.first / sums.counts[:, None]
        np.testing.assert_allclose(means, naive_lloyd(X, centers, n_iter, weight)[0], rtol=1e-9)


@pytest.mark.parametrize("offset", [0.0, 1e8])
@pytest.mark.parametrize("n_iter", [1, 2, 5])
def test_kmeans_is_that_limit(n_iter: int, offset: float) -> None:
    X, centers = rows_and_centers(offset)
    model = mixtura.KMeans(K, init=centers, max_iter=n_iter, tol=0).fit(X)
    wanted, labels, inertia = naive_lloyd(X - offset, centers - offset, n_iter)
    np.testing.assert_allclose(
        model.cluster_centers_ - offset, wanted, rtol=1e-9, atol=4 * np.spacing(offset)
    )
    np.testing.assert_array_equal(model.labels_, labels)
    np.testing.assert_allclose(model.inertia_, inertia, rtol=1e-7 if offset else 1e-12)
    mixture = narrow(model.cluster_centers_)
    np.testing.assert_array_equal(mixture.predict(X), labels)
    np.testing.assert_allclose(mixture.responsibilities(X).max(axis=1), 1.0, rtol=1e-12)
    # The log-likelihood is the inertia, in units of the variance, and a constant.
    constant = len(X) * (-np.log(K) - 1.5 * np.log(2 * np.pi * NARROW))
    found = -2 * NARROW * (mixture.log_likelihood(X) - constant)
    np.testing.assert_allclose(found, inertia, rtol=1e-6)


def test_a_fit_from_a_narrow_start_begins_with_a_step_of_kmeans() -> None:
    X, centers = rows_and_centers()
    model = mixtura.GaussianMixture(
        K,
        covariance_type="tied",
        means_init=centers,
        weights_init=np.full(K, 1 / K),
        precisions_init=np.eye(3) / NARROW,
        max_iter=1,
    )
    with pytest.warns(ConvergenceWarning):
        model.fit(X)
    np.testing.assert_allclose(model.means_, naive_lloyd(X, centers, 1)[0], rtol=1e-9)
