"""The same numbers as `sklearn.mixture.GaussianMixture`, which is run beside ours."""

from __future__ import annotations

import itertools
import pickle
import warnings
from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn.cluster
import sklearn.mixture
from sklearn.base import clone
from sklearn.datasets import load_iris, load_wine, make_blobs
from sklearn.exceptions import ConvergenceWarning

import mixtura

TYPES = ("full", "tied", "diag", "spherical")
STARTS = ("kmeans", "k-means++", "random", "random_from_data")
PARAMETERS = ("weights_", "means_", "covariances_", "precisions_", "precisions_cholesky_")


@cache
def table(name: str) -> Any:
    if name == "blobs":
        return make_blobs(2000, 4, centers=5, random_state=1, cluster_std=2.5)[0]
    return {"iris": load_iris, "wine": load_wine}[name]().data


@pytest.fixture(autouse=True)
def unconverged_fits_are_no_news() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        yield


def both(X: Any, n_components: int = 3, **parameters: Any) -> tuple[Any, Any]:
    ours = mixtura.GaussianMixture(n_components, **parameters)
    theirs = sklearn.mixture.GaussianMixture(n_components, **parameters)
    return ours.fit(X), theirs.fit(X)


def fit_both_the_same(X: Any, n_components: int = 3, rtol: float = 1e-6, **parameters: Any) -> None:
    assert_same(*both(X, n_components, **parameters), X, rtol)


BEFORE_1_7 = not hasattr(sklearn.mixture.GaussianMixture(1).fit([[0.0], [1.0]]), "lower_bounds_")
DECIDED_BY_ROUNDING = {("iris", kind, "k-means++", 0) for kind in ("diag", "spherical")}
"""Starts at single rows, whose variances are nothing but rounding beside `reg_covar`."""


def variances_since_1_7(resp: Any, X: Any, nk: Any, means: Any, reg_covar: float) -> Any:
    """What scikit-learn computes for ``diag`` from 1.7 on: ``E[x^2] - m^2`` instead of ``E[x^2] - 2 m E[x] + m^2``.

    Around a single row both are differences of squares that leave 1e-14, and different digits of it. Beside
    ``reg_covar=1e-6`` that is 1e-8 of the variance, and log densities of 1e6 move in the second decimal.
    """
    return resp.T @ (X * X) / nk[:, np.newaxis] - means**2 + reg_covar


def their_lower_bounds(theirs: Any, n_rows: int) -> Any:
    """What scikit-learn reports, with its first entry as the definition has it.

    From the starts that are single rows, its weights begin at 1 / N each: they sum to K / N, and its first
    lower bound is too low by log(N / K).
    """
    bounds = np.array(theirs.lower_bounds_)
    if theirs.init_params in ("k-means++", "random_from_data") and theirs.weights_init is None:
        bounds[0] += np.log(n_rows / theirs.n_components)
    return bounds


def assert_same(ours: Any, theirs: Any, X: Any, rtol: float = 1e-6) -> None:
    assert ours.n_iter_ == theirs.n_iter_
    assert ours.converged_ == theirs.converged_
    for name in PARAMETERS:
        wanted = getattr(theirs, name)
        found = getattr(ours, name)
        assert found.dtype == wanted.dtype
        np.testing.assert_allclose(found, wanted, rtol=rtol, atol=rtol * np.abs(wanted).max(), err_msg=name)
    np.testing.assert_allclose(ours.lower_bound_, theirs.lower_bound_, rtol=rtol)
    if hasattr(theirs, "lower_bounds_"):  # since scikit-learn 1.7
        np.testing.assert_allclose(ours.lower_bounds_, their_lower_bounds(theirs, len(X)), rtol=rtol)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("name", "covariance_type", "init_params"),
    list(itertools.product(("iris", "wine", "blobs"), TYPES, STARTS)),
)
def test_fits_are_the_same(name: str, covariance_type: str, init_params: str, seed: int, monkeypatch) -> None:
    if BEFORE_1_7 and (name, covariance_type, init_params, seed) in DECIDED_BY_ROUNDING:
        theirs = sklearn.mixture._gaussian_mixture
        monkeypatch.setattr(theirs, "_estimate_gaussian_covariances_diag", variances_since_1_7)
    X = table(name)
    ours, theirs = both(X, covariance_type=covariance_type, init_params=init_params, random_state=seed)
    assert_same(ours, theirs, X)
    np.testing.assert_array_equal(ours.predict(X), theirs.predict(X))
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(ours.score_samples(X), theirs.score_samples(X), rtol=1e-6)
    np.testing.assert_allclose(ours.score(X), theirs.score(X), rtol=1e-6)
    np.testing.assert_allclose(ours.bic(X), theirs.bic(X), rtol=1e-6)
    np.testing.assert_allclose(ours.aic(X), theirs.aic(X), rtol=1e-6)


