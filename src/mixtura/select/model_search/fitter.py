"""How one model of a search is fitted: on few rows first, from there on more, in the end on all of them.

What a few thousand rows tell of a mixture takes most of the iterations; every further level begins near its end. The
smaller levels only choose where to begin: likelihoods are of all rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import copy
from dataclasses import replace
from functools import cached_property, partial
from time import perf_counter

import numpy as np

from mixtura.core.covariance import count_parameters, get_family
from mixtura.core.data import Data
from mixtura.core.model import GaussianModel
from mixtura.core.prior import Prior
from mixtura.exceptions import MixturaError
from mixtura.fit import (
    SAME_OPTIMUM,
    AcceleratedEMStep,
    FitResult,
    FromMixture,
    Initialization,
    Problem,
    RemainingGain,
    Settings,
    SharedStarts,
    continue_batch,
    continue_fit,
    find_degeneracies,
    fit_best_of,
    score_mixture,
)
from mixtura.fit.steps.warmup import WarmupEM
from mixtura.run import map_processes, start_workers
from mixtura.select.model_search.candidate import Candidate
from mixtura.select.model_search.cost import processes_for, search_seconds
from mixtura.select.model_search.nesting import enforce_nesting, warm_start_from_best
from mixtura.select.model_search.subsamples import Levels
from mixtura.select.priors import PriorName, make_prior

__all__ = ["SAMPLE_ROWS", "Fitter"]

SAMPLE_ROWS = 50_000
"""Above so many rows, models are found on a random sample of so many and then brought to all rows."""

_MAX_ITER = 1000

_TOLERANCE = 0.01
"""Nats of the total log-likelihood that a finished fit may leave to be gained, by Aitken's estimate."""

_FINE = 1e-4
"""The same where all rows are the only level, and passes cheap: slow gains, as beside a saddle, are seen with it."""

_CHEAP_ROWS = 10_000
"""Rows up to which each model of a search has one start more, from the end of another family's."""

_COARSE = 0.5
"""Nats that a fit may leave to be gained before the last level: far less than what another sample would change."""

_ADVANCE = 4
"""Passes over all rows that every model makes; the best few go on to the end."""


