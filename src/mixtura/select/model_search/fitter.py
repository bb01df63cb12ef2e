"""All models of a search fitted to one table: found in several processes, refined from each other's optima."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from time import perf_counter

import numpy as np

from mixtura._typing import FloatArray
from mixtura.core.data import Data
from mixtura.exceptions import MixturaError, ParameterError
from mixtura.fit import FitResult, SharedStarts, continue_batch
from mixtura.run import map_processes, start_workers
from mixtura.select.model_search.candidate import Candidate
from mixtura.select.model_search.cost import level_sizes, processes_for, search_seconds
from mixtura.select.model_search.fit_task import ADVANCE, FitTask
from mixtura.select.model_search.nesting import enforce_nesting, warm_start_from_best
from mixtura.select.model_search.robustness import KINDS, Robustness
from mixtura.select.model_search.subsamples import draw_subsamples
from mixtura.select.priors import PRIORS, PriorName, make_prior
from mixtura.validation import require

__all__ = ["SAMPLE_ROWS", "Fitter", "SearchOptions"]

SAMPLE_ROWS = 50_000
"""Above this many rows, models are found on a random sample of as many and then brought to all rows."""


@dataclass(frozen=True, slots=True)
class SearchOptions:
    """How the models of a search are fitted.

    Parameters
    ----------
    prior : {"floor", "conjugate"} or float
        A number is added to every variance.
    n_init : int
        Starts per model.
    random_state : int
        Seed of every model, and of the sample.
    sample_rows : int
        In a table of more rows models are found on a sample of as many.
    robust : {"none", "noise", "t"}
        What models have against outliers.
    rounding : ndarray of shape (D,) or None, default=None
        Steps that the columns are rounded to; the floor is not below what they hide.

    Raises
    ------
    ParameterError
        The prior or the number of starts is out of its range.
    """

    prior: PriorName | float = "floor"
    n_init: int = 1
    random_state: int = 0
    sample_rows: int = SAMPLE_ROWS
    robust: str = "none"
    rounding: FloatArray | None = None

    def __post_init__(self) -> None:
        require("prior", self.prior, PRIORS, "Try `prior='floor'`.")
        require("robust", self.robust, KINDS, "Try `robust='noise'`.")
        if self.robust == "t" and self.prior == "conjugate":
            raise ParameterError("`prior` must not be 'conjugate' with t components; try `prior='floor'`.")
        if self.n_init < 1:
            raise ParameterError(f"`n_init` must be at least 1; got {self.n_init!r}.")


class Fitter:
    """Fits models to one table, all in the same way.

    Parameters
    ----------
    data : Data
    families : sequence of str
    sizes : sequence of int
        Numbers of components.
    options : SearchOptions
    """

    def __init__(
        self, data: Data, families: Sequence[str], sizes: Sequence[int], options: SearchOptions
    ) -> None:
        cells = [(family, k) for family in families for k in sizes]
        n_rows, seed = min(data.n_rows, options.sample_rows), options.random_state
        self._families, self._sizes = families, sizes
        self._samples = n_rows < data.n_rows
        self._n_processes = processes_for(search_seconds(cells, n_rows, data.n_features), len(cells))
        start_workers(_complete, self._n_processes)
        needed = {size for family, k in cells for size in level_sizes(n_rows, data.n_parameters(family, k))}
        priors = {k: make_prior(options.prior, data.total, k, options.rounding) for k in sizes}
        subsamples = draw_subsamples(data, needed - {data.n_rows}, seed)
        rng, is_robust = np.random.RandomState(seed), options.robust != "none"
        shared = SharedStarts(data, rng, n_further=options.n_init - 1, robust=is_robust)
        starts = {k: shared.starts(k) for k in sizes}
        self._full = FitTask(
            data,
            False,
            subsamples,
            starts,
            priors,
            seed,
            Robustness.named(options.robust, data),
            options.robust,
        )
        task = replace(self._full, data=subsamples[n_rows], is_sample=True) if self._samples else self._full
        self._task = task.alone() if self._n_processes > 1 else task

    def fit_all(self) -> Iterator[Candidate]:
        """Yield a candidate per family and number of components: finished, or if found on a sample, advanced.

        All cores find them, each in a process of its own where that takes long. The passes over all rows that advance
        them are shared: each block of rows is read once for all of a family.
        """
        cells = [(family, k) for family in self._families for k in self._sizes]
        if not self._samples:
            yield from map_processes(_complete, self._task, cells, self._n_processes)
            return
        found = map_processes(_find, self._task, cells, self._n_processes)
        for family in self._families:
            results = {k: next(found) for k in self._sizes}
            begun = perf_counter()
            advanced = self._advance(family, {k: result for k, (result, _) in results.items()})
            each = (perf_counter() - begun) / len(self._sizes)
            for k in self._sizes:
                yield self._full.candidate(family, k, advanced[k], perf_counter() - each - results[k][1])

    def _advance(
        self, family: str, found: dict[int, FitResult | MixturaError]
    ) -> dict[int, FitResult | MixturaError]:
        """Return fits brought from the sample to all rows by a few passes; errors as they are."""
        fitted = {k: one for k, one in found.items() if isinstance(one, FitResult)}
        if not fitted:
            return found
        problems = [self._full.problem(family, k) for k in fitted]
        starts = [one.mixture for one in fitted.values()]
        results = continue_batch(problems, starts, self._full.settings().stop, ADVANCE)
        return found | dict(zip(fitted, results, strict=True))

    def refine(self, candidates: Sequence[Candidate]) -> list[Candidate]:
        """Return the candidates after those of one size have learned from each other's optima."""
        groups: dict[int, list[Candidate]] = {}
        for one in candidates:
            groups.setdefault(one.n_components, []).append(one)
        if self._samples:
            refined = [enforce_nesting(group, self._advanced) for group in groups.values()]
        else:
            refined = list(map_processes(_refine, self._task, list(groups.values()), self._n_processes))
        by_size = {size: iter(group) for size, group in zip(groups, refined, strict=True)}
        return [next(by_size[one.n_components]) for one in candidates]

    def _advanced(self, candidate: Candidate, near: Candidate) -> Candidate:
        return self._full.refit(candidate, near, advance=True)

    def finish(self, candidate: Candidate, lacking: float = 0.0) -> Candidate:
        """Return a candidate that was only advanced, iterated to its optimum on all rows.

        Parameters
        ----------
        candidate : Candidate
        lacking : float, default=0
            Nats of log-likelihood without which it is of no use: it is iterated only while it may still gain them.
        """
        begun = perf_counter()
        assert candidate.result is not None, "a candidate that failed cannot be finished"
        family = candidate.covariance_type
        result = self._full.go_on(family, candidate.result, lacking=lacking)
        finished = self._full.candidate(family, candidate.n_components, result, begun)
        return replace(
            finished,
            seconds=candidate.seconds + finished.seconds,
            single_log_likelihood=candidate.single_log_likelihood,
            folds=candidate.folds,
        )


def _complete(task: FitTask, cell: tuple[str, int]) -> Candidate:
    begun = perf_counter()
    return task.candidate(*cell, task.find(*cell), begun)


def _find(task: FitTask, cell: tuple[str, int]) -> tuple[FitResult | MixturaError, float]:
    begun = perf_counter()
    return task.find(*cell), perf_counter() - begun


def _refine(task: FitTask, group: list[Candidate]) -> list[Candidate]:
    return enforce_nesting(warm_start_from_best(group, task.try_warm_start), task.refit)
