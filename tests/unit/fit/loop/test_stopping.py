"""When fits end, and what is said to be left."""

from __future__ import annotations

import numpy as np
import pytest

from mixtura.fit import Outcome, RemainingGain
from mixtura.fit.loop.stopping import Progress, remaining_gain, without_rounding
from mixtura.fit.loop.trace import Event, Trace
from mixtura.select import search

ROUNDING = 1.7763568394002505e-15


def progress(*changes: float) -> Progress:
    return Progress(-10.27, changes, float("nan"), -1)


def test_the_gain_left_is_the_sum_of_a_geometric_series() -> None:
    assert remaining_gain(0.25, 0.5) == pytest.approx(sum(0.25 * 0.5**j for j in range(1, 60)))
    assert remaining_gain(0.5, 0.25) == float("inf")
    assert remaining_gain(-1e-3, 0.25) == 0.0


def test_changes_that_are_rounding_are_none() -> None:
    assert without_rounding((ROUNDING, -ROUNDING, 1e-9), -10.27) == (0.0, 0.0, 1e-9)
    assert without_rounding((ROUNDING, -3e-14), -0.1) == (0.0, -3e-14)


def test_an_end_at_which_the_last_digit_alternates_is_an_end() -> None:
    stop = RemainingGain(200.0, 1e-4)
    assert stop(progress(ROUNDING, -ROUNDING, ROUNDING))
    assert not stop(progress(2e-3, 1e-3, ROUNDING))
    events = (Event(1, -10.27, float("inf")), Event(2, -10.27, -ROUNDING), Event(3, -10.27, ROUNDING))
    assert Trace(events).remaining_gain == 0.0
    assert Trace(events[:1]).remaining_gain == float("inf")


@pytest.mark.parametrize("seed", [1, 13, 18, 20, 26, 28])
def test_one_component_is_found_in_a_few_passes(seed: int) -> None:
    rows = np.random.default_rng(seed).normal(size=(200, 3)) * [1, 5, 100] + [0, 50, 1000]
    found = search(rows, components=[1], covariance_types=["tied", "diag", "EEV", "VVE"])
    for one in found.candidates:
        assert one.outcome is Outcome.CONVERGED
        assert one.n_iter < 20
