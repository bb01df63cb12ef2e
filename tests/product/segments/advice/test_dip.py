from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from mixtura.segments.advice import dip_p_value, dip_statistic


def test_the_least_and_the_most() -> None:
    assert dip_statistic(np.arange(50.0)) == pytest.approx(1 / 100)
    assert dip_statistic(np.zeros(7)) == pytest.approx(1 / 14)
    assert dip_statistic(np.array([3.0])) == pytest.approx(1 / 2)
    # Two equal points of mass half each: the distance to the nearest unimodal distribution is a quarter.
    two = np.repeat([0.0, 1.0], 500) + 1e-9 * np.tile(np.arange(500.0), 2)
    assert dip_statistic(two) == pytest.approx(0.25, abs=0.002)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.floats(-100, 100, allow_subnormal=False), min_size=4, max_size=60),
    st.floats(0.5, 4),
    st.floats(-9, 9),
)
def test_the_dip_knows_no_unit_and_no_direction(values: list[float], scale: float, shift: float) -> None:
    x = np.round(np.array(values), 3)
    dip = dip_statistic(x)
    assert 1 / (2 * len(x)) - 1e-12 <= dip <= 0.25 + 1 / (2 * len(x))
    assert dip_statistic(-x) == pytest.approx(dip, abs=1e-9)
    assert dip_statistic(scale * x + shift) == pytest.approx(dip, abs=1e-9)


def test_the_test_keeps_its_level_on_the_uniform_distribution() -> None:
    rng = np.random.default_rng(0)
    p = np.array([dip_p_value(rng.random(150)) for _ in range(400)])
    for level in (0.05, 0.2, 0.5):
        assert abs((p <= level).mean() - level) < 4 * np.sqrt(level * (1 - level) / 400)


def naive_dip(values: np.ndarray) -> float:
    """By its definition: the smallest largest distance to a unimodal distribution function, over every mode."""
    x = np.sort(values)
    return min(distance_with_mode(x, mode) for mode in range(len(x)))


def distance_with_mode(x: np.ndarray, mode: int) -> float:
    """A linear program: values of the distribution function left of each row and at it, then the distance.

    It rises, is convex before the mode and concave after it, and jumps at the mode alone.
    """
    n = len(x)
    unit, distance = np.eye(2 * n + 1), np.eye(2 * n + 1)[2 * n]
    left, at = unit[0 : 2 * n : 2], unit[1 : 2 * n : 2]
    reached = [(left[i], i / n) for i in range(n)] + [(at[i], (i + 1) / n) for i in range(n)]
    least = [(sign * value + distance, sign * share) for value, share in reached for sign in (1, -1)]
    least += [(at[i] - left[i], 0.0) for i in range(n)]
    least += [(left[i] - at[i], 0.0) for i in range(n) if i != mode]
    least += [(left[i + 1] - at[i], 0.0) for i in range(n - 1)]
    for i in range(1, n - 1):
        bend = (left[i + 1] - at[i]) / (x[i + 1] - x[i]) - (left[i] - at[i - 1]) / (x[i] - x[i - 1])
        least += [(np.sign(mode - i) * bend, 0.0)]
    rows, bounds = zip(*least, strict=True)
    solved = linprog(distance, A_ub=-np.array(rows), b_ub=-np.array(bounds), bounds=[(0, 1)] * (2 * n + 1))
    assert solved.success
    return float(solved.fun)


@pytest.mark.parametrize("seed", range(20))
def test_the_dip_is_the_distance_to_the_nearest_unimodal_distribution(seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = rng.normal(size=4 + seed % 6) + 4 * rng.integers(0, 2, size=4 + seed % 6)
    assert dip_statistic(values) == pytest.approx(naive_dip(values), abs=1e-9)


def test_the_p_value_falls_with_the_distance_of_two_groups() -> None:
    rng = np.random.default_rng(1)
    group = rng.normal(size=120)
    p = [dip_p_value(np.concatenate([group, group + distance])) for distance in (0.0, 2.0, 4.0, 8.0)]
    assert p[0] > 0.2
    assert p[-1] < 1e-3
    assert np.all(np.diff(p) <= 0)
