"""A weight of three tells the same of a segmentation as the row three times; weights of one tell what none do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import polars as pl
import pytest

from mixtura.core.data import Data
from mixtura.segments import SegmentationResult, assess_stability, segment_table
from mixtura.segments.advice.evidence.quick_fit import component_normality
from mixtura.segments.comparison.agreement import (
    adjusted_rand_index,
    best_jaccard,
    contingency_table,
    silhouette_widths,
)
from mixtura.segments.jsonable import to_jsonable
from mixtura.segments.profiles.segment_statistics import sizes_of
from mixtura.segments.profiles.share_interval import share_interval
from mixtura.segments.stability import resample
from mixtura.segments.weighted import effective_counts, percentile

N = 200

COUNT = "a number of customers, who are counted as people"
LISTED = "a list of customers, in which one who was repeated stands again"
DRAWN = "from resamples, which draw a customer with its weight, but the copies of a repeated row one by one"
FOUND = "the same end, reached by another of several starts: rounding decides which is told"
TOLD = "says how the table was given"
BASE = "a customer of weight three says less than three customers (Kish 1965)"

EXCEPTIONS = {
    r"/(table/rows|population/count|verdict/customers|certainty/n_customers)": COUNT,
    r"/(verdict|certainty)/n_ambiguous": COUNT,
    r"/(anomalies|ambiguous)/count": COUNT,
    r"/certainty/bands/\d+/count": COUNT,
    r"/kmeans/(n_moved|silhouette_rows|sentences/\d+)": COUNT,
    r"/population/(numbers/\w+/(count|missing)|value/missing|categories/\w+/\d+/count)": COUNT,
    r"/segments/\d+/(count|value/missing|numbers/\d+/(count|missing)|categories/\d+/levels/\d+/count)": COUNT,
    r"/stability/(n_rows|n_rows_used)": COUNT,
    r"/(population|segments/\d+)/effective_base": BASE,
    r"/population/index_table/rows/\d+/cells/\d+/(base|against_rest|above/.*)": BASE,
    r"/least_certain/.*": LISTED,
    r"/(ambiguous|anomalies)/customers/.*": LISTED,
    r"/segments/\d+/typical/.*": LISTED,
    r"/segments/\d+/share_interval/\d": DRAWN,
    r"/stability/(verdict|explanation|reason|overall/.*|numbers/.*|segments/.*)": DRAWN,
    r"/verdict/(stability|stability_explanation|adjusted_rand|least_stable|least_jaccard)": DRAWN,
    r"/choice/compared/\d+/(adjusted_rand|least_jaccard)": DRAWN,
    r"/(candidates/\d+|choice)/n_iter": FOUND,
    r"/table/(weight_column|left_out/.*)": TOLD,
    r"/notes/.*": TOLD,
    r"/seconds": "a measured time",
}


def table(seed: int = 7, apart: float = 1.0) -> tuple[pl.DataFrame, Any]:
    """Three groups that overlap the more the less they are apart, with words, a value with gaps, and weights."""
    rng = np.random.default_rng(seed)
    centers, spreads = np.array([[20, 30], [45, 70], [70, 35]]), np.array([[8, 12], [12, 8], [9, 10]])
    kind = rng.integers(0, 3, N)
    rows = 45 + apart * (centers[kind] - 45) + spreads[kind] * rng.normal(size=(N, 2))
    revenue = [None if i % 11 == 0 else float(x) for i, x in enumerate(rng.lognormal(3, 1, N))]
    frame = pl.DataFrame(
        {
            "customer": [f"C{i}" for i in range(N)],
            "income": rows[:, 0],
            "spending": np.exp(rows[:, 1] / 30),
            "region": rng.choice(["north", "south", "east"], N, p=[0.4, 0.35, 0.25]).tolist(),
            "town": [f"T{i}" for i in rng.integers(0, 15, N)],
            "age": rng.normal(40, 9, N),
            "revenue": revenue,
            "visits": rng.integers(1, 4, N),
        }
    )
    return frame, frame["visits"].to_numpy()


def segmented(frame: pl.DataFrame, weight: str | None, **options: Any) -> SegmentationResult:
    return segment_table(
        frame,
        columns=["income", "spending"],
        id_column="customer",
        describe=["region", "town", "age"],
        value="revenue",
        weight=weight,
        components=[1, 2, 3, 4],
        # What columns are is seen from the customers in the list, however much each counts.
        **({"kinds": "continuous"} | options),
    )


def told(result: SegmentationResult) -> dict[str, Any]:
    stability = assess_stability(result.model, result.rows, weights=result.weights, n_bootstraps=4)
    return dict(leaves(result.with_stability(stability).document.to_dict()))


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, held in value.items():
            yield from leaves(held, f"{path}/{name}")
    elif isinstance(value, list):
        yield f"{path}/length", len(value)
        for position, held in enumerate(value):
            yield from leaves(held, f"{path}/{position}")
    else:
        yield path, value


def same(one: Any, other: Any, tolerance: float) -> bool:
    if isinstance(one, float) and isinstance(other, int | float):
        return one == pytest.approx(other, rel=tolerance, abs=tolerance)
    return bool(one == other)


def differing(one: dict[str, Any], other: dict[str, Any], tolerance: float) -> set[str]:
    nothing = object()
    return {
        path
        for path in one.keys() | other.keys()
        if not same(one.get(path, nothing), other.get(path, nothing), tolerance)
    }


@pytest.mark.parametrize(
    ("apart", "options"),
    [
        (1.0, {}),
        pytest.param(0.6, {"transform": "auto", "prior": "conjugate"}, marks=pytest.mark.slow),
        pytest.param(0.4, {"criterion": "icl", "covariance_types": ["VVI", "EEE"]}, marks=pytest.mark.slow),
    ],
)
def test_a_weight_is_so_many_equal_customers(apart: float, options: dict[str, Any]) -> None:
    frame, counts = table(apart=apart)
    weighted = segmented(frame, "visits", **options)
    repeated = segmented(frame[np.repeat(np.arange(N), counts)], None, **options)
    few, many = told(weighted), told(repeated)
    unlike = differing(few, many, 1e-9)
    excused = {path for path in unlike if any(re.fullmatch(pattern, path) for pattern in EXCEPTIONS)}
    assert {path: (few.get(path), many.get(path)) for path in unlike - excused} == {}
    # Customers are counted once, however often they stand in the table.
    assert (few["/population/count"], many["/population/count"]) == (N, counts.sum())
    for k in range(weighted.model.n_segments):
        members = {
            repeated.assignment.customer(row) for row in np.flatnonzero(repeated.assignment.labels == k)
        }
        assert few[f"/segments/{k}/count"] == len(members)
    unsure = {
        repeated.assignment.customer(row) for row in np.flatnonzero(repeated.assignment.certainty < 0.6)
    }
    assert few["/verdict/n_ambiguous"] == (len(unsure) if weighted.model.n_segments > 1 else 0)


def test_lists_hold_the_same_customers() -> None:
    frame, counts = table(apart=0.6)
    weighted = segmented(frame, "visits")
    repeated = segmented(frame[np.repeat(np.arange(N), counts)], None)
    assert weighted.model.n_segments > 1

    def distinct(result: SegmentationResult) -> list[list[str]]:
        typical = [[one.customer for one in segment.typical] for segment in result.segments]
        unusual = [result.assignment.customer(row) for row in result.anomalies]
        lists = [*typical, unusual, [one.customer for one in result.ambiguous]]
        return [list(dict.fromkeys(one)) for one in lists]

    for few, many in zip(distinct(weighted), distinct(repeated), strict=True):
        assert len(many) > 0
        assert many == few[: len(many)]
    assert distinct(weighted)[-2] == distinct(repeated)[-2]


def test_every_exception_is_one() -> None:
    frame, counts = table()
    few = told(segmented(frame, "visits"))
    many = told(segmented(frame[np.repeat(np.arange(N), counts)], None))
    unlike = differing(few, many, 1e-9)
    # An ambiguous customer, a verdict, and a start may be the same by chance.
    chance = {
        r"/(candidates/\d+|choice)/n_iter",
        r"/(verdict|certainty)/n_ambiguous",
        r"/verdict/(stability|stability_explanation|adjusted_rand|least_stable|least_jaccard)",
        r"/choice/compared/\d+/(adjusted_rand|least_jaccard)",
    }
    for pattern in EXCEPTIONS.keys() - chance:
        assert any(re.fullmatch(pattern, path) for path in unlike), pattern


@pytest.mark.parametrize("apart", [1.0, 0.5])
def test_weights_of_one_change_nothing(apart: float) -> None:
    frame, _ = table(apart=apart)
    given = told(segmented(frame.with_columns(pl.lit(1).alias("visits")), "visits", transform="auto"))
    absent = told(segmented(frame, None, transform="auto"))
    allowed = r"/(table/(weight_column|left_out/.*)|notes/.*|seconds)"
    unlike = {path for path in differing(given, absent, 1e-12) if not re.fullmatch(allowed, path)}
    assert {path: (given.get(path), absent.get(path)) for path in unlike} == {}


def test_resamples_draw_customers_with_their_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    rows, weights = rng.normal(size=(90, 2)), rng.integers(1, 4, 90).astype(float)
    drawn: list[Any] = []

    in_memory = Data.in_memory

    def watched(data: Data, held: Any, weight: Any) -> Data:
        drawn.append((held, weight))
        return in_memory(data, held, weight)

    monkeypatch.setattr(Data, "in_memory", watched)
    resample.refit_labels(rows, "diag", 2, n_bootstraps=5, n_init=1, seed=3, weights=weights)
    # After each resample the tree of its rows is grown.
    drawn = drawn[::2]
    assert len(drawn) == 5
    for held, weight in drawn:
        place = [int(np.flatnonzero((rows == one).all(axis=1))[0]) for one in held]
        times = weight / weights[place]
        np.testing.assert_array_equal(times, np.rint(times))
        assert times.sum() == len(rows)


def test_the_agreement_of_partitions_is_that_of_repeated_customers() -> None:
    rng = np.random.default_rng(1)
    first, second = rng.integers(0, 3, N), rng.integers(0, 4, N)
    second[:120] = first[:120]
    counts = rng.integers(1, 4, N)
    few = contingency_table(first, second, 3, 4, counts.astype(float))
    many = contingency_table(np.repeat(first, counts), np.repeat(second, counts), 3, 4)
    np.testing.assert_array_equal(few, many)
    assert adjusted_rand_index(few) == adjusted_rand_index(many)
    np.testing.assert_array_equal(best_jaccard(few), best_jaccard(many))


def test_silhouettes_are_those_of_repeated_rows() -> None:
    rng = np.random.default_rng(2)
    rows, labels, counts = rng.normal(size=(90, 2)), rng.integers(0, 3, 90), rng.integers(0, 4, 90)
    labels[:3], counts[:3] = [3, 4, 5], [1, 2, 0]  # alone, alone but twice, and not there
    few = silhouette_widths(rows, (labels,), weights=counts.astype(float))
    many = silhouette_widths(np.repeat(rows, counts, axis=0), (np.repeat(labels, counts),))
    assert few.widths[0] == pytest.approx(many.widths[0], rel=1e-12)
    assert few.n_rows == np.count_nonzero(counts)


def test_normality_is_that_of_repeated_rows() -> None:
    frame, counts = table()
    model = segmented(frame, None).model
    scaled = model.scaling.apply(frame.select("income", "spending").to_numpy())
    few = component_normality(scaled, model.mixture, np.random.default_rng(0), counts.astype(float))
    again = np.repeat(scaled, counts, axis=0)
    assert few == component_normality(again, model.mixture, np.random.default_rng(0))
    # Fractions are rows with that probability, and so large a table is looked at in proportion.
    halves = component_normality(scaled, model.mixture, np.random.default_rng(0), counts + 0.5)
    assert sum(one.n_rows for one in halves) == pytest.approx(counts.sum() + N / 2, abs=5 * np.sqrt(N))
    huge = component_normality(scaled, model.mixture, np.random.default_rng(0), np.full(N, 1e9))
    assert sum(one.n_rows for one in huge) == 1_000_000


@pytest.mark.parametrize("percent", [0.0, 4.0, 37.5, 50.0, 100.0])
def test_percentiles_are_numpys_of_repeated_values(percent: float) -> None:
    rng = np.random.default_rng(4)
    values, counts = rng.normal(size=67), rng.integers(0, 4, 67)
    expected = np.percentile(np.repeat(values, counts), percent)
    assert percentile(values, percent, counts.astype(float)) == pytest.approx(expected, rel=1e-12)
    assert percentile(values, percent, np.ones(67)) == pytest.approx(
        np.percentile(values, percent), rel=1e-12
    )


def test_the_interval_of_equal_weights_is_that_of_none() -> None:
    labels = np.random.default_rng(6).integers(0, 3, 150)
    for k in range(3):
        assert share_interval(sizes_of(labels, 3, np.full(150, 2.5)), k) == share_interval(
            sizes_of(labels, 3), k
        )
    weights = np.where(np.arange(150) < 30, 0.0, 1.0)
    assert share_interval(sizes_of(labels, 3, weights), 0) == share_interval(sizes_of(labels[30:], 3), 0)


def test_a_customer_without_weight_does_not_touch_stability() -> None:
    frame, _ = table()
    model = segmented(frame, None).model
    rows = frame.select("income", "spending").to_numpy()
    weights = np.random.default_rng(7).integers(0, 3, N).astype(float)
    there = weights > 0
    options: dict[str, Any] = {"n_bootstraps": 3, "numbers": []}
    found = assess_stability(model, rows, weights=weights, **options)
    expected = assess_stability(model, rows[there], weights=weights[there], **options)
    assert to_jsonable(found) == to_jsonable(expected)
    assert (found.n_rows, found.sampled) == (np.count_nonzero(there), False)


def test_shares_that_sum_to_one_still_stand_for_customers() -> None:
    weights = np.random.default_rng(8).uniform(0.5, 1.5, 40)
    weights[:4] = 0
    np.testing.assert_allclose(
        effective_counts(weights / weights.sum()), weights * (36 / weights.sum()), rtol=1e-12
    )
    np.testing.assert_array_equal(effective_counts(3 * weights), 3 * weights)
    frame, counts = table()
    small = segmented(frame.with_columns(pl.col("visits") / (10 * counts.sum())), "visits")
    assert any("The weights sum to 0.1 for 200 customers" in note for note in small.notes)
    assert not any("The weights sum" in note for note in segmented(frame, "visits").notes)
