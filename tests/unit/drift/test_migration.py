"""Customers at two times, and segments of two models."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom, entropy, norm

from mixtura import Mixture
from mixtura.drift import match_segments, membership_distances, migrate

OVERLAPPING = Mixture.from_parameters([0.5, 0.5], [[0.0], [1.5]], [1.0, 1.0], "spherical")


def redrawn(labels: np.ndarray, seed: int) -> np.ndarray:
    """Memberships of customers who are drawn again from the segments that they belong to."""
    rows = OVERLAPPING.means[labels] + np.random.RandomState(seed).standard_normal((labels.size, 1))
    return OVERLAPPING.responsibilities(rows)


def test_distances_are_those_of_jensen_and_shannon() -> None:
    rng = np.random.RandomState(0)
    p, q = rng.dirichlet(np.ones(3), 5), rng.dirichlet(np.ones(3), 5)
    middle = (p + q) / 2
    bits = [(entropy(a, m, base=2) + entropy(b, m, base=2)) / 2 for a, b, m in zip(p, q, middle, strict=True)]
    np.testing.assert_allclose(membership_distances(p, q), np.sqrt(bits))
    assert membership_distances(p, p) == pytest.approx(0.0, abs=1e-7)


def test_customers_near_the_border_flip_by_chance() -> None:
    """Of intervals at 95 % one in forty lies above zero where nobody moved."""
    alarms = 0
    for seed in range(40):
        labels = np.random.RandomState(seed).randint(2, size=2000)
        found = migrate(redrawn(labels, seed + 100), redrawn(labels, seed + 200))
        assert found.moved > 400
        alarms += found.moved_beyond_chance > 0
    assert alarms <= binom.ppf(0.999, 40, 0.025)


def test_the_interval_holds_what_really_moved() -> None:
    inside = 0
    for seed in range(20):
        labels = np.random.RandomState(seed).randint(2, size=2000)
        later = labels.copy()
        later[:600] = 1 - later[:600]
        found = migrate(redrawn(labels, seed + 100), redrawn(later, seed + 200))
        # Some of those who moved are put in the wrong segment at one of the times, others flip back.
        right = norm.cdf(0.75)
        shown = 600 * ((right**2 + (1 - right) ** 2) - 2 * right * (1 - right))
        low, high = found.moved_interval
        inside += low <= shown <= high
        assert found.moved_beyond_chance > 0
    assert inside >= binom.ppf(0.001, 20, 0.95)


def test_nobody_moves_where_nothing_changed() -> None:
    memberships = redrawn(np.repeat([0, 1], 100), 0)
    found = migrate(memberships, memberships)
    assert found.moved == 0
    assert found.moved_beyond_chance == 0
    np.testing.assert_array_equal(found.counts.sum(axis=1), np.bincount(memberships.argmax(axis=1)))
    assert found.expected.sum() == pytest.approx(200)


def hot(labels: list[int], n: int) -> np.ndarray:
    return np.eye(n)[labels]


def events(before: list[int], after: list[int]) -> set[tuple[str, tuple[int, ...], tuple[int, ...]]]:
    found = match_segments(hot(before, max(before) + 1), hot(after, max(after) + 1))
    return {(one.kind, one.before, one.after) for one in found.events}


def test_segments_are_found_again_in_any_order() -> None:
    found = match_segments(hot([0, 0, 1, 1, 2, 2], 3), hot([2, 2, 0, 0, 1, 1], 3))
    assert found.partners == (1, 2, 0)
    assert found.numbers() == (1, 2, 0)


def test_segments_split_merge_and_vanish() -> None:
    assert events([0] * 8 + [1] * 4, [0] * 4 + [1] * 4 + [2] * 4) == {
        ("split", (0,), (0, 1)),
        ("kept", (1,), (2,)),
    }
    assert events([0] * 4 + [1] * 4 + [2] * 4, [0] * 8 + [1] * 4) == {
        ("merged", (0, 1), (0,)),
        ("kept", (2,), (1,)),
    }
    before, after = [0] * 10 + [1] * 10 + [2] * 2, [0] * 11 + [1] * 11
    assert ("vanished", (2,), ()) in events(before, after)


def test_a_segment_of_rows_that_were_not_expected_appeared() -> None:
    before, after = hot([0] * 10 + [1] * 14, 2), hot([0] * 10 + [1] * 8 + [2] * 6, 3)
    unexpected = np.repeat([0.0, 1.0], [18, 6])
    with_it, without = match_segments(before, after, unexpected), match_segments(before, after)
    assert ("appeared", (), (2,)) in {(one.kind, one.before, one.after) for one in with_it.events}
    assert ("split", (1,), (1, 2)) in {(one.kind, one.before, one.after) for one in without.events}
    assert with_it.numbers() == (0, 1, 2)
