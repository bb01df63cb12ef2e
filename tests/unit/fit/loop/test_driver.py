"""The one loop, on a step that can be worked out by hand: Newton's for a square root."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from mixtura.fit.loop.driver import StepResult, iterate
from mixtura.fit.loop.stopping import (
    AbsoluteChange,
    CentersSettled,
    Progress,
    RemainingGain,
    remaining_gain,
)
from mixtura.fit.loop.trace import Event, PassKind, Trace, plain_changes


def newton(model: float) -> StepResult[float]:
    return StepResult(0.5 * (model + 2.0 / model), objective=-abs(model * model - 2.0))


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
    assert CentersSettled(0.5)(Progress(0.0, (0.0,), shift, n_changed)) is stops


@pytest.mark.parametrize(
    ("change", "stops"), [(0.09, True), (-0.09, True), (0.1, False), (-0.2, False), (math.inf, False)]
)
def test_a_small_change_either_way_is_enough(change: float, stops: bool) -> None:
    assert AbsoluteChange(0.1)(Progress(0.0, (change,), math.nan, -1)) is stops


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_gains_that_shrink_by_a_share_are_summed_up(share: float) -> None:
    """The gains to come, added one by one."""
    to_come = math.fsum(2.0 * share**power for power in range(1, 5000))
    assert remaining_gain(2.0, 2.0 / share) == pytest.approx(to_come, rel=1e-9)


@pytest.mark.parametrize(
    ("change", "previous", "expected"),
    [
        (0.0, 1.0, 0.0),
        (-1e-9, 1.0, 0.0),
        (1.0, 1.0, math.inf),
        (2.0, 1.0, math.inf),
        (1.0, math.inf, math.inf),
    ],
)
def test_gains_that_do_not_shrink_have_no_sum(change: float, previous: float, expected: float) -> None:
    assert remaining_gain(change, previous) == expected


@pytest.mark.parametrize(
    ("changes", "stops"),
    [
        ((1e-5, 2e-5, 4e-5), True),  # 1e-5 and 2e-5 per unit of weight are still to come
        ((1e-5, 2e-5), False),  # one estimate is not enough
        ((1e-5, 2e-5, math.inf), False),
        ((9.9e-4, 1e-3, 1.01e-3), False),  # slow: a small change, and 0.1 still to come
        ((1e-5, 2e-5, 2.01e-5), False),  # the estimate before was large
        ((4e-5, 6e-5, 2e-4), False),  # 1.2e-4 to come after 2.6e-5: slower gains come into view
        ((1e-8, 1.5e-8, 5e-8), True),  # rising too, but far below the tolerance
        ((), False),
    ],
)
def test_what_remains_decides_not_what_changed(changes: tuple[float, ...], stops: bool) -> None:
    assert RemainingGain(total_weight=100.0)(Progress(0.0, changes, math.nan, -1)) is stops


def test_nothing_is_known_of_the_change_of_an_extrapolation() -> None:
    assert not AbsoluteChange(1.0)(Progress(0.0, (), math.nan, -1))


def event(change: float, kind: PassKind = PassKind.PLAIN) -> Event:
    return Event(1, 0.0, change, (), kind)


@pytest.mark.parametrize("kind", [PassKind.EXTRAPOLATED, PassKind.REJECTED])
def test_only_what_steps_gained_since_the_last_extrapolation_is_summed_up(kind: PassKind) -> None:
    events = (event(9.0), event(8.0, kind), event(2.0), event(1.0))
    assert plain_changes(events) == (1.0, 2.0)
    assert Trace(events).remaining_gain == 1.0
    assert Trace(events[:-1]).remaining_gain == math.inf
    assert plain_changes(events[:2]) == ()
    assert Trace(events).count(kind) == 1
    assert plain_changes([event(4.0), *events[2:], event(0.5)]) == (0.5, 1.0, 2.0)


@pytest.mark.parametrize(("max_iter", "expected"), [(2, 17 / 12), (3, 17 / 12)])
def test_a_run_does_not_end_on_a_trial(max_iter: int, expected: float) -> None:
    """The third model would be a trial; at the limit the step settles for what is known to be good."""

    def daring(model: float) -> StepResult[float]:
        if len(seen) < 2:
            return newton(model)
        return StepResult(100.0, 0.0, kind=PassKind.EXTRAPOLATED, fallback=lambda: StepResult(model, 0.0))

    seen: list[Event] = []
    run = iterate(1.0, daring, AbsoluteChange(0.0), max_iter, observe=seen.append)
    assert run.model == pytest.approx(expected)
    assert iterate(1.0, daring, AbsoluteChange(0.0), 1).model == 1.0


def falling(objectives: list[float], allowance: float | None = None) -> Callable[[int], StepResult[int]]:
    """A step from number to number, whose objectives are these."""

    def step(model: int) -> StepResult[int]:
        allowed = None if allowance is None else lambda: allowance
        return StepResult(model + 1, objectives[model], allowance=allowed)

    return step


def test_a_step_that_lowers_the_objective_is_rejected_and_ends_the_run() -> None:
    run = iterate(0, falling([-3.0, -1.0, -2.0, 5.0]), AbsoluteChange(0.1), 10)
    assert run.model == 1  # whose objective is -1, not what it led to
    assert run.trace.objectives == [-3.0, -1.0, -1.0]
    assert run.trace.rejected
    assert not run.trace.converged
    assert run.trace.events[-1].kind is PassKind.REJECTED
    assert run.trace.events[-1].change == -1.0


def test_a_fall_within_the_tolerance_ends_the_run_converged() -> None:
    run = iterate(0, falling([-3.0, -1.0, -1.01, 5.0]), AbsoluteChange(0.1), 10)
    assert (run.model, run.trace.converged, run.trace.rejected) == (1, True, True)


def test_a_fall_that_is_rounding_is_reported_as_no_change() -> None:
    run = iterate(0, falling([-3.0, -1.0, -1.0 - 1e-9, 5.0]), AbsoluteChange(0.0), 4)
    assert run.trace.objectives == [-3.0, -1.0, -1.0, 5.0]
    assert run.trace.events[2].change == pytest.approx(-1e-9, rel=1e-6)
    assert run.model == 4


def test_roundings_do_not_add_up_unseen() -> None:
    run = iterate(0, falling([-1.0 - 4e-7 * i for i in range(9)]), AbsoluteChange(0.0), 9)
    assert run.trace.rejected
    assert run.trace.objectives == [-1.0] * 4
    assert run.model == 2


def test_a_fall_that_the_step_explains_is_followed() -> None:
    run = iterate(0, falling([-3.0, -1.0, -1.5, -1.4, -2.5], allowance=0.6), AbsoluteChange(0.0), 9)
    assert run.trace.objectives == [-3.0, -1.0, -1.5, -1.4, -1.4]
    assert run.trace.rejected
    assert run.model == 3


def test_an_earlier_run_on_other_rows_is_not_compared_with() -> None:
    run = iterate(0, falling([-3.0, -1.0]), AbsoluteChange(0.0), 2, previous=7.0)
    assert run.trace.objectives == [-3.0, -1.0]
