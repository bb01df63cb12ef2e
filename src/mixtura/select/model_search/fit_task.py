"""Finding one model of a search: a value that is handed to other processes.

What a few thousand rows show of a mixture takes most of the iterations; every further level begins near its optimum.
The smaller levels only choose where to begin: likelihoods are of all rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np

from mixtura.core.covariance import get_family
from mixtura.core.data import Data
from mixtura.core.mixture import Mixture
from mixtura.core.model import GaussianModel
from mixtura.core.parts.kept_components import KeptComponents
from mixtura.core.prior import Prior
from mixtura.exceptions import MixturaError
from mixtura.fit import (
    PATIENT_SCHEDULE,
    RACE_SCHEDULE,
    SAME_OPTIMUM,
    AcceleratedEMStep,
    Degeneracy,
    FitResult,
    FromMixture,
    Initialization,
    Problem,
    RemainingGain,
    SampleAhead,
    SampledEMStep,
    Score,
    Settings,
    WithinReach,
    continue_batch,
    continue_fit,
    find_degeneracies,
    fit_best_of,
    join_components,
    likeliest_after,
    score_mixture,
    split_components,
)
from mixtura.fit.steps.warmup import WarmupEM
from mixtura.select.model_search.candidate import Candidate
from mixtura.select.model_search.cost import level_sizes
from mixtura.select.model_search.robustness import Robustness

if TYPE_CHECKING:
    from mixtura.fit.journal import Journal

__all__ = ["FitTask"]

_MAX_ITER = 1000

_TOLERANCE = 0.01
"""Nats of the total log-likelihood that a finished fit may leave to be gained, by Aitken's estimate."""

_FINE = 1e-4
"""The same where all rows are the only level, and passes cheap: slow gains, as beside a saddle, are seen with it."""

_COARSE = 0.05
"""The same before the last level. With more, fits end beside saddles from which they would still have come away."""

_ROUGH = 1.0
"""The same of a sample as a whole: all rows move the mixture further than what is left."""

_NEAR = 20.0
"""Nats below the best end of a level within which others go on to the next: two standard errors of the difference
where the log densities of a row differ by some 0.2, and rows are 2,000."""

_CHEAP_ROWS = 10_000
"""Rows up to which each model of a search has one start more, from the optimum of another family."""

_PASSES_OF_SPLITS = 2
"""Passes after which the likeliest of the mixtures with one component split are known well enough."""

_AHEAD, _INSTEAD = 8, 3
"""Iterations on a sample that follow the pass that every model found on one makes with all rows; and further passes
where the sample does not lead on. The best few are refined further."""


@lru_cache(maxsize=1)
def _generator(seed: int) -> np.random.RandomState:
    """Return the generator of all fits: starts are partitions and mixtures, for which nothing is drawn."""
    return np.random.RandomState(seed)


