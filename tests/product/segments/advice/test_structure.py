from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import beta, kstest
from sklearn.metrics import adjusted_rand_score

from made_tables import crescents, make_table, nested, one_gaussian, rings, round_groups, uniform
from mixtura.core.mixture import Mixture
from mixtura.segments.advice import hopkins, nonconvex_share
from mixtura.segments.advice.analyze import SAMPLE, draw_sample
from mixtura.segments.advice.evidence import quick_fit as module
from mixtura.segments.advice.evidence.clusterability import clusterability
from mixtura.segments.advice.evidence.density_clusters import dense_clusters
from mixtura.segments.advice.evidence.hierarchy import hierarchy
from mixtura.segments.advice.evidence.quick_fit import component_normality, quick_fit
from mixtura.segments.advice.findings.column_findings import column_statistics
from mixtura.select import search


def rng_of(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def single(n_features: int = 2) -> Mixture:
    return Mixture.from_parameters([1.0], np.zeros((1, n_features)), np.eye(n_features)[None])


def test_hopkins_has_its_distribution_on_even_rows() -> None:
    rng = rng_of()
    values = [hopkins(rng.random((1000, 1)), rng) for _ in range(80)]
    assert kstest(values, beta(100, 100).cdf).pvalue > 0.001
    assert hopkins(make_table(round_groups, 400, 0), rng) > 0.85
    assert hopkins(np.zeros((20, 2)), rng) == 1.0


def test_noise_keeps_the_level_and_groups_are_noticed() -> None:
    noise = [
        clusterability(
            make_table(maker, 120, seed), single(make_table(maker, 120, seed).shape[1]), rng_of(seed)
        )
        for maker in (uniform, one_gaussian)
        for seed in range(20)
    ]
    # Of 40 tests at the level of one percent, three rejections have a probability below one percent.
    assert sum(found.p_value <= 0.01 for found in noise) <= 2
    assert clusterability(make_table(round_groups, 120, 0), single(), rng_of()).p_value <= 0.01


def test_directions_between_components_are_tried_in_the_other_half() -> None:
    """Two flat groups side by side, which no principal axis parts."""
    rng = rng_of(1)
    rows = rng.normal(size=(600, 2)) * [10.0, 1.0]
    rows[:300, 1] += 7
    turned = rows @ np.array([[1.0, 0.9], [0.0, 1.0]])
    scaled = (turned - turned.mean(axis=0)) / turned.std(axis=0)
    fit = quick_fit(np.ascontiguousarray(scaled), np.ones(2), 0)
    found = clusterability(np.ascontiguousarray(scaled), fit.mixture, rng)
    assert min(found.axes[0], found.distances) > 0.01
    assert found.held_out < 0.001
    assert fit.gain > 100


def test_half_of_the_rows_may_be_too_few_for_the_mixture() -> None:
    rows = rng_of(2).normal(size=(20, 2))
    centers = 3 * rng_of(3).normal(size=(11, 2))
    many = Mixture.from_parameters(np.full(11, 1 / 11), centers, np.tile(np.eye(2), (11, 1, 1)))
    assert 0 < clusterability(rows, many, rng_of()).p_value <= 1


@pytest.mark.parametrize("seed", range(3))
def test_chords_leave_bent_and_hollow_clusters_only(seed: int) -> None:
    rng = rng_of(seed)
    angle = np.pi * rng.random(400)
    crescent = np.column_stack([np.cos(angle), np.sin(angle)]) + 0.07 * rng.normal(size=(400, 2))
    assert nonconvex_share(crescent, rng) > 0.2
    for convex in (rng.random((400, 3)), rng.normal(size=(400, 2)), rng.exponential(size=(400, 2))):
        assert nonconvex_share(convex, rng) < 0.05


def test_dense_clusters_are_those_that_were_made() -> None:
    rows = crescents(rng_of(), 400)
    truth = np.arange(400) < 200
    found = dense_clusters(rows, truth.astype(np.intp), rng_of())
    assert len(found.clusters) == 2
    assert sorted(round(cluster.share, 2) for cluster in found.clusters) == [0.5, 0.5]
    assert found.agreement > 0.98
    assert found.gap > 1.2
    assert all(cluster.n_components == 1 for cluster in found.clusters)
    # A cluster that one component holds whole is no reason against a mixture.
    assert found.hollow == 0
    cut = (np.arange(400) // 40).astype(np.intp)
    again = dense_clusters(rings(rng_of(), 400), cut, rng_of())
    assert again.hollow > 0.2
    assert again.agreement == pytest.approx(adjusted_rand_score(np.arange(400) < 160, cut), abs=0.02)


def test_where_nothing_is_dense_nothing_is_found() -> None:
    labels = np.zeros(300, dtype=np.intp)
    for rows in (rng_of().normal(size=(15, 2)), rng_of().normal(size=(300, 6))):
        found = dense_clusters(rows, labels[: len(rows)], rng_of())
        assert (found.clusters, found.noise, found.gap, found.hollow) == ((), 1.0, 0.0, 0.0)


def test_rows_that_coincide_have_no_gap() -> None:
    rows = np.repeat(rng_of().normal(size=(10, 2)), 30, axis=0)
    assert dense_clusters(rows, np.zeros(300, dtype=np.intp), rng_of()).gap == 0


def equal(means: list[list[float]]) -> Mixture:
    k = len(means)
    return Mixture.from_parameters(np.full(k, 1 / k), means, np.tile(np.eye(2), (k, 1, 1)))


def test_levels_are_read_off_the_distances() -> None:
    found = hierarchy(equal([[0, 0], [6, 0], [100, 0], [106, 0]]))
    assert (found.n_groups, found.n_leaves) == (2, 4)
    assert (found.within, found.between) == pytest.approx((6, 100))
    assert found.jump == pytest.approx(100 / 6)
    assert found.cophenetic > 0.99


def test_flat_sets_and_lone_pairs_have_no_levels() -> None:
    assert hierarchy(equal([[0, 0], [50, 0], [0, 50]])).jump == 1
    assert hierarchy(equal([[0, 0], [8, 0], [0, 8], [8, 8], [16, 0]])).jump < 2
    # One pair among far single groups is no second level.
    assert hierarchy(equal([[0, 0], [6, 0], [100, 0], [0, 100], [100, 100]])).jump < 3
    # Components that overlap are one cluster, however far others are.
    assert hierarchy(equal([[0, 0], [1, 0], [100, 0], [101, 0]])).jump == 1


def test_the_quick_fit_goes_on_where_nine_are_best() -> None:
    rows = make_table(nested, 360, 0)
    more = np.vstack([rows, rows + np.array([0, 300])])
    scaled = np.ascontiguousarray((more - more.mean(axis=0)) / more.std(axis=0))
    assert quick_fit(scaled, more.std(axis=0), 0).best.n_components > 9


def test_families_that_cannot_be_fitted_are_left_out(monkeypatch) -> None:
    def fails(rows, **options):
        found = search(rows, **options)
        candidates = (
            replace(one, failure="not these") if one.covariance_type in ("EEI", "full") else one
            for one in found.candidates
        )
        return replace(found, candidates=tuple(candidates))

    rows = make_table(round_groups, 80, 0)
    scaled = np.ascontiguousarray((rows - rows.mean(axis=0)) / rows.std(axis=0))
    monkeypatch.setattr(module, "search", fails)
    fit = quick_fit(scaled, np.ones(2), 0)
    assert (fit.best.n_components, fit.box_loss, fit.unequal) == (4, np.inf, np.inf)


def test_components_of_a_mixture_are_tested_without_their_borders() -> None:
    """Rows cut at the border between two overlapping components are not normal; drawn ones are."""
    mixture = Mixture.from_parameters([0.5, 0.5], [[0.0, 0.0], [2.0, 0.0]], np.tile(np.eye(2), (2, 1, 1)))
    rows, _ = mixture.sample(3000, random_state=0)
    found = component_normality(rows, mixture, rng_of())
    assert [one.component for one in found] == [0, 1]
    assert sum(one.n_rows for one in found) == 3000
    assert not any(one.rejected(0.01) for one in found)
    squeezed = component_normality(np.square(rows), mixture, rng_of())
    assert all(one.rejected(0.01) for one in squeezed)
    assert component_normality(rows[:10], mixture, rng_of()) == ()


def test_the_sample_is_spread_over_the_rounding_and_logged() -> None:
    rng = rng_of()
    rows = np.column_stack(
        [rng.integers(0, 5, 5000), np.exp(2 * rng.normal(size=5000)), rng.normal(size=5000)]
    )
    facts = [column_statistics(name, column) for name, column in zip("abc", rows.T, strict=True)]
    sample = draw_sample(rows, facts, rng)
    assert sample.scaled.shape == (SAMPLE, 3)
    assert sample.logged == ("b",)
    assert len(np.unique(sample.scaled[:, 0])) == SAMPLE
    np.testing.assert_allclose(sample.scaled.std(axis=0), 1)


def test_columns_that_are_constant_in_the_sample_are_left_out() -> None:
    rng = rng_of()
    rare = np.zeros(40_000)
    rare[0] = np.pi
    rows = np.column_stack([rng.normal(size=40_000), rare])
    facts = [column_statistics(name, column) for name, column in zip("ab", rows.T, strict=True)]
    sample = draw_sample(rows, facts, rng)
    assert sample.scaled.shape == (SAMPLE, 1)


def test_many_columns_become_principal_components() -> None:
    rng = rng_of()
    hidden = rng.normal(size=(80, 2))
    rows = hidden @ rng.normal(size=(2, 30)) + 0.01 * rng.normal(size=(80, 30))
    facts = [column_statistics(str(number), column) for number, column in enumerate(rows.T)]
    sample = draw_sample(rows, facts, rng)
    assert sample.n_axes == sample.scaled.shape[1] == 2
    assert sample.explained > 0.99
    np.testing.assert_allclose(sample.scaled.T @ sample.scaled / 80, np.eye(2), atol=1e-8)
