"""Passes that a step has made ahead, and that the loop takes together, as nothing is to be decided between them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, NamedTuple, Protocol, TypeVar

from mixtura.fit.loop.monotone import LAST_DIGITS, Ascent
from mixtura.fit.loop.state import LoopState
from mixtura.fit.loop.stopping import Progress
from mixtura.fit.loop.trace import Event, PassKind, plain_changes

__all__ = ["KINDS", "Made", "StepAhead", "take_together"]

M = TypeVar("M")
S = TypeVar("S")

KINDS = (PassKind.PLAIN, PassKind.EXTRAPOLATED, PassKind.REJECTED)
"""Kinds of passes by number."""

_REJECTED = PassKind.REJECTED


class Made(NamedTuple, Generic[M]):
    """Passes that have been made.

    Parameters
    ----------
    found : sequence of (float, float, float)
        Objective and number of the kind of each; the third number is the step's.
    model : callable
        Returns the model that a pass led to, by its number.
    """

    found: Sequence[Sequence[float]]
    model: Callable[[int], M]


class StepAhead(Protocol[M, S]):
    """What a step has that makes passes ahead."""

    def ahead(self, state: S, most: int) -> tuple[S, Made[M]] | None:
        """Return the state after some passes, at least one, none of which but the last may end the run.

        None where there are none that may be taken together.
        """


def take_together(
    state: LoopState[M, S], step: StepAhead[M, S] | object, max_iter: int
) -> tuple[LoopState[M, S], Progress] | None:
    """Return the state after passes made ahead, as if each had been taken alone, and the progress of the last.

    Parameters
    ----------
    state : LoopState
    step : Step
        That may be a `StepAhead`, too.
    max_iter : int
        With the passes so far.

    Returns
    -------
    LoopState, Progress
        None where there are no such passes, or one lowers the objective by more than rounding does.
    """
    ahead = getattr(step, "ahead", None)
    made: tuple[S, Made[M]] | None = ahead and ahead(state.step, max_iter - len(state.events))
    begun, ascent = len(state.events), state.ascent
    if made is None:
        return None
    inner, (found, model) = made
    latest, reported, previous, best = ascent.objective, ascent.reported, state.previous, -1
    events = list(state.events)
    for number, (objective, kind_number, _) in enumerate(found):
        if objective < latest and not latest - objective <= LAST_DIGITS * abs(objective):
            return None
        latest = objective if objective > latest else latest
        reported = latest if latest > reported else reported
        kind = KINDS[int(kind_number)]
        best = best if kind is _REJECTED else number
        events.append(Event(begun + number + 1, reported, objective - previous, (), kind))
        previous = objective
    last, kept = len(found) - 1, ascent.model
    if best >= 0:
        kept = state.model if best == 0 else model(best - 1)
    entered, taken = state.model if last == 0 else model(last - 1), tuple(events)
    changes, shift = plain_changes(taken), float("nan")
    progress = Progress(previous, changes, shift, -1, len(taken), entered, state.repaired, taken)
    after = LoopState(inner, model(last), previous, Ascent(kept, latest, reported), taken, state.repaired)
    return after, progress
