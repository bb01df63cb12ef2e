"""Stability: numbers against scikit-learn and sets, verdicts on data made for each."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import combinations

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import adjusted_rand_score

import mixtura
from mixtura.core.data import Data
from mixtura.exceptions import MixturaError, ParameterError
from mixtura.run import Workers
from mixtura.segments import Verdict, assess_stability, classify_stability, segment_table
from mixtura.segments.jsonable import to_jsonable
from mixtura.segments.stability import resample
from mixtura.segments.stability import stability as stability_module
from mixtura.segments.stability.resample import refit_labels
from mixtura.segments.stability.stability_measures import SegmentStability
from mixtura.select import search


def found_in(rows: np.ndarray, k: int, covariance_type: str = "full"):
    frame = pl.DataFrame(rows, schema=[f"column {d}" for d in range(rows.shape[1])])
    return segment_table(frame, components=[k], covariance_types=[covariance_type])


@pytest.fixture(scope="module")
def apart():
    rng = np.random.default_rng(0)
    centers = ([0, 0], [8, 0], [0, 8])
    return found_in(np.vstack([rng.normal(size=(60, 2)) + center for center in centers]), 3)


@pytest.fixture(scope="module")
def crossed():
    """Two long segments that cross: no gap between them, but each is there."""
    rng = np.random.default_rng(1)
    return found_in(
        np.vstack([rng.normal(size=(600, 2)) * [8.0, 1.0], rng.normal(size=(600, 2)) * [1.0, 8.0]]), 2
    )


@pytest.fixture(scope="module")
def cloud():
    """Customers without any structure, in a square."""
    return found_in(np.random.default_rng(2).uniform(size=(400, 2)), 4)


def test_customers_in_groups_are_naturally_segmented(apart) -> None:
    found = assess_stability(apart.model, apart.rows, n_bootstraps=20)
    assert found.verdict is Verdict.NATURAL
    assert found.overall.adjusted_rand > 0.98
    assert [segment.word for segment in found.segments] == ["highly stable"] * 3
    assert [one.n_segments for one in found.numbers] == [2, 3, 4]
    assert all(
        one.adjusted_rand < found.overall.adjusted_rand for one in found.numbers if one is not found.overall
    )


def test_segments_without_a_gap_are_reproducible(crossed) -> None:
    found = assess_stability(crossed.model, crossed.rows, n_bootstraps=20, numbers=[])
    assert found.verdict is Verdict.REPRODUCIBLE
    assert found.overall.adjusted_rand > 0.8
    assert found.expected_error > 0.05


def test_segments_of_a_square_are_constructed(cloud) -> None:
    found = assess_stability(cloud.model, cloud.rows, n_bootstraps=20, numbers=[])
    assert found.verdict is Verdict.CONSTRUCTED
    assert found.overall.adjusted_rand < 0.65
    assert f"agree with each other by {found.overall.adjusted_rand:.2f}" in found.reason


def test_a_single_segment_says_nothing() -> None:
    single = found_in(np.random.default_rng(3).normal(size=(60, 2)), 1)
    found = assess_stability(single.model, single.rows, n_bootstraps=4)
    assert found.verdict is Verdict.SINGLE
    assert found.overall.adjusted_rand == found.segments[0].jaccard == 1.0
    assert [one.n_segments for one in found.numbers] == [1, 2]
    assert found.reason == "A single segment has no others to compare with."


def test_the_rule_of_the_verdict() -> None:
    assert classify_stability(0.80, [0.75, 0.9], 0.05) is Verdict.NATURAL
    assert classify_stability(0.79, [0.75, 0.9], 0.05) is Verdict.REPRODUCIBLE
    assert classify_stability(0.80, [0.74, 0.9], 0.05) is Verdict.REPRODUCIBLE
    assert classify_stability(0.80, [0.75, 0.9], 0.06) is Verdict.REPRODUCIBLE
    assert classify_stability(0.99, [0.99, float("nan")], 0.0) is Verdict.REPRODUCIBLE
    assert classify_stability(0.65, [0.6, 0.6], 0.5) is Verdict.REPRODUCIBLE
    assert classify_stability(0.65, [0.59, 0.9], 0.5) is Verdict.PARTIAL
    assert classify_stability(0.95, [0.5, 0.9, 0.4, 0.9, 0.9], 0.01) is Verdict.PARTIAL  # two of five
    assert classify_stability(0.64, [0.9, 0.9], 0.0) is Verdict.CONSTRUCTED
    assert classify_stability(float("nan"), [0.9, 0.9], 0.0) is Verdict.CONSTRUCTED
    assert len({verdict.explanation for verdict in Verdict}) == 5


def test_words_for_segments() -> None:
    jaccards = (0.85, 0.84, 0.75, 0.74, 0.6, 0.59, float("nan"))
    words = [SegmentStability(1, "A", jaccard, 0, 1, 0, 0).word for jaccard in jaccards]
    assert words == ["highly stable", "stable", "stable", "a pattern", "a pattern", "unstable", "unstable"]


def test_every_number_is_that_of_scikit_learn_and_of_sets(cloud) -> None:
    found = assess_stability(cloud.model, cloud.rows, n_bootstraps=6, seed=9)
    scaled = cloud.model.scaling.apply(cloud.rows)
    for one in found.numbers:
        partitions = refit_labels(scaled, "full", one.n_segments, n_bootstraps=6, n_init=3, seed=9)
        scores = [adjusted_rand_score(left, right) for left, right in combinations(partitions, 2)]
        assert one.adjusted_rand == pytest.approx(np.mean(scores), abs=1e-12)
        assert (one.lower, one.upper) == pytest.approx(np.quantile(scores, [0.05, 0.95]), abs=1e-12)
        assert one.n_bootstraps == 6
    partitions = refit_labels(scaled, "full", 4, n_bootstraps=6, n_init=3, seed=9)
    for k, segment in enumerate(found.segments):
        mine, similarities = set(np.flatnonzero(cloud.assignment.labels == k)), []
        for labels in partitions:
            others = [set(np.flatnonzero(labels == other)) for other in range(4)]
            similarities.append(max(len(mine & other) / len(mine | other) for other in others))
        assert segment.jaccard == pytest.approx(np.mean(similarities))
        assert (segment.lower, segment.upper) == pytest.approx(np.quantile(similarities, [0.05, 0.95]))
        assert segment.recovered == np.mean(np.array(similarities) >= 0.75)
        assert segment.dissolved == np.mean(np.array(similarities) <= 0.5)
    certainty = cloud.model.memberships(cloud.rows).max(axis=1)
    assert found.expected_error == pytest.approx(1 - certainty.mean())


def test_flows_lead_from_one_fewer_and_to_one_more(apart) -> None:
    found = assess_stability(apart.model, apart.rows, n_bootstraps=2)
    fewer, more = found.flows
    assert fewer.counts.shape == (2, 3)
    assert more.counts.shape == (3, 4)
    assert more.from_names == apart.model.names
    assert more.to_names == (*apart.model.names, "new 1")
    np.testing.assert_array_equal(more.counts.sum(axis=1), apart.assignment.counts)
    np.testing.assert_array_equal(np.sort(fewer.counts.sum(axis=0)), np.sort(apart.assignment.counts))
    scaled = apart.model.scaling.apply(apart.rows)
    mixture = search(scaled, components=[4], covariance_types=["full"]).best.mixture
    labels = mixture.predict(scaled)[apart.assignment.labels == 1]
    expected = [np.count_nonzero(labels == part) for part in more.to_order]
    np.testing.assert_array_equal(more.counts[1], expected)
    given = assess_stability(apart.model, apart.rows, n_bootstraps=2, mixtures={4: mixture}, numbers=[4])
    np.testing.assert_array_equal(given.flows[0].counts, more.counts)


def test_threads_change_no_digit(cloud) -> None:
    def told(n_threads: int) -> str:
        with mixtura.set_threads(n_threads):
            return json.dumps(
                to_jsonable(assess_stability(cloud.model, cloud.rows, n_bootstraps=4, numbers=[]))
            )

    assert told(1) == told(3)


@pytest.mark.parametrize(
    "workers", [Workers(2), Workers(2, are_processes=True)], ids=["threads", "processes"]
)
def test_resamples_are_the_same_whoever_fits_them(cloud, monkeypatch, workers) -> None:
    plan = {"n_bootstraps": 6, "n_init": 2, "seed": 4}
    with mixtura.set_threads(1):
        alone = refit_labels(cloud.rows, "full", 2, **plan)
    asked, run = [], resample.map_tasks
    monkeypatch.setattr(resample, "map_tasks", lambda *given: asked.append(given[3]) or run(*given))
    monkeypatch.setattr(resample, "workers_for", lambda seconds, n_tasks: workers)
    with mixtura.set_threads(2):
        np.testing.assert_array_equal(refit_labels(cloud.rows, "full", 2, **plan), alone)
    assert asked == [workers]


def test_resamples_draw_as_many_customers_as_there_are(cloud, monkeypatch) -> None:
    drawn = []

    in_memory = Data.in_memory

    def watched(data, rows, sample_weight):
        drawn.append((rows, sample_weight))
        return in_memory(data, rows, sample_weight)

    monkeypatch.setattr(Data, "in_memory", watched)
    with mixtura.set_threads(1):
        refit_labels(cloud.rows, "full", 2, n_bootstraps=30, n_init=1, seed=0)
    # Trees grow on 200 rows of a resample.
    drawn = [one for one in drawn if len(one[0]) > 200]
    assert [weights.sum() for _, weights in drawn] == [400] * 30
    assert all((weights == np.rint(weights)).all() for _, weights in drawn)
    assert len({weights.tobytes() for _, weights in drawn}) == 30
    # A row is in a resample with probability 1 - (1 - 1 / n)^n, and is drawn 1 time on average.
    assert np.mean([len(rows) for rows, _ in drawn]) / 400 == pytest.approx(1 - np.exp(-1), abs=0.02)


def test_a_row_without_weight_is_never_drawn(cloud) -> None:
    weights = np.ones(400)
    weights[200:] = 0.0
    rows = cloud.rows.copy()
    rows[200:] = 1e9
    found = refit_labels(rows, "full", 2, n_bootstraps=3, n_init=1, seed=0, weights=weights)
    assert all(len(np.unique(labels[:200])) == 2 for labels in found)


def test_large_tables_are_sampled_and_it_is_said(crossed) -> None:
    found = assess_stability(crossed.model, crossed.rows, n_bootstraps=3, numbers=[], sample_rows=300)
    assert (found.n_rows, found.n_rows_used, found.sampled) == (1200, 300, True)
    whole = assess_stability(crossed.model, crossed.rows, n_bootstraps=3, numbers=[])
    assert (whole.n_rows_used, whole.sampled) == (1200, False)
    weighted = assess_stability(
        crossed.model, crossed.rows, n_bootstraps=3, numbers=[], sample_rows=300, weights=np.full(1200, 2.0)
    )
    assert weighted.overall.adjusted_rand == pytest.approx(found.overall.adjusted_rand, abs=0.05)
    assert weighted.expected_error == pytest.approx(found.expected_error, rel=1e-12)


@pytest.fixture(scope="module")
def small() -> np.ndarray:
    """Two groups and twelve customers beside them: how wide these are is what a prior decides."""
    rng = np.random.default_rng(3)
    parts = ((70, [0, 0], 1.0), (70, [6, 0], 1.0), (12, [3, 3], 0.1))
    return np.vstack([rng.normal(center, width, size=(n, 2)) for n, center, width in parts])


@pytest.mark.parametrize(("prior", "family"), [("floor", "full"), ("conjugate", "full"), (2.0, "diag")])
def test_refits_are_kept_from_collapsing_as_the_segmentation_was(small, monkeypatch, prior, family) -> None:
    frame = pl.DataFrame(small, schema=["a", "b"])
    found = segment_table(frame, components=[3], covariance_types=[family], prior=prior)
    assert found.model.training.prior == prior
    asked, searched = [], []
    make = resample.make_prior
    monkeypatch.setattr(resample, "make_prior", lambda *given: asked.append(given) or make(*given))
    learn = stability_module.search
    monkeypatch.setattr(
        stability_module, "search", lambda *rows, **how: searched.append(how) or learn(*rows, **how)
    )
    told = assess_stability(found.model, found.rows, n_bootstraps=6)
    assert [(name, k) for name, _, k, _ in asked] == [(prior, 2), (prior, 3), (prior, 4)]
    for one in searched:
        assert one["prior"] == prior
        assert one["covariance_types"] == [family]
    assert [one["components"] for one in searched] == [[2], [4]]
    scaled = found.model.scaling.apply(found.rows)
    how = {"n_bootstraps": 6, "n_init": 3, "seed": 0}
    partitions = refit_labels(scaled, family, 3, prior=prior, **how)
    scores = [adjusted_rand_score(left, right) for left, right in combinations(partitions, 2)]
    assert told.overall.adjusted_rand == pytest.approx(np.mean(scores), abs=1e-12)
    if prior != "floor":
        others = refit_labels(scaled, family, 3, **how)
        assert any((one != other).any() for one, other in zip(partitions, others, strict=True))


def test_the_model_says_seed_and_starts_unless_told(apart) -> None:
    training = replace(apart.model.training, seed=5, n_init=4)
    found = assess_stability(replace(apart.model, training=training), apart.rows, n_bootstraps=2, numbers=[])
    assert (found.seed, found.n_init) == (5, 4)
    told = assess_stability(apart.model, apart.rows, n_bootstraps=2, numbers=[], seed=7, n_init=1)
    assert (told.seed, told.n_init) == (7, 1)
    assert json.loads(json.dumps(to_jsonable(told), allow_nan=False))["verdict"] == "natural"


def test_what_cannot_be_assessed_is_refused(apart) -> None:
    for options, match in (
        ({"n_bootstraps": 1}, "`n_bootstraps` must be a whole number of at least 2; got 1"),
        ({"numbers": [0]}, r"got \[0, 3\]"),
        ({"sample_rows": 1}, "got .* and 1 rows"),
    ):
        with pytest.raises(ParameterError, match=match):
            assess_stability(apart.model, apart.rows, **options)
    with pytest.raises(MixturaError, match="of 5 resamples of 180 rows, 0 had a mixture of 180 segments"):
        assess_stability(apart.model, apart.rows, n_bootstraps=5, numbers=[180])


def test_resamples_that_cannot_be_fitted_are_left_out(apart, monkeypatch) -> None:
    fit, calls = resample.fit_mixture, []

    def sometimes(*args, **kwargs):
        calls.append(1)
        if len(calls) == 2:
            raise MixturaError("no")
        return fit(*args, **kwargs)

    monkeypatch.setattr(resample, "fit_mixture", sometimes)
    with mixtura.set_threads(1):
        found = assess_stability(apart.model, apart.rows, n_bootstraps=4, numbers=[])
    assert found.overall.n_bootstraps == 3
    assert found.n_bootstraps == 4


def test_what_was_learned_from_resamples_is_not_learned_again(cloud, monkeypatch) -> None:
    """The choice among models resamples the same rows as the stability of the segments."""
    scaled, learned = cloud.model.scaling.apply(cloud.rows), []
    steps = stability_module.scaled_steps(cloud.rows, cloud.model.scaling)
    alone = assess_stability(cloud.model, cloud.rows, n_bootstraps=5, numbers=[])
    refits: resample.Refits = {}
    how = {"n_init": 3, "seed": cloud.model.training.seed, "rounding": steps, "refits": refits}
    first = refit_labels(scaled, "full", 4, n_bootstraps=3, **how)
    original = resample._labels
    monkeypatch.setattr(
        resample, "_labels", lambda task, number: learned.append(number) or original(task, number)
    )
    again = assess_stability(cloud.model, cloud.rows, n_bootstraps=5, numbers=[], refits=refits)
    assert learned == [3, 4]
    assert to_jsonable(again) == to_jsonable(alone)
    # Another seed, number of starts, family or prior is another plan.
    for other in ({"seed": 8}, {"n_init": 1}, {"prior": "conjugate"}, {"weights": np.ones(len(scaled))}):
        learned.clear()
        refit_labels(scaled, "full", 4, n_bootstraps=1, **(how | other))
        assert learned == [0]
    np.testing.assert_array_equal(
        refit_labels(scaled, "full", 4, n_bootstraps=2, **how), first[:2], strict=True
    )
