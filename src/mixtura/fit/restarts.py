"""Several starts, side by side; the best end is kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from time import perf_counter

import numpy as np

from mixtura._typing import FloatArray
from mixtura.core.maximize import maximize
from mixtura.core.mixture import Mixture
from mixtura.core.protocols import Runner
from mixtura.fit.driver import Run, Step, iterate
from mixtura.fit.em import EMStep, Problem
from mixtura.fit.init import Deferred, Initialization
from mixtura.fit.result import FitResult, Outcome
from mixtura.fit.stopping import StoppingRule
from mixtura.fit.trace import Observer, ignore

__all__ = ["Given", "Settings", "continue_fit", "fit_mixture"]


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
        return Mixture.from_parameters(
            found.weights if self.weights is None else self.weights,
            found.means if self.means is None else self.means,
            found.covariances if self.covariances is None else self.covariances,
            found.family.name,
        )


@dataclass(frozen=True, slots=True)
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
    """

    stop: StoppingRule
    max_iter: int
    observe: Observer = ignore
    step: Callable[[Problem], Step[Mixture]] = EMStep


@dataclass(frozen=True, slots=True)
class _Finished:
    run: Run[Mixture]
    notes: tuple[str, ...]
    seconds: tuple[float, float]

    @property
    def objective(self) -> float:
        return self.run.trace.events[-1].objective if self.run.trace.events else -np.inf


def fit_mixture(
    problem: Problem,
    initialization: Initialization,
    settings: Settings,
    *,
    serial: Runner,
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
    serial : Runner
        With what each of several restarts runs when they run side by side.
    n_init : int, default=1
    random_state : RandomState
        Drawn from.
    given : Given, optional
        Parameters of the start that are not to be found.
    """
    given = Given() if given is None else given
    begun = perf_counter()
    problem = problem.with_total()
    if given.is_complete:
        start = Mixture.from_parameters(given.weights, given.means, given.covariances, problem.family.name)  # type: ignore[arg-type]
        return continue_fit(problem, start, settings)
    drawn = [initialization.draw(problem, random_state) for _ in range(n_init)]
    drawing = perf_counter() - begun
    if 1 < problem.runner.n_workers <= n_init and settings.observe is ignore:
        alone = replace(problem, runner=serial)
        finished = problem.runner.map([_Task(alone, deferred, settings, given) for deferred in drawn])
    else:
        finished = [_Task(problem, deferred, settings, given)() for deferred in drawn]
    return _keep_best(problem, settings, finished, drawing)


@dataclass(frozen=True, slots=True)
class _Task:
    """One restart, once its draws are made."""

    problem: Problem
    deferred: Deferred
    settings: Settings
    given: Given

    def __call__(self) -> _Finished:
        begun = perf_counter()
        start = self.deferred(self.problem)
        statistics = replace(start.statistics, total=start.statistics.total or self.problem.total)
        found, _ = maximize(statistics, self.problem.family, self.problem.prior)
        first = self.given.override(found)
        started = perf_counter()
        run = iterate(
            first,
            self.settings.step(self.problem),
            self.settings.stop,
            self.settings.max_iter,
            observe=self.settings.observe,
        )
        return _Finished(run, start.notes, (started - begun, perf_counter() - started))


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
    problem = problem.with_total() if problem.total is None else problem
    run = iterate(
        start,
        settings.step(problem),
        settings.stop,
        settings.max_iter,
        previous=previous,
        observe=settings.observe,
    )
    return _keep_best(problem, settings, [_Finished(run, (), (0.0, perf_counter() - begun))], 0.0)


def _keep_best(
    problem: Problem, settings: Settings, finished: Sequence[_Finished], drawing: float
) -> FitResult:
    best = int(np.argmax([one.objective for one in finished]))
    run = finished[best].run
    return FitResult(
        mixture=run.model,
        outcome=_outcome(run, settings.max_iter),
        lower_bound=finished[best].objective,
        traces=tuple(one.run.trace for one in finished),
        best=best,
        kernel=problem.kernel.name,
        instruction_set=problem.kernel.instruction_set,
        n_threads=problem.runner.n_workers,
        seconds={
            "initialization": drawing + sum(one.seconds[0] for one in finished),
            "iterations": sum(one.seconds[1] for one in finished),
        },
        notes=tuple(dict.fromkeys(note for one in finished for note in one.notes)),
        total_weight=problem.blocks.total_weight,
    )


def _outcome(run: Run[Mixture], max_iter: int) -> Outcome:
    if max_iter == 0:
        return Outcome.NOT_ITERATED
    if not run.trace.converged:
        return Outcome.ITERATION_LIMIT
    return Outcome.REPAIRED if run.trace.repairs else Outcome.CONVERGED
