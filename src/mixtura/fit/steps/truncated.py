"""EM that leaves out more of each row's unlikely components on the way than at its end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from math import log1p

from mixtura.core.maximize import Repair
from mixtura.core.mixture import Mixture
from mixtura.fit.loop.state import StepResult
from mixtura.fit.loop.trace import PassKind
from mixtura.fit.steps.em import EMState, EMStep, Problem
from mixtura.kernels import NEGLIGIBLE

__all__ = ["TruncatedEMStep", "TruncatedState", "em_leaving_out"]


@dataclass(frozen=True, slots=True, eq=False)
class TruncatedState:
    """The state of `TruncatedEMStep`.

    Parameters
    ----------
    inner : EMState
    previous : float, default=-inf
        Objective of the pass before.
    exact : bool, default=False
        Whether passes count every component by now.
    """

    inner: EMState
    previous: float = -float("inf")
    exact: bool = False


class TruncatedEMStep:
    """`EMStep` that leaves out components whose responsibilities for a row are together at most ``negligible``.

    It is variational EM whose posteriors are truncated to the likely components (Lücke and Forster 2019): the objective
    is a bound of the log-likelihood, too small by at most ``-log(1 - negligible)`` per row. Once a pass gains less than
    the tolerance its model is evaluated again with every component counted, and `EMStep` goes on from it: the change of
    that pass is the gap of the bound, `Trace.gap`. No stopping rule is satisfied before.

    Parameters
    ----------
    problem : Problem
    negligible : float
        From 0 to less than 1.
    tolerance : float
        In nats per unit of weight, as the objective is the mean log-likelihood.
    """

    def __init__(self, problem: Problem, negligible: float, tolerance: float) -> None:
        self._coarse, self._exact = EMStep(problem, negligible), EMStep(problem)
        self._most, self._tolerance = -log1p(-negligible), tolerance

    def init(self, model: Mixture) -> TruncatedState:
        return TruncatedState(self._exact.init(model))

    def __call__(self, state: TruncatedState) -> tuple[TruncatedState, StepResult[Mixture]]:
        if state.exact:
            inner, found = self._exact(state.inner)
            return TruncatedState(inner, found.objective, exact=True), found
        statistics, model = self._coarse.gather(state.inner), state.inner.model
        objective = self._coarse.objective(statistics, model)
        if abs(objective - state.previous) < self._tolerance:
            same = StepResult(model, objective, kind=PassKind.TRUNCATED)
            return TruncatedState(state.inner, objective, exact=True), same
        inner, found = self._coarse.finish(state.inner, statistics)
        allowance = _Sum(self._most, found.allowance)
        return TruncatedState(inner, objective), found._replace(kind=PassKind.TRUNCATED, allowance=allowance)

    def final(self, state: TruncatedState) -> tuple[Mixture, tuple[Repair, ...]]:
        return self._exact.final(state.inner)


def em_leaving_out(
    negligible: float, tolerance: float
) -> Callable[[Problem], EMStep] | Callable[[Problem], TruncatedEMStep]:
    """Return what makes the step of a problem: `TruncatedEMStep` where it leaves out more than rounding does."""
    if negligible > NEGLIGIBLE:
        return partial(TruncatedEMStep, negligible=negligible, tolerance=tolerance)
    return EMStep if negligible == NEGLIGIBLE else partial(EMStep, negligible=negligible)


@dataclass(frozen=True, slots=True, eq=False)
class _Sum:
    """By how much a step may lower the objective: by what is left out, and by what a ridge costs."""

    left_out: float
    allowance: Callable[[], float] | None

    def __call__(self) -> float:
        return self.left_out + (0.0 if self.allowance is None else self.allowance())
