"""Several mixtures brought forward by the same passes: each block of rows is read once for all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from mixtura.core.accumulate import EStepOfSeveral
from mixtura.core.mixture import Mixture
from mixtura.core.statistics import Statistics
from mixtura.exceptions import MixturaError
from mixtura.fit.loop.driver import LoopResult, StepResult, iterate
from mixtura.fit.loop.monotone import Ascent
from mixtura.fit.loop.stopping import Progress, StoppingRule
from mixtura.fit.loop.trace import Event, Trace, plain_changes
from mixtura.fit.steps.em import EMStep, Problem

__all__ = ["BatchedEMStep", "iterate_batch"]

_Models = tuple[Mixture, ...]


class BatchedEMStep:
    """One EM iteration of several mixtures, each as `EMStep` makes it, to the last digit.

    Parameters
    ----------
    problems : sequence of Problem
        Of the same data.

    Attributes
    ----------
    moves : list of list of Move
        Those of each iteration.
    errors : dict of int to MixturaError
        Mixtures, by position, that could not be brought forward; they stay as they are.
    rejected : set of int
        Those of which a step would have lowered the objective; they stay at the best they had.
    """

    def __init__(self, problems: Sequence[Problem]) -> None:
        self._data = problems[0].data
        self._steps = [EMStep(problem) for problem in problems]
        self.moves: list[list[StepResult[Mixture]]] = []
        self.errors: dict[int, MixturaError] = {}
        self.rejected: set[int] = set()
        self._ascents: dict[int, Ascent[Mixture]] = {}

    def __call__(self, model: _Models) -> StepResult[_Models]:
        moves = [
            self._finish(j, *pair) for j, pair in enumerate(zip(self._gather(model), model, strict=True))
        ]
        self.moves.append(moves)
        return StepResult(tuple(move.model for move in moves), sum(move.objective for move in moves))

    def _finish(self, position: int, statistics: Statistics, model: Mixture) -> StepResult[Mixture]:
        step, ascent = self._steps[position], self._ascents.setdefault(position, Ascent(model))
        try:
            move = step.finish(statistics, model)
        except MixturaError as error:
            self.errors.setdefault(position, error)
            return StepResult(model, step.objective(statistics, model))
        if position in self.rejected:
            return replace(move, model=model)
        move, rejected = ascent.take(model, move)
        if rejected:
            self.rejected.add(position)
        return move

    def _gather(self, models: _Models) -> list[Statistics]:
        components = tuple(step.components(model) for step, model in zip(self._steps, models, strict=True))
        found = self._data.reduce(EStepOfSeveral(components, self._data.kernel))
        return [step.complete(statistics) for step, statistics in zip(self._steps, found, strict=True)]


def iterate_batch(
    problems: Sequence[Problem], models: Sequence[Mixture], stop: StoppingRule, n_passes: int
) -> list[LoopResult[Mixture] | MixturaError]:
    """Make some EM iterations of several mixtures in as many passes over the rows.

    Parameters
    ----------
    problems, models, stop, n_passes
        As for `mixtura.fit.continue_batch`, which starts from the models.

    Returns
    -------
    list of Run, or of the error that a mixture ended with
    """
    step = BatchedEMStep(problems)
    ends = iterate(tuple(models), step, lambda progress: False, n_passes).model
    return [
        step.errors.get(j)
        or LoopResult(ends[j], _trace([moves[j] for moves in step.moves], stop, j in step.rejected))
        for j in range(len(problems))
    ]


def _trace(moves: Sequence[StepResult[Mixture]], stop: StoppingRule, rejected: bool) -> Trace:
    first = Event(1, moves[0].objective, float("inf"), moves[0].repairs, moves[0].kind)
    later = [
        Event(number, move.objective, move.objective - before.objective, move.repairs, move.kind)
        for number, (before, move) in enumerate(pairwise(moves), start=2)
    ]
    events = (first, *later)
    progress = Progress(moves[-1].objective, plain_changes(events), float("nan"), -1)
    return Trace(events, stop(progress), rejected)
