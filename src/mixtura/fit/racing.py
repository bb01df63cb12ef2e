"""Whether a further start goes on: as long as it comes close to the best end that is known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from mixtura.core.mixture import Mixture
from mixtura.fit.loop.driver import LoopResult, Step, StepResult
from mixtura.fit.loop.stopping import Progress, StoppingRule
from mixtura.fit.steps.em import Problem

__all__ = ["RACE_SCHEDULE", "Racing", "Watched"]

RACE_SCHEDULE = ((10, 5.0), (20, 3.0), (40, 1.0), (80, 0.5))
"""After so many passes a further start has to be so many nats of total log-likelihood behind the best end, or fewer."""

_LOOKS = (100, 200, 400)
"""After so many passes a mixture is looked at, and goes on only if it is accepted."""


class Watched:
    """A step whose latest mixture can be looked at."""

    def __init__(self, step: Step[Mixture]) -> None:
        self._step = step
        self.latest: Mixture | None = None

    def __call__(self, model: Mixture) -> StepResult[Mixture]:
        self.latest = model
        return self._step(model)

    def of(self, problem: Problem) -> Step[Mixture]:
        """Return the step itself: it was made for the one problem."""
        return self


class Racing:
    """Stops as another rule does, and where a run falls too far behind or is lost; counts the passes of one run.

    Parameters
    ----------
    stop : StoppingRule
    target : float
        Total log-likelihood to come close to.
    total_weight : float
    checkpoints : mapping of int to float
        From passes to nats.
    watched : Watched
    accept : callable
        Whether to go on with a mixture.
    """

    def __init__(
        self,
        stop: StoppingRule,
        target: float,
        total_weight: float,
        checkpoints: dict[int, float],
        watched: Watched,
        accept: Callable[[Mixture], bool],
    ) -> None:
        self._stop, self._target, self._total_weight = stop, target, total_weight
        self._checkpoints, self._watched, self._accept = checkpoints, watched, accept
        self._n_passes, self._behind = 0, False

    def __call__(self, progress: Progress) -> bool:
        self._n_passes += 1
        if self._stop(progress):
            return True
        reach = self._checkpoints.get(self._n_passes, np.inf)
        self._behind = progress.objective * self._total_weight + reach < self._target or self._is_lost()
        return self._behind

    def _is_lost(self) -> bool:
        model = self._watched.latest
        return self._n_passes in _LOOKS and model is not None and not self._accept(model)

    def corrected(self, run: LoopResult[Mixture]) -> LoopResult[Mixture]:
        """Return the run, not converged where it was this rule that stopped it."""
        return replace(run, trace=replace(run.trace, converged=False)) if self._behind else run
