"""Whole-number weights are repeated rows; a weight of zero is an absent row; only proportions matter for a fit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_iris

import mixtura
from mixtura.core.covariance import FAMILIES

TYPES = ("full", "tied", "diag", "spherical")
PARAMETERS = ("weights_", "means_", "covariances_", "precisions_")


def weighted_rows() -> tuple[Any, Any, Any]:
    """Rows, whole-number weights with zeros among them, and a soft partition."""
    rng = np.random.RandomState(0)
    # Without rows exactly between two centers, where the lower number wins whatever the weights.
    X = load_iris().data + 1e-3 * rng.standard_normal((150, 4))
    return X, rng.randint(0, 5, size=len(X)), rng.dirichlet(np.ones(3), size=len(X))


def assert_same(a: Any, b: Any, rtol: float = 1e-9) -> None:
    for name in PARAMETERS:
        wanted = getattr(b, name)
        np.testing.assert_allclose(getattr(a, name), wanted, rtol=rtol, atol=rtol * np.abs(wanted).max())
    np.testing.assert_allclose(a.lower_bounds_, b.lower_bounds_, rtol=rtol)
    assert a.n_iter_ == b.n_iter_


@pytest.mark.parametrize(
    ("covariance_type", "start"),
    [
        *((kind, start) for kind in FAMILIES for start in ("partition", "labels")),
        *((kind, "means") for kind in TYPES),
    ],
)
def test_weights_are_repetition(covariance_type: str, start: str) -> None:
    X, weight, shares = weighted_rows()
    given: Any = {
        "partition": lambda x, r: {"init_params": r},
        "labels": lambda x, r: {"init_params": r.argmax(axis=1)},
        "means": lambda x, r: {
            "means_init": X[[0, 70, 140]],
            "weights_init": [0.2, 0.3, 0.5],
            "precisions_init": {
                "full": np.repeat(np.eye(4)[None], 3, 0),
                "tied": np.eye(4),
                "diag": np.ones((3, 4)),
                "spherical": np.ones(3),
            }[covariance_type],
        },
    }[start]

    def fitted(rows: Any, partition: Any, w: Any) -> Any:
        model = mixtura.GaussianMixture(3, covariance_type=covariance_type, **given(rows, partition))
        return model.fit(rows, sample_weight=w)

    repeated = np.repeat(X, weight, axis=0)
    many = fitted(repeated, np.repeat(shares, weight, axis=0), None)
    few = fitted(X, shares, weight)
    assert_same(few, many)
    present = weight > 0
    assert_same(fitted(X[present], shares[present], weight[present]), many)
    if start == "means":
        # A partition's start is weighted too; given parameters are not, so that only proportions matter.
        assert_same(fitted(X, shares, 7 * weight), few)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("covariance_type", TYPES)
def test_weights_are_repetition_from_the_start_on(covariance_type: str, seed: int) -> None:
    """K-means draws in proportion to the weights, so it finds the same seeds among rows repeated in place."""
    X, weight, _ = weighted_rows()
    model = mixtura.GaussianMixture(3, covariance_type=covariance_type, random_state=seed)
    few = model.fit(X, sample_weight=weight)
    many = mixtura.GaussianMixture(3, covariance_type=covariance_type, random_state=seed)
    assert_same(few, many.fit(np.repeat(X, weight, axis=0)), rtol=1e-8)


@pytest.mark.parametrize("seed", range(3))
def test_weights_are_repetition_in_kmeans(seed: int) -> None:
    X, weight, _ = weighted_rows()
    few = mixtura.KMeans(4, random_state=seed).fit(X, sample_weight=weight)
    many = mixtura.KMeans(4, random_state=seed).fit(np.repeat(X, weight, axis=0))
    np.testing.assert_allclose(few.cluster_centers_, many.cluster_centers_, rtol=1e-10)
    np.testing.assert_array_equal(np.repeat(few.labels_, weight), many.labels_)
    np.testing.assert_allclose(few.inertia_, many.inertia_, rtol=1e-10)
    repeated = np.repeat(X, weight, axis=0)
    np.testing.assert_allclose(few.score(X, sample_weight=weight), many.score(repeated), rtol=1e-10)


@pytest.mark.parametrize("covariance_type", FAMILIES)
def test_weights_are_repetition_in_scores_and_criteria(covariance_type: str) -> None:
    X, weight, _ = weighted_rows()
    repeated = np.repeat(X, weight, axis=0)
    model = mixtura.GaussianMixture(3, covariance_type=covariance_type, random_state=0).fit(X)
    for name in ("score", "bic", "aic"):
        method = getattr(model, name)
        np.testing.assert_allclose(method(X, sample_weight=weight), method(repeated), rtol=1e-11)
    np.testing.assert_allclose(
        model.mixture_.log_likelihood(X, weight), model.mixture_.log_density(repeated).sum(), rtol=1e-11
    )


@pytest.mark.parametrize("covariance_type", FAMILIES)
def test_a_row_of_weight_zero_leaves_no_trace(covariance_type: str) -> None:
    X, _, _ = weighted_rows()
    weight = np.ones(len(X))
    weight[[3, 80]] = 0
    wild = X.copy()
    wild[[3, 80]] = 1e6
    arguments: dict[str, Any] = {"covariance_type": covariance_type, "init_params": np.arange(len(X)) % 3}
    model = mixtura.GaussianMixture(3, **arguments).fit(wild, sample_weight=weight)
    # Sums over all rows are about their mean, wherever the wild rows moved it.
    assert_same(mixtura.GaussianMixture(3, **arguments).fit(X, sample_weight=weight), model, rtol=1e-7)