def given_parameters(X: Any, covariance_type: str) -> dict[str, Any]:
    centers, d = X[[0, 60, 120]], X.shape[1]
    variances = X.var(axis=0)
    precisions = {
        "full": np.stack([np.linalg.inv(np.cov(X.T) / (k + 1)) for k in range(3)]),
        "tied": np.linalg.inv(np.cov(X.T)),
        "diag": np.stack([(k + 1) / variances for k in range(3)]),
        "spherical": np.arange(1, 4) / variances.mean(),
    }
    assert precisions["full"].shape == (3, d, d)
    return {
        "weights_init": np.array([0.2, 0.3, 0.5]),
        "means_init": centers,
        "precisions_init": precisions[covariance_type],
    }


@pytest.mark.parametrize("chosen", [1, 2, 4, 3, 5, 6, 7])
@pytest.mark.parametrize("covariance_type", TYPES)
def test_given_parameters_start_the_same_fit(covariance_type: str, chosen: int) -> None:
    X = table("iris")
    given = given_parameters(X, covariance_type)
    some = {name: value for bit, (name, value) in enumerate(given.items()) if chosen >> bit & 1}
    fit_both_the_same(X, covariance_type=covariance_type, random_state=0, **some)


@pytest.mark.parametrize("covariance_type", TYPES)
@pytest.mark.parametrize("init_params", STARTS)
def test_the_best_of_several_starts_is_the_same(covariance_type: str, init_params: str) -> None:
    """But for its numbering: several starts may end in one mixture, equal to the last digits of its likelihood."""
    arguments: dict[str, Any] = {"covariance_type": covariance_type, "init_params": init_params}
    ours, theirs = both(table("wine"), 4, n_init=6, random_state=5, **arguments)
    np.testing.assert_allclose(ours.lower_bound_, theirs.lower_bound_, rtol=1e-6)
    orders = [model.means_[:, 0].argsort() for model in (ours, theirs)]
    for name in (
        ("weights_", "means_") if covariance_type == "tied" else ("weights_", "means_", "covariances_")
    ):
        found, wanted = (
            getattr(model, name)[order] for model, order in zip((ours, theirs), orders, strict=True)
        )
        np.testing.assert_allclose(found, wanted, rtol=1e-6, atol=1e-6 * np.abs(wanted).max())


@pytest.mark.parametrize("covariance_type", TYPES)
def test_the_start_alone_is_the_same(covariance_type: str) -> None:
    ours, theirs = both(table("iris"), covariance_type=covariance_type, max_iter=0, random_state=1)
    for name in PARAMETERS:
        np.testing.assert_allclose(getattr(ours, name), getattr(theirs, name), rtol=1e-8, atol=1e-10)
    assert ours.n_iter_ == theirs.n_iter_ == 0


@pytest.mark.parametrize("covariance_type", TYPES)
def test_a_warm_start_continues_the_same_way(covariance_type: str) -> None:
    X = table("blobs")
    arguments: dict[str, Any] = {"covariance_type": covariance_type, "random_state": 3, "tol": 1e-5}
    ours = mixtura.GaussianMixture(5, warm_start=True, max_iter=3, **arguments)
    theirs = sklearn.mixture.GaussianMixture(5, warm_start=True, max_iter=3, **arguments)
    for _ in range(4):
        assert_same(ours.fit(X), theirs.fit(X), X)


