"""The one loop, on a step that can be worked out by hand: Newton's for a square root."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

from mixtura.core.maximize import Repair, RepairKind
from mixtura.fit.loop.driver import LoopResult, Observer, ignore, iterate
from mixtura.fit.loop.outcome import Outcome
from mixtura.fit.loop.state import LoopState, StepResult, begin, take
from mixtura.fit.loop.stopping import (
    AbsoluteChange,
    CentersSettled,
    Progress,
    RemainingGain,
    StoppingRule,
    remaining_gain,
)
from mixtura.fit.loop.trace import Event, PassKind, Trace, plain_changes


class Made:
    """A step of a function from a model to what its pass finds."""

    def __init__(self, function: Callable[[Any], StepResult[Any]]) -> None:
        self._function = function

    def init(self, model: Any) -> Any:
        return model

    def __call__(self, state: Any) -> tuple[Any, StepResult[Any]]:
        found = self._function(state)
        return found.model, found

    def final(self, state: Any) -> tuple[Any, tuple[Repair, ...]]:
        return state, ()


def run(
    model: Any,
    step: Any,
    stop: StoppingRule,
    max_iter: int,
    *,
    previous: float = -math.inf,
    observe: Observer[LoopState[Any, Any]] = ignore,
) -> LoopResult[Any]:
    step = step if isinstance(step, Made) else Made(step)
    return iterate(begin(step, model, previous=previous), step, stop, max_iter, observe=observe)


def newton(model: float) -> StepResult[float]:
    return StepResult(0.5 * (model + 2.0 / model), objective=-abs(model * model - 2.0))


def test_it_stops_by_its_rule_and_keeps_a_trace() -> None:
    seen: list[Event] = []
    found = run(1.0, newton, AbsoluteChange(1e-9), 50, observe=lambda event, state: seen.append(event))
    assert found.model == pytest.approx(math.sqrt(2))
    assert found.trace.converged
    assert list(found.trace.events) == seen
    assert found.trace.objectives[:2] == [-1.0, -0.25]
    assert seen[0].change == math.inf
    assert seen[1].change == 0.75


def test_it_stops_at_the_limit() -> None:
    found = run(1.0, newton, AbsoluteChange(0.0), 2)
    assert found.model == pytest.approx(17 / 12)
    assert len(found.trace.events) == 2
    assert not found.trace.converged


def test_no_iterations_change_nothing() -> None:
    found = run(1.0, newton, AbsoluteChange(1.0), 0)
    assert found.model == 1.0
    assert found.trace == Trace()


def test_an_earlier_run_can_be_continued() -> None:
    found = run(1.0, newton, AbsoluteChange(0.1), 5, previous=-1.05)
    assert len(found.trace.events) == 1
    assert found.trace.converged


@pytest.mark.parametrize(
    ("shift", "n_changed", "stops"), [(1.0, 0, True), (0.5, 3, True), (0.51, 3, False), (1.0, 1, False)]
)
def test_centers_settle_when_rows_or_centers_stay(shift: float, n_changed: int, stops: bool) -> None:
    assert (CentersSettled(0.5)(Progress(0.0, (0.0,), shift, n_changed)) is Outcome.CONVERGED) is stops


@pytest.mark.parametrize(
    ("change", "stops"), [(0.09, True), (-0.09, True), (0.1, False), (-0.2, False), (math.inf, False)]
)
def test_a_small_change_either_way_is_enough(change: float, stops: bool) -> None:
    assert (AbsoluteChange(0.1)(Progress(0.0, (change,), math.nan, -1)) is Outcome.CONVERGED) is stops


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
    assert (
        RemainingGain(total_weight=100.0)(Progress(0.0, changes, math.nan, -1)) is Outcome.CONVERGED
    ) is stops


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


class Daring(Made):
    """A step that from the third pass on returns trials."""

    def __call__(self, state: tuple[float, int]) -> tuple[tuple[float, int], StepResult[float]]:
        model, count = state
        found = newton(model) if count < 2 else StepResult(100.0, 0.0, kind=PassKind.EXTRAPOLATED)
        return (found.model if count < 2 else model, count + 1), found

    def init(self, model: float) -> tuple[float, int]:
        return model, 0

    def final(self, state: tuple[float, int]) -> tuple[float, tuple[Repair, ...]]:
        return state[0], ()


@pytest.mark.parametrize("max_iter", [2, 3])
def test_a_run_does_not_end_on_a_trial(max_iter: int) -> None:
    """The third model is a trial; at the limit the step returns what is known to be good."""
    found = run(1.0, Daring(newton), AbsoluteChange(0.0), max_iter)
    assert found.model == pytest.approx(17 / 12)
    assert found.trace.outcome is Outcome.ITERATION_LIMIT


def test_repairs_of_the_last_model_are_reported() -> None:
    repair = Repair(0, RepairKind.EMPTY)

    class Repairing(Made):
        def final(self, state: float) -> tuple[float, tuple[Repair, ...]]:
            return state, (repair,)

    assert run(1.0, Repairing(newton), AbsoluteChange(0.0), 2).trace.repairs == (repair,)


def test_a_run_is_continued_from_any_of_its_states() -> None:
    """An observer keeps the states; from each of them the run ends as it did."""
    states: list[LoopState[float, float]] = []
    whole = run(1.0, newton, AbsoluteChange(1e-9), 50, observe=lambda event, state: states.append(state))
    for state in states[:-1]:
        found = iterate(state, Made(newton), AbsoluteChange(1e-9), 50)
        assert (found.model, found.trace) == (whole.model, whole.trace)


def test_a_step_is_made_by_hand() -> None:
    step = Made(newton)
    state = begin(step, 1.0)
    state, progress = take(state, *step(state.step))
    assert (state.model, state.step, state.previous, progress.iteration) == (1.5, 1.5, -1.0, 1)
    assert AbsoluteChange(0.0)(progress) is None


def falling(objectives: list[float], allowance: float | None = None) -> Callable[[int], StepResult[int]]:
    """A step from number to number, whose objectives are these."""

    def step(model: int) -> StepResult[int]:
        allowed = None if allowance is None else lambda: allowance
        return StepResult(model + 1, objectives[model], allowance=allowed)

    return step


def test_a_step_that_lowers_the_objective_is_rejected_and_ends_the_run() -> None:
    found = run(0, falling([-3.0, -1.0, -2.0, 5.0]), AbsoluteChange(0.1), 10)
    assert found.model == 1  # whose objective is -1, not what it led to
    assert found.trace.objectives == [-3.0, -1.0, -1.0]
    assert found.trace.outcome is Outcome.REJECTED
    assert not found.trace.converged
    assert found.trace.events[-1].kind is PassKind.REJECTED
    assert found.trace.events[-1].change == -1.0


def test_a_fall_within_the_tolerance_ends_the_run_converged() -> None:
    found = run(0, falling([-3.0, -1.0, -1.01, 5.0]), AbsoluteChange(0.1), 10)
    assert (found.model, found.trace.outcome) == (1, Outcome.CONVERGED)


def test_a_fall_that_is_rounding_is_reported_as_no_change() -> None:
    found = run(0, falling([-3.0, -1.0, -1.0 - 1e-9, 5.0]), AbsoluteChange(0.0), 4)
    assert found.trace.objectives == [-3.0, -1.0, -1.0, 5.0]
    assert found.trace.events[2].change == pytest.approx(-1e-9, rel=1e-6)
    assert found.model == 4


def test_roundings_do_not_add_up_unseen() -> None:
    found = run(0, falling([-1.0 - 4e-7 * i for i in range(9)]), AbsoluteChange(0.0), 9)
    assert found.trace.outcome is Outcome.REJECTED
    assert found.trace.objectives == [-1.0] * 4
    assert found.model == 2


def test_a_fall_that_the_step_explains_is_followed() -> None:
    found = run(0, falling([-3.0, -1.0, -1.5, -1.4, -2.5], allowance=0.6), AbsoluteChange(0.0), 9)
    assert found.trace.objectives == [-3.0, -1.0, -1.5, -1.4, -1.4]
    assert found.trace.outcome is Outcome.REJECTED
    assert found.model == 3


def test_an_earlier_run_on_other_rows_is_not_compared_with() -> None:
    found = run(0, falling([-3.0, -1.0]), AbsoluteChange(0.0), 2, previous=7.0)
    assert found.trace.objectives == [-3.0, -1.0]
