"""Racing of restarts: abandon a run that falls too far behind the best log-likelihood so far."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from mixtura.core.mixture import Mixture
from mixtura.fit.loop.outcome import Outcome
from mixtura.fit.loop.stopping import Progress, StoppingRule

__all__ = ["RACE_SCHEDULE", "Racing"]

RACE_SCHEDULE = ((10, 5.0), (20, 3.0), (40, 1.0), (80, 0.5))
"""After this many passes, how many nats of total log-likelihood a further start may be behind the best one."""

_LOOKS = (100, 200, 400)
"""After each of these numbers of passes a run goes on only if its mixture is accepted."""


@dataclass(frozen=True, slots=True)
class Racing:
    """Stops as another rule does, and abandons a run that falls too far behind, or whose mixture is not accepted.

    Parameters
    ----------
    stop : StoppingRule
    target : float
        The best total log-likelihood so far, in nats.
    total_weight : float
    schedule : mapping of int to float
        From passes to the nats that a run may be behind by then.
    accept : callable
        Whether to go on with a mixture.
    """

    stop: StoppingRule
    target: float
    total_weight: float
    schedule: Mapping[int, float]
    accept: Callable[[Mixture], bool]

    def __call__(self, progress: Progress) -> Outcome | None:
        outcome = self.stop(progress)
        if outcome is not None:
            return outcome
        behind = self.schedule.get(progress.iteration, np.inf)
        if progress.objective * self.total_weight + behind < self.target:
            return Outcome.ABANDONED
        is_lost = progress.iteration in _LOOKS and not self.accept(progress.model)
        return Outcome.ABANDONED if is_lost else None