@pytest.mark.parametrize("tol", [0.0, 1e-6, 0.1])
@pytest.mark.parametrize("reg_covar", [0.0, 1e-3, 1.0])
def test_tolerance_and_ridge_mean_the_same(tol: float, reg_covar: float) -> None:
    fit_both_the_same(table("iris"), tol=tol, reg_covar=reg_covar, max_iter=60, random_state=0)


@pytest.mark.parametrize("covariance_type", TYPES)
def test_draws_are_the_same(covariance_type: str) -> None:
    ours, theirs = both(table("iris"), covariance_type=covariance_type, random_state=42)
    for n_samples in (1, 200):
        X, y = ours.sample(n_samples)
        wanted_X, wanted_y = theirs.sample(n_samples)
        np.testing.assert_array_equal(y, wanted_y)
        np.testing.assert_allclose(X, wanted_X, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("covariance_type", TYPES)
def test_a_generator_is_drawn_from_as_theirs(covariance_type: str) -> None:
    """Fits in a row use up the same random numbers.

    Two of the starts may end in one mixture, numbered differently and equal to the last digit: which of them is
    kept is then chance in both libraries, so weights are compared in order of size.
    """
    X = table("wine")
    rngs = [np.random.RandomState(9), np.random.RandomState(9)]
    arguments: dict[str, Any] = {"covariance_type": covariance_type, "n_init": 2}
    for init_params in STARTS:
        ours, theirs = (
            kind.GaussianMixture(3, init_params=init_params, random_state=rng, **arguments).fit(X)
            for kind, rng in zip((mixtura, sklearn.mixture), rngs, strict=True)
        )
        np.testing.assert_allclose(ours.lower_bound_, theirs.lower_bound_, rtol=1e-6)
        np.testing.assert_allclose(np.sort(ours.weights_), np.sort(theirs.weights_), rtol=1e-6)
    assert rngs[0].random_sample() == rngs[1].random_sample()


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame], ids=["pandas", "polars"])
def test_frames_give_the_same_fit_and_keep_their_names(frame: Any) -> None:
    X = table("iris")
    names = ["sepal length", "sepal width", "petal length", "petal width"]
    rows = frame({name: X[:, j] for j, name in enumerate(names)})
    ours, theirs = both(rows, random_state=0)
    assert_same(ours, theirs, X)
    assert list(ours.feature_names_in_) == list(theirs.feature_names_in_) == names
    np.testing.assert_array_equal(ours.predict(rows), theirs.predict(rows))


def test_columns_in_another_order_are_refused_as_theirs_are() -> None:
    rows = pd.DataFrame(table("iris"), columns=list("abcd"))
    for model in both(rows, random_state=0):
        with pytest.raises(ValueError, match="feature names should match"):
            model.predict(rows[list("badc")])
        with pytest.warns(UserWarning, match="does not have valid feature names"):
            model.predict(rows.to_numpy())


@pytest.mark.parametrize(
    "make", [np.asfortranarray, lambda X: X.tolist(), lambda X: np.repeat(X, 2, axis=0)[::2]]
)
def test_any_memory_order_gives_the_same_fit(make: Any) -> None:
    X = table("iris")
    assert_same(mixtura.GaussianMixture(3, random_state=0).fit(make(X)), both(X, random_state=0)[1], X)


def test_whole_numbers_are_read_as_numbers() -> None:
    X = np.round(10 * table("iris")).astype(np.int64)
    fit_both_the_same(X, random_state=0)


OURS = {"missing": "error", "tails": "gaussian", "noise": False, "negligible": 1e-12, "checkpoint": None}


