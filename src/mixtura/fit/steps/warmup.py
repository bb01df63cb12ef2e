"""A warm-up of plain EM, then accelerated EM."""

from __future__ import annotations

from dataclasses import dataclass

from mixtura.core.maximize import Repair
from mixtura.core.mixture import Mixture
from mixtura.fit.loop.state import StepResult
from mixtura.fit.steps.accelerated import AcceleratedEMStep, AcceleratedState
from mixtura.fit.steps.em import EMState, EMStep, Problem

__all__ = ["PLAIN_PASSES", "WarmupEM", "WarmupState"]

PLAIN_PASSES = 16
"""Passes of plain EM; few are saved by extrapolating them."""


@dataclass(frozen=True, slots=True, eq=False)
class WarmupState:
    """The state of `WarmupEM`.

    Parameters
    ----------
    inner : EMState or AcceleratedState
        Of the step that makes the next pass.
    n_passes : int, default=0
        Made so far.
    """

    inner: EMState | AcceleratedState
    n_passes: int = 0


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
        self.plain, self.accelerated = EMStep(problem), AcceleratedEMStep(problem, tolerance)

    def init(self, model: Mixture) -> WarmupState:
        return WarmupState(self.plain.init(model))

    def __call__(self, state: WarmupState) -> tuple[WarmupState, StepResult[Mixture]]:
        inner: EMState | AcceleratedState
        if isinstance(state.inner, AcceleratedState):
            inner, found = self.accelerated(state.inner)
        else:
            inner, found = self.plain(state.inner)
            if state.n_passes + 1 == PLAIN_PASSES:
                inner = self.accelerated.init(inner.model)
        return WarmupState(inner, state.n_passes + 1), found

    def final(self, state: WarmupState) -> tuple[Mixture, tuple[Repair, ...]]:
        if isinstance(state.inner, AcceleratedState):
            return self.accelerated.final(state.inner)
        return self.plain.final(state.inner)
