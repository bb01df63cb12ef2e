"""The sums of drift against loops over rows, and what is derived from them."""

from __future__ import annotations

import numpy as np
import pytest

from mixtura import Mixture
from mixtura.core.parts.discrete import DiscreteColumns, LevelTable
from mixtura.core.parts.level_models import CATEGORICAL
from mixtura.core.protocols import MixedRows
from mixtura.drift import Cuts, DriftSums, drift_sums
from mixtura.drift.drift_sums import log_densities
from mixtura.drift.moments_by_segment import SegmentMoments
from mixtura.engine import as_data

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
    found |= {"shares": np.zeros(k), "products": np.zeros((k, k))}
    for x, w in zip(rows, weights, strict=True):
        r = MIXTURE.responsibilities(x[None])[0]
        found["products"] += w**2 * np.outer(r, r)
        for c in range(k):
            a = w * r[c]
            z = (x - MIXTURE.means[c]) / np.sqrt(np.diag(COVARIANCES[c]))
            found["shares"][c] += a
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
