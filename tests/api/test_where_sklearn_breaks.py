"""Where scikit-learn loses its digits: ours against a naive float64 loop on the same data near the origin.

The start is made by its definition, outside mixtura; then so many EM iterations are run by the loop.
The rows are multiples of 1/256, so that adding an offset to them is exact.
"""

from __future__ import annotations

import warnings
from functools import cache
from typing import Any

import numpy as np
import pytest
import sklearn.mixture
from sklearn.cluster import KMeans, kmeans_plusplus
from sklearn.exceptions import ConvergenceWarning

import mixtura
from naive import naive_e_step, naive_em, naive_full_covariances, naive_m_step

TYPES = ("full", "tied", "diag", "spherical")
STARTS = ("kmeans", "k-means++", "random", "random_from_data")
K, RIDGE, SEED = 3, 1e-6, 4


@cache
def near_rows() -> Any:
    rng = np.random.RandomState(11)
    spread = rng.standard_normal((120, 3)) @ np.array([[2.0, 0.0, 0.0], [0.7, 1.0, 0.0], [0.2, -0.4, 1.5]])
    centers = np.array([[0.0, 0.0, 0.0], [6.0, -2.0, 3.0], [-3.0, 5.0, 2.0]])
    return np.round((spread + centers[rng.randint(3, size=120)]) * 256) / 256


def from_single_rows(covariance_type: str, X: Any, seeds: Any, offset: float) -> tuple[Any, Any, Any]:
    """Equal weights, rows as means, and no width but the ridge; a shared covariance as scikit-learn begins it,
    ``(sum x x^T - sum_k m_k m_k^T) / K`` about the origin, or about the mean of the rows where that is too far."""
    means, d = X[seeds], X.shape[1]
    center = X.mean(axis=0) if offset > 1e4 * X.std() else np.full(d, -offset)
    rows, apart = X - center, means - center
    ridge = RIDGE * np.eye(d)
    covariances = {
        "full": np.repeat(ridge[None], K, axis=0),
        "tied": (rows.T @ rows - apart.T @ apart) / K + ridge,
        "diag": np.full((K, d), RIDGE),
        "spherical": np.full(K, RIDGE),
    }
    return np.full(K, 1 / K), means, covariances[covariance_type]


def start(covariance_type: str, init_params: str, X: Any, offset: float = 0.0) -> tuple[Any, Any, Any]:
    """The first mixture that scikit-learn's documentation describes, for ``X + offset``, less the offset."""
    rng, n = np.random.RandomState(SEED), len(X)
    if init_params == "random_from_data":
        return from_single_rows(covariance_type, X, rng.choice(n, K, replace=False), offset)
    if init_params == "k-means++":
        return from_single_rows(covariance_type, X, kmeans_plusplus(X, K, random_state=rng)[1], offset)
    if init_params == "random":
        shares = rng.uniform(size=(n, K))
        shares /= shares.sum(axis=1, keepdims=True)
    else:
        shares = np.eye(K)[KMeans(K, n_init=1, random_state=rng).fit(X).labels_]
    return naive_m_step(covariance_type, X, [1.0] * n, shares, RIDGE)


