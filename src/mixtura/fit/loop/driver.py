"""The one loop: a model, a step that improves it, a rule that stops it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from mixtura.core.maximize import Repair
from mixtura.fit.loop.monotone import Ascent
from mixtura.fit.loop.stopping import Progress, StoppingRule
from mixtura.fit.loop.trace import Event, Observer, PassKind, Trace, ignore, plain_changes

__all__ = ["LoopResult", "Step", "StepResult", "iterate"]

M = TypeVar("M")


@dataclass(frozen=True, slots=True)
class StepResult(Generic[M]):
    """What a step returns: the next model, the objective of the one given; if a trial, the step to take for less."""

    model: M
    objective: float
    repairs: tuple[Repair, ...] = ()
    shift: float = float("nan")
    n_changed: int = -1
    kind: PassKind = PassKind.PLAIN
    fallback: Callable[[], StepResult[M]] | None = None
    allowance: Callable[[], float] | None = None


class Step(Protocol[M]):
    """One pass over the rows, from a model to a better one."""

    def __call__(self, model: M) -> StepResult[M]: ...


@dataclass(frozen=True, slots=True)
class LoopResult(Generic[M]):
    """Where the loop ended, and how it got there."""

    model: M
    trace: Trace


def iterate(
    model: M,
    step: Step[M],
    stop: StoppingRule,
    max_iter: int,
    *,
    previous: float = -float("inf"),
    observe: Observer = ignore,
) -> LoopResult[M]:
    """Repeat a step until the rule stops it, ``max_iter`` passes are done, or it lowers the objective.

    Parameters
    ----------
    model : the model to begin with
    step : Step
    stop : StoppingRule
    max_iter : int, zero to return the model as it is
    previous : float
        The objective before the first step, where an earlier run is continued.
    observe : Observer
        Told of each iteration.
    """
    events, converged, ascent, rejected = list[Event](), False, Ascent(model), False
    while not (converged or rejected) and len(events) < max_iter:
        move = step(model)
        if move.fallback is not None and len(events) + 1 == max_iter:
            move = move.fallback()
        objective, (move, rejected) = move.objective, ascent.take(model, move)
        model, change, previous = move.model, objective - previous, objective
        events.append(Event(len(events) + 1, move.objective, change, move.repairs, move.kind))
        observe(events[-1])
        changes = (change,) if rejected else plain_changes(events)
        converged = stop(Progress(objective, changes, move.shift, move.n_changed))
    return LoopResult(model, Trace(tuple(events), converged, rejected))
