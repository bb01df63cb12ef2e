"""Iterations of EM that a sample makes ahead of all rows, its sums corrected by what all rows had beside them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from mixtura.core.accumulate import EStep
from mixtura.core.data import Data
from mixtura.core.maximize import Repair
from mixtura.core.mixture import Mixture
from mixtura.core.moments import Moments
from mixtura.core.statistics import Statistics
from mixtura.exceptions import MixturaError
from mixtura.fit.loop.state import StepResult
from mixtura.fit.loop.trace import PassKind
from mixtura.fit.steps.em import EMState, EMStep, Problem
from mixtura.kernels import Components

__all__ = ["SampleAhead", "SampledEMStep", "SampledState"]

_LEAST_LEFT = 0.5
"""Share of the rows of a component that have to be left to it: of one that dwindles a sample has too few."""


@dataclass(frozen=True, slots=True, eq=False)
class SampleAhead:
    """Goes on from a pass over all rows by some over a sample of them.

    With ``S(theta)`` the sums of all rows, ``s(theta)`` those of the sample, c times as large, and theta_0 the mixture
    of the pass, ``s(theta) + S(theta_0) - s(theta_0)`` differs from ``S(theta)`` by what the sample is wrong about in
    the change from theta_0 to theta alone. M-steps of it lead near to where as many passes over all rows would lead
    (Chen, Zhu, Teh and Zhang 2018, who draw another sample for each iteration).

    Parameters
    ----------
    sample : Data
        Rows drawn at random.
    n_passes : int
        Over the sample.
    """

    sample: Data
    n_passes: int

    def __call__(
        self, problem: Problem, state: EMState, statistics: Statistics, following: EMState
    ) -> Mixture | None:
        """Return the mixture that the sample leads to; None where its sums, so corrected, do not lead on.

        Parameters
        ----------
        problem : Problem
            With all rows.
        state : EMState
            That entered the pass over all rows.
        statistics : Statistics
            The sums of the pass.
        following : EMState
            What its M-step led to.
        """
        if problem.model.n_components == 1:  # the M-step of all rows is the end
            return None
        step = EMStep(problem)
        factor = problem.data.total_weight / self.sample.total_weight
        drawn = self._sums(step, state, factor)
        whole = statistics.gathered()
        if drawn.moments is not whole.moments or following.moments is not state.moments:
            return None
        beside = whole + drawn.scale(-1.0)
        ahead = following
        try:
            for _ in range(self.n_passes):
                sums = self._sums(step, ahead, factor)
                corrected = sums + replace(beside.rebase(sums.means), means=sums.means)
                corrected.sums[1] = statistics.total_weight
                if corrected.levels is not None:  # a sample may have a rare level more often than all rows
                    np.maximum(corrected.levels, 0.0, out=corrected.levels)
                if not (corrected.counts > _LEAST_LEFT * statistics.counts).all():
                    return None
                found, repairs = problem.model.maximize(step.complete(corrected, ahead.moments), ahead.model)
                if repairs or not step.is_precise(found, ahead.moments):
                    return None
                ahead = EMState(found, ahead.moments)
        except MixturaError:
            return None
        return ahead.model

    def _sums(self, step: EMStep, state: EMState, factor: float) -> Statistics:
        return self.sample.reduce(EStep(step.components(state), self.sample.kernel)).scale(factor)


class SampledState(NamedTuple):
    """The state of `SampledEMStep`.

    Parameters
    ----------
    plain : EMState
        What enters the next pass over all rows.
    instead : EMState or None, default=None
        What the M-step of all rows led to, where a mixture of the sample is on trial.
    best : float, default=-inf
        The objective of the latest pass.
    is_misled : bool, default=False
        Whether a mixture of the sample was less likely: the sample goes ahead no more.
    """

    plain: EMState
    instead: EMState | None = None
    best: float = -float("inf")
    is_misled: bool = False

    @property
    def moments(self) -> Moments:
        """Those that the next pass gathers."""
        return self.plain.moments


class SampledEMStep:
    """`EMStep` after whose passes over all rows a sample goes ahead.

    A mixture of the sample that turns out less likely is rejected: what the M-step of all rows led to enters the next
    pass in its place, and the sample goes ahead no more. The objective never falls.

    Parameters
    ----------
    problem : Problem
        With all rows.
    ahead : SampleAhead
    """

    def __init__(self, problem: Problem, ahead: SampleAhead) -> None:
        self._problem, self._ahead, self._plain = problem, ahead, EMStep(problem)

    def init(self, model: Mixture) -> SampledState:
        return SampledState(self._plain.init(model))

    def __call__(self, state: SampledState) -> tuple[SampledState, StepResult[Mixture]]:
        return self.finish(state, self._plain.gather(state.plain))

    def components(self, state: SampledState) -> Components:
        """Return what a pass asks of a kernel."""
        return self._plain.components(state.plain)

    def complete(self, statistics: Statistics, moments: Moments) -> Statistics:
        """Return the sums of a pass, completed as those of `EMStep`."""
        return self._plain.complete(statistics, moments)

    def finish(self, state: SampledState, statistics: Statistics) -> tuple[SampledState, StepResult[Mixture]]:
        """Return the state that the sums of a pass over all rows lead to."""
        objective, instead = self._plain.objective(statistics, state.plain.model), state.instead
        if instead is not None and not objective >= state.best:
            rejected = StepResult(instead.model, state.best, kind=PassKind.REJECTED)
            return SampledState(instead, None, state.best, is_misled=True), rejected
        following, found = self._plain.finish(state.plain, statistics)
        if instead is not None:
            found = found._replace(kind=PassKind.EXTRAPOLATED)
        may_go_ahead = not (state.is_misled or found.repairs)
        ahead = self._ahead(self._problem, state.plain, statistics, following) if may_go_ahead else None
        if ahead is None:
            return SampledState(following, None, objective, state.is_misled), found
        on_trial = SampledState(EMState(ahead, following.moments), following, objective)
        return on_trial, found._replace(model=ahead, allowance=None, noise=None)

    def final(self, state: SampledState) -> tuple[Mixture, tuple[Repair, ...]]:
        """Return what the M-step of all rows led to where a mixture of the sample is on trial."""
        return (state.plain if state.instead is None else state.instead).model, ()
