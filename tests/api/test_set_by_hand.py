"""Attributes that a user sets on an estimator, replaced or written into, count as in scikit-learn."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import sklearn.mixture
from scipy.linalg import sqrtm
from scipy.stats import multivariate_normal
from sklearn.datasets import load_iris

import mixtura

TYPES = ("full", "tied", "diag", "spherical")
WEIGHTS, MEANS = np.array([0.6, 0.4]), np.array([[0.0, 0.0], [3.0, 3.0]])
COVARIANCES = np.array([[[1.0, 0.8], [0.8, 2.0]], [[2.0, 0.5], [0.5, 1.0]]])
ROWS = np.array([[1.0, -1.0], [0.0, 0.0], [2.5, 4.0], [-3.0, 7.0]])


def true_log_density(covariances: Any) -> Any:
    parts = zip(WEIGHTS, MEANS, covariances, strict=True)
    return np.log(sum(w * multivariate_normal(m, c).pdf(ROWS) for w, m, c in parts))


def set_by_hand(kind: Any, covariance_type: str, roots: Any) -> Any:
    model = kind.GaussianMixture(2, covariance_type=covariance_type)
    model.weights_, model.means_, model.precisions_cholesky_ = WEIGHTS, MEANS, roots
    return model


def eigen_root(precision: Any) -> Any:
    values, axes = np.linalg.eigh(precision)
    return axes * np.sqrt(values)


ROOTS = {
    "lower": np.linalg.cholesky,
    "upper": lambda precision: np.linalg.inv(np.linalg.cholesky(np.linalg.inv(precision))).T,
    "negative": lambda precision: -np.linalg.inv(np.linalg.cholesky(np.linalg.inv(precision))).T,
    "symmetric": lambda precision: sqrtm(precision).real,
    "eigenvectors": eigen_root,
}


@pytest.mark.parametrize("name", ROOTS)
def test_any_root_of_the_precisions_is_one(name: str) -> None:
    precisions = np.linalg.inv(COVARIANCES)
    roots = np.stack([ROOTS[name](one) for one in precisions])
    ours = set_by_hand(mixtura, "full", roots)
    np.testing.assert_allclose(ours.score_samples(ROWS), true_log_density(COVARIANCES), rtol=1e-12)
    tied = set_by_hand(mixtura, "tied", roots[1])
    np.testing.assert_allclose(tied.score_samples(ROWS), true_log_density(COVARIANCES[[1, 1]]), rtol=1e-12)


@pytest.mark.parametrize("name", ["lower", "upper"])
def test_triangular_roots_are_read_as_scikit_learn_does(name: str) -> None:
    roots = np.stack([ROOTS[name](one) for one in np.linalg.inv(COVARIANCES)])
    for covariance_type, given in (("full", roots), ("tied", roots[0])):
        ours, theirs = (set_by_hand(kind, covariance_type, given) for kind in (mixtura, sklearn.mixture))
        np.testing.assert_allclose(ours.score_samples(ROWS), theirs.score_samples(ROWS), rtol=1e-12)
        np.testing.assert_allclose(ours.predict_proba(ROWS), theirs.predict_proba(ROWS), rtol=1e-12)
    assert set_by_hand(mixtura, "full", roots).score_samples([[1.0, -1.0]]).round(3).tolist() == [-4.193]


def fitted(kind: Any, covariance_type: str) -> Any:
    return kind.GaussianMixture(3, covariance_type=covariance_type, random_state=0).fit(load_iris().data)


@pytest.mark.parametrize("covariance_type", TYPES)
def test_draws_have_the_covariances_that_are_set(covariance_type: str) -> None:
    drawn = []
    for kind in (mixtura, sklearn.mixture):
        model = fitted(kind, covariance_type)
        before = model.sample(200)[0]
        model.covariances_ = 100 * model.covariances_
        drawn.append(model.sample(200))
        assert not np.allclose(drawn[-1][0], before)
    np.testing.assert_allclose(drawn[0][0], drawn[1][0], rtol=1e-5, atol=1e-5)
    np.testing.assert_array_equal(drawn[0][1], drawn[1][1])


def test_draws_need_no_precisions() -> None:
    models = [kind.GaussianMixture(2, random_state=3) for kind in (mixtura, sklearn.mixture)]
    for model in models:
        model.weights_, model.means_, model.covariances_ = WEIGHTS, MEANS, COVARIANCES
    np.testing.assert_allclose(*(model.sample(9)[0] for model in models), rtol=1e-12)


@pytest.mark.parametrize(
    "name", ["weights_", "means_", "covariances_", "precisions_cholesky_", "precisions_"]
)
@pytest.mark.parametrize("covariance_type", TYPES)
def test_writing_into_an_attribute_is_setting_it(covariance_type: str, name: str) -> None:
    X, found = load_iris().data, []
    for kind in (mixtura, sklearn.mixture):
        model = fitted(kind, covariance_type)
        value = getattr(model, name)
        value *= np.array([0.5, 1.5, 1.0]).reshape(-1, *[1] * (value.ndim - 1)) if len(value) == 3 else 1.5
        found.append((model.score_samples(X), model.sample(20)[0], model.bic(X)))
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-5)


def test_the_mixture_of_the_fit_stays_what_was_fitted() -> None:
    model = fitted(mixtura, "full")
    before = model.mixture_.log_density(load_iris().data)
    for name in ("weights_", "means_", "covariances_", "precisions_cholesky_"):
        getattr(model, name)[...] = 7.0
    np.testing.assert_array_equal(model.mixture_.log_density(load_iris().data), before)


@pytest.mark.parametrize("covariance_type", TYPES)
def test_a_warm_start_goes_on_from_what_is_set(covariance_type: str) -> None:
    X, found = load_iris().data, []
    for kind in (mixtura, sklearn.mixture):
        model = kind.GaussianMixture(3, covariance_type=covariance_type, random_state=0, warm_start=True).fit(
            X
        )
        model.means_ = X[[0, 60, 120]]
        model.precisions_cholesky_ = 0.8 * model.precisions_cholesky_
        found.append(model.fit(X))
    np.testing.assert_allclose(found[0].means_, found[1].means_, rtol=1e-6)
    np.testing.assert_allclose(found[0].lower_bound_, found[1].lower_bound_, rtol=1e-6)
    if hasattr(found[1], "lower_bounds_"):  # since scikit-learn 1.7
        np.testing.assert_allclose(found[0].lower_bounds_, found[1].lower_bounds_, rtol=1e-6)


def test_the_best_model_of_a_search_can_be_changed() -> None:
    X = load_iris().data
    model = mixtura.GaussianMixtureIC([2], covariance_type="full", random_state=0).fit(X)
    before = model.sample(50)[0].std()
    model.best_model_.covariances_ = 100 * model.best_model_.covariances_
    assert model.sample(50)[0].std() > 2 * before
