"""Several mixtures brought forward by the same passes: each block of rows is read once for all of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeAlias, TypeVar

from mixtura.core.accumulate import EStepOfSeveral
from mixtura.core.maximize import Repair
from mixtura.core.mixture import Mixture
from mixtura.core.moments import Moments
from mixtura.core.statistics import Statistics
from mixtura.exceptions import MixturaError
from mixtura.fit.loop.driver import LoopResult, Step, iterate
from mixtura.fit.loop.outcome import Outcome
from mixtura.fit.loop.state import LoopState, StepResult, begin, take
from mixtura.fit.loop.stopping import Progress, StoppingRule
from mixtura.fit.loop.trace import Trace
from mixtura.fit.steps.em import EMStep, Problem
from mixtura.kernels import Components

__all__ = ["BatchedEMStep", "StepInBatch", "iterate_batch"]

S = TypeVar("S")

_Models: TypeAlias = tuple[Mixture, ...]

_Run: TypeAlias = tuple[LoopState[Mixture, Any], Progress | None] | MixturaError
"""The state of one of the mixtures and what its stopping depends on, or the error that it ended with."""

_Runs: TypeAlias = tuple[_Run, ...]


class StepInBatch(Step[Mixture, S], Protocol[S]):
    """A step whose passes may be made with those of other mixtures; its state has the `moments` of the next."""

    def components(self, state: S) -> Components:
        """Return what its pass asks of a kernel."""

    def complete(self, statistics: Statistics, moments: Moments) -> Statistics:
        """Return the sums of its pass, completed where the moments need it."""

    def finish(self, state: S, statistics: Statistics) -> tuple[S, StepResult[Mixture]]:
        """Return the next state, and what the pass has found."""


class BatchedEMStep:
    """One EM iteration of several mixtures in one pass over the rows, each as its step makes it, to the last digit.

    Parameters
    ----------
    problems : sequence of Problem
        Of the same data.
    make : callable, default=EMStep
        Makes the step of a problem: `EMStep` or `SampledEMStep`.
    """

    def __init__(
        self, problems: Sequence[Problem], make: Callable[[Problem], StepInBatch[Any]] = EMStep
    ) -> None:
        self._data = problems[0].data
        self._steps = [make(problem) for problem in problems]

    def init(self, model: _Models) -> _Runs:
        return tuple((begin(step, one), None) for step, one in zip(self._steps, model, strict=True))

    def __call__(self, state: _Runs) -> tuple[_Runs, StepResult[_Models]]:
        """Make one pass for all that go on: those that failed, or of which a step was rejected, stay as they are."""
        going = {
            j: run[0]
            for j, run in enumerate(state)
            if not isinstance(run, MixturaError) and not run[0].ascent.rejected
        }
        components = tuple(self._steps[j].components(one.step) for j, one in going.items())
        found = self._data.reduce(EStepOfSeveral(components, self._data.kernel))
        sums = iter(found)
        after = tuple(
            self._advance(j, going[j], next(sums)) if j in going else run for j, run in enumerate(state)
        )
        # Each has an objective of its own; that of all is not compared.
        return after, StepResult((), 0.0)

    def _advance(self, position: int, state: LoopState[Mixture, Any], sums: Statistics) -> _Run:
        step = self._steps[position]
        try:
            return take(state, *step.finish(state.step, step.complete(sums, state.step.moments)))
        except MixturaError as error:
            return error

    def result(
        self, position: int, state: LoopState[Mixture, Any], progress: Progress | None, stop: StoppingRule
    ) -> LoopResult[Mixture]:
        """Return where a mixture has come to; beside it one that is still on trial."""
        outcome = None if progress is None else stop(progress)
        model = state.model if state.ascent.rejected else self._steps[position].final(state.step)[0]
        ahead = None if model is state.model else state.model
        return LoopResult(model, Trace(state.events, outcome or Outcome.NOT_REFINED), ahead)

    def final(self, state: _Runs) -> tuple[_Models, tuple[Repair, ...]]:
        return (), ()


def iterate_batch(
    problems: Sequence[Problem],
    models: Sequence[Mixture],
    stop: StoppingRule,
    n_passes: int,
    make: Callable[[Problem], StepInBatch[Any]] = EMStep,
) -> list[LoopResult[Mixture] | MixturaError]:
    """Make some EM iterations of several mixtures in as many passes over the rows.

    Parameters
    ----------
    problems, models, stop, n_passes, make
        As for `mixtura.fit.continue_batch`, which starts from the models.

    Returns
    -------
    list of LoopResult, or of the error that a mixture ended with
    """
    step, latest = BatchedEMStep(problems, make), list[_Runs]()
    iterate(
        begin(step, tuple(models)),
        step,
        lambda progress: None,
        n_passes,
        observe=lambda event, state: latest.append(state.step),
    )
    return [
        run if isinstance(run, MixturaError) else step.result(j, *run, stop)
        for j, run in enumerate(latest[-1])
    ]
