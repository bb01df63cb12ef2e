"""Summaries of a scan equal plain computations on all rows, however rows are cut and in whatever order parts merge."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass, fields, is_dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from mixtura import Mixture
from mixtura.engine import as_data
from mixtura.run import SerialRunner, ThreadRunner
from mixtura.segments.certainty.certainty_summary import (
    AmbiguousSummary,
    CertaintySummary,
    MeanCertaintySummary,
)
from mixtura.segments.comparison.transitions import TransitionsSummary
from mixtura.segments.mergeable import GroupMoments, TopRows
from mixtura.segments.profiles.distinctness import BINS
from mixtura.segments.profiles.segment_statistics import (
    CategorySummary,
    MeansSummary,
    NumberSummary,
    SizesSummary,
    TypicalSummary,
)
from mixtura.segments.scan import Scan, Scored, Scores
from mixtura.segments.transforms.scaling import Scaling

K, MIXING = 3, np.array([0.5, 0.3, 0.2])
NAMES = ["a", "b", "c"]


def scored(n_rows: int = 500, weighted: bool = False, seed: int = 0) -> Scored:
    """Rows with ties, heaps, a far outlier and missing values; a segment that is seldom seen."""
    rng = np.random.default_rng(seed)
    labels = rng.choice(K, n_rows, p=[0.6, 0.38, 0.02])
    memberships = rng.dirichlet([0.5] * K, n_rows).round(2)
    memberships[np.arange(n_rows), labels] += 1.0
    memberships /= memberships.sum(axis=1, keepdims=True)
    rows = np.column_stack(
        [rng.normal(1e6, 1.0, n_rows), np.where(rng.random(n_rows) < 0.4, 0.0, rng.lognormal(0, 2, n_rows))]
    )
    rows[n_rows // 2, 0] = 1e12
    return Scored(
        rows=rows,
        scaling=Scaling(np.array([1e6, 2.0]), np.array([2.0, 3.0])),
        weights=rng.integers(0, 4, n_rows) / 3 if weighted else None,
        start=0,
        memberships=memberships,
        log_density=rng.normal(size=n_rows).round(1),
        labels=labels,
        described={
            "age": np.where(rng.random(n_rows) < 0.1, np.nan, rng.normal(40, 9, n_rows)),
            "children": rng.integers(0, 4, n_rows).astype(float),
            "unknown": np.full(n_rows, np.nan),
            "town": rng.integers(0, 5, n_rows),
        },
    )


def part(whole: Scored, rows: slice) -> Scored:
    return Scored(
        rows=whole.rows[rows],
        scaling=whole.scaling,
        weights=None if whole.weights is None else whole.weights[rows],
        start=rows.start,
        memberships=whole.memberships[rows],
        log_density=whole.log_density[rows],
        labels=whole.labels[rows],
        described={name: values[rows] for name, values in whole.described.items()},
    )


def weights_of(whole: Scored) -> np.ndarray:
    return np.ones(len(whole.rows)) if whole.weights is None else whole.weights


def naive_quantile(values: np.ndarray, weights: np.ndarray, share: float) -> float:
    """Where the sum of weights of smaller values passes the share; the middle where it rests there."""
    order = [n for n in np.argsort(values, kind="stable") if weights[n] > 0]
    total, below, found = sum(weights[n] for n in order), 0.0, []
    for n in order:
        before, below = below, below + weights[n]
        if before <= share * total + 1e-9 and below >= share * total - 1e-9:
            found.append(values[n])
    return float((found[0] + found[-1]) / 2) if found else float("nan")


def naive_moments(values: np.ndarray, weights: np.ndarray) -> tuple[float, float]:
    if not weights.sum() > 0:
        return float("nan"), float("nan")
    mean = np.average(values.astype(np.longdouble), weights=weights)
    return float(mean), float(np.sqrt(np.average((values - mean) ** 2, weights=weights)))


def naive_number(whole: Scored, values: np.ndarray) -> list[Any]:
    """Statistics by segment, those of all, and the weights in equally filled bins by segment."""
    weights, found = weights_of(whole), []
    for k in (*range(K), None):
        members = np.ones(len(values), dtype=bool) if k is None else whole.labels == k
        known = members & ~np.isnan(values)
        shares = (0.0, 0.25, 0.5, 0.75, 1.0)
        quartiles = [naive_quantile(values[known], weights[known], share) for share in shares]
        moments = naive_moments(values[known], weights[known])
        found += [int(known.sum()), int((members & ~known).sum()), *moments, *quartiles]
    known = ~np.isnan(values)
    edges = np.unique(values[known])
    if edges.size > BINS:
        places = [naive_quantile(values[known], weights[known], i / BINS) for i in range(1, BINS)]
        edges = np.unique(places)
    table = np.zeros((edges.size + 1, K))
    for value, label, weight in zip(values[known], whole.labels[known], weights[known], strict=True):
        table[sum(edge < value for edge in edges), label] += weight
    return [*found, *table.ravel()]


def number(found: Any) -> list[Any]:
    """The same of what a summary found."""
    summaries = [*found.segments, found.population]
    return [
        *(getattr(one, field.name) for one in summaries for field in fields(one)),
        *found.bins.ravel(),
    ]


def naive_certainty(whole: Scored) -> list[Any]:
    weights, largest = weights_of(whole), whole.memberships.max(axis=1)
    total = weights.sum()
    logs = [[-r * np.log(r) if r > 0 else 0.0 for r in row] for row in whole.memberships]
    confusion, sizes, between = np.zeros((K, K)), np.zeros(K), np.zeros((K, K))
    for row, weight, most in zip(whole.memberships, weights, largest, strict=True):
        first = int(np.argmax(row))
        second = max((k for k in range(K) if k != first), key=lambda k: row[k])
        confusion[first] += weight * row
        sizes[first] += weight
        if most < 0.6:
            between[first, second] += weight
            between[second, first] += weight
    limits = [0.0, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 2.0]
    inside = [(largest >= low) & (largest < high) for low, high in pairwise(limits)]
    return [
        len(largest), total, np.sum(logs, axis=1) @ weights / total, largest @ weights / total,
        int((largest < 0.6).sum()), weights[largest < 0.6].sum() / total, *between.ravel(),
        *(confusion / sizes[:, None]).ravel(),
        *(naive_quantile(largest, weights, share) for share in (0.05, 0.25, 0.5, 0.75, 0.95)),
        *(int(one.sum()) for one in inside), *(weights[one].sum() / total for one in inside),
        *np.histogram(largest, bins=20, range=(0, 1), weights=weights)[0],
    ]  # fmt: skip


def certainty(found: Any) -> list[Any]:
    return [
        found.n_customers, found.total_weight, found.mean_entropy, found.mean_certainty, found.n_ambiguous,
        found.ambiguous_share, *found.ambiguity_matrix.ravel(), *found.confusion.ravel(), *found.quantiles.values(),
        *(band.count for band in found.bands), *(band.share for band in found.bands), *found.histogram,
    ]  # fmt: skip


def naive_sizes(whole: Scored) -> list[Any]:
    weights, members = weights_of(whole), [whole.labels == k for k in range(K)]
    above = weights[weights > 0]
    return [
        *(one.sum() for one in members), *(weights[one].sum() for one in members),
        *((weights[one] ** 2).sum() for one in members), *((weights[one] > 0).sum() for one in members),
        above.min(), above.max(),
    ]  # fmt: skip


def plain(found: Any) -> list[Any]:
    """All numbers of a result in the order of its fields."""
    if is_dataclass(found):
        return [one for field in fields(found) for one in plain(getattr(found, field.name))]
    return list(np.ravel(found))


def naive_means(whole: Scored) -> list[Any]:
    weights = weights_of(whole)
    return [
        one
        for values in whole.scaled.T
        for k in range(K)
        for one in naive_moments(values[whole.labels == k], weights[whole.labels == k])
    ]


def means(found: list[GroupMoments]) -> list[Any]:
    return [one for moments in found for pair in zip(moments.mean, moments.sd, strict=True) for one in pair]


def naive_levels(whole: Scored) -> list[Any]:
    cells = [(whole.described["town"] == level) & (whole.labels == k) for level in range(5) for k in range(K)]
    weights = weights_of(whole)
    return [*(one.sum() for one in cells), *(weights[one].sum() for one in cells)]


def naive_typical(whole: Scored) -> list[Any]:
    found = []
    for k in range(K):
        members = np.flatnonzero(whole.labels == k)
        density = [whole.log_density[n] + np.log(whole.memberships[n, k] / MIXING[k]) for n in members]
        best = sorted(zip(-np.array(density), members, strict=True))[:4]
        found += [row for _, row in best]
    return found


def naive_ambiguous(whole: Scored) -> list[Any]:
    order = sorted((max(row), n) for n, row in enumerate(whole.memberships.tolist()))
    return [n for _, n in order[:30]]


@dataclass(frozen=True)
class Case:
    """A summary, the numbers of its result, the same computed plainly, and how often it sees the rows."""

    make: Callable[[Scored], Any]
    numbers: Callable[[Any], list[Any]]
    naive: Callable[[Scored], list[Any]]
    passes: int = 1


def _number(column: int | str) -> Case:
    def values(whole: Scored) -> np.ndarray:
        return whole.described[column] if isinstance(column, str) else whole.rows[:, column]

    return Case(
        lambda sample: NumberSummary(column, K, sample),
        number,
        lambda whole: naive_number(whole, values(whole)),
        passes=2,
    )


OTHER = Mixture.from_parameters([0.5, 0.5], [[0.0, 0.0], [1.0, 1.0]], np.stack([np.eye(2)] * 2), "full")


def naive_transitions(whole: Scored) -> list[Any]:
    table = np.zeros((K, 2))
    for label, other, weight in zip(
        whole.labels, OTHER.predict(whole.scaled), weights_of(whole), strict=True
    ):
        table[label, other] += weight
    return list(table.ravel())


CASES = {
    "transitions": Case(lambda _: TransitionsSummary(OTHER, K), plain, naive_transitions),
    "mean certainty": Case(
        lambda _: MeanCertaintySummary(),
        plain,
        lambda whole: [np.average(whole.memberships.max(axis=1), weights=whole.weights)],
    ),
    "sizes": Case(lambda _: SizesSummary(K), plain, naive_sizes),
    "means": Case(lambda _: MeansSummary(K, 2), means, naive_means),
    "column far from zero": _number(0),
    "column with a heap": _number(1),
    "described column": _number("age"),
    "column of few values": _number("children"),
    "column without values": _number("unknown"),
    "levels": Case(lambda _: CategorySummary("town", 5, K), plain, naive_levels),
    "typical": Case(
        lambda _: TypicalSummary(MIXING, 4),
        lambda found: [n for top in found for n in top.rows],
        naive_typical,
    ),
    "certainty": Case(
        lambda sample: CertaintySummary(NAMES, sample.certainty), certainty, naive_certainty, passes=2
    ),
    "ambiguous": Case(lambda _: AmbiguousSummary(30), lambda top: list(top.rows), naive_ambiguous),
}


def merged(summary: Any, parts: list[Scored], order: list[int]) -> Any:
    """Feed a copy with each part, and merge them pair by pair in an order."""
    found = [deepcopy(summary) for _ in parts]
    for one, rows in zip(found, parts, strict=True):
        one.add(rows)
    while len(found) > 1:
        place = order[len(found) % len(order)] % (len(found) - 1)
        found[place].merge(found.pop(place + 1))
    return found[0].result()


def cuts(n_rows: int) -> Iterator[tuple[list[int], list[int]]]:
    rng = np.random.default_rng(1)
    yield [0, n_rows], [0]
    yield [0, 1, 1, n_rows // 2, n_rows], [0]
    for n_parts in (3, 10):
        inner = np.sort(rng.integers(0, n_rows, n_parts - 1)).tolist()
        yield [0, *inner, n_rows], rng.integers(0, 100, 7).tolist()


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", CASES)
def test_a_summary_is_what_a_plain_computation_finds(name: str, weighted: bool) -> None:
    case, whole = CASES[name], scored(weighted=weighted)
    expected = case.naive(whole)
    for limits, order in cuts(len(whole.rows)):
        parts = [part(whole, slice(low, high)) for low, high in pairwise(limits)]
        # A sample that is not like the rows costs time, not exactness.
        for sample in (whole, part(whole, slice(3, 9))):
            found = case.make(sample)
            for _ in range(case.passes):
                found = merged(found, parts, order)
            np.testing.assert_allclose(case.numbers(found), expected, rtol=1e-9, atol=1e-12)


def test_a_scan_is_the_same_for_any_number_of_threads() -> None:
    rng = np.random.default_rng(2)
    rows, weights = rng.normal(size=(20_000, 2)) * [1, 100] + [5, 0], rng.random(20_000)
    scaling = Scaling(rows.mean(axis=0), rows.std(axis=0))
    mixture = Mixture.from_parameters(
        [0.5, 0.3, 0.2],
        rng.normal(size=(3, 2)),
        np.stack([np.eye(2), 0.5 * np.eye(2), 2 * np.eye(2)]),
        "full",
    )
    found = []
    for runner in (SerialRunner(), ThreadRunner(2), ThreadRunner(5)):
        data, scores = as_data(rows, weights), Scores.empty(len(rows), K)
        scan = Scan(mixture, scaling, replace(data, runner=runner))
        summaries = [MeansSummary(K, 2), CertaintySummary(NAMES, scan.sample().certainty)]
        moments, second = scan.run(summaries, scores)
        (exact,) = scan.again([second], scores)
        found.append([*means(moments), *certainty(exact)])
        np.testing.assert_array_equal(scores.labels, mixture.predict(scaling.apply(rows)))
        np.testing.assert_allclose(
            scores.memberships, mixture.responsibilities(scaling.apply(rows)), atol=1e-12
        )
        np.testing.assert_allclose(scores.log_density, mixture.log_density(scaling.apply(rows)), rtol=1e-12)
        np.testing.assert_array_equal(means(scan.run([MeansSummary(K, 2)])[0]), means(moments))
    assert found[0] == found[1] == found[2]


def test_moments_neither_overflow_nor_vanish() -> None:
    for size in (1e-300, 1.0, 1e300):
        values = np.array([1.0, 2.0, 4.0, 7.0]) * size
        moments = GroupMoments(2)
        for value, group in zip(values, (0, 0, 1, 1), strict=True):
            moments.add(np.array([value]), np.array([group]))
        np.testing.assert_allclose(moments.mean, np.array([1.5, 5.5]) * size, rtol=1e-14)
        np.testing.assert_allclose(moments.sd, np.array([0.5, 1.5]) * size, rtol=1e-14)
        together = moments.together()
        assert together.mean[0] == pytest.approx(3.5 * size, rel=1e-14, abs=0)
        assert together.sd[0] == pytest.approx(np.std([1, 2, 4, 7]) * size, rel=1e-14, abs=0)


def test_rows_without_a_key_are_not_first() -> None:
    top = TopRows(3)
    top.add(np.array([np.nan, 2.0, np.nan, np.nan, 1.0]), np.arange(5))
    assert top.rows.tolist() == [4, 1]
