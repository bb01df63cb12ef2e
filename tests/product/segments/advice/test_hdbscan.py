"""HDBSCAN beside its definition in plain loops, and beside scikit-learn's."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.cluster import HDBSCAN
from sklearn.datasets import make_blobs, make_circles, make_moons

from mixtura.segments.advice.evidence.hdbscan import NOISE, hdbscan


def connected(members, reach, distance):
    """Parts of some rows that steps shorter than a distance connect."""
    parts, left = [], set(members)
    while left:
        part, edge = set(), {left.pop()}
        while edge:
            part |= edge
            edge = {j for j in left if any(reach[i][j] < distance for i in edge)}
            left -= edge
        parts.append(part)
    return parts


def grown(members, born, reach, smallest):
    """The chosen clusters within a cluster that is one at a density, itself or some within, and their stability."""
    stability, inside = 0.0, set(members)
    while True:
        steps = sorted({reach[i][j] for i in inside for j in inside if i != j}, reverse=True)
        distance = next(step for step in steps if len(connected(inside, reach, step)) > 1)
        density = 1 / distance if distance else math.inf
        large = [part for part in connected(inside, reach, distance) if len(part) >= smallest]
        if len(large) != 1:
            break
        stability += (density - born) * (len(inside) - len(large[0]))
        inside = large[0]
    stability += (density - born) * len(inside)
    within = [grown(part, density, reach, smallest) for part in large]
    best = sum(one for _, one in within)
    chosen = [cluster for clusters, _ in within for cluster in clusters]
    whole = born == 0
    return (chosen, best) if whole or best > stability else ([set(members)], stability)


def naive_hdbscan(rows, smallest, n_neighbors):
    n = len(rows)
    distance = [[math.dist(rows[i], rows[j]) for j in range(n)] for i in range(n)]
    core = [sorted(distance[i])[n_neighbors - 1] for i in range(n)]
    reach = [[max(distance[i][j], core[i], core[j]) for j in range(n)] for i in range(n)]
    return {frozenset(cluster) for cluster in grown(range(n), 0.0, reach, smallest)[0]}


def clusters_of(labels):
    return {frozenset(np.flatnonzero(labels == one).tolist()) for one in set(labels.tolist()) - {NOISE}}


def grid_rows(seed, n_rows, n_columns, most):
    """Rows on a coarse grid: distances are exact, many are equal, and rows coincide."""
    return np.random.default_rng(seed).integers(0, most, size=(n_rows, n_columns)).astype(float)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("smallest", "n_neighbors"), [(2, 1), (4, 3), (6, 2)])
def test_clusters_are_those_of_the_definition(seed, smallest, n_neighbors) -> None:
    rng = np.random.default_rng(seed)
    apart = rng.normal(size=(36, 2)) + 6 * rng.integers(0, 3, size=36)[:, None]
    for rows in (apart, grid_rows(seed, 36, 2, 9), grid_rows(seed, 30, 1, 40)):
        found = hdbscan(rows, smallest, n_neighbors)
        assert clusters_of(found) == naive_hdbscan(rows.tolist(), smallest, n_neighbors)


def test_a_heap_of_equal_rows_is_a_cluster() -> None:
    rows = np.concatenate([np.zeros(8), np.full(6, 5.0), [2.5, 9.0]])[:, None]
    assert clusters_of(hdbscan(rows, 5, 4)) == {frozenset(range(8)), frozenset(range(8, 14))}


@pytest.mark.parametrize("seed", range(3))
def test_clusters_are_those_of_scikit_learn_up_to_rows_at_equal_distances(seed) -> None:
    tables = (
        make_moons(300, noise=0.06, random_state=seed)[0],
        make_circles(300, noise=0.05, factor=0.4, random_state=seed)[0],
        make_blobs(400, centers=5, n_features=3, cluster_std=1.5, random_state=seed)[0],
    )
    for rows in tables:
        found = hdbscan(rows, 20, 10)
        theirs = HDBSCAN(min_cluster_size=20, min_samples=10, copy=True).fit(rows).labels_
        pairs = set(zip(found.tolist(), theirs.tolist(), strict=True)) - {(NOISE, NOISE)}
        # Each of ours lies in one of theirs, and at most one row of each is noise to us and not to them.
        assert len({ours for ours, _ in pairs if ours != NOISE}) == theirs.max() + 1
        assert len([pair for pair in pairs if pair[0] != NOISE]) == theirs.max() + 1
        assert np.count_nonzero((found == NOISE) != (theirs == NOISE)) <= theirs.max() + 1


def test_the_order_of_the_rows_says_nothing() -> None:
    rows = grid_rows(1, 300, 2, 18)
    rows[:150] += 40
    order = np.random.default_rng(0).permutation(300)
    found = hdbscan(rows, 15, 10)
    assert found.max() >= 1
    again = np.empty_like(found)
    again[order] = hdbscan(rows[order], 15, 10)
    assert clusters_of(again) == clusters_of(found)
