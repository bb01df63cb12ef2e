"""Columns taken in and left out one at a time, by the difference of BIC of two models (Raftery and Dean 2006).

Model 1: the column builds the components together with those chosen. Model 2: it does not; given those chosen it is a
regression on some of them (Maugis, Celeux and Martin-Magniette 2009), or independent. Both are of the same rows and of
the same other columns, so that twice the logarithm of their Bayes factor is about the difference of their BIC.

Most fits begin at the components that there are. They are never better than a search, so that a column which they do
not need is not needed, and one which they gain by is gained by; the columns nearest to a change are searched.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mixtura._typing import FloatArray
from mixtura.select.columns.starting_columns import starting_fit
from mixtura.select.columns.subset_models import Subset, SubsetFit, SubsetModels

__all__ = ["Chosen", "choose_stepwise", "evidence_of", "is_kept"]

_HARDLY = 2.0
"""Evidence that is hardly worth mention (Kass and Raftery 1995). With less against it a column that builds is not left
out if it goes with the others; noise is."""

_TRIED = 2
"""Columns that are searched in every step, those nearest to a change."""

_MORE = 2
"""Components more that a further column may need."""

_ROUNDS = 3
"""After which the columns are taken as they are, should a search of them change them again."""


@dataclass(frozen=True, slots=True, eq=False)
class Chosen:
    """The columns that build, and what speaks for it.

    Parameters
    ----------
    fit : SubsetFit
    evidence : ndarray of shape (G,)
        ``BIC(model 2) - BIC(model 1)`` of every column: positive where it builds.
    """

    fit: SubsetFit
    evidence: FloatArray


def choose_stepwise(models: SubsetModels) -> Chosen | None:
    """Return the columns that build components; None where none do."""
    fit = starting_fit(models)
    if fit is None:
        return None
    for _ in range(_ROUNDS):
        fit = _searched(models, fit)
        settled = _steps(models, fit)
        if settled.subset == fit.subset:
            break
        fit = settled
    fit = _searched(models, fit)
    if not fit.bic < models.single_bic(fit.subset):
        return None
    return Chosen(fit, evidence_of(models, fit))


def _searched(models: SubsetModels, fit: SubsetFit) -> SubsetFit:
    return next(iter(models.search(fit.subset)), fit)


def _steps(models: SubsetModels, fit: SubsetFit) -> SubsetFit:
    seen = set[Subset]()
    while fit.subset not in seen:
        seen.add(fit.subset)
        fit = _left_out(models, fit)
        fit = _taken_in(models, fit) or fit
    return fit


def _left_out(models: SubsetModels, fit: SubsetFit) -> SubsetFit:
    """Return the mixture without the columns against which the evidence is, one at a time, the clearest first."""
    while True:
        found = _against(models, fit, _without_each(models, fit))
        gone = [one for evidence, one in found if not is_kept(models, one.subset, fit.subset, evidence)]
        if not gone:
            near = [models.near(one.subset, fit.mixture.n_components) for _, one in found[:_TRIED]]
            found = _against(models, fit, [one for one in near if one is not None])
            gone = [one for evidence, one in found if not is_kept(models, one.subset, fit.subset, evidence)]
        if not gone:
            return fit
        fit = gone[0]


def _against(models: SubsetModels, fit: SubsetFit, without: list[SubsetFit]) -> list[tuple[float, SubsetFit]]:
    """Return mixtures that lack one column, with the evidence that it builds, the least first."""
    return sorted(((_of_builder(models, fit, one), one) for one in without), key=lambda pair: pair[0])


def is_kept(models: SubsetModels, rest: Subset, subset: Subset, evidence: float) -> bool:
    """Return whether the column of a subset that the rest lacks goes on building, given the evidence that it does."""
    (group,) = subset - rest
    follows = models.alone.of_column(models.groups[group], models.continuous(rest)).predictors
    return evidence >= (-_HARDLY if follows else 0.0)


def _without_each(models: SubsetModels, fit: SubsetFit) -> list[SubsetFit]:
    """Return the mixtures without each column in turn, from the components that there are."""
    shares, family = models.responsibilities(fit), fit.mixture.covariance_type
    rests = [rest for g in sorted(fit.subset) if models.continuous(rest := fit.subset - {g})]
    found = [models.again(rest, shares, family) for rest in rests]
    return [one for one in found if one is not None]


def _of_builder(models: SubsetModels, fit: SubsetFit, without: SubsetFit) -> float:
    """Return the evidence that the column which a mixture lacks builds."""
    (group,) = fit.subset - without.subset
    found = models.evidence(group, fit.bic, without.bic, without.subset, without.mixture)
    if found > 0 or models.has_missing(fit.subset):
        return found
    screen = models.screen(models.responsibilities(without))
    return max(found, models.evidence_by_sums(group, screen, without.subset))


def _taken_in(models: SubsetModels, fit: SubsetFit) -> SubsetFit | None:
    """Return the mixture with the further column for which most speaks; None where nothing speaks for any."""
    shares, family, k = models.responsibilities(fit), fit.mixture.covariance_type, fit.mixture.n_components
    outside, screened = _screened(models, fit, shares)
    if screened > 0 and not models.has_missing(fit.subset | {outside[0]}):
        return models.again(fit.subset | {outside[0]}, shares, family)
    further = [models.again(fit.subset | {g}, shares, family) for g in outside]
    best = _best(models, fit, further)
    if best is None:
        peaked = [g for g in outside[_TRIED:] if models.has_peaks(g, fit.subset)]
        tried = (*outside[:_TRIED], *peaked[:_TRIED])
        best = _best(models, fit, [models.near(fit.subset | {g}, k, _MORE) for g in tried])
    return best


def _best(models: SubsetModels, fit: SubsetFit, further: list[SubsetFit | None]) -> SubsetFit | None:
    gains = [(_of_further(models, fit, one), one) for one in further if one is not None]
    gain, best = max(gains, key=lambda pair: pair[0], default=(0.0, None))
    return best if gain > 0 else None


def _of_further(models: SubsetModels, fit: SubsetFit, more: SubsetFit) -> float:
    """Return the evidence that the column which a mixture has more builds."""
    (group,) = more.subset - fit.subset
    return models.evidence(group, more.bic, fit.bic, fit.subset, fit.mixture)


def _screened(models: SubsetModels, fit: SubsetFit, shares: FloatArray) -> tuple[list[int], float]:
    """Return the columns that do not build, those first for which most speaks by sums, and how much for the first."""
    screen = models.screen(shares)
    outside = {
        g: models.evidence_by_sums(g, screen, fit.subset)
        for g in range(len(models.groups))
        if g not in fit.subset
    }
    return sorted(outside, key=lambda g: -outside[g]), max(outside.values(), default=-np.inf)


def evidence_of(models: SubsetModels, fit: SubsetFit, *, by_sums: bool = False) -> FloatArray:
    """Return the evidence that each column builds, (G,); infinite for the only continuous one beside discrete ones.

    With ``by_sums`` only the columns outside that are nearest to building are fitted.
    """
    found = np.where([g in fit.subset for g in range(len(models.groups))], np.inf, -np.inf)
    if len(fit.subset) == 1:
        (group,) = fit.subset
        found[group] = models.evidence(group, fit.bic, 0.0, frozenset())
    k, shares, family = fit.mixture.n_components, models.responsibilities(fit), fit.mixture.covariance_type
    for one in _without_each(models, fit):
        (group,) = fit.subset - one.subset
        near = models.known(one.subset, k)
        found[group] = min(_of_builder(models, fit, each) for each in (one, near) if each is not None)
    screen = models.screen(shares)
    for place, group in enumerate(_screened(models, fit, shares)[0]):
        found[group] = models.evidence_by_sums(group, screen, fit.subset)
        if by_sums and place >= _TRIED:
            continue
        more = models.again(fit.subset | {group}, shares, family)
        if more is not None:
            by_fit = _of_further(models, fit, more)
            found[group] = by_fit if models.has_missing(more.subset) else max(found[group], by_fit)
    return found
