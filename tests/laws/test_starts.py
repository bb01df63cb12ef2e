"""What must not matter to where a fit begins: units, the order of columns, and how repeated rows are written."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ortho_group
from sklearn.datasets import load_iris

import mixtura
from mixtura.engine import as_data
from mixtura.fit.init import Tree, grow
from mixtura.fit.init.hierarchical.tree import CRITERIA

IRIS = load_iris().data


def tree_of(rows: Any, criterion: str = "VVV", transform: str = "svd", weight: Any = None) -> Tree:
    return grow(as_data(rows, weight), np.random.RandomState(0), criterion, transform)


def spread_rows() -> Any:
    """Without ties, which rounding would break."""
    return IRIS + 0.01 * np.random.RandomState(0).standard_normal(IRIS.shape)


def same_trees(one: Tree, other: Tree) -> bool:
    return all(np.array_equal(one.labels(k), other.labels(k)) for k in range(1, 30))


@pytest.mark.parametrize("transform", ["svd", "std"])
@pytest.mark.parametrize("criterion", CRITERIA)
def test_units_and_order_of_columns_do_not_change_the_tree(criterion: str, transform: str) -> None:
    rows = spread_rows()
    wanted = tree_of(rows, criterion, transform)
    scaled = rows * np.array([1e-4, 1e4, -2.0, 1.0]) + np.array([1e-3, 1e5, 7.0, 0.0])
    assert same_trees(wanted, tree_of(scaled, criterion, transform))
    assert same_trees(wanted, tree_of(rows[:, [2, 0, 3, 1]], criterion, transform))


@pytest.mark.parametrize("criterion", CRITERIA)
def test_rotations_do_not_change_the_tree_of_the_rows_as_they_are(criterion: str) -> None:
    rows = spread_rows()
    turned = rows @ ortho_group.rvs(4, random_state=1) + 5.0
    assert same_trees(tree_of(rows, criterion, "none"), tree_of(turned, criterion, "none"))


def test_a_general_map_does_change_it() -> None:
    rows = spread_rows()
    assert not same_trees(tree_of(rows), tree_of(rows @ np.random.RandomState(2).standard_normal((4, 4))))


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10_000), st.sampled_from(list(CRITERIA)))
def test_whole_weights_are_repeated_rows(seed: int, criterion: str) -> None:
    rng = np.random.RandomState(seed)
    rows = rng.standard_normal((40, 2)) + 4 * rng.randint(3, size=(40, 1))
    weight = rng.randint(0, 4, size=40)
    kept, repeated = np.flatnonzero(weight), np.repeat(np.arange(40), weight)
    one = tree_of(rows, criterion, weight=weight.astype(np.float64))
    other = tree_of(rows[repeated], criterion)
    firsts = np.searchsorted(repeated, kept)
    for k in range(1, 6):
        np.testing.assert_array_equal(one.labels(k), other.labels(k)[firsts])


@pytest.mark.parametrize("covariance_type", ["full", "tied", "diag", "VEV"])
def test_a_fit_from_the_tree_takes_whole_weights_as_repeated_rows(covariance_type: str) -> None:
    weight = np.random.RandomState(3).randint(0, 3, size=150)
    how: dict[str, Any] = {
        "covariance_type": covariance_type,
        "init_params": "hierarchical",
        "random_state": 0,
    }
    one = mixtura.GaussianMixture(3, **how).fit(spread_rows(), sample_weight=weight)
    other = mixtura.GaussianMixture(3, **how).fit(np.repeat(spread_rows(), weight, axis=0))
    assert one.n_iter_ == other.n_iter_
    np.testing.assert_allclose(one.means_, other.means_, rtol=1e-9)
    np.testing.assert_allclose(one.covariances_, other.covariances_, rtol=1e-7, atol=1e-10)
