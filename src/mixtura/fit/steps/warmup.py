"""Plain EM as long as it is decided which maximum a start leads to, acceleration from then on."""

from __future__ import annotations

from mixtura.core.mixture import Mixture
from mixtura.fit.loop.driver import StepResult
from mixtura.fit.steps.accelerated import AcceleratedEMStep
from mixtura.fit.steps.em import EMStep, Problem

__all__ = ["WarmupEM"]

_PLAIN = 16
"""Passes of plain EM; few are saved by extrapolating them."""


class WarmupEM:
    """`EMStep` for the first 16 passes, `AcceleratedEMStep` after them.

    Early extrapolations reach far, and leave the hill on which a good start began for another that may be lower; plain
    EM climbs its own.

    Parameters
    ----------
    problem : Problem
    tolerance : float, default=0.01
        Gain of the total log-likelihood, in nats, that is not worth more passes.
    """

    def __init__(self, problem: Problem, tolerance: float = 0.01) -> None:
        self._plain, self._accelerated = EMStep(problem), AcceleratedEMStep(problem, tolerance)
        self._n_passes = 0

    def __call__(self, model: Mixture) -> StepResult[Mixture]:
        self._n_passes += 1
        return self._plain(model) if self._n_passes <= _PLAIN else self._accelerated(model)
