"""Model-based agglomeration against its definition, in a loop that tries every pair of groups."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mixtura.engine import as_data
from mixtura.exceptions import ParameterError
from mixtura.fit.init.hierarchical.tree import CRITERIA, Tree, grow
from mixtura.fit.init.sample import draw_sample
from mixtura.kernels.native import supported_instruction_sets
from mixtura.kernels.native_algebra import NativeAlgebra, why_not_native
from mixtura.kernels.numpy_algebra import NumpyAlgebra
from naive import naive_agglomerate

COMPILED = supported_instruction_sets() if why_not_native() is None else ()
COMPILED_CRITERIA = ("EII", "VII", "VVV")


def tree_of(rows: Any, criterion: str, transform: str = "none", weight: Any = None, **how: Any) -> Tree:
    return grow(as_data(rows, weight), np.random.RandomState(0), criterion, transform, **how)


def rows_of(n: int, d: int, seed: int, scale: float = 1.0) -> Any:
    rng = np.random.RandomState(seed)
    return scale * (rng.standard_normal((n, d)) + 3 * rng.randint(3, size=(n, 1)))


@pytest.mark.sampled(3)
@pytest.mark.parametrize("scale", [0.1, 3.0])
@pytest.mark.parametrize(("n", "d"), [(11, 1), (12, 2), (13, 3)])
@pytest.mark.parametrize("criterion", CRITERIA)
def test_it_is_the_loop_over_all_pairs(criterion: str, n: int, d: int, scale: float) -> None:
    rows = rows_of(n, d, seed=n + d, scale=scale)
    tree = tree_of(rows, criterion)
    for k in (1, 2, 3, 5, 8, n):
        np.testing.assert_array_equal(tree.labels(k), naive_agglomerate(criterion, rows.tolist(), k))


@pytest.mark.sampled(2)
@pytest.mark.parametrize(("n", "d"), [(11, 1), (12, 2), (13, 3)])
@pytest.mark.parametrize("criterion", COMPILED_CRITERIA)
def test_the_twin_is_the_loop_over_all_pairs(
    criterion: str, n: int, d: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mixtura.fit.init.hierarchical.tree.get_algebra", NumpyAlgebra)
    test_it_is_the_loop_over_all_pairs(criterion, n, d, 3.0)


@pytest.mark.skipif(not COMPILED, reason="the compiled core is not built")
@pytest.mark.parametrize("decimals", [16, 1, 0])
@pytest.mark.parametrize(("n", "d"), [(1, 2), (2, 1), (150, 1), (200, 3), (100, 10)])
@pytest.mark.parametrize("criterion", COMPILED_CRITERIA)
def test_compiled_trees_are_the_twins(criterion: str, n: int, d: int, decimals: int) -> None:
    """Also where rows, or costs, are equal; and where rows count as several."""
    rows = np.round(rows_of(n, d, seed=n + d), decimals)
    for counts in (np.ones(n), np.random.RandomState(n).choice([0.5, 1.0, 3.0], size=n)):
        twin = NumpyAlgebra().agglomerate(criterion, rows, counts)
        for name in COMPILED:
            np.testing.assert_array_equal(NativeAlgebra(name).agglomerate(criterion, rows, counts), twin)


@pytest.mark.parametrize("extreme", [1e-200, 1e-150, 1e150, 1e200, np.inf, np.nan])
@pytest.mark.parametrize("criterion", COMPILED_CRITERIA)
def test_whatever_the_rows_are_every_step_joins_two(criterion: str, extreme: float) -> None:
    """Costs may vanish, overflow, or be no numbers: what is joined may be anything, and all is joined in the end."""
    rows = rows_of(30, 2, seed=8)
    rows[::3] *= extreme
    algebras = [NumpyAlgebra(), *(NativeAlgebra(name) for name in COMPILED)]
    with np.errstate(all="ignore"):
        for algebra in algebras:
            pairs = algebra.agglomerate(criterion, rows, np.ones(30))
            assert (pairs[:, 0] < pairs[:, 1]).all()
            assert sorted(pairs[:, 1].tolist()) == list(range(1, 30))


@pytest.mark.parametrize("d", [1, 2])
@pytest.mark.parametrize("algebra", [NumpyAlgebra(), *(NativeAlgebra(name) for name in COMPILED)])
def test_the_rows_that_clusters_begin_as_stay(d: int, algebra: Any) -> None:
    rows, counts = rows_of(20, d, seed=9), np.ones(20)
    before = rows.copy()
    algebra.agglomerate("VVV", rows, counts)
    np.testing.assert_array_equal(rows, before)
    np.testing.assert_array_equal(counts, 1.0)


@pytest.mark.parametrize("criterion", CRITERIA)
def test_a_tree_is_nested(criterion: str) -> None:
    tree = tree_of(rows_of(80, 3, seed=1), criterion, "svd")
    assert tree.n_leaves == 80
    for k in range(1, 80):
        fine, coarse = tree.labels(k + 1), tree.labels(k)
        assert np.unique(coarse).size == k
        assert np.unique(np.stack([fine, coarse]), axis=1).shape[1] == k + 1


def test_of_several_columns_that_say_the_same_one_counts() -> None:
    rows = rows_of(60, 2, seed=2)
    twice = np.column_stack([rows, rows[:, 0] * 1e3 - 5, np.full(60, 7.0)])
    for criterion in CRITERIA:
        assert np.unique(tree_of(twice, criterion, "svd").labels(4)).size == 4


@pytest.mark.parametrize("transform", ["svd", "std", "none"])
@pytest.mark.parametrize("criterion", CRITERIA)
def test_rows_that_are_all_equal_have_a_tree(criterion: str, transform: str) -> None:
    tree = tree_of(np.full((5, 2), 3.0), criterion, transform)
    assert [np.unique(tree.labels(k)).size for k in (1, 2, 5, 9)] == [1, 2, 5, 5]


@pytest.mark.parametrize("criterion", CRITERIA)
def test_rows_far_from_zero_for_their_width_have_a_tree(criterion: str) -> None:
    tree = tree_of(100.0 + 1e-3 * rows_of(150, 1, seed=5), criterion, "none")
    assert np.unique(tree.labels(9)).size == 9


def test_a_single_row_is_a_tree() -> None:
    tree = tree_of(np.ones((1, 2)), "VVV", "svd")
    np.testing.assert_array_equal(tree.labels(3), [0])


def test_heavy_rows_are_one_leaf_each() -> None:
    """Where a leaf per unit of weight would be more than a tree is grown on."""
    rows = rows_of(40, 2, seed=3)
    tree = tree_of(rows, "VVV", "svd", weight=np.full(40, 1e6))
    assert tree.n_leaves == 40


def test_rows_without_weight_are_left_out() -> None:
    rows, weight = rows_of(30, 2, seed=4), np.arange(30) % 3.0
    tree = tree_of(rows, "VVV", "svd", weight=weight)
    np.testing.assert_array_equal(tree.sample.numbers, np.flatnonzero(weight))
    np.testing.assert_array_equal(tree.sample.weights, weight[weight > 0])


def test_more_rows_than_wanted_are_drawn_by_the_seed() -> None:
    data = as_data(rows_of(5000, 2, seed=5), np.arange(5000) % 2.0)
    one, same, other = (draw_sample(data, np.random.RandomState(seed), 100) for seed in (0, 0, 1))
    np.testing.assert_array_equal(one.numbers, same.numbers)
    assert not np.array_equal(one.numbers, other.numbers)
    assert one.n_rows == one.weights.size == np.unique(one.numbers).size == 100
    assert (one.numbers % 2 == 1).all()
    np.testing.assert_array_equal(one.rows, data.rows(one.numbers))
    assert one.total_weight == 100.0


def test_where_all_rows_are_taken_nothing_is_drawn() -> None:
    rng = np.random.RandomState(0)
    draw_sample(as_data(rows_of(50, 2, seed=6)), rng, 50)
    assert rng.random_sample() == np.random.RandomState(0).random_sample()


@pytest.mark.parametrize(
    ("how", "message"),
    [
        (
            {"criterion": "EVE"},
            r"`criterion` must be one of \['VVV', 'EEE', 'VII', 'EII'\]; got 'EVE'",
        ),
        ({"transform": "pca"}, r"`transform` must be one of \['svd', 'std', 'none'\]; got 'pca'"),
    ],
)
def test_what_is_unknown_is_named(how: dict[str, str], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        grow(as_data(np.eye(3)), np.random.RandomState(0), **how)
