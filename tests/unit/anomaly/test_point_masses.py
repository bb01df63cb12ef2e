"""Point masses in the outlier detector: shares by hand, densities in closed form, and what they are for."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm
from sklearn.metrics import roc_auc_score

from mixtura import GaussianMixtureOutlierDetector, Mixture
from mixtura._typing import FloatArray
from mixtura.anomaly.ensemble import MemberDensity
from mixtura.anomaly.standard_rows import point_masses

NAN = np.nan


def test_a_value_of_more_than_half_of_the_rows_is_a_point_mass() -> None:
    rows = np.array([[0.0, 1.0, 5.0], [0.0, 1.0, 5.0], [0.0, 2.0, NAN], [7.0, 2.0, 6.0], [NAN, NAN, NAN]])
    found = point_masses(rows, None)
    np.testing.assert_array_equal(found.values, [0.0, NAN, 5.0])
    np.testing.assert_allclose(np.exp(found.log_at), [4 / 6, 1.0, 3 / 5])
    np.testing.assert_allclose(np.exp(found.log_apart), [2 / 6, 1.0, 2 / 5])
    assert found.of_columns(np.array([1])) is None


def test_weights_of_point_masses_count_as_repeated_rows() -> None:
    rows = np.array([[0.0, 1.0], [3.0, 1.0], [4.0, 2.0]])
    weighted, repeated = (
        point_masses(rows, np.array([3.0, 1.0, 1.0])),
        point_masses(rows[[0, 0, 0, 1, 2]], None),
    )
    np.testing.assert_array_equal(weighted.values, repeated.values)
    np.testing.assert_allclose(weighted.log_apart, repeated.log_apart)


@pytest.mark.parametrize("columns", [[0, 1], [1, 0]])
def test_the_density_at_a_point_mass_is_its_share_and_what_is_expected_beside_it(columns: list[int]) -> None:
    """Of two independent columns: a value at the mass has the mean log density of a Gaussian, minus half a nat."""
    masses = point_masses(np.array([[0.0, 0.0], [1.0, 0.0], [2.0, 0.0], [3.0, 4.0]]), None)
    mixture = Mixture.from_parameters([1.0], [[1.0, 5.0]], [[[4.0, 0.0], [0.0, 9.0]]])
    order = np.array(columns)
    means, covariances = mixture.means[:, order], mixture.covariances[:, order][:, :, order]
    density = MemberDensity(
        order,
        Mixture.from_parameters([1.0], means, covariances),
        masses.of_columns(order),
        np.ones(2, dtype=bool),
    )
    rows = np.array([[2.0, 0.0], [2.0, 6.0], [2.0, NAN]])
    first, beside = norm(1, 2).logpdf(2.0), norm(5, 3).logpdf(5.0) - 0.5
    expected = [
        np.log(4 / 6) + first + beside,
        np.log(2 / 6) + first + norm(5, 3).logpdf(6.0),
        first + beside,
    ]
    np.testing.assert_allclose(density.log_density(rows), expected, rtol=1e-12)


@pytest.mark.parametrize("seed", [0, 1])
def test_rare_values_of_columns_that_say_nothing_do_not_hide_anomalies(seed: int) -> None:
    """They cost some of the area under the curve; where they were in Gaussians, twice what is allowed here."""
    rng = np.random.RandomState(seed)
    told = rng.normal(size=(420, 3)) @ rng.normal(size=(3, 3))
    told[400:] += 3.0 * rng.normal(size=(20, 3)) * told.std(axis=0)
    rare = np.where(rng.uniform(size=(420, 6)) < 0.05, rng.exponential(size=(420, 6)), 0.0)
    detector = GaussianMixtureOutlierDetector(12, n_components=1, random_state=0)

    def area(rows: FloatArray) -> float:
        return float(roc_auc_score(np.arange(420) >= 400, -detector.fit(rows).scores_))

    assert area(np.hstack([told, rare])) > area(told) - 0.075


def test_rare_answers_of_yes_or_no_columns_are_strange() -> None:
    """No column is continuous: a row is as strange as its answers are rare."""
    rng = np.random.RandomState(0)
    rows = (rng.uniform(size=(300, 5)) < [0.3, 0.2, 0.1, 0.1, 0.05]).astype(float)
    rows[0], rows[1] = 0.0, 1.0
    scores = GaussianMixtureOutlierDetector(40, random_state=0).fit(rows).scores_
    assert scores.argmin() == 1
    assert scores[0] == scores.max()
