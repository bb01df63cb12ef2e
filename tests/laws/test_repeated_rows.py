"""A row of weight two is the row twice, and rows have no order: for starts, and for searches, also with ties."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.utils.estimator_checks import check_sample_weight_equivalence_on_dense_data

import mixtura
from mixtura.core.protocols import RowTable
from mixtura.engine import as_data
from mixtura.fit.init import draw_sample
from mixtura.segments import mixed_rows
from mixtura.select import search


def _groups(n_rows: int = 90) -> Any:
    rng = np.random.default_rng(7)
    group = rng.integers(3, size=n_rows)
    return rng.normal(size=(n_rows, 3)) + 4.0 * np.eye(3)[group]


def _with_missing() -> Any:
    rows = _groups()
    rows[np.random.default_rng(8).random(rows.shape) < 0.1] = np.nan
    return rows


def _with_levels() -> RowTable:
    import polars as pl

    rows, rng = _groups(), np.random.default_rng(9)
    levels = np.where(rows[:, 0] > 2, "a", "b")
    levels[rng.random(90) < 0.2] = "c"
    return mixed_rows(
        pl.DataFrame({"x": rows[:, 0], "y": rows[:, 1], "kind": levels}), kinds={"kind": "category"}
    )


TABLES = {
    "iris": lambda: load_iris().data,
    "groups": _groups,
    "ties": lambda: np.round(_groups()),
    "missing values": _with_missing,
    "levels": _with_levels,
}
tables = pytest.mark.parametrize("name", TABLES)


def written(table: RowTable) -> tuple[tuple[RowTable, Any], ...]:
    """The same rows in three ways: repeated, weighted, and repeated in another order."""
    rng = np.random.default_rng(0)
    counts = rng.integers(0, 3, len(table))
    repeated = np.repeat(np.arange(len(table)), counts)
    shuffled = rng.permutation(len(table))
    return (
        (table[repeated], None),
        (table[shuffled], counts[shuffled].astype(np.float64)),
        (table[rng.permutation(repeated)], None),
    )


@tables
def test_starts_are_looked_for_in_the_same_table(name: str) -> None:
    """To the last bit."""
    samples = [
        draw_sample(as_data(table, weight), np.random.RandomState(0)).distinct()[0]
        for table, weight in written(TABLES[name]())
    ]
    for one in samples[1:]:
        np.testing.assert_array_equal(one.weights, samples[0].weights)
        np.testing.assert_allclose(one.rows, samples[0].rows, rtol=0.0 if name != "missing values" else 1e-9)
        if samples[0].scores is not None:
            # Axes of one category have equal variances, and may be turned: distances between rows may not.
            products = [scores @ scores.T for scores in (one.scores, samples[0].scores)]
            np.testing.assert_allclose(*products, rtol=1e-9, atol=1e-12)


@pytest.mark.sampled(2)
@pytest.mark.parametrize("name", [name for name in TABLES if name != "missing values"])
def test_searches_find_the_same_models(name: str) -> None:
    found = []
    for table, weight in written(TABLES[name]()):
        how: dict[str, Any] = {"components": [2, 3], "covariance_types": ["VVV", "EEI", "VII"]}
        found.append(search(table, sample_weight=weight, **how))
    first, *others = found
    for other in others:
        assert other.best.covariance_type == first.best.covariance_type
        assert other.best.n_components == first.best.n_components
        for one, same in zip(first.candidates, other.candidates, strict=True):
            assert same.log_likelihood == pytest.approx(one.log_likelihood, abs=1e-4)
            assert same.is_degenerate == one.is_degenerate


@pytest.mark.parametrize("n_components", [2, 3])
def test_a_fit_from_the_tree_is_the_same(n_components: int) -> None:
    """Without ties, which a tree breaks by the order of the rows, as mclust's does."""
    how: dict[str, Any] = {"init_params": "hierarchical", "random_state": 0}
    fits = [
        mixtura.GaussianMixture(n_components, **how).fit(table, sample_weight=weight)
        for table, weight in written(_groups())
    ]
    for one in fits[1:]:
        assert one.lower_bound_ == pytest.approx(fits[0].lower_bound_, rel=1e-9)
        np.testing.assert_allclose(np.sort(one.means_, axis=0), np.sort(fits[0].means_, axis=0), rtol=1e-5)


@pytest.mark.parametrize(
    ("components", "families"),
    [
        ([1, 2, 3], ["VVI", "EVI"]),
        pytest.param([1, 2, 3], "all", marks=pytest.mark.slow),
        pytest.param([2, 3, 4, 5], "all", marks=pytest.mark.slow),
    ],
)
def test_scikit_learns_check_of_weights(components: list[int], families: Any) -> None:
    estimator = mixtura.GaussianMixtureIC(components, covariance_type=families)
    check_sample_weight_equivalence_on_dense_data("GaussianMixtureIC", estimator)
