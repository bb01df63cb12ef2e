"""Tests of change: what is found, what is not, and how certain it is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from mixtura import Mixture
from mixtura.drift import (
    FAMILIES,
    Change,
    compare_sums,
    drift_sums,
    judge,
    mixture_drift,
    reference_of,
    reference_of_model,
)
from mixtura.drift.change import adjusted
from mixtura.drift.moments.moments_by_segment import SegmentMoments
from mixtura.drift.moments.moved_centers import center_p_values
from mixtura.engine import as_data
from mixtura.select.inference.refit import Refit

TRUTH = Mixture.from_parameters([0.6, 0.4], [[0.0, 0.0], [5.0, 5.0]], [np.eye(2), np.eye(2)])
ROWS = TRUTH.sample(3000, 0)[0]
MIXTURE = Refit().from_mixture(as_data(ROWS), TRUTH).mixture
REFERENCE = reference_of(as_data(ROWS), MIXTURE)
LATER = TRUTH.sample(3000, 1)[0]


def changes(rows: np.ndarray) -> dict[str, list[Change]]:
    found = compare_sums(REFERENCE, drift_sums(as_data(rows), MIXTURE, REFERENCE.cuts))
    return {family: [one for one in found.of_family(family) if one.is_found] for family in FAMILIES}


def test_fresh_rows_show_nothing() -> None:
    assert not any(changes(LATER).values())


def test_with_one_component_centers_are_compared_by_welch() -> None:
    one = Mixture.from_parameters([1.0], [[0.0, 0.0]], [[1.0, 1.0]], "diag")
    reference = reference_of(as_data(ROWS), one)
    found = compare_sums(reference, drift_sums(as_data(LATER[:50] + 0.3), one, reference.cuts)).of_family(
        "center"
    )
    expected = stats.ttest_ind(LATER[:50] + 0.3, ROWS, equal_var=False)
    # Sums divide by n where Welch's variances divide by n - 1.
    assert [one.p_value for one in found] == pytest.approx(expected.pvalue, rel=0.1)


def test_a_shift_is_found_where_it_is() -> None:
    rows = LATER.copy()
    rows[rows.sum(axis=1) > 5, 1] += 0.3
    found = changes(rows)
    assert [(one.segment, one.columns) for one in found["center"]] == [(1, (1,))]
    (shift,) = found["center"]
    assert shift.low < 0.3 < shift.high


def test_of_what_is_found_the_verdict_names_the_cause_and_not_the_worse_fit() -> None:
    centers = np.where(LATER.sum(axis=1, keepdims=True) > 5, 5.0, 0.0)
    wider = centers + 1.15 * (LATER - centers)
    found = compare_sums(REFERENCE, drift_sums(as_data(wider), MIXTURE, REFERENCE.cuts))
    sizes = {
        one.family: abs(one.effect) / FAMILIES[one.family].matters for one in found.changes if one.is_found
    }
    assert max(sizes, key=lambda family: sizes[family]) == "tail"
    decisive = judge(found).decisive
    assert decisive is not None
    assert decisive.family == "spread"


def test_without_a_column_densities_say_nothing_and_the_others_are_compared() -> None:
    rows = LATER.copy()
    rows[:, 0] = np.nan
    found = compare_sums(REFERENCE, drift_sums(as_data(rows), MIXTURE, REFERENCE.cuts))
    of_densities = [one for one in found.changes if one.family in ("likelihood", "density", "tail")]
    assert [one.p_value for one in of_densities] == [1.0, 1.0, 1.0]
    assert {one.columns for one in found.of_family("center")} == {(1,)}
    assert judge(found).word == "keep"


def test_other_shares_are_the_mix_alone() -> None:
    kept = np.random.RandomState(0).uniform(size=3000) < np.where(LATER.sum(axis=1) > 5, 0.6, 1.0)
    found = changes(LATER[kept])
    assert {family for family, those in found.items() if those} == {"shares"}


def test_a_correlation_is_found_with_its_pair() -> None:
    rows = LATER.copy()
    members = rows.sum(axis=1) < 5
    rows[members, 1] = 0.5 * rows[members, 0] + np.sqrt(0.75) * rows[members, 1]
    (found,) = changes(rows)["correlation"]
    assert (found.segment, found.columns) == (0, (0, 1))
    assert found.low < 0.5 < found.high


def test_a_wider_segment_is_found() -> None:
    rows = LATER.copy()
    members = rows.sum(axis=1) < 5
    rows[members, 0] *= 1.3
    assert [(one.segment, one.columns) for one in changes(rows)["spread"]] == [(0, (0,))]


def test_few_rows_of_a_segment_are_not_compared() -> None:
    rows = LATER[LATER.sum(axis=1) < 5][:200]
    found = compare_sums(REFERENCE, drift_sums(as_data(rows), MIXTURE, REFERENCE.cuts))
    assert found.compared.tolist() == [[True, True], [False, False]]
    assert {one.segment for one in found.of_family("center")} == {0}


def test_very_many_rows_do_not_make_a_small_change_matter() -> None:
    sums = drift_sums(as_data(LATER + 0.01), MIXTURE, REFERENCE.cuts)
    large = replace(REFERENCE, sums=REFERENCE.sums.scaled(1000.0))
    found = mixture_drift(MIXTURE, large, as_data(LATER + 0.01)).verdict
    many = compare_sums(large, sums.scaled(1000.0))
    centers = many.of_family("center")
    assert any(one.is_beyond_chance for one in centers)
    assert not any(one.is_found for one in centers)
    assert found.word == "keep"


def test_adjusted_p_values_share_the_level() -> None:
    one = Change("shares", None, (), 0.3, 0.2, 0.4, 0.001)
    other = replace(one, family="center", segment=0, columns=(0,))
    found = adjusted([one, other, other])
    parts = {name: FAMILIES[name].part for name in ("shares", "center")}
    total = sum(parts.values())
    assert found[0].p_adjusted == pytest.approx(0.001 * total / parts["shares"])
    assert found[1].p_adjusted == pytest.approx(0.002 * total / parts["center"])


@pytest.mark.parametrize("where", [9.0, -4.0])
def test_a_new_kind_of_customer_is_found(where: float) -> None:
    rows = LATER.copy()
    rows[:150] = np.random.RandomState(3).standard_normal((150, 2)) * 0.5 + [where, 0.0]
    found = mixture_drift(MIXTURE, REFERENCE, as_data(rows))
    new = found.new_segment
    assert new is not None
    assert found.verdict.word == "refit"
    assert found.verdict.new_kind
    assert new.low < 0.05 < new.high
    assert new.mean == pytest.approx([where, 0.0], abs=0.2)
    assert set(new.rows.tolist()) <= set(range(150)) | set(
        np.flatnonzero(np.abs(rows[:, 0] - where) < 2.5).tolist()
    )


def test_scattered_strange_rows_are_no_segment() -> None:
    rows = LATER.copy()
    rng = np.random.RandomState(4)
    angle = rng.uniform(0, 2 * np.pi, 90)
    rows[:90] = np.column_stack([2.5 + 25 * np.cos(angle), 2.5 + 25 * np.sin(angle)])
    found = mixture_drift(MIXTURE, REFERENCE, as_data(rows))
    assert found.new_segment is None
    assert found.verdict.word != "keep"


def test_without_its_rows_a_mixture_is_compared_with_what_it_expects() -> None:
    reference = reference_of_model(MIXTURE, 3000, as_data(LATER), lambda rows: np.zeros(len(rows)))
    assert reference.simulated
    assert reference.sums.n_rows == 3000
    assert reference.sums.effective_rows == pytest.approx(3000)
    assert mixture_drift(MIXTURE, reference, as_data(LATER)).verdict.word == "keep"
    assert mixture_drift(MIXTURE, reference, as_data(LATER + 0.4)).verdict.word == "update"


def test_the_model_s_own_rows_are_held_out() -> None:
    """Mean log densities of few rows are higher under the mixture learned from them than those of fresh rows."""
    few = TRUTH.sample(60, 5)[0]
    mixture = Refit().from_mixture(as_data(few), TRUTH).mixture
    fresh = mixture.log_density(TRUTH.sample(100_000, 6)[0]).mean()
    own = mixture.log_density(few).mean()
    sums = reference_of(as_data(few), mixture).sums
    held_out = sums.totals[3] / sums.weight
    assert own > held_out
    # Of 60 rows the mean has a standard error of 0.13; between own and fresh rows there are 2 * 11 / 60 / 2 nats.
    assert held_out - fresh == pytest.approx(0.0, abs=0.26)


def moments(rows: np.ndarray, mixture: Mixture) -> SegmentMoments:
    return SegmentMoments(drift_sums(as_data(rows), mixture, REFERENCE.cuts))


def test_of_one_column_the_averaged_ratio_is_the_test_of_the_mean() -> None:
    """It grows with the score, so that its distribution is that of the score: p-values are those of t."""
    one = Mixture.from_parameters([1.0], [[0.0]], [[1.0]], "diag")
    rows = np.random.RandomState(0).standard_normal((1500, 1))
    old = moments(rows[:1000], one)
    for shift in (0.0, 0.02, 0.05, 0.08):
        new = moments(rows[1000:] + shift, one)
        own = stats.ttest_ind(rows[1000:] + shift, rows[:1000], equal_var=False).pvalue
        found = center_p_values(old, new, np.array([[True]]), np.array([own]))
        assert float(found[0, 0]) == pytest.approx(float(own[0]), abs=0.02)


def test_p_values_of_centers_are_uniform_where_nothing_changed() -> None:
    """The smallest of all is below a level in that share of tables, whatever correlations there are."""
    covariance = 0.7 * np.ones((4, 4)) + 0.3 * np.eye(4)
    two = Mixture.from_parameters([0.6, 0.4], [np.zeros(4), np.full(4, 9.0)], [covariance] * 2)
    rows = np.random.RandomState(0).permutation(two.sample(200 * 600, 3)[0]).reshape(200, 600, 4)
    compared, own = np.ones((2, 4), dtype=bool), np.zeros((2, 4)) + 1e-3
    smallest = [
        center_p_values(moments(one[:300], two), moments(one[300:], two), compared, own).min() for one in rows
    ]
    for level in (0.05, 0.2):
        assert stats.binomtest(int((np.array(smallest) <= level).sum()), 200, level).pvalue > 0.01


def test_a_center_that_did_not_move_is_not_named_for_its_neighbor() -> None:
    covariance = np.array([[1.0, 0.9], [0.9, 1.0]])
    one = Mixture.from_parameters([1.0], [np.zeros(2)], [covariance])
    rows = one.sample(4000, 0)[0]
    moved = rows[2000:] + np.array([0.3, 0.0])
    moved[:, 1] += rows[:2000, 1].mean() - moved[:, 1].mean()
    old, new = moments(rows[:2000], one), moments(moved, one)
    own = stats.ttest_ind(moved, rows[:2000]).pvalue
    found = center_p_values(old, new, np.ones((1, 2), dtype=bool), own[None])
    assert found[0, 0] < 1e-3
    assert found[0, 1] > 0.9
