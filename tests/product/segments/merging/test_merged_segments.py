"""Segments that may be parts of one cluster."""

from __future__ import annotations

import itertools

import numpy as np
import polars as pl
import pytest

from mixtura.segments import segment_table
from mixtura.segments.merging.merged_segments import drawn_customers, has_customers, merge_segments
from mixtura.select import Pair, merge_components


def halves() -> np.ndarray:
    return np.repeat([[0.5, 0.5, 0, 0], [0, 0, 1.0, 0], [0, 0, 0, 1.0]], 20, axis=0)


def test_the_components_of_a_cluster_are_merged_first() -> None:
    """A crescent beside two round groups: six components, and merging down to three finds the three."""
    rng = np.random.default_rng(0)
    angle = rng.uniform(0.1, np.pi - 0.1, 400)
    crescent = np.column_stack([8 * np.cos(angle), 8 * np.sin(angle)]) + rng.normal(size=(400, 2)) * 0.5
    others = [rng.normal(size=(200, 2)) + center for center in ([-14, -14], [14, -14])]
    frame = pl.DataFrame(np.vstack([crescent, *others]), schema=["a", "b"])
    found = segment_table(frame, components=[6], covariance_types=["full"])
    labels = found.merging.labels(3)
    assert [np.unique(labels[part]).size for part in (slice(400), slice(400, 600), slice(600, 800))] == [
        1,
        1,
        1,
    ]


def none_is(pair: Pair) -> bool:
    return False


def test_many_customers_are_sampled_and_the_smallest_segment_is_seen() -> None:
    many = np.tile(halves(), (400, 1))
    many[777] = [0.0, 0.0, 0.3, 0.7]
    many[many[:, 3] == 1] = [0.0, 0.0, 1.0, 0.0]
    chosen = drawn_customers(many, 0)
    assert chosen is not None
    assert len(np.unique(chosen)) == len(chosen) == 20_000
    assert 777 in chosen
    np.testing.assert_array_equal(has_customers(many[chosen]), [True, False, True, True])
    assert drawn_customers(many[:20_000], 0) is None


def test_without_pairs_of_one_group_the_entropy_decides() -> None:
    weights = np.arange(60) % 3 + 1.0
    shares = np.random.default_rng(0).dirichlet([4.0, 4.0, 4.0, 4.0], size=60)
    found, whole = merge_segments(shares, weights, none_is), merge_components(shares, weights)
    first = [(one.left, one.right, one.drop) for one in (found.merges[0], whole.merges[0])]
    assert first[0] == first[1]


def fewest_empty(shares: np.ndarray, n_clusters: int) -> int:
    """The least number of clusters without customers, over all ways of putting components together."""
    n_components, found = shares.shape[1], []
    for code in itertools.product(range(n_clusters), repeat=n_components):
        if len(set(code)) == n_clusters:
            sums = np.stack([shares[:, np.array(code) == k].sum(axis=1) for k in range(n_clusters)])
            found.append(n_clusters - len(set(sums.argmax(axis=0).tolist())))
    return min(found)


@pytest.mark.parametrize("seed", range(12))
def test_no_number_that_can_be_had_leaves_a_segment_without_customers(seed: int) -> None:
    """Memberships of few rows, most of them unsure: merging by the entropy alone leaves empty clusters."""
    rng = np.random.default_rng(seed)
    shares = rng.dirichlet(rng.uniform(0.2, 3.0, size=5), size=12)
    found = merge_segments(shares, None, none_is)
    for number in (2, 3, 4):
        n_empty = np.count_nonzero(~has_customers(found.memberships(number)))
        if number == 4:
            assert n_empty == fewest_empty(shares, number)
        plain = np.count_nonzero(~has_customers(merge_components(shares).memberships(number)))
        assert n_empty <= plain
