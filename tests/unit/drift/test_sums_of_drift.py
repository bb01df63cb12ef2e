"""The sums of drift against loops over rows, and what is derived from them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mixtura import Mixture
from mixtura.core.parts.discrete import DiscreteColumns, LevelTable
from mixtura.core.parts.level_models import CATEGORICAL
from mixtura.core.protocols import MixedRows
from mixtura.drift import Cuts, DriftSums, drift_sums, reference_of, share_changes
from mixtura.drift.comparison import compare_sums, mean_memberships
from mixtura.drift.drift_sums import log_densities
from mixtura.drift.moments.moments_by_segment import SegmentMoments
from mixtura.engine import as_data
from mixtura.kernels.terms.background import Background, Box

RNG = np.random.RandomState(0)
ROWS = RNG.standard_normal((60, 3)) + RNG.randint(2, size=(60, 1)) * 3.0
WEIGHTS = RNG.exponential(size=60)
COVARIANCES = np.array([np.eye(3) + 0.3, 2 * np.eye(3) - 0.2])
MIXTURE = Mixture.from_parameters([0.4, 0.6], [[0.0, 0.1, 0.0], [3.0, 2.0, 3.0]], COVARIANCES)
CUTS = Cuts(np.array([-8.0, -6.0, -5.0]), -7.0, -6.5)


def by_loops(rows: np.ndarray, weights: np.ndarray) -> dict[str, np.ndarray]:
    """Every sum, one row, component and column after the other; missing values are skipped."""
    k, d = MIXTURE.means.shape
    pairs = [(e, f) for e in range(d) for f in range(e + 1)]
    found = {name: np.zeros((k, d)) for name in ("first", "first_squared")}
    found |= {
        name: np.zeros((k, len(pairs)))
        for name in ("known", "known_squared", "second", "second_squared", "fourth")
    }
    found |= {"shares": np.zeros(k), "shares_squared": np.zeros(k), "products": np.zeros((k, k))}
    for x, w in zip(rows, weights, strict=True):
        r = MIXTURE.responsibilities(x[None])[0]
        found["products"] += w**2 * np.outer(r, r)
        for c in range(k):
            a = w * r[c]
            z = (x - MIXTURE.means[c]) / np.sqrt(np.diag(COVARIANCES[c]))
            found["shares"][c] += a
            found["shares_squared"][c] += w * a
            for e in range(d):
                if not np.isnan(z[e]):
                    found["first"][c, e] += a * z[e]
                    found["first_squared"][c, e] += a**2 * z[e]
            for place, (e, f) in enumerate(pairs):
                if np.isnan(z[e]) or np.isnan(z[f]):
                    continue
                found["known"][c, place] += a
                found["known_squared"][c, place] += a**2
                found["second"][c, place] += a * z[e] * z[f]
                found["second_squared"][c, place] += a**2 * z[e] * z[f]
                found["fourth"][c, place] += a**2 * z[e] ** 2 * z[f] ** 2
    return found


@pytest.mark.parametrize("missing", [False, True])
def test_the_pass_gives_what_loops_give(missing: bool) -> None:
    rows = ROWS.copy()
    if missing:
        rows[np.random.RandomState(1).uniform(size=rows.shape) < 0.2] = np.nan
        rows[np.isnan(rows).all(axis=1), 0] = 1.0
    sums = drift_sums(as_data(rows, WEIGHTS), MIXTURE, CUTS)
    for name, expected in by_loops(rows, WEIGHTS).items():
        np.testing.assert_allclose(getattr(sums, name), expected, rtol=1e-10, atol=1e-12, err_msg=name)


def test_log_densities_are_summed_and_binned() -> None:
    offsets = np.linspace(-1, 1, 60)
    data = as_data(ROWS, WEIGHTS)
    sums = drift_sums(data, MIXTURE, CUTS, data.state_of(offsets))
    density = MIXTURE.log_density(ROWS) + offsets
    expected = [
        60, WEIGHTS.sum(), (WEIGHTS**2).sum(), WEIGHTS @ density, WEIGHTS**2 @ density, WEIGHTS**2 @ density**2,
        WEIGHTS[density < -7.0].sum(), WEIGHTS[density < -6.5].sum(),
    ]  # fmt: skip
    np.testing.assert_allclose(sums.totals, expected)
    bins = [
        WEIGHTS[(density >= low) & (density < high)].sum()
        for low, high in ((-1e9, -8), (-8, -6), (-6, -5), (-5, 1e9))
    ]
    np.testing.assert_allclose(sums.bins, bins)
    np.testing.assert_allclose(log_densities(data, MIXTURE, offsets), density)


def test_levels_are_counted_by_component() -> None:
    discrete = DiscreteColumns((CATEGORICAL, CATEGORICAL), (np.array([0.5, 0.5]), np.array([0.2, 0.3, 0.5])))
    rng = np.random.RandomState(2)
    levels = discrete.numbered(np.column_stack([rng.randint(-1, 2, 60), rng.randint(3, size=60)]))
    logs = np.ascontiguousarray(
        np.log(np.vstack([rng.dirichlet(np.ones(size), 2).T for size in (2, 3)] + [np.ones((1, 2))]))
    )
    mixture = Mixture(
        **{name: getattr(MIXTURE, name) for name in ("weights", "means", "covariances", "family", "factors")},
        levels=LevelTable(discrete, logs),
    )
    mixed = MixedRows(ROWS, levels, discrete)
    sums = drift_sums(as_data(mixed), mixture, CUTS)
    r = mixture.responsibilities(mixed)
    for level in range(discrete.size):
        expected = sum(r[levels[:, j] == level].sum(axis=0) for j in range(2))
        np.testing.assert_allclose(sums.levels[level], expected)


def test_they_add_up_and_are_written_as_lists() -> None:
    whole = drift_sums(as_data(ROWS, WEIGHTS), MIXTURE, CUTS)
    parts = [
        drift_sums(as_data(ROWS[part], WEIGHTS[part]), MIXTURE, CUTS)
        for part in (slice(0, 20), slice(20, 60))
    ]
    np.testing.assert_allclose((parts[0] + parts[1]).second, whole.second)
    again = DriftSums.from_dict(whole.to_dict(), 2)
    for name in ("totals", "fourth", "levels", "products"):
        np.testing.assert_allclose(getattr(again, name), getattr(whole, name), rtol=1e-8)
        assert getattr(again, name).shape == getattr(whole, name).shape


def test_moments_of_one_component_are_those_of_the_rows() -> None:
    one = Mixture.from_parameters([1.0], [[0.5, 0.0, 1.0]], [[4.0, 1.0, 9.0]], "diag")
    moments = SegmentMoments(drift_sums(as_data(ROWS), one, CUTS))
    z = (ROWS - one.means[0]) / np.array([2.0, 1.0, 3.0])
    np.testing.assert_allclose(moments.means[0], z.mean(axis=0))
    np.testing.assert_allclose(moments.mean_variances[0], z.var(axis=0) / 60)
    np.testing.assert_allclose(np.exp(moments.log_deviations[0]), z.std(axis=0))
    np.testing.assert_allclose(moments.correlations[0], np.corrcoef(ROWS.T), atol=1e-6)
    np.testing.assert_allclose(moments.effective[0], 60.0)


BOX = Box(np.full(3, -50.0), np.full(3, 50.0))
NOISY = replace(MIXTURE, weights=0.85 * MIXTURE.weights, offsets=None, background=Background(0.15, BOX, BOX))
FAR = np.random.RandomState(3).uniform(20, 50, (12, 3))


def test_the_intervals_of_shares_are_those_of_ratios_of_weighted_sums() -> None:
    # The heavy rows are all in the first component: r and w go together.
    weights = np.where(ROWS[:, 0] < 1.5, 9.0, 1.0) * WEIGHTS
    sums = drift_sums(as_data(ROWS, weights), MIXTURE, CUTS)
    r = MIXTURE.responsibilities(ROWS)
    p = weights @ r / weights.sum()
    errors = np.sqrt(weights**2 @ (r - p) ** 2) / weights.sum()
    found = share_changes(sums, sums)
    np.testing.assert_allclose(found.before, p)
    np.testing.assert_allclose(found.before_half, 1.959963984540054 * errors)
    np.testing.assert_allclose(found.after_half, found.before_half)
    # A model file that does not say sums of squared weights: memberships sum to one.
    again = DriftSums.from_dict(sums.to_dict(), 2)
    assert "shares_squared" not in sums.to_dict()
    np.testing.assert_allclose(share_changes(again, again).before_half, found.before_half, rtol=1e-6)


def test_noise_is_one_class_more() -> None:
    rows = np.vstack([ROWS, FAR])
    weights = np.append(WEIGHTS, np.full(12, 2.0))
    sums = drift_sums(as_data(rows, weights), NOISY, CUTS)
    r = NOISY.responsibilities(rows)
    whole = np.column_stack([r, 1 - r.sum(axis=1)])
    assert whole[-12:, 2].min() > 0.5
    p = weights @ whole / weights.sum()
    covariance = (whole - p).T @ np.diag(weights**2) @ (whole - p) / weights.sum() ** 2
    mean, found = mean_memberships(sums, noise=True)
    np.testing.assert_allclose(mean, p)
    np.testing.assert_allclose(found, covariance, atol=1e-12)
    again = DriftSums.from_dict(sums.to_dict(), 2)
    np.testing.assert_allclose(mean_memberships(again, noise=True)[1], covariance, atol=1e-7)


def test_rows_of_noise_are_the_least_expected_however_their_densities_are_rounded() -> None:
    rows = np.vstack([ROWS, FAR])
    data = as_data(rows)
    lowest = NOISY.log_density(rows).min()
    found = reference_of(data, NOISY, threshold=float(lowest))
    after = drift_sums(data, NOISY, found.cuts)
    assert after.bins[0] == 12
    assert after.totals[6:].tolist() == [12, 12]
    assert np.isfinite(found.cuts.edges).all()
    assert not any(one.is_beyond_chance for one in compare_sums(found, after).changes)
