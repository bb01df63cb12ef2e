"""Passes that a step has made ahead, and that the loop takes together, as nothing is to be decided between them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import accumulate, count, repeat
from math import nan
from operator import lt, sub
from typing import Generic, NamedTuple, Protocol, TypeVar

from mixtura.fit.loop.monotone import Ascent, is_rounding
from mixtura.fit.loop.state import LoopState
from mixtura.fit.loop.stopping import Progress
from mixtura.fit.loop.trace import Event, PassKind, plain_changes
from mixtura.kernels.iterations.stretch import Race

__all__ = ["KINDS", "Made", "RuleAhead", "StepAhead", "take_together"]

M = TypeVar("M")
S = TypeVar("S")

KINDS = (PassKind.PLAIN, PassKind.EXTRAPOLATED, PassKind.REJECTED)
"""Kinds of passes by number."""

_REJECTED = PassKind.REJECTED

_KINDS = dict(enumerate(KINDS))

_event = partial(tuple.__new__, Event)


class Made(NamedTuple, Generic[M]):
    """Passes that have been made.

    Parameters
    ----------
    found : sequence of (float, float, float)
        Objective and number of the kind of each; the third number is the step's.
    model : callable
        Returns the model that a pass led to, by its number.
    shift, n_changed
        Of the last pass, as of `StepResult`.
    """

    found: Sequence[Sequence[float]]
    model: Callable[[int], M]
    shift: float = nan
    n_changed: int = -1


class RuleAhead(Protocol):
    """What a stopping rule has that says of passes made ahead which of them it has to be asked about."""

    @property
    def race(self) -> Race | None:
        """When it looks at a run besides, so that passes are made ahead until then."""

    def length(self, n_made: int, objective: float) -> int:
        """Return after how many more passes it looks at a run next; 0 where it may be after any of them."""

    def undecided(self, n_made: int, found: Sequence[Sequence[float]]) -> int:
        """Return how many of these passes, at least one, may be taken together: none but the last may end the run.

        Parameters
        ----------
        n_made : int
            Passes before them.
        found : sequence of (float, float, float)
            As in `Made`. By `RemainingGain` a run may end after the last alone, where those who made them stop.
        """


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
    if made is None:
        return None
    inner, (found, model, shift, n_changed) = made
    objectives, numbers, _ = zip(*found, strict=True)
    ascent = state.ascent
    peaks = list(accumulate(objectives, max, initial=ascent.objective))
    if any(map(lt, objectives, peaks)) and not all(map(is_rounding, objectives, peaks)):
        return None
    changes, kinds = map(sub, objectives, (state.previous, *objectives)), [*map(_KINDS.__getitem__, numbers)]
    reported = (
        peaks[1:] if peaks[0] >= ascent.reported else [max(ascent.reported, peak) for peak in peaks[1:]]
    )
    events = zip(count(len(state.events) + 1), reported, changes, repeat(()), kinds, strict=False)
    taken = (*state.events, *map(_event, events))
    entered = state.model if len(found) == 1 else model(len(found) - 2)
    # The best model so far is the one that entered the latest pass which was not rejected.
    best = next((number for number in reversed(range(len(kinds))) if kinds[number] is not _REJECTED), -1)
    kept = ascent.model if best < 0 else state.model if best == 0 else model(best - 1)
    last = objectives[-1]
    progress = Progress(
        last, plain_changes(taken), shift, n_changed, len(taken), entered, state.repaired, taken
    )
    after = Ascent(kept, peaks[-1], reported[-1])
    return LoopState(inner, model(len(found) - 1), last, after, taken, state.repaired), progress
