"""What K-means does to segments it was not made for."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score, silhouette_score

from mixtura import Mixture
from mixtura.datasets import make_customers
from mixtura.segments import compare_with_kmeans, segment_table
from mixtura.segments.comparison.kmeans_comparison import axis_ratios, kmeans_labels


def table_of(*parts: np.ndarray) -> pl.DataFrame:
    return pl.DataFrame(np.vstack(parts), schema=["income", "spending"])


@pytest.fixture(scope="module")
def stretched():
    """A long thin segment, which K-means cuts, beside two small round ones, which it joins; known, not learned."""
    rng = np.random.default_rng(0)
    means, deviations = np.array([[0, 0], [-6, 5], [6, 5]]), np.array([[20, 0.3], [0.5, 0.5], [0.5, 0.5]])
    parts = zip((400, 45, 35), means, deviations, strict=True)
    rows = np.vstack([rng.normal(size=(size, 2)) * deviation + mean for size, mean, deviation in parts])
    model = segment_table(table_of(rows), components=[3], covariance_types=["diag"]).model
    center, scale = model.scaling.center, model.scaling.scale
    mixture = Mixture.from_parameters(
        [400 / 480, 45 / 480, 35 / 480], (means - center) / scale, (deviations / scale) ** 2, "diag"
    )
    model = replace(model, mixture=mixture, names=("long", "left", "right"))
    memberships = model.memberships(rows)
    found = compare_with_kmeans(model, rows, memberships)
    return SimpleNamespace(model=model, rows=rows, memberships=memberships, found=found)


def test_the_numbers_are_those_of_scikit_learn(stretched) -> None:
    found, model = stretched.found, stretched.model
    scaled, labels = model.scaling.apply(stretched.rows), stretched.memberships.argmax(axis=1)
    clusters = KMeans(3, n_init=10, random_state=0).fit_predict(scaled)
    assert adjusted_rand_score(clusters, found.labels) == 1.0
    assert found.adjusted_rand == pytest.approx(adjusted_rand_score(labels, clusters), abs=1e-12)
    assert found.silhouette_mixture == pytest.approx(silhouette_score(scaled, labels), abs=1e-9)
    assert found.silhouette_kmeans == pytest.approx(silhouette_score(scaled, clusters), abs=1e-9)
    assert (found.silhouette_rows, found.silhouette_sampled) == (480, False)
    certainty = stretched.memberships.max(axis=1)
    moved = [n for n in range(480) if found.labels[n] != labels[n]]
    assert np.flatnonzero(found.moved).tolist() == moved
    assert found.agreement == pytest.approx(1 - len(moved) / 480)
    assert found.certainty_moved == pytest.approx(np.mean([certainty[n] for n in moved]))
    assert found.certainty_retained == pytest.approx(certainty[~found.moved].mean())
    for segment in range(3):
        for cluster in range(3):
            both = sum(labels[n] == segment and found.labels[n] == cluster for n in range(480))
            assert found.table[segment, cluster] == both


def test_a_stretched_segment_is_cut_and_others_are_joined(stretched) -> None:
    found = stretched.found
    (cut,) = found.split
    assert (cut.segment, len(cut.clusters)) == (0, 2)
    deviations = np.array([20, 0.3]) / stretched.model.scaling.scale
    assert cut.axis_ratio == pytest.approx(deviations[0] / deviations[1])
    assert sum(cut.shares) == pytest.approx(1.0, abs=0.05)
    (join,) = found.merged
    assert join.segments == (1, 2)
    said = " ".join(found.sentences)
    assert f"K-means splits the segment 'long', {cut.axis_ratio:.1f} times as long as wide," in said
    assert "K-means merges most of the segments 'left' and 'right' in one cluster." in said
    assert f"K-means assigns {found.moved.sum()} of 480 customers" in said


def test_round_segments_are_left_alone() -> None:
    centers = ((0, 0), (30, 0), (0, 30))
    rng = np.random.default_rng(1)
    parts = [rng.normal(size=(50, 2)) + center for center in centers]
    found = segment_table(table_of(*parts), components=[3], covariance_types=["spherical"]).kmeans
    assert found.sentences == ("K-means assigns all 150 customers to the same segments as the mixture.",)
    assert (found.split, found.merged, found.agreement, found.adjusted_rand) == ((), (), 1.0, 1.0)
    assert np.isnan(found.certainty_moved)
    np.testing.assert_allclose(found.axis_ratio, 1.0)


def test_a_single_segment_has_nothing_to_compare() -> None:
    found = segment_table(make_customers(as_frame="polars"), components=[1]).kmeans
    assert found.sentences == ("With a single segment, K-means finds the same.",)
    assert found.agreement == found.adjusted_rand == 1.0
    assert np.isnan(found.silhouette_mixture)


def test_many_customers_are_sampled_for_the_silhouettes_and_it_is_said() -> None:
    rng = np.random.default_rng(2)
    found = segment_table(
        table_of(rng.normal(size=(1500, 2)), rng.normal(size=(1500, 2)) + np.array([2, 0])),
        components=[2],
        covariance_types=["tied"],
    ).kmeans
    assert found.silhouette_sampled
    assert found.silhouette_rows == 2000
    assert any("on 2,000 customers drawn at random" in sentence for sentence in found.sentences)


def test_a_weight_is_a_number_of_customers(stretched) -> None:
    model, rows = stretched.model, stretched.rows
    counts = np.random.default_rng(3).integers(1, 4, size=len(rows))
    weighted = compare_with_kmeans(model, rows, model.memberships(rows), weights=counts.astype(float))
    again = np.repeat(rows, counts, axis=0)
    repeated = compare_with_kmeans(model, again, model.memberships(again))
    np.testing.assert_array_equal(np.repeat(weighted.labels, counts), repeated.labels)
    np.testing.assert_allclose(weighted.table, repeated.table)
    for name in ("agreement", "adjusted_rand", "certainty_moved", "certainty_retained"):
        assert getattr(weighted, name) == pytest.approx(getattr(repeated, name), rel=1e-9)


def test_weighted_k_means_is_that_of_scikit_learn() -> None:
    rows, weights = make_customers(kind="five"), np.random.default_rng(4).uniform(0.5, 2, size=300)
    expected = KMeans(5, n_init=10, random_state=4).fit(rows, sample_weight=weights).labels_
    assert adjusted_rand_score(kmeans_labels(rows, 5, 4, weights), expected) == 1.0


def test_axis_ratio_is_the_ratio_of_principal_deviations() -> None:
    angle = 0.3
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    covariance = turn @ np.diag([9.0, 0.25]) @ turn.T
    mixture = Mixture.from_parameters([0.5, 0.5], [[0, 0], [5, 5]], [covariance, np.eye(2)])
    np.testing.assert_allclose(axis_ratios(mixture), [6.0, 1.0], rtol=1e-9)


def test_an_axis_ratio_beyond_measure_is_not_told_in_figures(stretched) -> None:
    cut = stretched.found.split[0]
    for axis_ratio, words in (
        (1.9, "'long' into"),
        (99.0, "99.0 times"),
        (5000.0, "more than 100 times as long as wide"),
    ):
        told = replace(stretched.found, split=(replace(cut, axis_ratio=axis_ratio),))
        assert words in " ".join(told.sentences)
