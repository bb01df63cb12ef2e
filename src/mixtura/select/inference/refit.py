"""Fits of many samples, each from a mixture that is near: warm starts, on one worker each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import islice
from operator import itemgetter
from typing import TypeVar

import numpy as np

from mixtura._typing import FloatArray
from mixtura.core.accumulate import pass_work
from mixtura.core.covariance import Structure
from mixtura.core.data import Data
from mixtura.core.mixture import Mixture
from mixtura.core.model import GaussianModel
from mixtura.core.parts.known_labels import known_levels
from mixtura.core.prior import relative_floor
from mixtura.core.protocols import MixedRows, RowTable, Runner
from mixtura.exceptions import DataError, MixturaError
from mixtura.fit import (
    AcceleratedEMStep,
    FitResult,
    Problem,
    RemainingGain,
    RunEnd,
    SampleRuns,
    SampleTables,
    Settings,
    continue_fit,
    log_likelihood,
)
from mixtura.fit.loop.state import value_of
from mixtura.fit.steps.stretched import StretchedEM
from mixtura.kernels.iterations.stretch import can_finish
from mixtura.run import map_tasks, start_workers
from mixtura.select.model_search.cost import workers_for
from mixtura.select.model_search.robustness import Robustness
from mixtura.select.priors import PriorName, make_prior

__all__ = [
    "Refit",
    "generator",
    "map_samples",
    "map_together",
    "require_free",
    "runner_for",
    "runner_for_family",
]

S = TypeVar("S")
T = TypeVar("T")

_MAX_ITER = 1000

_TOGETHER = 32
"""Samples that a process is given at a time: one takes less than a millisecond."""

_WORTH_THREADS = 2e6
"""Floating-point operations of a pass, about a tenth of a millisecond: as long as the interpreter takes between two."""


@dataclass(frozen=True, slots=True)
class Refit:
    """How samples are fitted: until less than the tolerance of the total log-likelihood is to be gained.

    Parameters
    ----------
    prior : {"floor", "conjugate"} or float, default="floor"
        What keeps covariances from collapsing, see `search`; estimated again from each sample.
    tolerance : float, default=0.01
        In nats. A fit that is g nats from its top is up to ``sqrt(2 g)`` standard errors from it.
    n_steps : int or None, default=None
        Iterations of plain EM at most, which stay near the start; None until it has converged.
    """

    prior: PriorName | float = "floor"
    tolerance: float = 0.01
    n_steps: int | None = None

    def from_mixture(self, data: Data, start: Mixture) -> FitResult:
        """Fit from a given mixture: a warm start.

        Parameters
        ----------
        data : Data
        start : Mixture
        """
        problem = self._problem(data, start)
        return continue_fit(problem, start, self._settings(problem))

    def best(self, data: Data, starts: Sequence[Mixture]) -> RunEnd:
        """Return the most likely end that the starts lead to.

        Every start is finished: which one is ahead after a few iterations says little where likelihoods are flat, and
        a test would see smaller statistics than it should.

        Parameters
        ----------
        data : Data
        starts : sequence of Mixture
            Of one family and as many components.

        Raises
        ------
        MixturaError
            No fit succeeds; the message gives the first reason.
        """
        problem = self._problem(data, starts[0])
        settings = self._settings(problem)
        ends, errors = list[RunEnd](), list[MixturaError]()
        for start in starts:
            try:
                found = settings.iterate(problem, partial(value_of, start)).model.refined()
            except MixturaError as error:
                errors.append(error)
            else:
                ends.append(RunEnd(log_likelihood(data, found), found))
        if not ends:
            raise errors[0]
        return max(ends, key=itemgetter(0))

    def fits_together(self, data: Data, rows: RowTable, mixture: Mixture) -> bool:
        """Return whether samples like rows can be fitted many in a call, from mixtures like one."""
        if isinstance(rows, MixedRows) or data.has_missing or not can_finish():
            return False
        problem = self._problem(data, mixture)
        step = self._settings(problem).step_for(problem)
        return isinstance(step, StretchedEM) and step.stretch.finishes

    def best_of_each(
        self, data: Data, tables: SampleTables, starts: Sequence[Sequence[Mixture]]
    ) -> list[RunEnd | None]:
        """Return of each of several samples what `best` does; None where no fit to it succeeds.

        Runs are made many in a call where that can be done, and those in which something has to be decided one by one.

        Parameters
        ----------
        data : Data
            For kernel and runner.
        tables : SampleTables
        starts : sequence of sequences of Mixture
            At least one for each sample.
        """
        problem = self._problem(data.in_memory(tables.rows[0]).alone(), starts[0][0])
        floors = relative_floor(tables.covariances, tables.means) if problem.model.prior.floor else None
        runs = SampleRuns.of(problem, self._settings(problem), tables, floors)
        counts, flat = [len(some) for some in starts], [one for some in starts for one in some]
        numbers = np.repeat(np.arange(len(starts)), counts)
        ends = iter([None] * len(flat) if runs is None else runs.ends(flat, numbers))
        return [
            self._best_of(data, rows, some, [*islice(ends, len(some))])
            for rows, some in zip(tables.rows, starts, strict=True)
        ]

    def _best_of(
        self,
        data: Data,
        rows: FloatArray,
        starts: Sequence[Mixture],
        ends: Sequence[RunEnd | None],
    ) -> RunEnd | None:
        """Return the best end of a sample, after the runs that have not come to one."""
        found = [end for end in ends if end is not None]
        if len(found) < len(starts):
            left = [start for start, end in zip(starts, ends, strict=True) if end is None]
            with suppress(MixturaError):
                found.append(self.best(data.in_memory(rows).alone(), left))
        return max(found, key=itemgetter(0), default=None)

    def _problem(self, data: Data, start: Mixture) -> Problem:
        prior = make_prior(self.prior, data.total, start.n_components)
        terms = Robustness.of(start)
        model = GaussianModel(
            start.n_components, start.family, prior, data.discrete, terms.background, terms.tails
        )
        return Problem(data, model)

    def _settings(self, problem: Problem) -> Settings:
        stop = RemainingGain(problem.data.total_weight, self.tolerance, problem.model.prior.ridge > 0)
        if self.n_steps is not None:
            return Settings(stop, self.n_steps)
        return Settings(stop, _MAX_ITER, step=partial(AcceleratedEMStep, tolerance=self.tolerance))


def runner_for(data: Data, mixture: Mixture) -> Runner:
    """Return with what many fits of as many rows run side by side; the results are the same.

    A pass over few rows is over before the interpreter has prepared the next one, and holds its lock meanwhile: then
    threads only pass it back and forth.
    """
    return runner_for_family(data, mixture.family, mixture.n_components)


def runner_for_family(data: Data, family: Structure, n_components: int) -> Runner:
    """Return the same before there is a mixture."""
    work = pass_work(family.moments[0].layout, data.n_rows, n_components, data.n_features)
    return data.runner if work > _WORTH_THREADS else data.runner.alone()


def map_samples(
    function: Callable[[S, np.random.SeedSequence], T],
    shared: S,
    seed: np.random.SeedSequence,
    n_samples: int,
    runner: Runner,
    seconds: float,
) -> list[T]:
    """Return ``function(shared, seed of the sample)`` for each of many samples, the same wherever they are made.

    In threads where passes take long; otherwise side by side.

    Parameters
    ----------
    function : callable
        Of a module.
    shared : object
        What all samples need; it is pickled.
    seed : SeedSequence
        Those of samples are what it spawns first.
    n_samples : int
    runner : Runner
        That of `runner_for`.
    seconds : float
        About how long one takes.
    """
    if runner.n_workers > 1:
        return runner.map([partial(function, shared, child) for child in seed.spawn(n_samples)])
    workers = workers_for(seconds * n_samples, n_samples)
    if workers.are_processes:
        start_workers(function, workers.count)
    size = max(1, min(_TOGETHER, n_samples // (8 * workers.count)))
    parts = [range(start, min(start + size, n_samples)) for start in range(0, n_samples, size)]
    found = map_tasks(_each, (function, shared, seed), parts, workers)
    return [one for part in found for one in part]


def map_together(
    function: Callable[[S, Sequence[np.random.SeedSequence]], list[T]],
    shared: S,
    seed: np.random.SeedSequence,
    n_samples: int,
    runner: Runner,
) -> list[T]:
    """Return what a function gives of the seeds of many samples, some at a time, in threads: compiled calls are long.

    Parameters
    ----------
    function : callable
        Returns what it finds of each seed.
    shared, seed, n_samples
        As of `map_samples`.
    runner : Runner
    """
    n_parts = 4 * runner.n_workers if runner.n_workers > 1 else 1
    size = max(1, min(_TOGETHER, n_samples // n_parts))
    children = seed.spawn(n_samples)
    parts = [children[start : start + size] for start in range(0, n_samples, size)]
    return [one for part in runner.map([partial(function, shared, part) for part in parts]) for one in part]


def _each(
    asked: tuple[Callable[[S, np.random.SeedSequence], T], S, np.random.SeedSequence], numbers: range
) -> list[T]:
    """Return what samples give, by their numbers, in any process."""
    function, shared, seed = asked
    children = (np.random.SeedSequence(seed.entropy, spawn_key=(*seed.spawn_key, one)) for one in numbers)
    return [function(shared, child) for child in children]


def generator(seed: np.random.SeedSequence) -> np.random.RandomState:
    """Return a generator of its own for one sample, so that samples do not depend on who draws them when.

    To seed the Mersenne Twister, which has 624 words, takes as long as a fit.
    """
    return np.random.RandomState(np.random.PCG64(seed))


def require_free(rows: RowTable) -> None:
    """Raise `DataError` where rows are known to belong to a component, which rows of a sample are not."""
    if isinstance(rows, MixedRows) and known_levels(rows.discrete) is not None:
        raise DataError(
            "Rows must not be known to belong to a component; some are. Give the rows without what is known of them."
        )
