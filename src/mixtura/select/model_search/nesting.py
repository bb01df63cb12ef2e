"""What families learn from each other's ends: none may end below one that it contains."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import replace
from functools import cache

from mixtura.core.covariance import get_family, is_factor, mclust_name
from mixtura.select.model_search.candidate import Candidate

__all__ = [
    "contains",
    "enforce_nesting",
    "sound_by_family",
    "start_from_neighbors",
    "warm_start_from_best",
]

_SHORT = 0.01
"""Nats by which a family may be below one it contains: what a finished fit may leave to be gained."""

_FREEDOM = "IEV"
"""None, equal for all components, of each component's own; in the order of what they allow."""


@cache
def contains(family: str, other: str) -> bool:
    """Return whether every mixture of another family is one of this family, and it is not the same.

    A family allows what another does where volume, shape and orientation are each as free or freer (Celeux and Govaert
    1995, table 1).

    Examples
    --------
    >>> from mixtura.select.model_search.nesting import contains
    >>> contains("VVV", "EEE"), contains("VEI", "EVI"), contains("tied", "EII")
    (True, False, True)
    """
    if is_factor(family) or is_factor(other):
        return get_family(family).name == "full" and not is_factor(family)
    pairs = list(zip(mclust_name(family), mclust_name(other), strict=True))
    return all(_FREEDOM.index(own) >= _FREEDOM.index(its) for own, its in pairs) and any(
        a != b for a, b in pairs
    )


def warm_start_from_best(
    candidates: list[Candidate], try_warm_start: Callable[[Candidate, Candidate], Candidate]
) -> list[Candidate]:
    """Return the candidates, each with one start more: the end of the best with as many components, by BIC.

    Which rows belong together hardly depends on the family: what one found another may have missed from all its
    starts. Degenerate candidates neither lend their mixture nor are touched.

    Parameters
    ----------
    candidates : list of Candidate
    compete : callable
        Takes a candidate and the one to begin from; returns the better of the candidate and its fit from there.
    """
    ends = list(candidates)
    sound = _sound(ends)
    for i in sound:
        others = [j for j in sound if j != i and ends[j].n_components == ends[i].n_components > 1]
        if others:
            near = ends[min(others, key=lambda j: ends[j].bic)]
            ends[i] = _more_likely(ends[i], try_warm_start(ends[i], near))
    return ends


def start_from_neighbors(
    candidates: Sequence[Candidate],
    smaller: Mapping[str, Candidate],
    larger: Mapping[str, Candidate],
    leading: Container[str],
    try_neighbors: Callable[[Candidate, Candidate | None, Candidate | None], Candidate],
    *,
    join_all: bool = False,
) -> list[Candidate]:
    """Return the candidates, low ones with further starts: what their family has with one component less, and more.

    Where fits are good a further component mostly gains less than the one before it. A candidate below the mean of its
    neighbors' log-likelihoods is therefore low. One of two components may be, as the first step gains the most, and so
    may one that has only one neighbor. Degenerate candidates neither lend their mixture nor are touched.

    Parameters
    ----------
    candidates : sequence of Candidate
        Of one number of components.
    smaller, larger : mapping of str to Candidate
        Sound ones of one component less, and of one more, by family.
    leading : container of str
        Families whose candidates get such starts in any case.
    try_neighbors : callable
        Takes a candidate and both, None where there is none; returns the candidate fitted from there, or the same.
    join_all : bool, default=False
        Give those from one component more to all.
    """
    ends = list(candidates)
    for i in _sound(ends):
        family = ends[i].covariance_type
        below, above = smaller.get(family), larger.get(family)
        has_some = ends[i].n_components > 1 and not (below is None and above is None)
        if not has_some:
            continue
        if family in leading or _may_be_low(ends[i], below, above):
            ends[i] = _more_likely(ends[i], try_neighbors(ends[i], below, above))
        elif join_all:
            ends[i] = _more_likely(ends[i], try_neighbors(ends[i], None, above))
    return ends


def _may_be_low(candidate: Candidate, below: Candidate | None, above: Candidate | None) -> bool:
    if below is None or above is None or candidate.n_components == 2:
        return True
    return candidate.log_likelihood < 0.5 * (below.log_likelihood + above.log_likelihood)


def sound_by_family(candidates: Sequence[Candidate]) -> dict[str, Candidate]:
    """Return by family the candidates that neither failed nor are degenerate."""
    return {candidates[i].covariance_type: candidates[i] for i in _sound(candidates)}


def enforce_nesting(
    candidates: list[Candidate], refit: Callable[[Candidate, Candidate], Candidate]
) -> list[Candidate]:
    """Return the candidates; those below one whose family theirs contains are refitted from it.

    Iterating from there cannot end below it. Degenerate candidates neither lend their mixture nor are touched.

    Parameters
    ----------
    candidates : list of Candidate
    refit : callable
        Takes a candidate and the one to begin from; returns the candidate fitted from there.
    """
    ends = list(candidates)
    sound = _sound(ends)
    for i in sorted(sound, key=lambda i: candidates[i].n_parameters):
        inner = [
            ends[j]
            for j in sound
            if ends[j].n_components == ends[i].n_components
            and contains(ends[i].covariance_type, ends[j].covariance_type)
        ]
        nearest = max(inner, key=lambda one: one.log_likelihood, default=ends[i])
        if nearest.log_likelihood > ends[i].log_likelihood + _SHORT:
            ends[i] = _more_likely(ends[i], refit(ends[i], nearest))
    return ends


def _sound(candidates: Sequence[Candidate]) -> list[int]:
    """Return which candidates neither failed nor are degenerate."""
    return [i for i, one in enumerate(candidates) if not one.failure and not one.is_degenerate]


def _more_likely(candidate: Candidate, other: Candidate) -> Candidate:
    """Return the other end of a candidate where it is more likely and not degenerate, else the candidate."""
    if other.is_degenerate or not other.log_likelihood > candidate.log_likelihood:
        return candidate
    return replace(other, single_log_likelihood=candidate.single_log_likelihood, folds=candidate.folds)
