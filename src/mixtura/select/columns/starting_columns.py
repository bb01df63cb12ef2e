"""Where a selection of columns begins: sets of columns on which some components look real."""

from __future__ import annotations

from mixtura.select.columns.subset_models import Subset, SubsetFit, SubsetModels

__all__ = ["starting_fit"]

_FAMILIES = ("diag", "tied")
"""Of starts: with own variances, and with one covariance, which correlated columns that do not build do not disturb."""

_ROUNDS = 5
"""In which components and their columns are found in turn."""

_MOST_PEAKS = 5
"""Single columns with several peaks that are starts at most."""


def starting_fit(models: SubsetModels) -> SubsetFit | None:
    """Return a mixture of the columns to begin with; None where no components are seen in any.

    With every number of components a mixture of all columns is fitted. Columns that these components do not describe
    better than one distribution are left out, the others give components again, until the columns stay the same (as in
    Marbac, Patin and Sedki 2018, where it happens within EM). Columns with several peaks of their own are starts, too.
    Of all sets that is taken whose mixture gains most over a single Gaussian of the same columns. Where none does, as
    where correlated columns hide the others, it is looked for among those that were not in the best.
    """
    among, found = frozenset(range(len(models.groups))), list[SubsetFit]()
    for _ in range(_ROUNDS):
        best = min(_starts(models, among), key=lambda fit: _gain(models, fit), default=None)
        if best is None:
            break
        found.append(best)
        among -= best.subset
        if _gain(models, best) < 0 or not models.continuous(among):
            break
    return min(found, key=lambda fit: _gain(models, fit), default=None)


def _gain(models: SubsetModels, fit: SubsetFit) -> float:
    """Return by how much BIC exceeds that of a single distribution: negative where components are real."""
    return fit.bic - models.single_bic(fit.subset)


def _starts(models: SubsetModels, among: Subset) -> list[SubsetFit]:
    """Return mixtures of columns that components of some columns have in common."""
    fits = {fit.mixture.n_components: fit for fit in reversed(models.search(among, None, _FAMILIES))}
    settled = [_settled(models, fit, among) for fit in fits.values()]
    peaked = [g for g in sorted(among) if models.has_peaks(g, frozenset())][:_MOST_PEAKS]
    alone = [next(iter(models.search(frozenset([g]), None, _FAMILIES[:1])), None) for g in peaked]
    found: dict[Subset, SubsetFit] = {}
    for fit in (*settled, *alone):
        if fit is not None and (fit.subset not in found or fit.bic < found[fit.subset].bic):
            found[fit.subset] = fit
    return list(found.values())


def _settled(models: SubsetModels, fit: SubsetFit, among: Subset) -> SubsetFit | None:
    """Return the mixture when the columns that its components do not describe are left out, again and again."""
    nothing: Subset = frozenset()
    for _ in range(_ROUNDS):
        screen = models.screen(models.responsibilities(fit))
        kept = frozenset(
            g for g in among if models.evidence(g, screen.bic(models.groups[g], ()), 0.0, nothing) > 0
        )
        if kept == fit.subset:
            return fit
        near = [one for one in models.components if abs(one - fit.mixture.n_components) <= 1]
        again = models.search(kept, near, _FAMILIES) if models.continuous(kept) else ()
        if not again:
            return None
        fit = again[0]
    return fit
