"""What happened at each iteration of a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from mixtura.core.maximize import Repair
from mixtura.fit.loop.outcome import Outcome
from mixtura.fit.loop.stopping import remaining_gain, without_rounding

__all__ = ["Event", "PassKind", "Trace", "plain_changes"]


class PassKind(Enum):
    """How the model that entered a pass had come about."""

    PLAIN = "from the step itself, or the start"
    EXTRAPOLATED = "extrapolated, and better"
    TRUNCATED = "from the step itself, but unlikely components are left out of rows: the objective is a bound"
    REJECTED = (
        "worse than the one before: the step itself is taken instead of an extrapolation, or the run ends"
    )


class Event(NamedTuple):
    """One iteration.

    Parameters
    ----------
    iteration : int
        From 1.
    objective : float
        Of the model that entered the iteration: for EM its mean log-likelihood per unit of weight, in nats.
    change : float
        Against the iteration before; infinite at the first.
    repairs : tuple of Repair
        Components that the iteration had to repair.
    kind : PassKind
        Of a rejected extrapolation the objective is that of the model kept in its place, and the change zero; of a
        rejected step, the last of its run, the change is the fall that was rejected.
    """

    iteration: int
    objective: float
    change: float
    repairs: tuple[Repair, ...] = ()
    kind: PassKind = PassKind.PLAIN


_PLAIN = PassKind.PLAIN


def plain_changes(events: Sequence[Event]) -> tuple[float, ...]:
    """Return the changes that the latest steps made, up to three and without those of extrapolations, latest first.

    Only they are a series that `remaining_gain` may sum up.
    """
    changes: tuple[float, ...] = ()
    for event in events[-3:]:
        changes = (event.change, *changes) if event.kind is _PLAIN else ()
    return changes


@dataclass(frozen=True, slots=True)
class Trace:
    """The iterations of one run, in order, and how it ended."""

    events: tuple[Event, ...] = ()
    outcome: Outcome = Outcome.NOT_ITERATED

    @property
    def converged(self) -> bool:
        """Whether the stopping rule was satisfied."""
        return self.outcome.is_converged

    @property
    def objectives(self) -> list[float]:
        return [event.objective for event in self.events]

    @property
    def remaining_gain(self) -> float:
        """What the objective would still gain, by Aitken's estimate from the last two changes; infinite if unknown."""
        changes = plain_changes(self.events)
        if len(changes) < 2:
            return float("inf")
        return remaining_gain(*without_rounding(changes[:2], self.events[-1].objective))

    @property
    def gap(self) -> float | None:
        """By how much the last bound was below the objective of the same model; None where no pass left out components.

        In nats per unit of weight; see `mixtura.fit.steps.truncated`.
        """
        pairs = zip(self.events, self.events[1:], strict=False)
        gaps = [
            after.change
            for before, after in pairs
            if before.kind is PassKind.TRUNCATED and after.kind is not PassKind.TRUNCATED
        ]
        return gaps[-1] if gaps else None

    def count(self, kind: PassKind) -> int:
        """Return how many passes were of a kind."""
        return sum(event.kind is kind for event in self.events)

    @property
    def repairs(self) -> tuple[Repair, ...]:
        """Every repair, the first of each kind per component."""
        return tuple(dict.fromkeys(repair for event in self.events for repair in event.repairs))
