"""The grid of a search: every covariance family with every number of components, fitted and ranked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import TypeAlias

import numpy as np

from mixtura.core.data import Data
from mixtura.exceptions import MixturaError
from mixtura.fit import Outcome
from mixtura.select.model_search.candidate import Candidate, OnCandidate
from mixtura.select.model_search.fitter import Fitter, SearchOptions
from mixtura.select.model_search.ranking import SearchResult
from mixtura.select.scores.folds import FoldScores

__all__ = ["FoldsOf", "fit_candidates"]

FoldsOf: TypeAlias = Mapping[tuple[str, int], FoldScores]
"""What candidates score, by covariance type and number of components."""

_FINISHED = 5
"""How many of the best are refined on all rows where models were found on a sample."""

_LIKELIHOOD_CRITERIA = ("bic", "aic", "aicc", "caic", "mmdl")
"""Those that fall by two with each nat that a model of given size gains."""


def fit_candidates(
    data: Data,
    families: Sequence[str],
    sizes: Sequence[int],
    options: SearchOptions,
    *,
    criterion: str = "bic",
    min_share: float = 0.0,
    folds: FoldsOf = MappingProxyType({}),
    keep_interrupted: bool = False,
    on_candidate: OnCandidate | None = None,
) -> SearchResult:
    """Fit every family with every number of components, and rank them.

    Parameters
    ----------
    data : Data
    families : sequence of str
    sizes : sequence of int
        Numbers of components.
    options : SearchOptions
    criterion : str, default="bic"
    min_share : float, default=0
        Least weight of a component, for a candidate to be the best.
    folds : mapping, optional
        What candidates score on rows held out, by family and number of components.
    keep_interrupted : bool, default=False
        End with the candidates that are done at a KeyboardInterrupt.
    on_candidate : callable, optional
        Called with each candidate, how many are done, those of other processes included, and how many there are.

    Raises
    ------
    MixturaError
        Every candidate failed, or the criterion is infinite for all of them.
    """
    fitter, done = Fitter(data, families, [1, *(k for k in sizes if k > 1)], options), list[Candidate]()
    try:
        _fit_all(fitter, families, sizes, folds, on_candidate, done)
        refined = fitter.refine(done) if data.n_features > 1 else done
        return _finished(_ranked(tuple(refined), criterion, min_share), fitter)
    except KeyboardInterrupt:
        if not keep_interrupted or all(one.failure for one in done):
            raise
        return replace(_ranked(tuple(done), criterion, min_share), interrupted=True)


def _fit_all(
    fitter: Fitter,
    families: Sequence[str],
    sizes: Sequence[int],
    folds: FoldsOf,
    on_candidate: OnCandidate | None,
    candidates: list[Candidate],
) -> None:
    """Append the candidates, one after the other."""
    attempts = fitter.fit_all()
    for family in families:
        single = next(attempts)
        for k in sizes:
            found = single if k == 1 else next(attempts)
            candidates.append(
                replace(found, single_log_likelihood=single.log_likelihood, folds=folds.get((family, k)))
            )
            if on_candidate is not None:
                done, total = len(candidates), len(families) * len(sizes)
                on_candidate(candidates[-1], max(done, min(done + fitter.n_ahead, total - 1)), total)


def _finished(found: SearchResult, fitter: Fitter) -> SearchResult:
    """Return the search with its best few models, and the one that is chosen, refined on all rows.

    The others go on only as long as they may still overtake the best of those that were refined; where one did, the
    sample has misled, and all of them go on.
    """
    leader, after = found.best, dict[Candidate, Candidate]()
    for one in found.ranking[:_FINISHED]:
        if one.outcome is Outcome.NOT_REFINED:
            after[one] = fitter.finish(one, _lacking(one, found))
            found = _replaced(found, one, after[one])
    if found.best is not after.get(leader, leader):
        for one, short in after.items():
            if short.outcome is Outcome.NOT_REFINED:
                found = _replaced(found, short, fitter.finish(one))
    while (best := found.best).outcome is Outcome.NOT_REFINED:
        found = _replaced(found, best, fitter.finish(best))
    return found


def _replaced(found: SearchResult, before: Candidate, after: Candidate) -> SearchResult:
    return replace(found, candidates=tuple(after if one is before else one for one in found.candidates))


def _lacking(candidate: Candidate, found: SearchResult) -> float:
    """Return the nats of log-likelihood at the least that a model has to gain to become the best; 0 if unknown."""
    best, criterion = found.best, found.criterion
    if best.outcome is Outcome.NOT_REFINED:
        return 0.0
    if criterion == "icl":  # at best every row becomes certain
        return max(0.0, (candidate.bic - best.criterion(criterion)) / 2)
    if criterion not in _LIKELIHOOD_CRITERIA:
        return 0.0
    return max(0.0, (candidate.criterion(criterion) - best.criterion(criterion)) / 2)


def _ranked(candidates: tuple[Candidate, ...], criterion: str, min_share: float) -> SearchResult:
    found = SearchResult(candidates, criterion, min_share)
    if all(one.failure for one in candidates):
        raise MixturaError(
            f"None of {len(candidates)} candidates could be fitted. The first: {candidates[0].failure}"
        )
    if not np.isfinite(found.best.criterion(criterion)):
        raise MixturaError(
            f"`criterion` must be finite for at least one candidate; got {criterion!r}, which is infinite for all "
            f"{len(candidates)}. Try `criterion='bic'`, or other numbers of components."
        )
    return found
