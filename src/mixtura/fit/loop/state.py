"""The state of the loop: a value from which a run goes on, to the last bit."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

from mixtura.core.maximize import Repair
from mixtura.fit.loop.monotone import Ascent
from mixtura.fit.loop.stopping import Progress
from mixtura.fit.loop.trace import Event, PassKind, plain_changes

if TYPE_CHECKING:
    from mixtura.fit.loop.driver import Step

__all__ = ["Deferred", "LoopState", "StepResult", "begin", "take", "value_of"]

M = TypeVar("M")
S = TypeVar("S")


class Deferred(Generic[M]):
    """A model that is made when it is first asked for: of those that a run goes through few are.

    Parameters
    ----------
    make : callable
    *given : what it is called with
    """

    __slots__ = ("_given", "_made", "_make")

    def __init__(self, make: Callable[..., M], *given: object) -> None:
        self._make, self._given = make, given
        self._made: M | None = None

    @property
    def value(self) -> M:
        """The model."""
        if self._made is None:
            self._made = self._make(*self._given)
        return self._made


def value_of(model: M | Deferred[M]) -> M:
    """Return a model, which may have to be made."""
    return model.value if isinstance(model, Deferred) else model


class StepResult(NamedTuple, Generic[M]):
    """What a pass has found.

    Parameters
    ----------
    model : the next model
    objective : float
        Of the model that entered the pass.
    repairs : tuple of Repair
    shift : float
        How far the model moved (K-means).
    n_changed : int
        How many rows went to another component (K-means), -1 where that is not counted.
    kind : PassKind
    allowance : callable, optional
        By how much the objective of the next model may be lower, where the step explains it.
    noise : callable, optional
        By how much rounding may have changed the objective.
    """

    model: M
    objective: float
    repairs: tuple[Repair, ...] = ()
    shift: float = float("nan")
    n_changed: int = -1
    kind: PassKind = PassKind.PLAIN
    allowance: Callable[[], float] | None = None
    noise: Callable[[], float] | None = None


class LoopState(NamedTuple, Generic[M, S]):
    """All that a run needs to go on.

    Parameters
    ----------
    step : the state of the step
    model : the model that enters the next pass
    previous : float
        The objective of the latest pass; of an earlier run where this one continues it on the same rows.
    ascent : Ascent
    events : tuple of Event
        The iterations so far.
    repaired : bool
        Whether one of them had to repair a component.
    """

    step: S
    model: M
    previous: float
    ascent: Ascent[M]
    events: tuple[Event, ...] = ()
    repaired: bool = False


def begin(step: Step[M, S], model: M, *, previous: float = -float("inf")) -> LoopState[M, S]:
    """Return the state of a run that begins with a model.

    Parameters
    ----------
    step : Step
    model : the model to begin with
    previous : float
        The objective before the first pass, where an earlier run is continued.
    """
    return LoopState(step.init(model), model, previous, Ascent(model))


def take(state: LoopState[M, S], step: S, found: StepResult[M]) -> tuple[LoopState[M, S], Progress]:
    """Return the state after a pass, and what its stopping depends on.

    Parameters
    ----------
    state : LoopState
    step : the next state of the step
    found : StepResult
    """
    ascent, move = state.ascent.take(state.model, found)
    change = found.objective - state.previous
    event = Event(len(state.events) + 1, move.objective, change, move.repairs, move.kind)
    events = (*state.events, event)
    repaired = state.repaired or bool(move.repairs)
    progress = Progress(
        found.objective,
        (change,) if ascent.rejected else plain_changes(events),
        found.shift,
        found.n_changed,
        event.iteration,
        state.model,
        repaired,
        events,
    )
    return LoopState(step, move.model, found.objective, ascent, events, repaired), progress