def check(covariance_type: str, init_params: str, rows: Any, near: Any, offset: float, n_iter: int) -> None:
    model = mixtura.GaussianMixture(
        K, covariance_type=covariance_type, init_params=init_params, tol=0, max_iter=n_iter, random_state=SEED
    )
    with pytest.warns(ConvergenceWarning, match="did not converge"):
        model.fit(rows)
    first = start(covariance_type, init_params, near, offset)
    weights, means, covariances, bounds = naive_em(covariance_type, near, *first, n_iter, ridge=RIDGE)
    found = model.mixture_
    resolution = 4 * np.spacing(offset)
    np.testing.assert_allclose(found.weights, weights, rtol=1e-6)
    np.testing.assert_allclose(found.means - offset, means, rtol=1e-6, atol=1e-6 + resolution)
    np.testing.assert_allclose(found.covariances, covariances, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(model.lower_bounds_[1:], bounds[1:], rtol=1e-6)
    full = naive_full_covariances(covariance_type, covariances, K, near.shape[1])
    log_densities, memberships = naive_e_step(near, weights, means, full)
    single = rows.dtype == np.float32
    np.testing.assert_allclose(model.score_samples(rows), log_densities, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(model.score(rows), log_densities.mean(), rtol=1e-6)
    np.testing.assert_allclose(
        model.predict_proba(rows), memberships, atol=1e-6, rtol=1e-4 if single else 1e-6
    )


@pytest.mark.sampled(3)
@pytest.mark.parametrize("init_params", STARTS)
@pytest.mark.parametrize("covariance_type", TYPES)
def test_data_shifted_by_1e8(covariance_type: str, init_params: str) -> None:
    near = near_rows()
    far = near + 1e8
    assert (far - 1e8 == near).all()
    check(covariance_type, init_params, far, near, 1e8, n_iter=12)


@pytest.mark.sampled(3)
@pytest.mark.parametrize("init_params", STARTS)
@pytest.mark.parametrize("covariance_type", TYPES)
def test_float32_far_from_the_origin(covariance_type: str, init_params: str) -> None:
    near = near_rows()
    far = (near + 1000).astype(np.float32)
    assert (far.astype(np.float64) - 1000 == near).all()
    check(covariance_type, init_params, far, near, 1000.0, n_iter=12)


@pytest.mark.parametrize("init_params", ["k-means++", "random_from_data"])
@pytest.mark.parametrize("covariance_type", TYPES)
def test_single_rows_start_a_mixture_whose_weights_sum_to_one(covariance_type: str, init_params: str) -> None:
    X = near_rows()
    arguments: dict[str, Any] = {"covariance_type": covariance_type, "init_params": init_params}
    model = mixtura.GaussianMixture(K, max_iter=0, random_state=SEED, **arguments).fit(X)
    weights, means, covariances = start(covariance_type, init_params, X)
    np.testing.assert_allclose(model.weights_, weights, rtol=1e-12)
    np.testing.assert_allclose(model.means_, means, rtol=1e-12)
    # The width of a single row is the rounding of x^2 - x^2, and the ridge.
    np.testing.assert_allclose(model.covariances_, covariances, rtol=1e-6, atol=1e-12)
    theirs = sklearn.mixture.GaussianMixture(K, max_iter=0, random_state=SEED, **arguments).fit(X)
    assert theirs.weights_.sum() == pytest.approx(K / len(X))


@pytest.mark.parametrize("covariance_type", ["tied", "diag", "spherical"])
def test_scikit_learn_fails_there(covariance_type: str) -> None:
    """Were it mended, the documentation would have to say so."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = sklearn.mixture.GaussianMixture(K, covariance_type=covariance_type, random_state=SEED)
        with pytest.raises(ValueError, match="ill-defined empirical covariance"):
            theirs.fit(near_rows() + 1e8)


def test_kmeans_far_from_the_origin() -> None:
    """Distances by ``|x|^2 - 2 x c + |c|^2`` would be rounding alone."""
    near = near_rows()
    far = mixtura.KMeans(K, random_state=0).fit(near + 1e8)
    wanted = KMeans(K, random_state=0).fit(near)
    np.testing.assert_allclose(far.cluster_centers_ - 1e8, wanted.cluster_centers_, atol=1e-7)
    np.testing.assert_array_equal(far.labels_, wanted.labels_)
    np.testing.assert_allclose(far.inertia_, wanted.inertia_, rtol=1e-8)
    np.testing.assert_allclose(far.transform(near + 1e8), wanted.transform(near), rtol=1e-6)
    np.testing.assert_allclose(-far.score(near + 1e8), wanted.inertia_, rtol=1e-7)
