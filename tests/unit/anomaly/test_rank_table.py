"""Ranks through cells, against a count of all values."""

from __future__ import annotations

import numpy as np
import pytest

from mixtura._typing import FloatArray
from mixtura.anomaly.rank_table import rank_table

RNG = np.random.default_rng(0)
SAMPLES = {
    "exponential": -RNG.exponential(size=2_000),
    "one value": np.array([-3.0]),
    "all equal": np.full(50, 2.5),
    "repeated": RNG.choice([-9.0, -1.0, 0.0], 300),
    "far outliers": np.r_[-1e300, -1e9, RNG.normal(size=500)],
    "a step of half the rows": np.r_[np.full(400, -1.0), RNG.normal(size=400)],
}


def counted(values: FloatArray, numbers: FloatArray) -> list[int]:
    return [int((values <= number).sum()) for number in numbers]


@pytest.mark.parametrize("name", SAMPLES)
def test_below_counts_the_values_that_are_not_above(name: str) -> None:
    values = np.sort(SAMPLES[name])
    between = np.r_[values, values[:1] - 1.0, values[-1:] + 1.0, values[-1:] * 3.0, -np.inf, np.inf]
    between = np.r_[between, RNG.uniform(-10.0, 5.0, 200)]
    assert rank_table(values).below(between).tolist() == counted(values, between)


def test_values_that_are_equal_but_for_rounding_count() -> None:
    values = np.array([-7.0, -1.0, -1.0, -1.0, 4.0])
    numbers = np.array([-1.0 - 1e-13, -1.0 + 1e-13, -1.0 - 1e-6])
    assert rank_table(values).below(numbers).tolist() == [4, 4, 1]
