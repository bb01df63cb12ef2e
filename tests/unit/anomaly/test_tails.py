"""Tail probabilities, calibration and false discoveries, against closed forms and loops."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from mixtura import Mixture
from mixtura.anomaly import control_false_discoveries, excess_of
from mixtura.anomaly.calibration import ConformalCalibration, self_calibration
from mixtura.anomaly.tail_probability import exponential_tail, sample_tail, tail_of
from mixtura.exceptions import DataError, ParameterError

ONE = Mixture.from_parameters([1.0], [[1.0, -2.0]], [[[4.0, 1.2], [1.2, 1.0]]])


def test_the_tail_of_one_component_is_chi_square_of_the_squared_distance() -> None:
    rows = np.array([[1.0, -2.0], [3.0, -1.0], [-9.0, 4.0]])
    apart = rows - [1.0, -2.0]
    squared = [float(row @ np.linalg.inv([[4.0, 1.2], [1.2, 1.0]]) @ row) for row in apart]
    found = tail_of(ONE, 0).log_probability(ONE.log_density(rows))
    np.testing.assert_allclose(found, stats.chi2.logsf(squared, 2), rtol=1e-12, atol=1e-12)


def test_far_out_the_tail_of_two_columns_is_minus_half_the_squared_distance() -> None:
    rows = np.array([[1.0 + 2.0 * 100.0, -2.0]])
    squared = float(
        (rows[0] - [1.0, -2.0]) @ np.linalg.inv([[4.0, 1.2], [1.2, 1.0]]) @ (rows[0] - [1.0, -2.0])
    )
    assert squared > 10_000
    found = tail_of(ONE, 0).log_probability(ONE.log_density(rows))
    assert float(found[0]) == pytest.approx(-squared / 2, rel=1e-9)


def test_a_row_that_lacks_a_value_has_a_degree_of_freedom_less() -> None:
    # The log density expected of the whole row: that of the first column, and that of the second given it.
    squared, left = 9.0, 1.0 - 1.2**2 / 4.0
    seen = -0.5 * (squared + math.log(2 * math.pi * 4.0))
    expected_rest = -0.5 * (math.log(2 * math.pi * left) + 1.0)
    found = tail_of(ONE, 0).log_probability(np.array([seen + expected_rest]), np.array([1]))
    assert float(found[0]) == pytest.approx(stats.chi2.logsf(squared, 1), rel=1e-12)


def test_the_simulated_tail_of_two_components_is_what_integration_says() -> None:
    mixture = Mixture.from_parameters([0.3, 0.7], [[0.0], [6.0]], [[[1.0]], [[4.0]]])
    grid = np.linspace(-30, 40, 700_001)
    density = 0.3 * stats.norm.pdf(grid, 0, 1) + 0.7 * stats.norm.pdf(grid, 6, 2)
    tail = tail_of(mixture, 0)
    for row, tolerance in ((3.0, 0.02), (-2.0, 0.05), (12.5, 0.2)):
        limit = 0.3 * stats.norm.pdf(row, 0, 1) + 0.7 * stats.norm.pdf(row, 6, 2)
        exact = density[density <= limit].sum() * (grid[1] - grid[0])
        found = tail.log_probability(mixture.log_density([[row]]))
        assert math.exp(found[0]) == pytest.approx(exact, rel=tolerance)


def test_a_censored_exponential_tail_is_the_closed_form() -> None:
    values = np.array([9.0, 1.0, 4.0, 2.0, 100.0, 3.0, 0.0, 6.0, 0.5, 0.2])
    # Half of ten: 3, 4, 6, 9, 100 beyond the sixth largest, 2; the largest is known only to be beyond 9.
    found = exponential_tail(values, 0.5, 0.1)
    assert (found.start, found.share) == (2.0, 0.5)
    assert found.scale == pytest.approx((1 + 2 + 4 + 7 + 7) / 4)


def test_no_value_that_is_censored_matters_but_for_its_rank() -> None:
    values = np.random.default_rng(0).exponential(size=1000)
    contaminated = np.where(values > np.sort(values)[-50], 1e6, values)
    assert exponential_tail(values, 0.5, 0.1) == exponential_tail(contaminated, 0.5, 0.1)
    assert exponential_tail(values, 0.5, 0.1).scale == pytest.approx(1.0, abs=0.15)


def test_the_tail_of_a_sample_is_ranks_and_goes_on_beyond() -> None:
    tail = sample_tail(-np.arange(1.0, 1001.0))
    inside = tail.log_probability(np.array([-500.5]))
    assert math.exp(inside[0]) == pytest.approx(501 / 1001)
    beyond = tail.log_probability(np.array([-1100.0, -1200.0, -1300.0]))
    assert np.diff(beyond)[0] == pytest.approx(np.diff(beyond)[1])
    assert beyond[0] < math.log(1 / 1001)


def test_conformal_p_values_count_normal_rows_that_are_as_strange() -> None:
    found = np.exp(
        ConformalCalibration(np.array([1.0, 2.0, 2.0, 3.0])).log_p_values(np.array([0.0, 2.0, 9.0]))
    )
    np.testing.assert_allclose(found, [5 / 5, 4 / 5, 1 / 5])


def test_calibration_never_makes_p_values_smaller_than_the_mixture_says() -> None:
    strangeness = np.random.default_rng(1).exponential(0.5, size=2000)
    found = self_calibration(strangeness).log_p_values(np.array([6.0, 20.0]))
    median = float(np.median(strangeness))
    assert (found >= math.log(0.5) - (np.array([6.0, 20.0]) - median) - 1e-2).all()


def naive_flags(p_values: list[float], fdr: float) -> list[bool]:
    ranked = sorted(p_values)
    limit = max((p for k, p in enumerate(ranked, 1) if p <= fdr * k / len(ranked)), default=-1.0)
    return [p <= limit for p in p_values]


@pytest.mark.parametrize("seed", range(5))
def test_flags_are_those_of_the_loop(seed: int) -> None:
    p_values = np.random.default_rng(seed).uniform(size=200) ** 3
    assert control_false_discoveries(p_values, 0.1).tolist() == naive_flags(p_values.tolist(), 0.1)


def test_rows_without_a_p_value_do_not_count() -> None:
    found = control_false_discoveries([0.04, np.nan, 0.9, np.nan], 0.1)
    assert found.tolist() == [True, False, False, False]
    assert control_false_discoveries([], 0.1).tolist() == []


def test_the_excess_is_the_naive_interval() -> None:
    p_values = np.r_[np.full(7, 0.001), np.full(193, 0.5)]
    possible = [
        a
        for a in range(8)
        if stats.binom.sf(7 - a - 1, 200 - a, 0.01) > 0.025 and stats.binom.cdf(7 - a, 200 - a, 0.01) > 0.025
    ]
    found = excess_of(p_values)
    assert (found.low, found.high, found.n_below) == (possible[0], possible[-1], 7)
    assert found.count == pytest.approx((7 - 2) / 0.99)
    assert "About 5 of 200 rows" in found.sentence


def test_a_clean_table_has_no_excess() -> None:
    found = excess_of((np.arange(1000) + 0.5) / 1000)
    assert (found.count, found.low) == (0.0, 0)
    assert found.sentence.startswith(
        "10 of 1,000 rows have a p-value of at most 0.01, no more than chance explains"
    )
    assert excess_of(np.full(1000, 0.5)).high == 0


def test_bad_p_values_and_rates_are_errors() -> None:
    with pytest.raises(DataError, match=r"`p_values` must be from 0 to 1; got -0\.1"):
        control_false_discoveries([0.1, -0.1])
    with pytest.raises(ParameterError, match="`fdr` must be"):
        control_false_discoveries([0.1], 1.5)
    with pytest.raises(ParameterError, match="`level` must be"):
        excess_of([0.1], level=0.0)
