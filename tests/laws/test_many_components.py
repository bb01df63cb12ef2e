"""Rows sorted by their components before a run over many of them: the same fit, whatever their order was."""

from __future__ import annotations

import numpy as np
import pytest

import mixtura
from mixtura import GaussianMixture
from mixtura.core.mixture import Mixture
from mixtura.core.moments import DIAGONAL
from mixtura.engine import as_data

K = 64


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(0)
    return rng.normal(0, 6, (K, 2))[rng.integers(0, K, 50_000)] + rng.normal(size=(50_000, 2))


@pytest.fixture(scope="module")
def mixture(rows):
    return Mixture.from_parameters(np.full(K, 1 / K), rows[:K], np.ones((K, 2)), "diag")


def fit(rows, weights=None, **parameters):
    model = GaussianMixture(
        K,
        covariance_type="diag",
        weights_init=np.full(K, 1 / K),
        means_init=rows[:K],
        precisions_init=np.ones((K, 2)),
        max_iter=6,
        tol=0.0,
        **parameters,
    )
    with pytest.warns(match="did not converge"):
        return model.fit(rows, sample_weight=weights)


def test_sorted_rows_have_the_same_sums(rows, mixture):
    weights = np.random.default_rng(1).uniform(0, 2, len(rows))
    data = as_data(rows, weights)
    near = data.near_together(mixture.components(DIAGONAL))
    labels = near.labels(mixture.components(DIAGONAL)).gathered()
    assert (np.diff(labels) >= 0).all()
    for one, other in (
        (data.total, as_data(rows, weights).total),
        (data.total, near.select(np.arange(len(rows))).total),
    ):
        np.testing.assert_allclose(one.sums, other.sums, rtol=1e-9, atol=1e-6)


def test_a_fit_is_that_of_passes_that_look_at_all_components(rows):
    weights = np.random.default_rng(2).integers(0, 3, len(rows)).astype(float)
    for given in (None, weights):
        near, whole = fit(rows, given), fit(rows, given, negligible=0.0)
        np.testing.assert_allclose(near.lower_bounds_, whole.lower_bounds_, rtol=1e-10)
        np.testing.assert_allclose(near.means_, whole.means_, rtol=1e-7, atol=1e-7)


def test_the_order_of_the_rows_and_threads_change_no_digit_that_counts(rows):
    first = fit(rows)
    with mixtura.set_threads(1):
        assert np.array_equal(fit(rows).means_, first.means_)
    order = np.r_[:K, K + np.random.default_rng(3).permutation(len(rows) - K)]
    np.testing.assert_allclose(fit(rows[order]).means_, first.means_, rtol=1e-8, atol=1e-8)


def test_rows_with_missing_values_or_in_a_file_stay_where_they_are(rows, mixture, tmp_path):
    components = mixture.components(DIAGONAL)
    holes = rows.copy()
    holes[5, 0] = np.nan
    missing = as_data(holes)
    assert missing.near_together(components) is missing
    file = np.lib.format.open_memmap(tmp_path / "rows.npy", "w+", rows.dtype, rows.shape)
    file[:] = rows
    mapped = as_data(file)
    assert mapped.near_together(components).blocks is mapped.blocks
