"""What must not matter to a search: units, origin and order of columns, threads and processes, or asking again."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import permutations
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

import mixtura
from mixtura.run import threads
from mixtura.select import Candidate, SearchResult, search
from mixtura.select.model_search import cost
from mixtura.select.model_search.nesting import contains

SEEDS = (0, 1)
N = 300

FOLLOW_UNITS = ("VVV", "EEE", "EVV", "VEE", "VVI", "EEI", "VEI", "EVI")
"""Families that stay themselves when each column is multiplied by a factor of its own."""

FACTORS = {
    "far apart": [1e-4, 1.0, 1e4],
    "small": [1e-4, 1e-4, 1e-4],
    "large": [1e4, 1e4, 1e4],
    "turned over": [-3.0, 1e-2, 7e3],
}


def table(seed: int, n_rows: int = N) -> Any:
    """Three tilted groups of different shapes that overlap a little."""
    rng = np.random.default_rng(seed)
    centers = np.array([[0.0, 0.0, 0.0], [5.0, -3.0, 2.0], [-2.0, 4.0, 5.0]])
    shapes = 0.5 * rng.normal(size=(3, 3, 3)) + np.eye(3)
    group = rng.integers(3, size=n_rows)
    return np.einsum("nd,nde->ne", rng.normal(size=(n_rows, 3)), shapes[group]) + centers[group]


def searched(rows: Any, families: Sequence[str] | str = FOLLOW_UNITS, **arguments: Any) -> SearchResult:
    return search(np.ascontiguousarray(rows), components=range(1, 5), covariance_types=families, **arguments)


@cache
def original(seed: int, families: Sequence[str] | str = FOLLOW_UNITS) -> SearchResult:
    return searched(table(seed), families)


def labels(one: Candidate, rows: Any) -> Any:
    assert one.mixture is not None
    return one.mixture.predict(rows)


def assert_the_same(
    before: SearchResult, after: SearchResult, rows: Any, mapped: Any, log_volume: float
) -> None:
    """Same choice, same partition however numbered, and likelihoods that differ by the change of units alone."""
    assert (after.best.covariance_type, after.best.n_components) == (
        before.best.covariance_type,
        before.best.n_components,
    )
    for one, other in zip(before.candidates, after.candidates, strict=True):
        assert (one.covariance_type, one.n_components) == (other.covariance_type, other.n_components)
        assert one.is_degenerate == other.is_degenerate
        assert other.log_likelihood + len(rows) * log_volume == pytest.approx(one.log_likelihood, abs=1e-3)
    partitions = labels(before.best, rows), labels(after.best, mapped)
    assert np.unique(partitions[0]).size == before.best.n_components > 1
    assert adjusted_rand_score(*partitions) == 1.0


@pytest.mark.sampled(2)
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("factors", FACTORS.values(), ids=FACTORS)
def test_the_units_and_the_origin_of_columns(factors: list[float], seed: int) -> None:
    rows = table(seed)
    mapped = rows * factors + np.array([300.0, -20.0, 0.5]) * np.abs(factors)
    log_volume = float(np.log(np.abs(factors)).sum())
    assert_the_same(original(seed), searched(mapped), rows, mapped, log_volume)


@pytest.mark.parametrize("order", [[2, 0, 1], [1, 0, 2]])
def test_the_order_of_columns(order: list[int]) -> None:
    rows = table(0)
    mapped = np.ascontiguousarray(rows[:, order])
    assert_the_same(original(0), searched(mapped), rows, mapped, 0.0)


@pytest.mark.slow
def test_all_families_follow_one_unit_for_all_columns_and_their_order() -> None:
    rows = table(1)
    mapped = np.ascontiguousarray(1e3 * rows[:, [2, 0, 1]] - 50.0)
    assert_the_same(original(1, "all"), searched(mapped, "all"), rows, mapped, 3 * np.log(1e3))


@pytest.mark.parametrize("seed", [0, 2, 4])
def test_no_family_ends_below_one_it_contains(seed: int) -> None:
    """On rows with long tails and no groups, where families left to themselves end up to 9 nats below one inside."""
    rows = np.random.default_rng(seed).standard_t(4, size=(150, 3))
    found = search(rows, components=[3, 4], covariance_types="all").candidates
    sound = [one for one in found if not one.is_degenerate and not one.failure]
    pairs = [
        (wide, narrow)
        for wide, narrow in permutations(sound, 2)
        if wide.n_components == narrow.n_components and contains(wide.covariance_type, narrow.covariance_type)
    ]
    assert len(pairs) > 80
    for wide, narrow in pairs:
        assert wide.log_likelihood > narrow.log_likelihood - 0.02, (
            wide.covariance_type,
            narrow.covariance_type,
            wide.n_components,
        )


def figures(found: SearchResult) -> list[Any]:
    """What a search found, but for the seconds it took."""
    return [{**row, "seconds": 0.0} for row in found.table()]


@pytest.mark.parametrize(
    ("n_rows", "sample_rows"),
    [(N, 50_000), pytest.param(2_500, 50_000, marks=pytest.mark.slow), (2_500, 1_000)],
)
def test_the_same_answer_at_every_call_and_for_any_number_of_threads_and_processes(
    n_rows: int, sample_rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To the last bit, above 2,000 rows too, where starts are found on a sample."""
    # Otherwise passes this small would stay on the calling thread.
    monkeypatch.setattr(threads, "_SMALL_WORK", 0.0)
    # And a search this quick in one process.
    monkeypatch.setattr(cost, "_LONG", 0.0)
    monkeypatch.setattr(cost, "_LONG_WHEN_READY", 0.0)
    rows = table(2, n_rows)
    answers = []
    for n_threads in (1, 2, 2):
        with mixtura.set_threads(n_threads):
            answers.append(searched(rows, ("VVV", "EEE", "VVI"), sample_rows=sample_rows))
    first, *others = answers
    for other in others:
        assert figures(other) == figures(first)
        for one, same in zip(first.candidates, other.candidates, strict=True):
            assert one.mixture is not None
            assert same.mixture is not None
            np.testing.assert_array_equal(same.mixture.means, one.mixture.means)
            np.testing.assert_array_equal(same.mixture.covariances, one.mixture.covariances)
