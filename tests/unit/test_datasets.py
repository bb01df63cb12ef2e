"""Generated customers are what they are said to be."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.datasets import make_blobs
from sklearn.metrics import silhouette_score

from mixtura.datasets import customer_columns, make_customers
from mixtura.exceptions import ParameterError


def test_three_follows_its_recipe() -> None:
    blobs, _ = make_blobs(
        n_samples=300, centers=[[40, 60], [70, 30], [20, 80]], cluster_std=[8, 10, 7], random_state=42
    )
    np.testing.assert_array_equal(
        make_customers(), blobs @ np.array([[0.8, -0.4], [0.3, 0.9]]) + np.array([0, 30])
    )


def test_five_stand_apart() -> None:
    customers = make_customers(kind="five")
    silhouettes = {
        k: silhouette_score(customers, KMeans(k, n_init=10, random_state=42).fit_predict(customers))
        for k in range(2, 9)
    }
    assert max(silhouettes, key=silhouettes.__getitem__) == 5
    assert silhouettes[5] == pytest.approx(0.75, abs=0.01)
    assert (customers > 0).all()
    assert customers[:, 2].min() > 15


def test_seeds_and_sizes() -> None:
    assert make_customers(10).shape == (10, 2)
    assert (make_customers(random_state=1) != make_customers()).any()


@pytest.mark.parametrize("backend", ["pandas", "polars", "pyarrow"])
@pytest.mark.parametrize("kind", ["three", "five"])
def test_frames(backend, kind) -> None:
    frame = make_customers(20, kind, as_frame=backend)
    names = frame.column_names if backend == "pyarrow" else list(frame.columns)
    assert tuple(names) == customer_columns(kind)
    np.testing.assert_array_equal(
        np.column_stack([np.asarray(frame[name]) for name in names]), make_customers(20, kind)
    )


def test_an_unknown_kind() -> None:
    with pytest.raises(ParameterError, match="'six'"):
        make_customers(kind="six")
