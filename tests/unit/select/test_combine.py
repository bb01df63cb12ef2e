"""Components merged by entropy: against the naive twin, the laws it obeys, and what it refuses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.cluster.hierarchy import is_valid_linkage

from mixtura import Mixture
from mixtura.exceptions import DataError, ParameterError
from mixtura.select import merge_components
from mixtura.select.combine import bend, line
from naive import naive_bend, naive_merge


def shares(n_rows: int = 40, n_components: int = 6, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).dirichlet(np.full(n_components, 0.3), size=n_rows)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_it_merges_as_the_naive_twin_does(seed: int, weighted: bool) -> None:
    given = shares(seed=seed)
    weights = np.random.default_rng(seed).uniform(0, 3, len(given)) if weighted else np.ones(len(given))
    steps = naive_merge(given.tolist(), weights.tolist())
    merged = merge_components(given, weights if weighted else None)
    for groups, entropy in steps:
        assert merged.groups(len(groups)) == groups
        assert merged.entropies[len(groups) - 1] == pytest.approx(entropy, rel=1e-12, abs=1e-9)
    falls = [merge.drop for merge in merged.merges]
    assert falls == pytest.approx(-np.diff([entropy for _, entropy in steps]), rel=1e-9, abs=1e-9)
    assert merged.elbow("clusters") == naive_bend(np.arange(6.0), merged.entropies) + 1
    assert merged.elbow() == naive_bend(merged.cumulative_weights, merged.entropies) + 1


def test_memberships_labels_and_merged_rows_are_those_of_the_groups() -> None:
    given = shares()
    merged = merge_components(given)
    for count in range(1, 7):
        expected = np.stack([given[:, list(group)].sum(axis=1) for group in merged.groups(count)], axis=1)
        np.testing.assert_allclose(merged.memberships(count), expected, rtol=1e-12)
        assert (merged.labels(count) == expected.argmax(axis=1)).all()
    for merge in merged.merges:
        before = merged.groups(merge.n_clusters + 1)
        labels = merged.labels(merge.n_clusters + 1)
        mine = [before.index(merge.left), before.index(merge.right)]
        assert merge.merged_weight == np.isin(labels, mine).sum()


def test_a_row_of_weight_two_is_two_rows_and_one_of_weight_zero_none() -> None:
    given = shares()
    weights = np.tile([0.0, 1.0, 2.0, 1.0], 10)
    repeated = merge_components(np.repeat(given, weights.astype(int), axis=0))
    weighted = merge_components(given, weights)
    assert [weighted.groups(count) for count in range(1, 7)] == [
        repeated.groups(count) for count in range(1, 7)
    ]
    np.testing.assert_allclose(weighted.entropies, repeated.entropies, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(weighted.cumulative_weights, repeated.cumulative_weights)


def test_the_order_of_components_does_not_matter() -> None:
    given, order = shares(), np.array([3, 0, 5, 1, 4, 2])
    one, other = merge_components(given), merge_components(given[:, order])
    for count in range(1, 7):
        renamed = {tuple(sorted(order[list(group)])) for group in other.groups(count)}
        assert renamed == set(one.groups(count))


def test_halves_of_one_bell_are_merged_first() -> None:
    mixture = Mixture.from_parameters(
        [0.25, 0.5, 0.25], [[0.0, 0.0], [9.0, 9.0], [0.5, 0.0]], [1.0, 1.0, 1.2], "spherical"
    )
    rows, _ = mixture.sample(400, random_state=0)
    merged = merge_components(mixture.responsibilities(rows))
    assert merged.groups(2) == ((0, 2), (1,))
    assert merged.elbow() == merged.elbow("clusters") == 2
    assert merged.entropies[0] == pytest.approx(0, abs=1e-12)


def test_the_tree_is_a_linkage() -> None:
    merged = merge_components(shares())
    tree = merged.tree
    assert tree.shape == (5, 2)
    sizes = [1] * 6
    for left, right in tree:
        sizes.append(sizes[left] + sizes[right])
    heights = np.arange(1.0, 6.0)
    assert is_valid_linkage(np.column_stack([tree, heights, sizes[6:]]).astype(float))
    assert sizes[-1] == 6


def test_the_table_has_a_row_per_number_of_clusters() -> None:
    table = merge_components(shares()).table()
    assert [row["n_clusters"] for row in table] == [1, 2, 3, 4, 5, 6]
    assert table[-1]["drop"] is None
    assert table[-1]["merged_weight"] is None
    assert table[2]["entropy"] + table[2]["drop"] == pytest.approx(table[3]["entropy"])


@pytest.mark.parametrize("count", [1, 2])
def test_one_or_two_components_do_not_bend(count: int) -> None:
    merged = merge_components(shares(n_components=count))
    assert merged.elbow() == merged.elbow("clusters") == count


def test_certain_rows_merge_in_the_order_of_their_components() -> None:
    merged = merge_components(np.eye(4)[[0, 1, 2, 3, 3]])
    assert merged.groups(3) == ((0, 1), (2,), (3,))
    assert (merged.entropies == 0).all()


def test_a_line_through_points_above_one_another_is_level() -> None:
    assert line(np.array([2.0, 2.0]), np.array([1.0, 5.0])) == (0.0, 3.0)
    assert bend(np.array([0.0, 0.0, 1.0, 2.0]), np.array([0.0, 0.0, 1.0, 2.0])) == 1


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ([["a", "b"]], "Memberships must be numbers; got 'a' in row 0"),
        ([[0.5, 0.5], [1.0]], "rows of one length"),
        ([0.5, 0.5], r"`memberships` must have the shape \(rows, components\); got \(2,\)"),
        (np.zeros((0, 2)), r"`memberships` must have the shape \(rows, components\); got \(0, 2\)"),
        ([[0.5, 0.6]], "sum to one"),
        ([[1.5, -0.5]], "not negative"),
        ([[float("nan"), 1.0]], "finite"),
    ],
)
def test_what_are_no_memberships_is_refused(given, words: str) -> None:
    with pytest.raises(DataError, match=words):
        merge_components(given)


def test_weights_and_questions_that_make_no_sense_are_refused() -> None:
    given = shares(5)
    with pytest.raises(DataError, match=r"-1\.0"):
        merge_components(given, [-1, 1, 1, 1, 1])
    with pytest.raises(
        DataError,
        match=r"at least one weight positive; got weights from 0\.0 to 0\.0",
    ):
        merge_components(given, np.zeros(5))
    with pytest.raises(DataError, match="one weight per row"):
        merge_components(given, np.ones(4))
    merged = merge_components(given)
    for count in (0, 7):
        with pytest.raises(ParameterError, match=f"from 1 to 6; got {count}"):
            merged.labels(count)
    with pytest.raises(ParameterError, match="`by` must be 'weight' or 'clusters'; got 'rows'"):
        merged.elbow("rows")


def test_certain_memberships_leave_nothing_to_merge() -> None:
    assert merge_components(np.eye(4)).elbow() == 4


@pytest.mark.parametrize("number", [0, 4, 2.0, "2", None])
def test_numbers_of_clusters_are_whole(number: Any) -> None:
    with pytest.raises(ParameterError, match="`n_clusters` must be a whole number from 1 to 3; got"):
        merge_components(np.full((5, 3), 1 / 3)).groups(number)


def test_a_merging_shows_itself_in_a_line() -> None:
    assert repr(merge_components(np.eye(4))) == "<Merging: 4 components, elbow at 4 clusters>"
