"""The one loop, on a step that can be worked out by hand: Newton's for a square root."""

from __future__ import annotations

import math

import pytest

from mixtura.fit.driver import Move, iterate
from mixtura.fit.stopping import AbsoluteChange, CentersSettled, Progress
from mixtura.fit.trace import Event, Trace


def newton(model: float) -> Move[float]:
    return Move(0.5 * (model + 2.0 / model), objective=-abs(model * model - 2.0))


def test_it_stops_by_its_rule_and_keeps_a_trace() -> None:
    seen: list[Event] = []
    run = iterate(1.0, newton, AbsoluteChange(1e-9), 50, observe=seen.append)
    assert run.model == pytest.approx(math.sqrt(2))
    assert run.trace.converged
    assert list(run.trace.events) == seen
    assert run.trace.objectives[:2] == [-1.0, -0.25]
    assert seen[0].change == math.inf
    assert seen[1].change == 0.75


def test_it_stops_at_the_limit() -> None:
    run = iterate(1.0, newton, AbsoluteChange(0.0), 2)
    assert run.model == pytest.approx(17 / 12)
    assert len(run.trace.events) == 2
    assert not run.trace.converged


def test_no_iterations_change_nothing() -> None:
    run = iterate(1.0, newton, AbsoluteChange(1.0), 0)
    assert run.model == 1.0
    assert run.trace == Trace()


def test_an_earlier_run_can_be_continued() -> None:
    run = iterate(1.0, newton, AbsoluteChange(0.1), 5, previous=-1.05)
    assert len(run.trace.events) == 1
    assert run.trace.converged


@pytest.mark.parametrize(
    ("shift", "n_changed", "stops"), [(1.0, 0, True), (0.5, 3, True), (0.51, 3, False), (1.0, 1, False)]
)
def test_centers_settle_when_rows_or_centers_stay(shift: float, n_changed: int, stops: bool) -> None:
    assert CentersSettled(0.5)(Progress(0.0, 0.0, shift, n_changed)) is stops


@pytest.mark.parametrize(
    ("change", "stops"), [(0.09, True), (-0.09, True), (0.1, False), (-0.2, False), (math.inf, False)]
)
def test_a_small_change_either_way_is_enough(change: float, stops: bool) -> None:
    assert AbsoluteChange(0.1)(Progress(0.0, change, math.nan, -1)) is stops
