"""Concentration against scikit-learn's step of the minimum covariance determinant, and what it is for."""

from __future__ import annotations

import numpy as np
import pytest

from mixtura import GaussianMixture, Mixture
from mixtura.anomaly.concentration import concentrated
from mixtura.anomaly.normal_mixture import log_density

RNG = np.random.RandomState(0)
NORMAL = RNG.standard_normal((200, 3)) @ np.array([[1.0, 0.8, 0.0], [0.0, 0.6, 0.5], [0.0, 0.0, 1.0]])
FAR = RNG.standard_normal((20, 3)) + RNG.choice([-1.0, 1.0], (20, 3)) * [9.0, -9.0, 0.0] + [4.0, 0.0, 0.0]
ROWS = np.ascontiguousarray(np.vstack([NORMAL, FAR]))


def one_component(rows: np.ndarray) -> Mixture:
    return GaussianMixture(1).fit(rows).mixture_


def trimmed_likelihood(mixture: Mixture, n_kept: int) -> float:
    return float(np.sort(log_density(mixture, ROWS))[-n_kept:].sum())


def test_of_one_component_it_is_the_step_of_the_minimum_covariance_determinant() -> None:
    """Kept are the h rows of the smallest distance, and the mean and covariance are theirs, until they stay."""
    start = one_component(ROWS)
    found = concentrated(start, ROWS, None, 0.3)
    mean, covariance, h = start.means[0], start.covariances[0], 154
    for _ in range(10):
        apart = ROWS - mean
        kept = np.argsort((apart @ np.linalg.inv(covariance) * apart).sum(axis=1), kind="stable")[:h]
        mean, covariance = ROWS[kept].mean(axis=0), np.cov(ROWS[kept].T, bias=True)
    np.testing.assert_allclose(found.means[0], mean, atol=1e-6)
    np.testing.assert_allclose(found.covariances[0], covariance, atol=1e-5)


def test_the_trimmed_likelihood_rises_and_rows_that_are_left_out_have_no_say() -> None:
    start = one_component(ROWS)
    found = concentrated(start, ROWS, None, 0.3)
    assert trimmed_likelihood(found, 154) > trimmed_likelihood(start, 154) + 10
    assert start.covariances[0, 0, 0] > 5.0
    assert found.covariances[0, 0, 0] < 1.5
    density = log_density(found, ROWS)
    assert density[200:].max() < density[:200].min()


def test_it_ends_before_the_rows_kept_are_equal_in_a_column() -> None:
    rows = NORMAL.copy()
    rows[:, 2] = np.where(np.arange(200) < 150, 0.0, rows[:, 2])
    found = concentrated(one_component(rows), rows, None, 0.4)
    assert np.isfinite(log_density(found, rows)).all()
    assert found.covariances[0, 2, 2] > 1e-5


@pytest.mark.parametrize("share", [0.0, 0.4])
def test_weights_count_as_repeated_rows(share: float) -> None:
    start = one_component(ROWS)
    found = concentrated(start, ROWS, np.full(len(ROWS), 2.0), share)
    expected = concentrated(start, np.repeat(ROWS, 2, axis=0), None, share)
    np.testing.assert_allclose(found.means, expected.means, atol=1e-9)
    np.testing.assert_allclose(found.covariances, expected.covariances, atol=1e-9)


def test_missing_values_are_passed_over() -> None:
    rows = ROWS.copy()
    rows[RNG.uniform(size=rows.shape) < 0.1] = np.nan
    rows[np.isnan(rows).all(axis=1), 0] = 0.0
    found = concentrated(one_component(ROWS), rows, None, 0.3)
    assert found.covariances[0, 0, 0] < 1.5
