from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import kstest, norm
from sklearn.datasets import load_iris

from mixtura.segments.advice import energy_p_value, energy_statistic, mardia
from mixtura.segments.advice.evidence.normality import whitened


@pytest.fixture(scope="module")
def setosa() -> np.ndarray:
    return load_iris().data[:50]


def test_mardia_of_setosa_is_that_of_the_r_package_mvn(setosa: np.ndarray) -> None:
    """Korkmaz, Goksuluk and Zararsiz 2014, MVN, The R Journal 6(2), 151-162: mardia() of setosa."""
    found = mardia(setosa)
    assert found.skewness == pytest.approx(3.079721, abs=5e-7)
    assert found.kurtosis == pytest.approx(26.53766, abs=5e-6)
    assert found.skewness_p == pytest.approx(0.1771859, abs=5e-8)
    assert found.kurtosis_p == pytest.approx(0.1953229, abs=5e-8)


def test_the_energy_statistic_of_setosa_is_that_of_the_r_package_energy(setosa: np.ndarray) -> None:
    """mvnorm.e(iris[1:50, 1:4]) prints E-statistic = 1.2034; it whitens with the divisor N - 1."""
    assert energy_statistic(whitened(setosa) * np.sqrt(49 / 50)) == pytest.approx(1.2034, abs=5e-5)


def test_mardia_is_the_double_sum() -> None:
    rows = np.random.default_rng(1).exponential(size=(40, 3))
    centered = rows - rows.mean(axis=0)
    inverse = np.linalg.inv(centered.T @ centered / 40)
    cubes = [float(a @ inverse @ b) ** 3 for a in centered for b in centered]
    squares = [float(a @ inverse @ a) ** 2 for a in centered]
    found = mardia(rows)
    assert found.skewness == pytest.approx(sum(cubes) / 1600, rel=1e-9)
    assert found.kurtosis == pytest.approx(sum(squares) / 40, rel=1e-9)


def test_the_energy_statistic_is_its_expectations() -> None:
    """In one column: E|z - Z| = 2 phi(z) + z (2 Phi(z) - 1), and E|Z - Z'| = 2 / sqrt(pi)."""
    z = np.random.default_rng(2).normal(size=30) * 1.3
    to_normal = 2 * norm.pdf(z) + z * (2 * norm.cdf(z) - 1)
    within = np.mean([abs(a - b) for a in z for b in z])
    expected = 30 * (2 * to_normal.mean() - 2 / np.sqrt(np.pi) - within)
    assert energy_statistic(z[:, None]) == pytest.approx(expected, rel=1e-9)


def test_whitened_rows_have_no_direction_without_spread() -> None:
    rows = np.random.default_rng(3).normal(size=(50, 2))
    flat = np.column_stack([rows, rows.sum(axis=1)])
    z = whitened(flat)
    assert z.shape == (50, 2)
    np.testing.assert_allclose(z.T @ z / 50, np.eye(2), atol=1e-12)


def test_normal_rows_pass_and_others_do_not() -> None:
    rng = np.random.default_rng(4)
    p = [
        (found.skewness_p, found.kurtosis_p)
        for found in (mardia(rng.normal(size=(500, 2))) for _ in range(60))
    ]
    assert kstest([one for one, _ in p], "uniform").pvalue > 0.001
    assert kstest([two for _, two in p], "uniform").pvalue > 0.001
    skewed, heavy = rng.exponential(size=(300, 2)), rng.standard_t(3, size=(300, 2))
    assert mardia(skewed).skewness_p < 1e-6
    assert mardia(heavy).kurtosis_p < 1e-6
    assert energy_p_value(skewed[:100], rng) == 0.01
    assert energy_p_value(rng.normal(size=(100, 2)), rng) > 0.05