class Fitter:
    """Fits models to one table, all in the same way.

    Parameters
    ----------
    data : Data
    prior : str or float
        "floor", "conjugate", or a constant to add to every variance.
    n_init : int
        Starts per model.
    random_state : int
        Seed of every model, and of the sample.
    sample_rows : int
    """

    def __init__(
        self,
        data: Data,
        *,
        prior: PriorName | float,
        n_init: int,
        random_state: int,
        sample_rows: int = SAMPLE_ROWS,
    ) -> None:
        self._prior, self._n_init, self._seed = prior, n_init, random_state
        self._levels = Levels(data, sample_rows=sample_rows, seed=random_state)
        self._all = self._levels.all
        self._priors: dict[int, Prior] = {}
        self._n_processes = 1
        self.n_rows = self._all.total_weight

    def _problem(self, level: Data, family: str, k: int) -> Problem:
        return Problem(level, GaussianModel(k, get_family(family), self._make_prior(k)))

    def _make_prior(self, k: int) -> Prior:
        """Return the prior for so many components, made from all rows on every level."""
        if k not in self._priors:
            self._priors[k] = make_prior(self._prior, self._all.total, k)
        return self._priors[k]

    def refine(self, candidates: Sequence[Candidate]) -> list[Candidate]:
        """Return the candidates after they have learned from each other's ends; those of one size do."""
        groups: dict[int, list[Candidate]] = {}
        for one in candidates:
            groups.setdefault(one.n_components, []).append(one)
        if self._levels.samples:
            settled = [_settle(self, group) for group in groups.values()]
        else:
            settled = list(
                map_processes(_settle, self._for_tasks(), list(groups.values()), self._n_processes)
            )
        ends = {size: iter(group) for size, group in zip(groups, settled, strict=True)}
        return [next(ends[one.n_components]) for one in candidates]

    def fit_all(self, families: Sequence[str], sizes: Sequence[int]) -> Iterator[Candidate]:
        """Yield a candidate per family and number of components: finished, or if found on a sample, advanced.

        All cores find them, each in a process of its own where that takes long. The passes over all rows that advance
        them are shared: each block of rows is read once for all of a family.
        """
        cells = [(family, k) for family in families for k in sizes]
        self._n_processes = self._prepare(cells)
        if not self._levels.samples:
            yield from map_processes(_complete, self._for_tasks(), cells, self._n_processes)
            return
        ends = map_processes(_find, self._for_tasks(), cells, self._n_processes)
        for family in families:
            found = {k: next(ends) for k in sizes}
            begun = perf_counter()
            advanced = self._advance(family, {k: result for k, (result, _) in found.items()})
            each = (perf_counter() - begun) / len(sizes)
            for k in sizes:
                yield self.candidate(family, k, advanced[k], perf_counter() - each - found[k][1])

    def _prepare(self, cells: Sequence[tuple[str, int]]) -> int:
        """Make what all models need, and return how many processes their number deserves."""
        levels = self._levels
        n_processes = processes_for(search_seconds(cells, levels.most, levels.all.n_features), len(cells))
        start_workers(_complete, n_processes)
        for family, k in cells:
            levels.path(self._n_parameters(family, k))
            self._shared.starts(k)
            self._make_prior(k)
        return n_processes

    def _for_tasks(self) -> Fitter:
        """Return the fitter of tasks: this one, or where processes share them one that needs no threads."""
        if self._n_processes == 1:
            return self
        other, levels = copy(self), self._levels.for_finding()
        vars(other).update(_levels=levels, _all=levels.all)
        return other

    def _advance(
        self, family: str, found: dict[int, FitResult | MixturaError]
    ) -> dict[int, FitResult | MixturaError]:
        """Return fits brought from the sample to all rows by a few passes; errors as they are."""
        fitted = {k: one for k, one in found.items() if isinstance(one, FitResult)}
        if not fitted:
            return found
        problems = [self._problem(self._all, family, k) for k in fitted]
        stop = self._settings(self._all).stop
        ends = continue_batch(problems, [one.mixture for one in fitted.values()], stop, _ADVANCE)
        return found | dict(zip(fitted, ends, strict=True))

    def finish(self, candidate: Candidate) -> Candidate:
        """Return a candidate that was only advanced, iterated to its end on all rows."""
        begun = perf_counter()
        assert candidate.result is not None, "a candidate that failed cannot be finished"
        family, k = candidate.covariance_type, candidate.n_components
        result = self._continue(self._all, family, candidate.result)
        finished = self.candidate(family, k, result, begun)
        return replace(
            finished,
            seconds=candidate.seconds + finished.seconds,
            single_log_likelihood=candidate.single_log_likelihood,
            folds=candidate.folds,
        )

    def refit(self, candidate: Candidate, near: Candidate) -> Candidate:
        """Return a candidate fitted anew from what another family with as many components found."""
        begun = perf_counter()
        assert near.mixture is not None, "a candidate without a mixture lends none"
        problem = self._problem(self._all, candidate.covariance_type, candidate.n_components)
        rng = np.random.RandomState(self._seed)
        try:
            start = FromMixture(near.mixture).draw(problem, rng)(problem).begin(problem)
            result = (
                continue_batch([problem], [start], self._settings(self._all).stop, _ADVANCE)[0]
                if self._levels.samples
                else continue_fit(problem, start, self._settings(self._all))
            )
        except MixturaError:
            return candidate
        begun -= candidate.seconds
        return self.candidate(candidate.covariance_type, candidate.n_components, result, begun)

    def try_warm_start(self, candidate: Candidate, near: Candidate) -> Candidate:
        """Return the better of a candidate and its fit from another's end, which goes on as long as it comes close.

        Only where passes over all rows are cheap.
        """
        begun = perf_counter()
        family, k = candidate.covariance_type, candidate.n_components
        if self._levels.samples or self._all.n_rows > _CHEAP_ROWS:
            return candidate
        assert near.mixture is not None, "a candidate without a mixture lends none"
        try:
            result = self._best_of(
                self._all, family, k, [FromMixture(near.mixture)], candidate.log_likelihood
            )
        except MixturaError:
            return candidate
        if result.lower_bound * result.total_weight <= candidate.log_likelihood + SAME_OPTIMUM:
            return candidate
        return self.candidate(family, k, result, begun - candidate.seconds)

    def _best_of(
        self,
        level: Data,
        family: str,
        k: int,
        starts: Sequence[Initialization],
        target: float = -np.inf,
    ) -> FitResult:
        only = self._levels.path(self._n_parameters(family, k)) == [level]
        return fit_best_of(
            self._problem(level, family, k),
            starts,
            self._settings(level, _FINE if only else None, WarmupEM),
            random_state=np.random.RandomState(self._seed),
            accept=lambda mixture: not find_degeneracies(level, mixture),
            target=target,
        )

    def find(self, family: str, k: int) -> FitResult | MixturaError:
        """Return the fit to the last level but all rows where models are found on a sample, else to all rows."""
        first, *further = self._levels.path(self._n_parameters(family, k))
        try:
            found = self._best_of(first, family, k, self._shared.starts(k))
            for level in further:
                found = self._continue(level, family, found)
        except MixturaError as error:
            return error
        return found

    def _settings(
        self,
        level: Data,
        tolerance: float | None = None,
        step: type[AcceleratedEMStep] | type[WarmupEM] = AcceleratedEMStep,
    ) -> Settings:
        if tolerance is None:
            tolerance = _TOLERANCE if level is self._all else _COARSE
        stop = RemainingGain(level.total_weight, tolerance)
        return Settings(stop, _MAX_ITER, step=partial(step, tolerance=tolerance))

    @cached_property
    def _shared(self) -> SharedStarts:
        rng = np.random.RandomState(self._seed)
        return SharedStarts(self._all, rng, n_further=self._n_init - 1)

    def _continue(self, level: Data, family: str, found: FitResult) -> FitResult:
        """Return a fit that goes on from where another ended, on the rows of a level."""
        problem = self._problem(level, family, found.mixture.n_components)
        result = continue_fit(problem, found.mixture, self._settings(level))
        seconds = {phase: found.seconds[phase] + result.seconds[phase] for phase in result.seconds}
        return replace(result, seconds=seconds, notes=found.notes)

    def candidate(self, family: str, k: int, result: FitResult | MixturaError, begun: float) -> Candidate:
        size = self._n_parameters(family, k)
        if isinstance(result, MixturaError):
            missing, seconds = (np.nan,) * 4, perf_counter() - begun
            return Candidate(family, k, size, self.n_rows, *missing, None, None, seconds, failure=str(result))
        score = score_mixture(self._all, result.mixture)
        measured = (score.log_likelihood, score.entropy, score.classification_entropy, np.nan)
        seconds = perf_counter() - begun
        return Candidate(
            family,
            k,
            size,
            self.n_rows,
            *measured,
            result.mixture,
            result,
            seconds,
            degeneracies=find_degeneracies(self._all, result.mixture),
        )

    def _n_parameters(self, family: str, k: int) -> int:
        return count_parameters(family, k, self._all.n_features)


def _complete(fitter: Fitter, cell: tuple[str, int]) -> Candidate:
    begun = perf_counter()
    return fitter.candidate(*cell, fitter.find(*cell), begun)


def _find(fitter: Fitter, cell: tuple[str, int]) -> tuple[FitResult | MixturaError, float]:
    begun = perf_counter()
    return fitter.find(*cell), perf_counter() - begun


def _settle(fitter: Fitter, group: list[Candidate]) -> list[Candidate]:
    return enforce_nesting(warm_start_from_best(group, fitter.try_warm_start), fitter.refit)
