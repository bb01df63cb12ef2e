"""Second moments move, are whitened and read as loops over rows and components say."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import make_spd_matrix

from mixtura.core.moments import DENSE, DIAGONAL, FIRST, GATHERED, POOLED, Moments
from mixtura.kernels import Layout, get_algebra
from mixtura.kernels.numpy_algebra import NumpyAlgebra

ALL = (DENSE, DIAGONAL, POOLED, FIRST)
K, D, N = 3, 4, 40


@pytest.fixture(params=ALL, ids=repr)
def moments(request: pytest.FixtureRequest) -> Moments:
    found: Moments = request.param
    return found


def some_sums() -> tuple[Any, Any, Any]:
    """Counts, first moments, and second moments as matrices (K, D, D), about some points."""
    rng = np.random.RandomState(0)
    counts = rng.uniform(1, 9, K)
    spd = np.stack([make_spd_matrix(D, random_state=k) for k in range(K)])
    second = (spd + spd.transpose(0, 2, 1)) * counts[:, None, None]
    return counts, rng.standard_normal((K, D)), second


def read(moments: Moments, matrices: Any) -> Any:
    """What the moments keep of matrices of each component, as matrices."""
    if moments is POOLED:
        return matrices.sum(axis=0)[None]
    return matrices * np.eye(D) if moments is DIAGONAL else matrices


def test_they_are_one_object_each_in_every_process(moments: Moments) -> None:
    assert pickle.loads(pickle.dumps(moments)) is moments
    assert moments.gathered is GATHERED[moments.layout]
    assert set(GATHERED) == set(Layout)


def test_what_is_packed_is_read_back(moments: Moments) -> None:
    matrices = some_sums()[2]
    second = moments.pack(matrices)
    assert second.shape == moments.shape(K, D)
    if moments is not FIRST:
        np.testing.assert_allclose(moments.matrices(second), read(moments, matrices), rtol=1e-14)
        np.testing.assert_allclose(
            moments.diagonal(second), np.einsum("kii->ki", read(moments, matrices)), rtol=1e-14
        )
    else:
        assert moments.matrices(second).size == moments.diagonal(second).size == 0


def test_moments_about_other_points(moments: Moments) -> None:
    counts, first, matrices = some_sums()
    by = np.random.RandomState(1).standard_normal((K, D))
    moved = matrices.copy()
    for k in range(K):
        for i in range(D):
            for j in range(D):
                moved[k, i, j] += (
                    first[k, i] * by[k, j] + by[k, i] * first[k, j] + counts[k] * by[k, i] * by[k, j]
                )
    found = moments.shift(counts, first, moments.pack(matrices), by)
    np.testing.assert_allclose(found, moments.pack(moved), rtol=1e-12, atol=1e-12)
    twice = moments.shift(
        np.stack([counts] * 2), np.stack([first] * 2), np.stack([moments.pack(matrices)] * 2), by
    )
    np.testing.assert_array_equal(twice, np.stack([found] * 2))


def test_whitened_moments_of_a_mixtures_own_sums_vanish(moments: Moments) -> None:
    """Where ``S_k = n_k Sigma_k`` only the first moments are left; and coordinates lead back."""
    counts, first, matrices = some_sums()
    common = np.linalg.cholesky(matrices[0] / counts[0])
    roots = (
        np.stack([common] * K) if moments.one_factor else np.linalg.cholesky(matrices / counts[:, None, None])
    )
    roots = roots * np.eye(D) if moments is DIAGONAL else roots
    factors = np.linalg.inv(roots)
    second = moments.gathered.pack(counts[:, None, None] * (roots @ roots.transpose(0, 2, 1)))
    read_by_a_pass = {DIAGONAL: np.einsum("kii->ki", factors)}.get(moments, factors)
    read_by_a_pass = read_by_a_pass[0] if moments.one_factor else read_by_a_pass
    about, layout, unit = np.arange(K * D, dtype=np.float64).reshape(K, D), moments.layout, np.ones(K)
    sums = np.concatenate([[-1.0, counts.sum()], counts, first.ravel(), second.ravel()])
    for algebra in (get_algebra(), NumpyAlgebra()):
        point = algebra.whiten_sums(layout, about[None], sums[None], about, read_by_a_pass, unit)[0]
        found = point[K:].reshape(K, -1)
        np.testing.assert_allclose(point[:K], counts, rtol=1e-15)
        np.testing.assert_allclose(found[:, :D], np.einsum("kij,kj->ki", factors, first), rtol=1e-10)
        np.testing.assert_allclose(found[:, D:], 0.0, atol=1e-12)
        back = algebra.color_sums(layout, point, moments.invert(read_by_a_pass), unit)
        np.testing.assert_allclose(back[2:], sums[2:], rtol=1e-10, atol=1e-12)
