"""What must not matter: the order of rows and columns, the units, the origin; and what they must do."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.stats import ortho_group
from sklearn.datasets import load_iris

import mixtura
from mixtura.core.covariance import FAMILIES

TYPES = tuple(FAMILIES)


def rows_and_shares() -> tuple[Any, Any]:
    return load_iris().data, np.random.RandomState(0).dirichlet(np.ones(3), size=150)


def fitted(X: Any, partition: Any, covariance_type: str, **parameters: Any) -> Any:
    model = mixtura.GaussianMixture(3, covariance_type=covariance_type, init_params=partition, **parameters)
    return model.fit(X)


@pytest.mark.parametrize("covariance_type", TYPES)
def test_the_order_of_rows(covariance_type: str) -> None:
    X, shares = rows_and_shares()
    order = np.random.RandomState(1).permutation(len(X))
    a, b = fitted(X, shares, covariance_type), fitted(X[order], shares[order], covariance_type)
    assert a.n_iter_ == b.n_iter_
    np.testing.assert_allclose(a.lower_bound_, b.lower_bound_, rtol=1e-12)
    np.testing.assert_allclose(a.means_, b.means_, rtol=1e-9)
    np.testing.assert_allclose(a.covariances_, b.covariances_, rtol=1e-8, atol=1e-12)
    np.testing.assert_allclose(a.predict_proba(X)[order], b.predict_proba(X[order]), atol=1e-9)


@pytest.mark.parametrize("covariance_type", TYPES)
def test_the_order_of_columns(covariance_type: str) -> None:
    X, shares = rows_and_shares()
    order = np.array([2, 0, 3, 1])
    a, b = fitted(X, shares, covariance_type), fitted(X[:, order], shares, covariance_type)
    np.testing.assert_allclose(a.means_[:, order], b.means_, rtol=1e-9)
    full = a.mixture_.full_covariances()[:, order[:, None], order]
    np.testing.assert_allclose(full, b.mixture_.full_covariances(), rtol=1e-8, atol=1e-12)
    np.testing.assert_allclose(a.predict_proba(X), b.predict_proba(X[:, order]), atol=1e-9)


@pytest.mark.parametrize("covariance_type", TYPES)
def test_the_numbering_of_components(covariance_type: str) -> None:
    X, shares = rows_and_shares()
    order = np.array([2, 0, 1])
    a, b = fitted(X, shares, covariance_type), fitted(X, shares[:, order], covariance_type)
    np.testing.assert_allclose(a.means_[order], b.means_, rtol=1e-9)
    np.testing.assert_allclose(a.weights_[order], b.weights_, rtol=1e-9)
    np.testing.assert_allclose(a.lower_bound_, b.lower_bound_, rtol=1e-12)


def maps() -> dict[str, Any]:
    rng = np.random.RandomState(2)
    rotation = ortho_group.rvs(4, random_state=rng)
    return {
        "any": rng.standard_normal((4, 4)) + 2 * np.eye(4),
        "units": np.diag([1e-3, 1.0, 50.0, -2.0]),
        "rotation": 7.0 * rotation,
        "large": 1e60 * np.eye(4),
        "small": 1e-60 * np.eye(4),
    }


FOLLOWS_ANY = ("full", "tied", "VEE", "EVV")
FOLLOWS_UNITS = ("diag", "EEI", "VEI", "EVI")
FOLLOWS_ROTATIONS = ("spherical", "EII", "EVE", "VVE", "EEV", "VEV")
EQUIVARIANT = [
    *((kind, name) for kind in FOLLOWS_ANY for name in maps()),
    *((kind, name) for kind in FOLLOWS_UNITS for name in ("units", "large", "small")),
    *((kind, name) for kind in FOLLOWS_ROTATIONS for name in ("rotation", "large", "small")),
]


def test_every_family_follows_some_map() -> None:
    assert {kind for kind, _ in EQUIVARIANT} == set(FAMILIES)


@pytest.mark.parametrize(("covariance_type", "name"), EQUIVARIANT)
def test_a_map_of_the_rows_maps_the_fit(covariance_type: str, name: str) -> None:
    """Without a ridge, which has units, the families follow the maps they are closed under."""
    X, shares = rows_and_shares()
    matrix, shift = maps()[name], np.array([1.0, -3.0, 100.0, 0.5])
    shift = shift * np.abs(matrix).max()
    arguments: dict[str, Any] = {"reg_covar": 0.0}
    before = fitted(X, shares, covariance_type, **arguments)
    after = fitted(X @ matrix.T + shift, shares, covariance_type, **arguments)
    assert before.n_iter_ == after.n_iter_
    np.testing.assert_allclose(after.weights_, before.weights_, rtol=1e-6)
    np.testing.assert_allclose(after.means_, before.means_ @ matrix.T + shift, rtol=1e-6)
    full = matrix @ before.mixture_.full_covariances() @ matrix.T
    error = 1e-6 * np.sqrt(np.einsum("kii,kjj->kij", full, full))
    assert (np.abs(after.mixture_.full_covariances() - full) <= error).all()
    jacobian = np.linalg.slogdet(matrix)[1]
    np.testing.assert_allclose(after.lower_bound_, before.lower_bound_ - jacobian, rtol=1e-7)
    mapped = before.mixture_.affine(matrix, shift)
    np.testing.assert_allclose(
        mapped.log_density(X @ matrix.T + shift), before.score_samples(X) - jacobian, rtol=1e-7
    )


@pytest.mark.sampled(3)
@pytest.mark.parametrize("init_params", ["kmeans", "random", "random_from_data", "k-means++"])
@pytest.mark.parametrize("covariance_type", TYPES)
def test_a_shift_by_1e8_shifts_the_fit(covariance_type: str, init_params: str) -> None:
    rng = np.random.RandomState(5)
    X = np.round((rng.standard_normal((200, 3)) + 4 * rng.randint(3, size=(200, 1))) * 256) / 256
    far = X + 1e8
    assert (far - 1e8 == X).all()
    arguments: dict[str, Any] = {"covariance_type": covariance_type, "random_state": 0, "tol": 1e-9}
    if covariance_type == "tied" and init_params in ("random_from_data", "k-means++"):
        pytest.skip(
            "scikit-learn's start for a shared covariance depends on the origin, and so does ours near it"
        )
    arguments["init_params"], arguments["max_iter"] = init_params, 1000
    near, shifted = (mixtura.GaussianMixture(3, **arguments).fit(rows) for rows in (X, far))
    np.testing.assert_allclose(shifted.weights_, near.weights_, rtol=1e-5)
    np.testing.assert_allclose(shifted.means_ - 1e8, near.means_, atol=1e-5)
    np.testing.assert_allclose(shifted.covariances_, near.covariances_, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(shifted.lower_bound_, near.lower_bound_, rtol=1e-8)
    np.testing.assert_array_equal(shifted.predict(far), near.predict(X))
