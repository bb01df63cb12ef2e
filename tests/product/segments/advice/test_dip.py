from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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
    p = np.array([dip_p_value(dip_statistic(rng.random(150)), 150) for _ in range(400)])
    for level in (0.05, 0.2, 0.5):
        assert abs((p <= level).mean() - level) < 4 * np.sqrt(level * (1 - level) / 400)


def test_the_p_value_falls_with_the_dip() -> None:
    p = [dip_p_value(dip, 120) for dip in np.linspace(0.01, 0.2, 60)]
    assert p[0] == pytest.approx(1, abs=0.01)
    assert p[-1] == pytest.approx(1e-4)
    assert np.all(np.diff(p) <= 0)
