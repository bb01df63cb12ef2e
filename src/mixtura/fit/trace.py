"""What happened at each iteration, and who is told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from mixtura.core.maximize import Repair
from mixtura.fit.stopping import remaining_gain

__all__ = ["Event", "Observer", "Trace", "ignore"]


@dataclass(frozen=True, slots=True)
class Event:
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
    """

    iteration: int
    objective: float
    change: float
    repairs: tuple[Repair, ...] = ()


class Observer(Protocol):
    """Told of each iteration as it happens."""

    def __call__(self, event: Event) -> None: ...


def ignore(event: Event) -> None:
    """Observe nothing."""


@dataclass(frozen=True, slots=True)
class Trace:
    """The iterations of one run, in order, and whether its stopping rule was satisfied."""

    events: tuple[Event, ...] = ()
    converged: bool = False

    @property
    def objectives(self) -> list[float]:
        return [event.objective for event in self.events]

    @property
    def remaining_gain(self) -> float:
        """What the objective would still gain, by Aitken's estimate from the last two changes; infinite if unknown."""
        if len(self.events) < 2:
            return float("inf")
        return remaining_gain(self.events[-1].change, self.events[-2].change)

    @property
    def repairs(self) -> tuple[Repair, ...]:
        """Every repair, the first of each kind per component."""
        return tuple(dict.fromkeys(repair for event in self.events for repair in event.repairs))
