"""Agreement of partitions, against scikit-learn, sets and plain loops."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment
from sklearn.metrics import adjusted_rand_score, silhouette_score

from mixtura.segments import Flow, cluster_transitions
from mixtura.segments.comparison.agreement import (
    adjusted_rand_index,
    best_jaccard,
    contingency_table,
    match_clusters,
    pairwise_adjusted_rand,
    silhouette_widths,
)


@pytest.fixture(params=range(4))
def pair(request) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(request.param)
    first = rng.integers(0, 4, size=200)
    second = np.where(rng.random(200) < 0.3, rng.integers(0, 3, size=200), first % 3)
    return first, second


def test_crossing_counts_pairs_of_labels(pair) -> None:
    first, second = pair
    weights = np.random.default_rng(1).uniform(size=200)
    for weight in (None, weights):
        expected = np.zeros((4, 3))
        for position, (i, j) in enumerate(zip(first, second, strict=True)):
            expected[i, j] += 1 if weight is None else weight[position]
        np.testing.assert_allclose(contingency_table(first, second, 4, 3, weight), expected, rtol=1e-12)


def test_the_adjusted_rand_index_is_that_of_scikit_learn(pair) -> None:
    table = contingency_table(*pair, 4, 3)
    assert adjusted_rand_index(table) == pytest.approx(adjusted_rand_score(*pair), abs=1e-12)


def test_indices_of_many_partitions_are_those_of_each_two(monkeypatch) -> None:
    monkeypatch.setattr("mixtura.segments.comparison.agreement._ROWS", 64)
    rng = np.random.default_rng(5)
    partitions = [rng.integers(0, 3, size=200) for _ in range(4)]
    partitions += [partitions[0], np.zeros(200, dtype=np.intp)]
    counts = rng.integers(1, 4, size=200)
    for weights in (None, counts.astype(float)):
        repeats = np.ones(200, dtype=int) if weights is None else counts
        expected = [
            [adjusted_rand_score(one.repeat(repeats), other.repeat(repeats)) for other in partitions]
            for one in partitions
        ]
        np.testing.assert_allclose(pairwise_adjusted_rand(partitions, 4, weights), expected, atol=1e-12)


def test_partitions_without_information_agree() -> None:
    assert adjusted_rand_index(np.array([[7.0]])) == 1.0
    assert adjusted_rand_index(np.eye(5)) == 1.0
    assert adjusted_rand_index(np.array([[1.0]])) == 1.0
    assert adjusted_rand_index(np.array([[3.0, 3.0]])) == 0.0


def test_the_best_jaccard_similarity_is_that_of_sets(pair) -> None:
    first, second = pair
    found = best_jaccard(contingency_table(first, second, 5, 3))
    for part in range(4):
        mine = set(np.flatnonzero(first == part))
        others = [set(np.flatnonzero(second == other)) for other in range(3)]
        assert found[part] == pytest.approx(max(len(mine & other) / len(mine | other) for other in others))
    assert np.isnan(found[4])


def test_the_matching_keeps_most_customers(pair) -> None:
    table = contingency_table(*pair, 4, 3)
    first, second = match_clusters(table)
    best = max(sum(table[i, j] for j, i in enumerate(rows)) for rows in permutations(range(4), 3))
    assert table[first, second].sum() == best


@pytest.mark.parametrize(
    "table",
    [
        [[9.0, 1.0, 0.0], [2.0, 0.0, 7.0]],
        [[9.0, 2.0], [1.0, 0.0], [0.0, 7.0]],
        [[1.0, 2.0], [2.0, 3.0]],
        [[4.0, 4.0], [4.0, 4.0]],
        [[0.0, 0.0], [0.0, 5.0]],
        [[0.0, 5.0, 1.0], [3.0, 0.0, 3.0], [0.0, 0.0, 2.0]],
    ],
)
def test_pairs_found_at_sight_are_those_of_the_solver(table) -> None:
    given = np.array(table)
    expected = linear_sum_assignment(given, maximize=True)
    for found, wanted in zip(match_clusters(given), expected, strict=True):
        np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("n_rows", [40, 700])
def test_silhouettes_are_those_of_scikit_learn(n_rows) -> None:
    rng = np.random.default_rng(3)
    rows = rng.normal(size=(n_rows, 3))
    first, second = rng.integers(0, 3, size=n_rows), (rows[:, 0] > 0).astype(np.intp)
    first[0], alone = 7, np.zeros(n_rows, dtype=np.intp)  # a part of one customer, and numbers without any
    found = silhouette_widths(rows + 1e6, (first, second, alone))
    assert found.widths[:2] == pytest.approx(
        (silhouette_score(rows, first), silhouette_score(rows, second)), abs=1e-8
    )
    assert np.isnan(found.widths[2])
    assert (found.n_rows, found.sampled) == (n_rows, False)


def test_silhouettes_of_many_rows_are_those_of_a_seeded_sample() -> None:
    rng = np.random.default_rng(4)
    rows, labels = rng.normal(size=(900, 2)), rng.integers(0, 2, size=900)
    found = silhouette_widths(rows, (labels,), most=100, seed=5)
    chosen = np.random.RandomState(5).choice(900, size=100, replace=False)
    assert found.widths[0] == pytest.approx(silhouette_score(rows[chosen], labels[chosen]), abs=1e-12)
    assert (found.n_rows, found.sampled) == (100, True)


def test_equal_rows_have_no_width() -> None:
    found = silhouette_widths(np.ones((4, 2)), (np.array([0, 0, 1, 1]),))
    assert found.widths == (0.0,)


def test_the_flow_follows_the_customers() -> None:
    before = np.array([0, 0, 0, 1, 1, 2])
    after = np.array([3, 3, 0, 1, 1, 2])
    flow = cluster_transitions(before, after, ["A", "B", "C"], 4)
    assert flow.from_names == ("A", "B", "C")
    assert flow.to_names == ("A", "B", "C", "new 1")
    np.testing.assert_array_equal(flow.to_order, [3, 1, 2, 0])
    np.testing.assert_array_equal(flow.counts, [[2, 0, 0, 1], [0, 2, 0, 0], [0, 0, 1, 0]])
    assert flow.retention == pytest.approx(5 / 6)
    assert flow.counts.tolist() == [[2, 0, 0, 1], [0, 2, 0, 0], [0, 0, 1, 0]]


def test_the_flow_to_fewer_parts_and_back() -> None:
    before, after = np.array([0, 1, 1, 2, 2, 2]), np.array([1, 1, 1, 0, 0, 0])
    flow = cluster_transitions(before, after, ["A", "B", "C"], 2, weights=np.array([5.0, 1, 1, 1, 1, 1]))
    assert flow.from_names == ("A", "C", "B")
    assert flow.to_names == ("A", "C")
    np.testing.assert_array_equal(flow.counts, [[5, 0], [0, 3], [2, 0]])
    back: Flow = flow.reverse()
    assert (back.from_names, back.to_names) == (("A", "C"), ("A", "C", "B"))
    np.testing.assert_array_equal(back.counts, flow.counts.T)
    assert back.retention == flow.retention == pytest.approx(0.8)
