"""Several starts, side by side; the best end is kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

from mixtura._typing import FloatArray
from mixtura.core.mixture import Mixture
from mixtura.exceptions import MixturaError
from mixtura.fit.loop.driver import LoopResult, Observer, Step, ignore, iterate
from mixtura.fit.loop.result import FitResult
from mixtura.fit.loop.state import LoopState, begin, value_of
from mixtura.fit.loop.stopping import RemainingGain, StoppingRule
from mixtura.fit.racing import SAME_OPTIMUM, Racing
from mixtura.fit.steps.batched import StepInBatch, iterate_batch
from mixtura.fit.steps.em import EMStep, Problem
from mixtura.fit.steps.stretched import stretched

if TYPE_CHECKING:
    from mixtura.fit.init import Initialization, Initializer
    from mixtura.fit.journal import Journal

__all__ = [
    "SAME_OPTIMUM",
    "Finished",
    "Given",
    "Settings",
    "continue_batch",
    "continue_fit",
    "fit_mixture",
    "keep_best",
]

_FEW_PASSES = 3
"""Passes for which rows are not sorted: that takes as long as one or two."""

_ROUNDING = 1e-13
"""Share of an objective that rounding may add to it: which of several equal starts that favors is chance."""


@dataclass(frozen=True, slots=True, eq=False)
class Given:
    """Parameters of the first mixture that the user gives; None for those to be found.

    Parameters
    ----------
    weights : ndarray of shape (K,), optional
    means : ndarray of shape (K, D), optional
    covariances : ndarray as the family stores them, optional
    """

    weights: FloatArray | None = None
    means: FloatArray | None = None
    covariances: FloatArray | None = None

    @property
    def is_complete(self) -> bool:
        return self.weights is not None and self.means is not None and self.covariances is not None

    def override(self, found: Mixture) -> Mixture:
        """Return the mixture with the given parameters in place of those found."""
        if self.weights is None and self.means is None and self.covariances is None:
            return found
        share = float(found.weights.sum())
        made = Mixture.from_parameters(
            found.weights / share if self.weights is None else self.weights,
            found.means if self.means is None else self.means,
            found.covariances if self.covariances is None else self.covariances,
            found.family.name,
        )
        if found.background is not None:
            made = replace(made, weights=made.weights * share, offsets=None)
        return replace(made, levels=found.levels, background=found.background, tails=found.tails)


@dataclass(frozen=True, slots=True, eq=False)
class Settings:
    """How long to iterate, and who watches.

    Parameters
    ----------
    stop : StoppingRule
    max_iter : int
    observe : Observer
        Where one is given, restarts run one after the other.
    step : callable, default=EMStep
        Makes the step of a problem; `AcceleratedEMStep` takes fewer passes where EM is slow.
    journal : Journal, optional
        Where runs are kept, so that they go on after an interruption; restarts then run one after the other.
    name : str, default="run"
        Under which name they are kept.
    stretches : bool, default=True
        Whether compiled code may make several passes at a time. Not where a run may be kept: it is to end at the same
        bits with a journal, which looks at every pass, and without.
    """

    stop: StoppingRule
    max_iter: int
    observe: Observer[LoopState[Mixture, Any]] = ignore
    step: Callable[[Problem], Step[Mixture, Any]] = EMStep
    journal: Journal | None = None
    name: str = "run"
    stretches: bool = True

    def iterate(
        self, problem: Problem, first: Callable[[], Mixture], previous: float = -np.inf
    ) -> LoopResult[Mixture]:
        """Return where the loop ends that begins with a mixture, which is made if it is needed."""
        if self.max_iter > _FEW_PASSES:
            problem = replace(problem, data=problem.data.by_pattern())
        if self.journal is not None:
            step = self.step(problem)

            def start() -> LoopState[Mixture, Any]:
                return begin(step, first(), previous=previous)

            return self.journal.run(self.name, start, step, self.stop, self.max_iter, observe=self.observe)
        mixture = first()
        problem = problem.near_together(mixture) if self.max_iter > _FEW_PASSES else problem
        step = self.step_for(problem)
        state = begin(step, mixture, previous=previous)
        found = iterate(state, step, self.stop, self.max_iter, observe=self.observe)
        return LoopResult(value_of(found.model), found.trace)

    def step_for(self, problem: Problem) -> Step[Any, Any]:
        """Return the step of a problem, which makes several passes at a time where it may."""
        step = self.step(problem)
        if not self.stretches or self.observe is not ignore:
            return step
        rule = self.stop if isinstance(self.stop, RemainingGain | Racing) else None
        return stretched(step, problem, _enough(self.stop), rule)


def _enough(stop: StoppingRule) -> float:
    """Return what a rule leaves to be gained, in nats; 0 where it looks at something else."""
    stop = getattr(stop, "stop", stop)
    return stop.tolerance if isinstance(stop, RemainingGain) else 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Finished:
    """A run that has ended: with what was said of its start, the seconds of both, and whether its end is accepted."""

    run: LoopResult[Mixture]
    notes: tuple[str, ...]
    seconds: tuple[float, float]
    accepted: bool = True

    @property
    def objective(self) -> float:
        return self.run.trace.events[-1].objective if self.run.trace.events else -np.inf


def fit_mixture(
    problem: Problem,
    initialization: Initialization,
    settings: Settings,
    *,
    n_init: int = 1,
    random_state: np.random.RandomState,
    given: Given | None = None,
) -> FitResult:
    """Fit a mixture from several starts and keep the one with the largest lower bound.

    All random draws are made first, in the order of the restarts; where there are at least as many
    restarts as workers they then run side by side, each on one worker. Neither changes a digit.

    Parameters
    ----------
    problem : Problem
    initialization : Initialization
    settings : Settings
    n_init : int, default=1
    random_state : RandomState
        Drawn from.
    given : Given, optional
        Parameters of the start that are not to be found.
    """
    given = Given() if given is None else given
    begun = perf_counter()
    problem.prepare()
    if given.is_complete:
        name = problem.model.structure.name
        start = Mixture.from_parameters(given.weights, given.means, given.covariances, name)  # type: ignore[arg-type]
        return continue_fit(problem, problem.model.begin_from(start), settings)
    initializers = [initialization.prepare(problem, random_state) for _ in range(n_init)]
    drawing = perf_counter() - begun
    watched = settings.observe is not ignore or settings.journal is not None
    side_by_side = 1 < problem.data.runner.n_workers <= n_init and not watched
    on = replace(problem, data=problem.data.alone()) if side_by_side else problem
    tasks = [
        _Task(on, initializer, replace(settings, name=f"{settings.name}, start {number}"), given)
        for number, initializer in enumerate(initializers)
    ]
    finished = problem.data.runner.map(tasks) if side_by_side else [task() for task in tasks]
    return keep_best(problem, finished, drawing)


@dataclass(frozen=True, slots=True, eq=False)
class _Task:
    """One restart, once its draws are made."""

    problem: Problem
    initializer: Initializer
    settings: Settings
    given: Given

    def __call__(self) -> Finished:
        begun, notes, preparing = perf_counter(), tuple[str, ...](), 0.0
        journal, noted = self.settings.journal, f"{self.settings.name}, notes"

        def first() -> Mixture:
            nonlocal notes, preparing
            start = self.initializer(self.problem)
            mixture, notes = self.given.override(start.first_mixture(self.problem)), start.notes
            preparing = perf_counter() - begun
            if journal is not None:
                journal.put(noted, notes)
            return mixture

        run = self.settings.iterate(self.problem, first)
        notes = notes if journal is None else journal.get(noted)
        return Finished(run, notes, (preparing, perf_counter() - begun - preparing))


def continue_fit(
    problem: Problem, start: Mixture, settings: Settings, *, previous: float = -float("inf")
) -> FitResult:
    """Iterate from a given mixture.

    Parameters
    ----------
    problem : Problem
    start : Mixture
    settings : Settings
    previous : float
        The lower bound that an earlier run ended with.
    """
    begun = perf_counter()
    run = settings.iterate(problem, lambda: start, previous)
    return keep_best(problem, [Finished(run, (), (0.0, perf_counter() - begun))], 0.0)


def continue_batch(
    problems: Sequence[Problem],
    starts: Sequence[Mixture],
    stop: StoppingRule,
    n_passes: int,
    make: Callable[[Problem], StepInBatch[Any]] = EMStep,
) -> list[FitResult | MixturaError]:
    """Make some passes over the rows from given mixtures, the same passes for all of them.

    Parameters
    ----------
    problems : sequence of Problem
        Of the same rows, each with its total scatter where its family needs one.
    starts : sequence of Mixture
        One per problem.
    stop : StoppingRule
        Says in the end which have converged; the others are not refined.
    n_passes : int
        At least one.
    make : callable, default=EMStep
        Makes the step of a problem. Of `SampledEMStep` a mixture of the sample that was not evaluated is ``ahead``.

    Returns
    -------
    list of FitResult, or of the error that a mixture ended with
    """
    begun = perf_counter()
    runs = iterate_batch(problems, starts, stop, n_passes, make)
    each = (0.0, (perf_counter() - begun) / len(problems))
    results: list[FitResult | MixturaError] = []
    for problem, run in zip(problems, runs, strict=True):
        if isinstance(run, MixturaError):
            results.append(run)
            continue
        results.append(keep_best(problem, [Finished(run, (), each)], 0.0))
    return results


def keep_best(
    problem: Problem,
    finished: Sequence[Finished],
    drawing: float,
    same_end: float = 0.0,
) -> FitResult:
    """Return the result of the best of several runs, the first of those that end alike.

    Parameters
    ----------
    problem : Problem
    finished : sequence of Finished
    drawing : float
        Seconds before the first of them.
    same_end : float, default=0
        Nats by which a later run has to end higher.
    """
    best, weight = 0, problem.data.total_weight
    for i, one in enumerate(finished[1:], 1):
        gain = (one.objective - finished[best].objective) * weight
        rounding = _ROUNDING * max(1.0, abs(one.objective)) * weight
        if one.accepted > finished[best].accepted or (
            one.accepted == finished[best].accepted and gain > max(same_end, rounding)
        ):
            best = i
    run = finished[best].run
    return FitResult(
        mixture=run.model.refined(),
        lower_bound=finished[best].objective,
        traces=tuple(one.run.trace for one in finished),
        best=best,
        kernel=problem.data.kernel.name,
        instruction_set=problem.data.kernel.instruction_set,
        n_threads=problem.data.runner.n_workers,
        seconds={
            "initialization": drawing + sum(one.seconds[0] for one in finished),
            "iterations": sum(one.seconds[1] for one in finished),
        },
        notes=tuple(dict.fromkeys(note for one in finished for note in one.notes)),
        total_weight=weight,
        ahead=None if run.ahead is None else run.ahead.refined(),
    )