def test_clones_and_pickles_are_the_model() -> None:
    X = table("iris")
    model = mixtura.GaussianMixture(3, covariance_type="tied", random_state=7).fit(X)
    parameters = sklearn.mixture.GaussianMixture(3, covariance_type="tied", random_state=7).get_params()
    assert model.get_params() == clone(model).get_params() == parameters | OURS
    read = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(read.predict_proba(X), model.predict_proba(X))
    np.testing.assert_array_equal(read.sample(5)[0], model.sample(5)[0])
    assert read.result_.outcome is model.result_.outcome


def test_parameters_set_by_hand_are_used() -> None:
    """A mixture without a fit: the three attributes that scikit-learn evaluates."""
    X = table("iris")
    models = []
    for kind in (mixtura, sklearn.mixture):
        model = kind.GaussianMixture(2, covariance_type="diag")
        model.weights_ = np.array([0.25, 0.75])
        model.means_ = X[[0, 100]]
        model.precisions_cholesky_ = np.array([[1.0, 2.0, 3.0, 4.0], [0.5, 0.6, 0.7, 0.8]])
        model.covariances_ = model.precisions_cholesky_**-2.0
        models.append(model)
    ours, theirs = models
    np.testing.assert_allclose(ours.score_samples(X), theirs.score_samples(X), rtol=1e-12)
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("covariance_type", TYPES)
def test_a_fitted_model_can_be_changed_by_hand(covariance_type: str) -> None:
    X = table("iris")
    ours, theirs = both(X, covariance_type=covariance_type, random_state=0)
    for model in (ours, theirs):
        model.weights_ = np.array([0.1, 0.1, 0.8])
        model.means_ = model.means_[::-1] + 0.5
    np.testing.assert_allclose(ours.score_samples(X), theirs.score_samples(X), rtol=1e-5)
    draws, wanted = ours.sample(50)[0], theirs.sample(50)[0]
    np.testing.assert_allclose(draws, wanted, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("verbose", "interval"), [(1, 1), (1, 10), (2, 1), (2, 3)])
def test_verbose_says_the_same_words(capsys: pytest.CaptureFixture[str], verbose: int, interval: int) -> None:
    X, words = table("iris"), []
    for kind in (mixtura, sklearn.mixture):
        kind.GaussianMixture(3, n_init=2, verbose=verbose, verbose_interval=interval, random_state=1).fit(X)
        lines = capsys.readouterr().out.splitlines()
        words.append([line.split("time lapse")[0].split("converged")[0].strip() for line in lines])
    assert [line for line in words[0] if "Iteration" in line] == [
        line for line in words[1] if "Iteration" in line
    ]
    assert any("Initialization" in line for line in words[0])


@pytest.mark.sampled(3)
@pytest.mark.parametrize("init", ["k-means++", "random"])
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", ["iris", "wine", "blobs"])
def test_kmeans_is_the_same(name: str, seed: int, init: str) -> None:
    rng = np.random.RandomState(seed)
    # Iris is measured in whole millimeters: rows lie exactly between two centers, and rounding decides in
    # scikit-learn, the lower number in mixtura. A tenth of a percent of noise leaves no such rows.
    X = table(name) + 1e-3 * rng.standard_normal(table(name).shape)
    weights = rng.uniform(0.5, 2.0, len(X))
    for given in (None, weights):
        ours, theirs = (
            kind(4, init=init, n_init=3, random_state=seed).fit(X, sample_weight=given)
            for kind in (mixtura.KMeans, sklearn.cluster.KMeans)
        )
        np.testing.assert_allclose(ours.cluster_centers_, theirs.cluster_centers_, rtol=1e-8)
        np.testing.assert_array_equal(ours.labels_, theirs.labels_)
        np.testing.assert_allclose(ours.inertia_, theirs.inertia_, rtol=1e-9)
        assert ours.n_iter_ == theirs.n_iter_
        np.testing.assert_array_equal(ours.predict(X), theirs.predict(X))
        np.testing.assert_allclose(ours.transform(X), theirs.transform(X), rtol=1e-7, atol=1e-7)
        np.testing.assert_allclose(
            ours.score(X, sample_weight=given), theirs.score(X, sample_weight=given), rtol=1e-9
        )
