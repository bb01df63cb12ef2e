"""Where fits begin: the draws are scikit-learn's, and what is given is checked."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.cluster import kmeans_plusplus as sklearn_kmeans_plusplus

import mixtura
from mixtura.engine import as_data
from mixtura.exceptions import ParameterError
from mixtura.fit.kmeans.lloyd import run_kmeans
from mixtura.fit.kmeans.plusplus import kmeans_plusplus, random_rows
from naive import naive_m_step

TYPES = ("full", "tied", "diag", "spherical")


def rows(n: int = 300) -> Any:
    rng = np.random.RandomState(1)
    return rng.standard_normal((n, 2)) + 4 * rng.randint(4, size=(n, 1))


@pytest.mark.parametrize("n", [300, 7000])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("seed", range(5))
def test_far_rows_are_those_of_scikit_learn(n: int, seed: int, weighted: bool) -> None:
    X = rows(n)
    weight = np.random.RandomState(seed).exponential(size=n) if weighted else None
    found = kmeans_plusplus(as_data(X, weight), 6, np.random.RandomState(seed))
    wanted = sklearn_kmeans_plusplus(X, 6, sample_weight=weight, random_state=np.random.RandomState(seed))[1]
    np.testing.assert_array_equal(found, wanted)


def test_even_rows_are_distinct() -> None:
    found = random_rows(10, 10, np.random.RandomState(0))
    assert sorted(found) == list(range(10))


@pytest.mark.parametrize("kind", ["labels", "shares"])
@pytest.mark.parametrize("covariance_type", TYPES)
def test_a_partition_starts_with_its_own_m_step(covariance_type: str, kind: str) -> None:
    X = rows(60) + 1e5
    labels = np.arange(60) % 3
    shares = np.eye(3)[labels] if kind == "labels" else np.random.RandomState(0).random_sample((60, 3))
    model = mixtura.GaussianMixture(
        3, covariance_type=covariance_type, init_params=labels if kind == "labels" else shares, max_iter=0
    ).fit(X)
    weights, means, covariances = naive_m_step(covariance_type, X - 1e5, np.ones(60), shares, 1e-6)
    np.testing.assert_allclose(model.weights_, weights, rtol=1e-10)
    np.testing.assert_allclose(model.means_ - 1e5, means, rtol=1e-6)
    np.testing.assert_allclose(model.covariances_, covariances, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize(
    ("partition", "message"),
    [
        (
            np.zeros(59, dtype=int),
            r"of shape \(60,\) or responsibilities of shape \(60, 3\); got shape \(59,\) and type 'int64'",
        ),
        (
            np.zeros(60),
            r"of shape \(60,\) or responsibilities of shape \(60, 3\); got shape \(60,\) and type 'float64'",
        ),
        (
            np.ones((60, 2)),
            r"of shape \(60,\) or responsibilities of shape \(60, 3\); got shape \(60, 2\) and type 'float64'",
        ),
        (
            np.full(60, 3),
            "Labels must be from 0 to 2, and responsibilities finite and not negative; got values from 3 to 3",
        ),
        (np.arange(60) % 3 - 1, "values from -1 to 1"),
        (
            -np.ones((60, 3)),
            r"Labels must be from 0 to 2, and responsibilities finite and not negative; got values from -1\.0 to -1\.0",
        ),
        (np.full((60, 3), np.nan), "values from nan"),
    ],
)
def test_a_partition_that_does_not_fit_is_refused(partition: Any, message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        mixtura.GaussianMixture(3, init_params=partition).fit(rows(60))


def test_a_center_without_rows_moves_to_the_farthest_row() -> None:
    X = rows()
    centers = np.array([[0.0, 0.0], [500.0, 500.0], [4.0, 4.0], [900.0, 0.0]])
    found = run_kmeans(as_data(X), centers)
    wanted = KMeans(4, init=centers, n_init=1, tol=0).fit(X)
    np.testing.assert_allclose(found.centers, wanted.cluster_centers_, rtol=1e-10)
    np.testing.assert_array_equal(found.labels, wanted.labels_)
    assert found.n_distinct == 4


def test_a_weighted_row_takes_its_weight_along() -> None:
    X = rows(5000)
    weight = np.random.RandomState(2).exponential(size=5000)
    centers = np.array([[0.0, 0.0], [500.0, 500.0], [4.0, 4.0]])
    found = run_kmeans(as_data(X, weight), centers, max_iter=1)
    wanted = KMeans(3, init=centers, n_init=1, tol=0, max_iter=1).fit(X, sample_weight=weight)
    np.testing.assert_allclose(found.centers, wanted.cluster_centers_, rtol=1e-10)


def test_where_all_rows_sit_on_centers_an_empty_one_stays() -> None:
    X = np.repeat([[0.0], [1.0]], 5, axis=0)
    found = run_kmeans(as_data(X), np.array([[0.0], [1.0], [9.0]]))
    np.testing.assert_allclose(found.centers, [[0.0], [1.0], [9.0]], atol=1e-14)
    assert found.converged
    assert found.n_distinct == 2
    assert found.inertia == pytest.approx(0.0, abs=1e-26)


def test_fewer_rows_than_empty_centers_leave_the_others_where_they_are() -> None:
    X = np.array([[0.1], [0.7]])
    found = run_kmeans(as_data(X), np.array([[0.0], [9.0], [99.0], [999.0]]))
    assert sorted(found.centers[found.labels].ravel()) == [0.1, 0.7]
    assert found.n_distinct == 2
    assert found.inertia == pytest.approx(0.0, abs=1e-26)
