"""P-values of more strange rows, against draws of rows and counts by hand."""

from __future__ import annotations

from math import comb

import numpy as np
import pytest
from scipy import stats

from mixtura.drift.densities.strange_rows import strange_rows_p_value


def test_below_the_lowest_row_the_p_value_is_that_of_all_orders() -> None:
    """That the c lowest of n + m rows are all new: of so many orders are they."""
    n, m = 40, 30
    for c in (1, 3, 8):
        expected = comb(m, c) / comb(n + m, c)
        assert strange_rows_p_value(n, m, [0], [c]) == pytest.approx(expected, rel=1e-9)


def test_of_one_limit_it_is_the_tail_of_the_beta_binomial() -> None:
    expected = stats.betabinom.sf(14, 300, 6, 295)
    assert strange_rows_p_value(300, 300, [5], [15]) == pytest.approx(expected, rel=1e-9)


def test_without_change_it_is_below_a_level_in_that_share_of_tables() -> None:
    rng, n, m = np.random.RandomState(0), 60, 400
    found = []
    for _ in range(100):
        before, after = np.sort(rng.exponential(size=n)), rng.exponential(size=m)
        limits = before[[0, 1, 5]]
        below = [[int((rows < limit).sum()) for limit in limits] for rows in (before, after)]
        found.append(strange_rows_p_value(n, m, below[0], below[1]))
    for level in (0.05, 0.2):
        assert stats.binomtest(int((np.array(found) <= level).sum()), 100, level).pvalue > 0.01


def test_rows_unlike_all_others_count_for_more_than_rows_that_are_less_expected() -> None:
    far = strange_rows_p_value(300, 300, [0, 1, 5], [9, 10, 14])
    near = strange_rows_p_value(300, 300, [0, 1, 5], [1, 2, 14])
    alone = strange_rows_p_value(300, 300, [5], [14])
    assert far < 0.01 < alone
    assert alone < near


def test_of_many_rows_the_highest_limit_alone_counts() -> None:
    expected = stats.betabinom.sf(6099, 300_000, 6000, 294_001)
    assert strange_rows_p_value(300_000, 300_000, [0, 0, 5999], [50, 60, 6100]) == pytest.approx(expected)


def test_far_beyond_chance_it_is_bonferroni_s() -> None:
    one = strange_rows_p_value(300, 300, [0], [30])
    assert strange_rows_p_value(300, 300, [0, 1, 5], [30, 30, 30]) == pytest.approx(3 * one)


def test_numbers_of_rows_may_be_fractions() -> None:
    """As where rows have weights, or a reference undoes that its model has seen them."""
    found = strange_rows_p_value(30.4, 30, [-0.3, 0.5, 0.2], [30.4, 30.4, 30.4])
    assert 0.0 < found < 1e-9
