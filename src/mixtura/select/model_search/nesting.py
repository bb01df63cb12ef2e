"""What families learn from each other's ends: none may end below one that it contains."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from mixtura.core.covariance import get_family, is_factor, mclust_name
from mixtura.select.model_search.candidate import Candidate

__all__ = ["contains", "enforce_nesting", "start_from_larger", "warm_start_from_best"]

_SHORT = 0.01
"""Nats by which a family may be below one it contains: what a finished fit may leave to be gained."""

_FREEDOM = "IEV"
"""None, equal for all components, of each component's own; in the order of what they allow."""


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


def start_from_larger(
    candidates: list[Candidate],
    larger: Sequence[Candidate],
    try_joined: Callable[[Candidate, Candidate], Candidate],
) -> list[Candidate]:
    """Return the candidates, each with one start more: what its family has with one component more, two joined.

    Degenerate candidates neither lend their mixture nor are touched.

    Parameters
    ----------
    candidates, larger : sequence of Candidate
        Of one number of components each, the latter of one more.
    try_joined : callable
        Takes a candidate and the larger one of its family; returns the candidate fitted from there, or the same.
    """
    ends, lenders = list(candidates), list(larger)
    of_family = {lenders[j].covariance_type: lenders[j] for j in _sound(lenders)}
    for i in _sound(ends):
        lender = of_family.get(ends[i].covariance_type)
        if lender is not None and ends[i].n_components > 1:
            ends[i] = _more_likely(ends[i], try_joined(ends[i], lender))
    return ends


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


def _sound(candidates: list[Candidate]) -> list[int]:
    """Return which candidates neither failed nor are degenerate."""
    return [i for i, one in enumerate(candidates) if not one.failure and not one.is_degenerate]


def _more_likely(candidate: Candidate, other: Candidate) -> Candidate:
    """Return the other end of a candidate where it is more likely and not degenerate, else the candidate."""
    if other.is_degenerate or not other.log_likelihood > candidate.log_likelihood:
        return candidate
    return replace(other, single_log_likelihood=candidate.single_log_likelihood, folds=candidate.folds)