@dataclass(frozen=True, slots=True, eq=False)
class FitTask:
    """Fits the models of a search to one table, all in the same way.

    Parameters
    ----------
    data : Data
        What models are fitted to in the end: all rows, or where these are many a sample of them.
    is_sample : bool
        Whether it is a sample.
    subsamples : mapping of int to Data
        By their number of rows; a model is found on some of them first.
    starts : mapping of int to tuple of Initialization
        By number of components.
    priors : mapping of int to Prior
        By number of components, made from all rows.
    seed : int
        Of every model.
    robustness : Robustness
        What models have against outliers.
    robust : str
        Its name.
    kept : KeptComponents or None, default=None
        The first components of models that have as many.
    ways : int, default=1
        Components of the smaller neighbor that are split for starts; pairs of the larger one's that are joined are one
        more, or five in a sample, where its first level costs little beside the rest.
    """

    data: Data
    is_sample: bool
    subsamples: Mapping[int, Data]
    starts: Mapping[int, tuple[Initialization, ...]]
    priors: Mapping[int, Prior]
    seed: int
    robustness: Robustness
    robust: str
    kept: KeptComponents | None = None
    ways: int = 1

    def alone(self) -> FitTask:
        """Return the task for another process: passes stay on its thread."""
        parts = {size: data.alone() for size, data in self.subsamples.items()}
        return replace(self, data=self.data.alone(), subsamples=parts)

    def path(self, family: str, k: int) -> list[Data]:
        """Return the levels on which a model is found, from few rows to the data."""
        sizes = level_sizes(self.data.n_rows, self.data.n_parameters(family, k))
        return [*(self.subsamples[size] for size in sizes[:-1]), self.data]

    def problem(self, family: str, k: int, level: Data | None = None) -> Problem:
        terms, kept = self.robustness, self.kept
        model = GaussianModel(
            k, get_family(family), self.priors[k], self.data.discrete, terms.background, terms.tails,
            kept if kept is not None and kept.n_components <= k else None,
        )  # fmt: skip
        return Problem(self.data if level is None else level, model)

    def settings(
        self,
        level: Data | None = None,
        tolerance: float | None = None,
        step: type[AcceleratedEMStep] | type[WarmupEM] = AcceleratedEMStep,
    ) -> Settings:
        """Return how long a model is iterated on a level, by default the last."""
        level = self.data if level is None else level
        if tolerance is None:
            tolerance = _TOLERANCE if level is self.data else _COARSE
            tolerance = _ROUGH if self.is_sample and level is self.data else tolerance
        may_fall = any(prior.ridge > 0 for prior in self.priors.values())
        stop = RemainingGain(level.total_weight, tolerance, may_fall)
        return Settings(stop, _MAX_ITER, step=partial(step, tolerance=tolerance))

    def find(self, family: str, k: int) -> FitResult | MixturaError:
        """Return the fit to the data, or why there is none."""
        first, *further = self.path(family, k)
        try:
            found = self._best_of(first, family, k, self.starts[k], near=_NEAR if further else 0.0)
            for level in further:
                advance = self._race if found.rivals else self.go_on
                found = advance(family, found, level)
        except MixturaError as error:
            return error
        return found

    def go_on(
        self,
        family: str,
        found: FitResult,
        level: Data | None = None,
        *,
        lacking: float = 0.0,
        kept: tuple[Journal | None, str] = (None, ""),
    ) -> FitResult:
        """Return a fit that goes on from where another ended, on the rows of a level, by default the last.

        With ``lacking`` it ends unrefined once this many nats are not to be gained any more. ``kept`` says in which
        journal the run is kept, if there is one, and under which name.
        """
        problem, settings = self.problem(family, found.mixture.n_components, level), self.settings(level)
        if lacking > 0:
            weight = problem.data.total_weight
            settings = replace(settings, stop=WithinReach(settings.stop, weight, lacking))
        settings = replace(settings, journal=kept[0], name=kept[1], stretches=not kept[1])
        return _after(found, continue_fit(problem, found.mixture, settings))

    def _race(self, family: str, found: FitResult, level: Data) -> FitResult:
        """Return the best fit to a level of those that begin at an end on the level before, and at its rivals."""
        starts = [FromMixture(one) for one in (found.mixture, *found.rivals)]
        near = 0.0 if level is self.data else _NEAR
        return _after(found, self._best_of(level, family, found.mixture.n_components, starts, near=near))

    def _best_of(
        self,
        level: Data,
        family: str,
        k: int,
        starts: Sequence[Initialization],
        target: float = -np.inf,
        known: Mixture | None = None,
        near: float = 0.0,
    ) -> FitResult:
        is_only = not self.is_sample and len(self.path(family, k)) == 1
        return fit_best_of(
            self.problem(family, k, level),
            starts,
            self.settings(level, _FINE if is_only else None, WarmupEM),
            random_state=_generator(self.seed),
            schedule=RACE_SCHEDULE if level.discrete is None else PATIENT_SCHEDULE,
            accept=lambda mixture: not self._degeneracies(level, mixture),
            target=target,
            known=known,
            near=near,
        )

    def _objective(self, level: Data, candidate: Candidate) -> float:
        """Return what the fits of a level maximize, of a candidate: the logarithm of the prior included."""
        assert candidate.mixture is not None, "a candidate without a mixture has no objective"
        model = self.problem(candidate.covariance_type, candidate.n_components, level).model
        if level is self.data:
            return candidate.log_likelihood + model.log_prior(candidate.mixture)
        return score_mixture(level, candidate.mixture).log_likelihood + model.log_prior(candidate.mixture)

    def candidate(self, family: str, k: int, result: FitResult | MixturaError, begun: float) -> Candidate:
        """Return a fit with what it scores on the data."""
        model, n_features = self.problem(family, k).model, self.data.n_features
        size = model.n_parameters(n_features)
        n_own = replace(model, n_components=k + 1).n_parameters(n_features) - size - 1  # and its weight
        n_kept = 0 if model.kept is None else model.kept.n_components
        n_rows = self.data.total_weight
        if isinstance(result, MixturaError):
            missing, seconds = (np.nan,) * 4, perf_counter() - begun
            return Candidate(
                family,
                k,
                size,
                n_rows,
                *missing,
                None,
                None,
                seconds,
                failure=str(result),
                robust=self.robust,
                n_own=n_own,
                n_kept=n_kept,
            )
        result, score = self._evaluated(family, k, result)
        measured = (score.log_likelihood, score.entropy, score.classification_entropy, np.nan)
        seconds = perf_counter() - begun
        degeneracies = self._degeneracies(self.data, result.mixture)
        return Candidate(
            family, k, size, n_rows, *measured, result.mixture, result, seconds,
            degeneracies=degeneracies, robust=self.robust, n_own=n_own, n_kept=n_kept,
        )  # fmt: skip

    def _evaluated(self, family: str, k: int, result: FitResult) -> tuple[FitResult, Score]:
        """Return a fit with its score: to where a sample led from it, unless that is less likely."""
        if result.ahead is None:
            return result, score_mixture(self.data, result.mixture)
        model = self.problem(family, k).model
        score = score_mixture(self.data, result.ahead)
        reached = score.log_likelihood + model.log_prior(result.ahead)
        if reached >= result.lower_bound * result.total_weight:
            return replace(result, mixture=result.ahead, ahead=None), score
        result = self._plain(family, result)
        return result, score_mixture(self.data, result.mixture)

    def advance(self, family: str, starts: Sequence[Mixture]) -> list[FitResult | MixturaError]:
        """Return where mixtures of a family that were found on the sample are brought by passes over all rows.

        They are made for all of them at once.
        """
        problems = [self.problem(family, one.n_components) for one in starts]
        found = continue_batch(problems, starts, self.settings().stop, 1, self._ahead)
        return [
            self._plain(family, one) if isinstance(one, FitResult) and one.ahead is None else one
            for one in found
        ]

    def _plain(self, family: str, result: FitResult) -> FitResult:
        """Return a fit that was advanced by one pass, of which the sample could not go ahead, after some more."""
        problem = self.problem(family, result.mixture.n_components)
        after = continue_batch([problem], [result.mixture], self.settings().stop, _INSTEAD)[0]
        return replace(result, ahead=None) if isinstance(after, MixturaError) else _after(result, after)

    def _ahead(self, problem: Problem) -> SampledEMStep:
        family, k = problem.model.structure.name, problem.model.n_components
        sizes = level_sizes(max(self.subsamples), self.data.n_parameters(family, k))
        return SampledEMStep(problem, SampleAhead(self.subsamples[sizes[-2:][0]], _AHEAD))

    def _degeneracies(self, data: Data, mixture: Mixture) -> tuple[Degeneracy, ...]:
        """Return what is degenerate of a mixture; kept components are what they are."""
        found, kept = find_degeneracies(data, mixture), self.kept
        if kept is None or kept.n_components > mixture.n_components:
            return found
        return tuple(one for one in found if one.component >= kept.n_components)

    def refit(self, candidate: Candidate, near: Candidate, *, advance: bool = False) -> Candidate:
        """Return a candidate fitted again from what another family with as many components found.

        With ``advance`` a few passes are made; otherwise it is iterated to its optimum.
        """
        begun, family, k = perf_counter(), candidate.covariance_type, candidate.n_components
        assert near.mixture is not None, "a candidate without a mixture lends none"
        problem, settings = self.problem(family, k), self.settings()
        try:
            rng = np.random.RandomState(self.seed)
            start = FromMixture(near.mixture).prepare(problem, rng)(problem).first_mixture(problem)
            result = self.advance(family, [start])[0] if advance else continue_fit(problem, start, settings)
        except MixturaError:
            return candidate
        return self.candidate(family, k, result, begun - candidate.seconds)

    def try_warm_start(self, candidate: Candidate, near: Candidate) -> Candidate:
        """Return the better of a candidate and its fit from another's optimum, which is abandoned if it falls behind.

        Only where passes over all rows are cheap.
        """
        begun, family, k = perf_counter(), candidate.covariance_type, candidate.n_components
        if self.data.n_rows > _CHEAP_ROWS:
            return candidate
        assert near.mixture is not None, "a candidate without a mixture lends none"
        start, target = FromMixture(near.mixture), self._objective(self.data, candidate)
        try:
            result = self._best_of(self.data, family, k, [start], target, candidate.mixture)
        except MixturaError:
            return candidate
        if result.lower_bound * result.total_weight <= target + SAME_OPTIMUM:
            return candidate
        return self.candidate(family, k, result, begun - candidate.seconds)

    def try_neighbors(
        self, candidate: Candidate, smaller: Candidate | None, larger: Candidate | None
    ) -> Candidate:
        """Return the better of a candidate and its fit from mixtures of one component less and more."""
        begun = perf_counter()
        found = self.found_from_neighbors(candidate, smaller, larger)
        if found is None:
            return candidate
        family, k = candidate.covariance_type, candidate.n_components
        return self.candidate(family, k, found, begun - candidate.seconds)

    def _near(self, level: Data, smaller: Candidate | None, larger: Candidate | None) -> Iterator[Mixture]:
        """Yield mixtures with two components of the larger neighbor joined, then with one of the smaller split.

        Of the latter there are those that are the likeliest after two passes.
        """
        if larger is not None and larger.mixture is not None:
            yield from join_components(larger.mixture, self.ways + (5 if self.is_sample else 1))
        if smaller is None or smaller.mixture is None:
            return
        halves = split_components(smaller.mixture)
        problem = self.problem(smaller.covariance_type, smaller.n_components + 1, level)
        yield from likeliest_after(problem, halves, self.settings(level).stop, _PASSES_OF_SPLITS, self.ways)

    def found_from_neighbors(
        self, candidate: Candidate, smaller: Candidate | None, larger: Candidate | None
    ) -> FitResult | None:
        """Return a fit from a neighbor, one component split, or two joined; None where it is not the better one.

        They are compared on the first level: where one is better there, if this is not the data by more than its
        parameters gain by chance, it goes on to the data. It finds groups that partitions of rows do not have.
        """
        family, k = candidate.covariance_type, candidate.n_components
        first, *further = self.path(family, k)
        target, known = self._objective(first, candidate), None if further else candidate.mixture
        if further:
            target += self.problem(family, k).model.n_parameters(self.data.n_features)
        try:
            starts = [FromMixture(one) for one in self._near(first, smaller, larger)]
            found = self._best_of(first, family, k, starts, target, known)
            if found.lower_bound * found.total_weight <= target + SAME_OPTIMUM:
                return None
            for level in further:
                found = self.go_on(family, found, level)
        except MixturaError:
            return None
        return found


def _after(before: FitResult, result: FitResult) -> FitResult:
    """Return a result with the remarks about its start, and with the time that it took to come there."""
    seconds = {phase: before.seconds[phase] + result.seconds[phase] for phase in result.seconds}
    return replace(result, seconds=seconds, notes=before.notes)
