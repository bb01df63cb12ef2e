"""The one loop: a state, a step that improves its model, a rule that stops it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from mixtura.core.maximize import Repair
from mixtura.fit.loop.ahead import take_together
from mixtura.fit.loop.outcome import Outcome
from mixtura.fit.loop.state import LoopState, StepResult, take
from mixtura.fit.loop.stopping import StoppingRule
from mixtura.fit.loop.trace import Event, Trace

__all__ = ["LoopResult", "Observer", "Step", "ignore", "iterate"]

M = TypeVar("M")
S = TypeVar("S")
S_contra = TypeVar("S_contra", contravariant=True)


class Step(Protocol[M, S]):
    """One pass over the rows, from a state to the next; all that it remembers between passes is in the state."""

    def init(self, model: M) -> S:
        """Return the state in which a model enters its first pass."""

    def __call__(self, state: S) -> tuple[S, StepResult[M]]:
        """Return the next state and what the pass has found."""

    def final(self, state: S) -> tuple[M, tuple[Repair, ...]]:
        """Return the model, and its repairs, of a run that ends here unsatisfied: not one that is still on trial."""


class Observer(Protocol[S_contra]):
    """Called after each iteration, with the state from which the run would go on."""

    def __call__(self, event: Event, state: S_contra) -> None: ...


def ignore(event: Event, state: object) -> None:
    """Observe nothing."""


@dataclass(frozen=True, slots=True)
class LoopResult(Generic[M]):
    """Where the loop ended, how it got there, and a model that the next pass would have tried."""

    model: M
    trace: Trace
    ahead: M | None = None


def iterate(
    state: LoopState[M, S],
    step: Step[M, S],
    stop: StoppingRule,
    max_iter: int,
    *,
    observe: Observer[LoopState[M, S]] = ignore,
) -> LoopResult[M]:
    """Repeat a step until the rule stops it, ``max_iter`` passes are done, or it lowers the objective.

    Parameters
    ----------
    state : LoopState, from `begin`, or of a run that is continued
    step, stop : Step and StoppingRule
    max_iter : int, those of a continued run included; zero to return the model as it is
    observe : Observer
    """
    outcome = Outcome.NOT_ITERATED if max_iter == 0 else None
    while outcome is None and len(state.events) < max_iter:
        state, progress = take_together(state, step, max_iter) or take(state, *step(state.step))
        observe(state.events[-1], state)
        outcome = stop(progress) or (Outcome.REJECTED if state.ascent.rejected else None)
    if (outcome := outcome or Outcome.ITERATION_LIMIT).is_converged or state.ascent.rejected:
        return LoopResult(state.model, Trace(state.events, outcome))
    model, repairs = step.final(state.step)
    events = (*state.events[:-1], state.events[-1]._replace(repairs=repairs)) if repairs else state.events
    return LoopResult(model, Trace(events, outcome))
