"""The outlier detector: anomalies that form a cluster, novelty, weights, missing values, thresholds."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

import mixtura
from mixtura import GaussianMixture, GaussianMixtureOutlierDetector, Mixture
from mixtura._typing import FloatArray
from mixtura.anomaly.ensemble import learn_ensemble
from mixtura.anomaly.member_draws import EnsembleRecipe
from mixtura.anomaly.normal_mixture import log_density, without_small
from mixtura.anomaly.standard_rows import standardize
from mixtura.anomaly.tail_probability import SimulatedTail, exponential_tail
from mixtura.exceptions import DataError, MissingValuesError, ParameterError

N_NORMAL, N_CLUSTER = 400, 20


@pytest.fixture(scope="module")
def rows() -> FloatArray:
    """Normal rows of two correlated columns, then a tight cluster of anomalies."""
    rng = np.random.RandomState(0)
    normal = rng.multivariate_normal([0, 0], [[1, 0.8], [0.8, 1]], size=N_NORMAL)
    return np.vstack([normal, rng.normal([3.0, -3.0], 0.05, size=(N_CLUSTER, 2))])


@pytest.fixture(scope="module")
def labels() -> FloatArray:
    return np.r_[np.zeros(N_NORMAL), np.ones(N_CLUSTER)]


@pytest.fixture(scope="module")
def fitted(rows: FloatArray) -> GaussianMixtureOutlierDetector:
    return GaussianMixtureOutlierDetector(40, contamination="auto", random_state=0).fit(rows)


def test_a_tight_cluster_of_anomalies_does_not_pass_for_normal(
    fitted: GaussianMixtureOutlierDetector, rows: FloatArray, labels: FloatArray
) -> None:
    misled = GaussianMixture(3, random_state=0).fit(rows)
    assert roc_auc_score(labels, -misled.score_samples(rows)) < 0.1
    assert roc_auc_score(labels, -fitted.scores_) > 0.99
    assert fitted.flag(rows)[N_NORMAL:].all()
    assert fitted.flag(rows)[:N_NORMAL].mean() < 0.02


def test_its_mixture_is_that_of_the_normal_rows(fitted: GaussianMixtureOutlierDetector) -> None:
    center = fitted.mixture_.weights @ fitted.mixture_.means * fitted.scale_ + fitted.center_
    np.testing.assert_allclose(center, 0.0, atol=0.2)


def test_scores_are_the_mean_log_rank_over_the_mixtures(
    fitted: GaussianMixtureOutlierDetector, rows: FloatArray
) -> None:
    standard = fitted._fitted.standard.scaled(rows)
    members = fitted._fitted.ensemble.members
    naive = np.zeros(len(rows))
    for member in members:
        densities = member.density.mixture.log_density(standard[:, member.density.columns])
        for i, density in enumerate(densities):
            naive[i] += np.log((np.sum(densities <= density) + 1) / (len(rows) + 1)) / len(members)
    np.testing.assert_allclose(fitted.score_samples(rows), naive, atol=1e-9)
    np.testing.assert_array_equal(fitted.decision_function(rows), naive_offset(fitted, rows))


def naive_offset(fitted: GaussianMixtureOutlierDetector, rows: FloatArray) -> FloatArray:
    return fitted.score_samples(rows) - fitted.offset_


def test_components_of_little_weight_are_left_out_and_densities_follow() -> None:
    mixture = Mixture.from_parameters([0.05, 0.57, 0.38], [[9.0], [0.0], [2.0]], [[[0.1]], [[1.0]], [[2.0]]])
    normal = without_small(mixture, 0.1)
    expected = Mixture.from_parameters([0.6, 0.4], [[0.0], [2.0]], [[[1.0]], [[2.0]]])
    points = np.array([[9.0], [0.3], [-4.0]])
    np.testing.assert_allclose(normal.log_density(points), expected.log_density(points), rtol=1e-12)
    assert without_small(mixture, 0.01) is mixture
    assert without_small(mixture, 0.9).weights.tolist() == [1.0]


def test_tied_components_keep_their_covariance() -> None:
    mixture = Mixture.from_parameters(
        [0.05, 0.95], [[9.0, 0.0], [0.0, 1.0]], [[1.0, 0.3], [0.3, 2.0]], "tied"
    )
    expected = Mixture.from_parameters([1.0], [[0.0, 1.0]], [[[1.0, 0.3], [0.3, 2.0]]])
    point = np.array([[0.5, -1.0]])
    np.testing.assert_allclose(without_small(mixture, 0.1).log_density(point), expected.log_density(point))


def test_p_values_follow_the_tail_probabilities(
    fitted: GaussianMixtureOutlierDetector, rows: FloatArray
) -> None:
    order = np.argsort(fitted.tail_probabilities(rows))
    p_values = fitted.p_values(rows)[order]
    assert (np.diff(p_values) >= 0).all()
    assert p_values[0] < 1e-3
    assert p_values[-1] > 0.9
    assert fitted.flag(rows).sum() == (fitted.predict(rows) == -1).sum()
    assert fitted.flag(rows, fdr=1e-12).sum() <= fitted.flag(rows).sum()


def test_tail_probabilities_of_gaussian_rows_are_uniform(fitted: GaussianMixtureOutlierDetector) -> None:
    drawn = np.random.RandomState(5).multivariate_normal([0, 0], [[1, 0.8], [0.8, 1]], size=2000)
    found = fitted.tail_probabilities(drawn)
    for level in (0.1, 0.5, 0.9):
        assert (found <= level).mean() == pytest.approx(level, abs=0.08)
    assert fitted.tail_probabilities([[3.0, -3.0]])[0] < 1e-6


@pytest.mark.slow
def test_a_clean_table_has_almost_no_alarms() -> None:
    alarms = 0
    for seed in range(6):
        clean = np.random.RandomState(seed).normal(size=(200, 3))
        detector = GaussianMixtureOutlierDetector(15, contamination="auto", random_state=0).fit(clean)
        alarms += int((detector.predict(clean) == -1).any())
    assert alarms <= 2


@pytest.mark.parametrize("contamination", [0.05, 0.25])
def test_contamination_is_the_share_that_is_flagged(rows: FloatArray, contamination: float) -> None:
    detector = GaussianMixtureOutlierDetector(5, contamination=contamination, random_state=0).fit(rows)
    assert (detector.predict(rows) == -1).mean() == pytest.approx(contamination, abs=1 / len(rows))


def test_novelty_has_conformal_p_values_and_flags_at_the_rate(rows: FloatArray) -> None:
    normal = rows[:N_NORMAL]
    detector = GaussianMixtureOutlierDetector(
        30, contamination="auto", novelty=True, fdr=0.05, random_state=0
    ).fit(normal)
    fresh = np.random.RandomState(9).multivariate_normal([0, 0], [[1, 0.8], [0.8, 1]], size=2000)
    p_values = detector.p_values(fresh)
    steps = p_values * (N_NORMAL + 1)
    np.testing.assert_allclose(steps, np.round(steps), atol=1e-6)
    assert (p_values <= 0.1).mean() == pytest.approx(0.1, abs=0.04)
    assert (detector.predict(fresh) == -1).mean() == pytest.approx(0.05, abs=0.035)
    assert (detector.predict(rows[N_NORMAL:]) == -1).all()


def test_novelty_contamination_is_the_share_of_new_normal_rows() -> None:
    rng = np.random.RandomState(4)
    normal, fresh = rng.normal(size=(400, 5)), rng.normal(size=(2000, 5))
    detector = GaussianMixtureOutlierDetector(contamination=0.1, novelty=True, random_state=0).fit(normal)
    assert (detector.predict(fresh) == -1).mean() == pytest.approx(0.1, abs=0.05)
    held_out, _ = detector._fitted.held_out_scores()
    assert (held_out < detector.offset_).mean() == pytest.approx(0.1, abs=1 / 400)
    auto = GaussianMixtureOutlierDetector(contamination="auto", novelty=True, fdr=0.2, random_state=0)
    auto.fit(normal)
    np.testing.assert_array_equal(auto.predict(fresh) == -1, auto.p_values(fresh) <= 0.2)
    none_held_out = GaussianMixtureOutlierDetector(2, n_components=1, novelty=True).fit([[0.0], [1.0]])
    assert none_held_out.predict([[9.0]]).tolist() == [1]


def test_a_held_out_row_is_judged_as_a_new_one() -> None:
    """With the sampled row left out by hand the strangeness is the same: it does not rank among itself."""
    sample = np.random.RandomState(0).normal(size=(41, 2))
    recipe = EnsembleRecipe(1, [2], 0.0, all_normal=True, every_row=False, seed=0)
    (member,) = learn_ensemble(standardize(sample, None, 0), recipe).members
    rows = standardize(sample, None, 0).sample
    densities = member.density.log_density(rows)
    for row in (int(np.argmin(densities)), int(np.argsort(densities)[5]), int(np.argmax(densities))):
        others = np.sort(np.delete(densities, row))
        scale = max(exponential_tail(-others, 0.01).scale, 1.0)
        by_hand = -SimulatedTail.of_ranks(others, scale).log_probability(densities[[row]])
        np.testing.assert_allclose(member.strangeness_among_others(rows[[row]]), by_hand, rtol=1e-12)
    fresh = np.array([[9.0, 9.0]])
    assert member.strangeness(fresh)[0] > member.strangeness_among_others(rows).max()


def test_half_of_novelty_members_have_a_component_at_every_row() -> None:
    """Their variance by a naive loop over the rows that they do not see."""
    sample = np.random.RandomState(1).normal(size=(60, 30))
    standard = standardize(sample, None, 0)
    recipe = EnsembleRecipe(20, [1], 0.0, all_normal=True, every_row=True, seed=0)
    members = learn_ensemble(standard, recipe).members
    every = [member for member in members if member.density.mixture.n_components == 30]
    assert 4 <= len(every) <= 16
    assert {member.density.mixture.n_components for member in members} == {1, 30}
    assert {len(member.density.columns) for member in members} == {25, 30}
    seen = set(every[0].rows.tolist())
    nearest = [
        min(((standard.sample[i] - standard.sample[j]) ** 2).sum() for j in seen)
        for i in range(60)
        if i not in seen
    ]
    np.testing.assert_allclose(every[0].density.mixture.covariances, np.mean(nearest) / 30)
    np.testing.assert_allclose(every[0].density.mixture.means, standard.sample[every[0].rows])


def test_novelty_sees_the_gap_between_many_groups() -> None:
    """Twelve groups on a circle: what is inside is far from each, and no five components tell."""
    rng = np.random.RandomState(6)
    angles = rng.randint(12, size=1500) * np.pi / 6
    normal = 6.0 * np.column_stack([np.cos(angles), np.sin(angles)]) + 0.3 * rng.normal(size=(1500, 2))
    between = 6.0 * np.array([[np.cos(a), np.sin(a)] for a in (np.arange(12) + 0.5) * np.pi / 6])
    detector = GaussianMixtureOutlierDetector(novelty=True, fdr=0.05, contamination="auto", random_state=0)
    detector.fit(normal)
    assert (detector.predict(np.vstack([between, [[0.0, 0.0]]])) == -1).all()


def test_every_row_flagged_and_none(rows: FloatArray) -> None:
    all_flagged = GaussianMixtureOutlierDetector(
        3, contamination="auto", novelty=True, fdr=0.999999, random_state=0
    ).fit(rows[:30])
    assert (all_flagged.predict(rows[30:N_NORMAL]) == -1).mean() > 0.9
    none = GaussianMixtureOutlierDetector(3, contamination="auto", fdr=1e-9, random_state=0).fit(rows[:30])
    assert (none.predict(rows[:30]) == 1).all()


def test_rows_of_weight_zero_are_scored_only(rows: FloatArray) -> None:
    weights = np.r_[np.ones(N_NORMAL), np.zeros(N_CLUSTER)]
    with_weights = GaussianMixtureOutlierDetector(5, random_state=0).fit(rows, sample_weight=weights)
    alone = GaussianMixtureOutlierDetector(5, random_state=0).fit(rows[:N_NORMAL])
    np.testing.assert_allclose(with_weights.center_, alone.center_)
    np.testing.assert_allclose(with_weights.score_samples(rows), alone.score_samples(rows), rtol=1e-6)
    assert (with_weights.predict(rows[:N_NORMAL]) == -1).mean() == pytest.approx(0.1, abs=0.01)
    heavier = GaussianMixtureOutlierDetector(5, random_state=0).fit(rows, sample_weight=1.0 + weights)
    assert heavier.scores_.shape == (len(rows),)


def test_missing_values_are_an_error_unless_asked_for(rows: FloatArray) -> None:
    gaps = rows.copy()
    gaps[::7, 0] = np.nan
    with pytest.raises(MissingValuesError, match="NaN"):
        GaussianMixtureOutlierDetector(3).fit(gaps)
    detector = GaussianMixtureOutlierDetector(20, missing="fiml", random_state=0).fit(gaps)
    known = ~np.isnan(gaps).any(axis=1)
    truth = np.arange(len(rows)) >= N_NORMAL
    assert roc_auc_score(truth[known], -detector.scores_[known]) > 0.98
    assert np.isfinite(detector.scores_).all()
    assert (detector.tail_probabilities(gaps)[~known] <= 1).all()
    empty = detector.score_samples([[np.nan, np.nan]])
    assert detector.scores_.min() < empty[0] < detector.scores_.max()


def test_the_score_of_a_row_does_not_depend_on_the_rows_beside_it(rows: FloatArray) -> None:
    """Rows that lack all columns of a mixture have one density: how it is rounded is not a rank."""
    gaps = rows.copy()
    gaps[np.random.default_rng(0).uniform(size=gaps.shape) < 0.4] = np.nan
    detector = GaussianMixtureOutlierDetector(20, missing="fiml", random_state=0).fit(gaps)
    alone = [float(detector.score_samples(gaps[[place]])[0]) for place in range(40)]
    np.testing.assert_allclose(detector.scores_[:40], alone, rtol=1e-9)
    np.testing.assert_allclose(detector.score_samples(gaps[::-1])[::-1], detector.scores_, rtol=1e-9)


def test_the_density_of_a_row_with_missing_values_is_the_expected_one() -> None:
    mixture = Mixture.from_parameters([1.0], [[0.0, 0.0]], [[4.0, 9.0]], "diag")
    found = log_density(mixture, np.array([[1.0, np.nan]]))
    rest = -0.5 * (np.log(2 * np.pi * 9.0) + 1.0)
    assert float(found[0]) == pytest.approx(-0.5 * (0.25 + np.log(2 * np.pi * 4.0)) + rest)


def test_constant_columns_and_equal_rows() -> None:
    rng = np.random.RandomState(0)
    constant = np.column_stack([rng.normal(size=60), np.full(60, 7.0)])
    plain = GaussianMixtureOutlierDetector(5, random_state=0).fit(constant)
    assert np.isfinite(plain.scores_).all()
    with pytest.raises(DataError, match="a column with differences"):
        GaussianMixtureOutlierDetector(5, random_state=0).fit(np.full((30, 2), 3.0))


@pytest.mark.parametrize("far", [1e3, 1e6, 1e11, 1e12, 1e20, 1e300])
def test_a_value_that_drowns_all_others_is_an_anomaly(far: float) -> None:
    table = np.random.RandomState(0).normal(size=(400, 3))
    table[3, 0] = far
    detector = GaussianMixtureOutlierDetector(10, random_state=0).fit(table)
    middle = np.sort(table[:, 0])[20:-20]
    assert detector.scale_[0] == pytest.approx(far / 20 if far < 1e5 else middle.std(), rel=0.01)
    assert detector.flag(table)[3]
    assert detector.predict(table)[3] == -1
    near = table.copy()
    near[3, 0] = 1e3  # as strange to the other members, whatever the value
    expected = GaussianMixtureOutlierDetector(10, random_state=0).fit(near).scores_[3]
    assert detector.scores_[3] == pytest.approx(expected, abs=0.05)


def test_a_value_that_drowns_the_few_that_are_not_zero_is_an_anomaly() -> None:
    rng = np.random.RandomState(0)
    table = np.where(rng.uniform(size=(500, 3)) < 0.96, 0.0, rng.exponential(5.0, size=(500, 3)))
    table[3, 1] = 1e20
    detector = GaussianMixtureOutlierDetector(20, random_state=0).fit(table)
    assert detector.scale_[1] < 100.0
    assert detector.flag(table)[3]
    assert detector.predict(table)[3] == -1


def test_rare_levels_do_not_break_members() -> None:
    rng = np.random.RandomState(1)
    table = np.column_stack([rng.normal(size=600), rng.uniform(size=600) < 0.003, rng.poisson(0.02, 600)])
    detector = GaussianMixtureOutlierDetector(30, random_state=0).fit(table)
    assert np.isfinite(detector.scores_).all()


def test_large_tables_are_learned_from_a_sample_and_weights_go_with_it() -> None:
    rng = np.random.RandomState(2)
    table = rng.normal(size=(3000, 2))
    table[:5] = 9.0
    detector = GaussianMixtureOutlierDetector(10, random_state=0).fit(
        table, sample_weight=rng.uniform(1, 2, 3000)
    )
    assert len(detector._fitted.standard.sample) == 2000
    assert (detector.predict(table[:5]) == -1).all()


def test_the_same_seed_gives_the_same_scores_and_pickles(rows: FloatArray) -> None:
    first = GaussianMixtureOutlierDetector(5, random_state=3).fit(rows)
    again = GaussianMixtureOutlierDetector(5, random_state=3).fit(rows)
    np.testing.assert_array_equal(first.scores_, again.scores_)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(first)).score_samples(rows), first.scores_)


def test_it_is_public() -> None:
    assert "GaussianMixtureOutlierDetector" in mixtura.__all__


def test_stability_is_one_for_stark_anomalies_and_zero_for_the_middle(
    fitted: GaussianMixtureOutlierDetector,
) -> None:
    found = fitted.stability([[6.0, -6.0], [0.0, 0.0]], share=0.05)
    assert found.tolist() == [1.0, 0.0]
    with pytest.raises(ParameterError, match="`share` must be"):
        fitted.stability([[0.0, 0.0]], share=2.0)


def test_explanations_are_in_the_units_of_the_rows(fitted: GaussianMixtureOutlierDetector) -> None:
    found = fitted.explain([[3.0, -3.0]])
    # The rows have a slope of about 0.8 in both directions.
    np.testing.assert_allclose(found.expected[0], [-2.4, 2.4], atol=0.6)
    assert found.drivers(0) in ([0, 1], [1, 0])


def test_rows_whose_squares_overflow_are_the_strangest_whatever_they_lack() -> None:
    rows = np.random.default_rng(0).normal(size=(120, 3))
    rows[::7, 1] = np.nan
    detector = GaussianMixtureOutlierDetector(n_estimators=10, random_state=0, missing="fiml").fit(rows)
    far = np.array([[1e155, 0.0, 0.0], [1e200, np.nan, 0.0], [1e300, np.nan, np.nan]])
    assert (detector.score_samples(far) < 10 * detector.scores_.min()).all()
    assert detector.stability(far).tolist() == [1.0, 1.0, 1.0]
    assert not np.isinf(detector.explain(far).contributions).any()
    assert detector.p_values(far).tolist() == [0.0, 0.0, 0.0]
    assert detector.predict(far).tolist() == [-1, -1, -1]
