"""All models of a search fitted to one table: found side by side, refined from each other's optima."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import numpy as np

from mixtura._typing import FloatArray
from mixtura.core.data import Data
from mixtura.core.mixture import Mixture
from mixtura.core.parts.kept_components import KeptComponents
from mixtura.core.parts.known_labels import known_levels
from mixtura.exceptions import MixturaError, ParameterError
from mixtura.fit import FitResult, SharedStarts
from mixtura.run import map_tasks, start_workers
from mixtura.select.model_search.candidate import Candidate
from mixtura.select.model_search.cost import level_sizes, search_seconds, workers_for
from mixtura.select.model_search.fit_task import FitTask
from mixtura.select.model_search.kept_fits import KeptFits, packed, unpacked
from mixtura.select.model_search.nesting import (
    enforce_nesting,
    sound_by_family,
    start_from_neighbors,
    warm_start_from_best,
)
from mixtura.select.model_search.robustness import KINDS, Robustness
from mixtura.select.model_search.subsamples import draw_subsamples
from mixtura.select.priors import PRIORS, PriorName, make_prior
from mixtura.validation import require

if TYPE_CHECKING:
    from mixtura.fit.journal import Journal

A = TypeVar("A")
T = TypeVar("T")

_Near: TypeAlias = tuple[list[Candidate], dict[str, Candidate], dict[str, Candidate], frozenset[str]]
"""Candidates of one size, sound ones of one component less and of one more by family, and families that lead."""

_Asked: TypeAlias = tuple[Candidate, Candidate | None, Candidate | None]
"""A candidate, and those of its family with one component less and more that it may learn from."""

__all__ = ["SAMPLE_ROWS", "Fitter", "SearchOptions"]

SAMPLE_ROWS = 50_000
"""Above this many rows, models are found on a random sample of as many and then brought to all rows."""

_LEADERS = 5
"""Models, the best by BIC, that learn from their neighbors even where they are not low."""


_CHEAP_TREE = 1_000
"""Up to this many rows a second tree costs little beside the rest, though models learn from their neighbors."""


@dataclass(frozen=True, slots=True)
class SearchOptions:
    """How the models of a search are fitted.

    Parameters
    ----------
    prior : {"floor", "conjugate"} or float
        A number is added to every variance.
    n_init : int
        With more than one, runs of K-means beside the starts of every model, and more starts from its neighbors.
    random_state : int
        Seed of every model, and of the sample.
    sample_rows : int
        In a table of more rows models are found on a sample of as many.
    robust : {"none", "noise", "t"}
        What models have against outliers.
    rounding : ndarray of shape (D,) or None, default=None
        Steps that the columns are rounded to; the floor is not below what they hide.
    kept : Mixture or None, default=None
        Components that stay as they are, the first of every model that has as many.
    journal : Journal or None, default=None
        Keeps fits, so that the search goes on after an interruption.

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
    kept: Mixture | None = None
    journal: Journal | None = None

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
        self._kept = KeptFits(options.journal, options.robust)
        self._samples = n_rows < data.n_rows
        self.n_ahead = 0  # models that other workers have finished before they are yielded
        self._workers = workers_for(search_seconds(cells, n_rows, data.n_features), len(cells))
        if self._workers.are_processes:
            start_workers(_complete, self._workers.count)
        needed = {size for family, k in cells for size in level_sizes(n_rows, data.n_parameters(family, k))}
        priors = {k: make_prior(options.prior, data.total, k, options.rounding) for k in sizes}
        subsamples = draw_subsamples(data, needed - {data.n_rows}, seed)
        rng, is_robust = np.random.RandomState(seed), options.robust != "none"
        alone = not any(k + 1 in sizes for k in sizes if k > 1) or data.n_features < 2
        like = options.kept is None and known_levels(data.discrete) is None and not is_robust
        self._learns = like and not alone  # components are alike, and models have neighbors
        both = data.discrete is not None or not self._learns or data.n_rows <= _CHEAP_TREE
        asked: dict[str, Any] = {"n_further": options.n_init - 1, "kept": options.kept, "second_tree": both}
        shared = SharedStarts(data, rng, robust=is_robust, sizes=sizes, **asked)
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
            None if options.kept is None else KeptComponents(options.kept),
            options.n_init,
        )
        task = replace(self._full, data=subsamples[n_rows], is_sample=True) if self._samples else self._full
        self._task = task.alone() if self._workers.count > 1 else task

    def fit_all(self) -> Iterator[Candidate]:
        """Yield a candidate per family and number of components: finished, or if found on a sample, advanced.

        All cores find them, side by side. The passes over all rows that advance
        them are shared: each block of rows is read once for all of a family.
        """
        cells = [(family, k) for family in self._families for k in self._sizes]
        if not self._samples:
            yield from self._kept.each("fitted", cells, partial(self._side_by_side, _complete))
            return
        found = self._kept.each("found", cells, partial(self._side_by_side, _find))
        by_family = ((family, {k: next(found) for k in self._sizes}) for family in self._families)
        for of_family in self._kept.each("advanced", self._families, partial(self._advance, by_family)):
            yield from of_family

    def _side_by_side(self, function: Callable[[FitTask, A], T], tasks: Sequence[A]) -> Iterator[T]:
        return map_tasks(function, self._task, tasks, self._workers, self._note)

    def _note(self, count: int) -> None:
        self.n_ahead = count

    def _advance(
        self, found: Iterator[tuple[str, dict[int, tuple[FitResult | str, float]]]], families: Sequence[str]
    ) -> Iterator[tuple[Candidate, ...]]:
        """Yield the candidates of each family: brought from the sample to all rows by a few passes."""
        for family in families:
            results = next(of_it for name, of_it in found if name == family)
            begun = perf_counter()
            fits = {k: unpacked(one) for k, (one, _) in results.items()}
            fits |= self._continued(family, fits)
            before = (perf_counter() - begun) / len(self._sizes)
            yield tuple(
                self._full.candidate(family, k, fits[k], perf_counter() - before - results[k][1])
                for k in self._sizes
            )

    def _continued(
        self, family: str, found: Mapping[int, FitResult | MixturaError]
    ) -> dict[int, FitResult | MixturaError]:
        fitted = {k: one for k, one in found.items() if isinstance(one, FitResult)}
        if not fitted:
            return {}
        results = self._full.advance(family, [one.mixture for one in fitted.values()])
        return dict(zip(fitted, results, strict=True))

    def refine(self, candidates: Sequence[Candidate]) -> list[Candidate]:
        """Return the candidates after those of one size have learned from each other's optima.

        On a sample those beside one that this has brought much further learn from it in a second round.
        """
        refined = self._refined("refined", candidates, None)
        pairs = zip(candidates, refined, strict=True)
        further = [
            one for before, one in pairs if one.log_likelihood > before.log_likelihood + one.n_parameters
        ]
        return self._refined("refined again", refined, further) if self._samples and further else refined

    def _refined(
        self, name: str, candidates: Sequence[Candidate], lenders: Sequence[Candidate] | None
    ) -> list[Candidate]:
        """Return the candidates after those of one size have learned from each other, and from some of their neighbors.

        Where it is not said from which, it is from all.
        """
        groups = _by_size(candidates)
        lending = groups if lenders is None else _by_size(lenders)

        def compute(sizes: Sequence[int]) -> Iterator[tuple[Candidate, ...]]:
            chosen = [self._near(groups, lending, size) for size in sizes]
            return self._learned(chosen) if self._samples else self._side_by_side(_refine, chosen)

        found = self._kept.each(name, list(groups), compute)
        by_size = {size: iter(group) for size, group in zip(groups, found, strict=True)}
        return [next(by_size[one.n_components]) for one in candidates]

    def _near(
        self, groups: Mapping[int, list[Candidate]], lending: Mapping[int, list[Candidate]], size: int
    ) -> _Near:
        """Return the candidates of a size, what they may learn from, and who of them does so in any case."""
        smaller, larger = (sound_by_family(lending.get(size + step, ())) for step in (-1, 1))
        if not self._learns:
            smaller, larger = {}, {}
        every = [one for of_size in groups.values() for one in sound_by_family(of_size).values()]
        leaders = every if self._full.ways > 1 else sorted(every, key=lambda one: one.bic)[:_LEADERS]
        leading = frozenset(one.covariance_type for one in leaders if one.n_components == size)
        return groups[size], smaller, larger, leading

    def _learned(self, chosen: Sequence[_Near]) -> Iterator[tuple[Candidate, ...]]:
        """Yield the candidates of each size after fits to the sample from their neighbors: these are made side by side.

        Those that are better there are advanced meanwhile.
        """
        learn, asked = partial(start_from_neighbors, join_all=True), list[_Asked]()

        def ask(candidate: Candidate, smaller: Candidate | None, larger: Candidate | None) -> Candidate:
            asked.append((candidate, smaller, larger))
            return candidate

        def answer(candidate: Candidate, *_: Candidate | None) -> Candidate:
            fit = next(found)
            near = candidate if fit is None else replace(candidate, mixture=fit.mixture)
            return candidate if fit is None else self._advanced(candidate, near)

        for one in chosen:
            learn(*one, ask)
        found = self._side_by_side(_from_neighbors, asked)
        for one in chosen:
            yield tuple(enforce_nesting(learn(*one, answer), self._advanced))

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
        family, k = candidate.covariance_type, candidate.n_components
        kept = self._kept.journal, self._kept.name("finished", family, k, "lacking", lacking)
        result = self._full.go_on(family, candidate.result, lacking=lacking, kept=kept)
        finished = self._full.candidate(family, k, result, begun)
        return replace(
            finished,
            seconds=candidate.seconds + finished.seconds,
            single_log_likelihood=candidate.single_log_likelihood,
            folds=candidate.folds,
        )


def _by_size(candidates: Sequence[Candidate]) -> dict[int, list[Candidate]]:
    groups: dict[int, list[Candidate]] = {}
    for one in candidates:
        groups.setdefault(one.n_components, []).append(one)
    return groups


def _complete(task: FitTask, cell: tuple[str, int]) -> Candidate:
    begun = perf_counter()
    return task.candidate(*cell, task.find(*cell), begun)


def _find(task: FitTask, cell: tuple[str, int]) -> tuple[FitResult | str, float]:
    begun = perf_counter()
    return packed(task.find(*cell)), perf_counter() - begun


def _from_neighbors(task: FitTask, asked: _Asked) -> FitResult | None:
    return task.found_from_neighbors(*asked)


def _refine(task: FitTask, near: _Near) -> tuple[Candidate, ...]:
    more = start_from_neighbors(*near, task.try_neighbors)
    return tuple(enforce_nesting(warm_start_from_best(more, task.try_warm_start), task.refit))
