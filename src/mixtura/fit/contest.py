"""Of several starts the likeliest: by a race, in which each goes on as long as it comes close, or by a few passes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

from mixtura.core.mixture import Mixture
from mixtura.exceptions import IllDefinedCovarianceError
from mixtura.fit.loop.driver import Step
from mixtura.fit.loop.outcome import Outcome
from mixtura.fit.loop.result import FitResult
from mixtura.fit.loop.stopping import StoppingRule
from mixtura.fit.racing import RACE_SCHEDULE, SAME_OPTIMUM, Racing, are_alike
from mixtura.fit.restarts import Finished, Settings, continue_batch, keep_best
from mixtura.fit.steps.em import EMStep, Problem
from mixtura.fit.steps.stretched import StretchedEM, stretched
from mixtura.kernels.iterations.stretch import Contestant, Ending

if TYPE_CHECKING:
    from mixtura.fit.init import Initialization, Initializer

__all__ = ["fit_best_of", "likeliest_after"]

_FILM = 2**16
"""Numbers of all passes of a contest that are kept."""


class _Contest:
    """The runs of a race, made ahead: as many in one call as come to their ends where nothing is to be decided.

    What is foreseen is played to the loop, which decides all the same. Where it decides otherwise, as an end is not
    accepted or a run took more care, those after it are made again.

    Parameters
    ----------
    settings : Settings
    starts : sequence of Mixture
    """

    def __init__(self, settings: Settings, starts: Sequence[Mixture]) -> None:
        self._settings, self._starts = settings, starts
        self._runs: dict[int, Contestant] = {}
        self._step: tuple[Problem, Step[Any, Any]] | None = None

    def step(self, number: int, rule: Racing, problem: Problem) -> Step[Any, Any]:
        """Return the step of a run."""
        step = self._plain(problem, rule)
        is_kept = self._settings.journal is not None  # which looks at every pass
        if not isinstance(step, StretchedEM) or not rule.foreseen or is_kept:
            return self._settings.step(problem)
        if number not in self._runs or self._runs[number].target != rule.target:
            self._make(number, rule, step)
        return step.playing(self._runs[number], self._starts[number], rule)

    def _plain(self, problem: Problem, rule: Racing) -> Step[Any, Any]:
        """Return the step of a run on some rows, which mostly are those of the run before."""
        if self._step is None or self._step[0].data is not problem.data:
            self._step, self._runs = (problem, replace(self._settings, stop=rule).step_for(problem)), {}
        return self._step[1]

    def _make(self, number: int, rule: Racing, step: StretchedEM) -> None:
        """Make the runs from one on."""
        states, stretch = step.states, step.stretch
        packed = np.array([states.pack_model(one) for one in self._starts[number:]])
        known = None if rule.known is None else states.pack_model(rule.known)
        n_steps = min(rule.foreseen, self._settings.max_iter)
        n_frames = min(max(n_steps, _FILM // stretch.places.frame_size), step.most_steps)
        runs = stretch.contest(packed, rule.race, known, n_steps, n_frames)
        self._runs = dict(enumerate(runs, number))


def fit_best_of(
    problem: Problem,
    initializations: Sequence[Initialization],
    settings: Settings,
    *,
    random_state: np.random.RandomState,
    schedule: Sequence[tuple[int, float]] = RACE_SCHEDULE,
    accept: Callable[[Mixture], bool] = lambda mixture: True,
    target: float = -np.inf,
    known: Mixture | None = None,
    near: float = 0.0,
) -> FitResult:
    """Fit a mixture from several starts, of which the first is trusted most, and keep the most likely end.

    Of ends that differ by no more than 0.001 nats of the total log-likelihood it is the first.

    The first runs to its end. Each further one goes on as long as it comes close: after some passes its total
    log-likelihood has to be so close to that of the best end so far. Mixtures that start far apart often change places
    late, so that a race of short runs drops the winner; against a finished fit a few passes are enough.

    Parameters
    ----------
    problem : Problem
    initializations : sequence of Initialization
        At least one.
    settings : Settings
    random_state : RandomState
        Drawn from, in the order of the starts.
    schedule : sequence of (int, float)
        Passes, and how far behind a start may be then, in nats of the total log-likelihood.
    accept : callable, optional
        Whether to trust a mixture: one that is accepted is kept before any that is not, and starts are measured
        against accepted ends alone. After 100, 200 and 400 passes a run goes on only if its mixture is accepted: on the
        way to a spike there is no end. Every one is, by default.
    target : float, default=-inf
        Total log-likelihood, in nats, of an end that is known already: the first start is measured against it.
    known : Mixture, optional
        That end: a start that comes to it is not iterated to its end.
    near : float, default=0
        With more, other ends that are accepted and at most as many nats below the best are returned, too, as
        ``rivals``, and a start may be behind by these, too.

    Raises
    ------
    IllDefinedCovarianceError
        Every start has a covariance that is not positive definite and the prior allows no floor.
    """
    begun = perf_counter()
    problem.prepare()
    initializers = [one.prepare(problem, random_state) for one in initializations]
    starts, failures = _begun(initializers, problem)
    contest = _Contest(settings, [mixture for mixture, _ in starts])
    in_order = replace(problem, data=problem.data.by_pattern())
    drawing = perf_counter() - begun
    finished: list[Finished] = []
    for number, (start, notes) in enumerate(starts):
        rule = Racing(settings.stop, target, problem.data.total_weight, dict(schedule), accept, known, near)
        of_run = replace(settings, stop=rule, step=partial(contest.step, number, rule))
        begun = perf_counter()
        try:
            run = of_run.iterate(in_order, partial(_same, start))
        except IllDefinedCovarianceError as error:
            failures.append(error)
            continue
        one = Finished(run, notes, (0.0, perf_counter() - begun))
        # Whether an end below an accepted one is accepted, too, does not matter, unless it may be a rival.
        reached = one.objective * problem.data.total_weight
        finished.append(replace(one, accepted=reached > target - near and accept(one.run.model)))
        if finished[-1].accepted and reached > target:
            target, known = reached, one.run.model
    if not finished:
        raise failures[0]
    best = keep_best(problem, finished, drawing, SAME_OPTIMUM)
    return best if near <= 0 else replace(best, rivals=_rivals(best, finished, near))


def likeliest_after(
    problem: Problem, starts: Sequence[Mixture], stop: StoppingRule, n_passes: int, most: int
) -> list[Mixture]:
    """Return what some plain passes make of mixtures, of those that are the likeliest before the last of them.

    Parameters
    ----------
    problem : Problem
    starts : sequence of Mixture
        Of its family and number of components.
    stop : StoppingRule
        As for `continue_batch`.
    n_passes : int
        At least one.
    most : int
        Mixtures to return, the likeliest first; fewer where fewer have a likelihood.
    """
    step = stretched(EMStep(problem), problem, 0.0)
    runs = _tried(step, starts, n_passes) if isinstance(step, StretchedEM) else None
    if isinstance(step, StretchedEM) and runs is not None:
        best = sorted(runs, key=lambda run: -float(run.frames[-1, 0]))[:most]
        return [step.states.mixture(run.frames[-1, 3:].copy()).refined() for run in best]
    tried = continue_batch([problem] * len(starts), starts, stop, n_passes)
    ends = [one for one in tried if isinstance(one, FitResult)]
    return [one.mixture for one in sorted(ends, key=lambda one: -one.lower_bound)[:most]]


def _begun(
    initializers: Sequence[Initializer], problem: Problem
) -> tuple[list[tuple[Mixture, tuple[str, ...]]], list[IllDefinedCovarianceError]]:
    """Return the first mixtures with what is said of each start, and why others have none."""
    found, failures = list[tuple[Mixture, tuple[str, ...]]](), list[IllDefinedCovarianceError]()
    for initializer in initializers:
        try:
            start = initializer(problem)
            found.append((start.first_mixture(problem), start.notes))
        except IllDefinedCovarianceError as error:
            failures.append(error)
    return found, failures


def _same(mixture: Mixture) -> Mixture:
    return mixture


def _rivals(best: FitResult, finished: Sequence[Finished], near: float) -> tuple[Mixture, ...]:
    """Return the mixtures of other accepted ends near the best, each once."""
    found = [best.mixture]
    for one in sorted(finished, key=lambda one: -one.objective):
        behind = (best.lower_bound - one.objective) * best.total_weight
        ended = one.run.trace.outcome is not Outcome.ABANDONED
        if one.accepted and ended and behind <= near:
            mixture = one.run.model.refined()
            if not any(are_alike(mixture, known) for known in found):
                found.append(mixture)
    return tuple(found[1:])


def _tried(step: StretchedEM, starts: Sequence[Mixture], n_passes: int) -> list[Contestant] | None:
    """Return the passes of all, made by compiled code; None where one takes more care."""
    packed, runs = np.array([step.states.pack_model(one) for one in starts]), list[Contestant]()
    at_a_time = max(1, step.most_steps // n_passes)
    while len(runs) < len(packed):
        rest = packed[len(runs) : len(runs) + at_a_time]
        runs += step.stretch.contest(rest, None, None, n_passes, n_passes * len(rest))
        if any(one.ending is not Ending.COMPLETE for one in runs):
            return None
    return runs
