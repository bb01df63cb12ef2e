"""All models tried, ranked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from mixtura.select.model_search.candidate import Candidate
from mixtura.select.scores.one_standard_error import CrossValidated, CrossValidation

__all__ = [
    "SearchResult",
    "choose_best",
    "decided_by",
    "explain_choice",
    "first_not_excluded",
    "with_best_types",
]


@dataclass(frozen=True, slots=True, eq=False)
class SearchResult:
    """All candidates, in the order tried, and the criterion that ranks them.

    Parameters
    ----------
    candidates : tuple of Candidate
    criterion : str
    min_share : float, default=0
        Least weight of a component, for a candidate to be the best.
    robust_scores : mapping of str to float, optional
        With ``robust="auto"`` the criterion of the best model without and with noise or t components; the candidates
        are those of the smallest.
    interrupted : bool, default=False
        Whether the search was ended before all candidates were tried and refined.
    """

    candidates: tuple[Candidate, ...]
    criterion: str
    min_share: float = 0.0
    robust_scores: Mapping[str, float] = field(default_factory=dict)
    interrupted: bool = False

    def __repr__(self) -> str:
        best = self.best
        score = f"{self.criterion} {best.criterion(self.criterion):.1f}"
        return (
            f"<SearchResult: best of {len(self.candidates)}: {best.covariance_type} with "
            f"{best.n_components} components, {score}>"
        )

    def measured_as(self, candidates: tuple[Candidate, ...]) -> SearchResult:
        """Return the result with the same candidates measured in other units, which add one number to all criteria."""
        found = replace(self, candidates=candidates)
        if not self.robust_scores:
            return found
        added = found.best.criterion(self.criterion) - self.best.criterion(self.criterion)
        return replace(found, robust_scores={kind: one + added for kind, one in self.robust_scores.items()})

    @property
    def ranking(self) -> tuple[Candidate, ...]:
        """The candidates, best first; those that failed come last."""
        return tuple(sorted(self.candidates, key=self._order))

    def _order(self, candidate: Candidate) -> tuple[bool, float]:
        return candidate.failure is not None, candidate.criterion(self.criterion)

    @property
    def best(self) -> Candidate:
        """The first of the ranking that is neither degenerate nor has too small a component; where all are, the first.

        Where every sound one has a component of a weight below `min_share`, the first of these.

        With ``criterion="cv"`` it is the candidate of fewest free parameters within one standard error of that first
        one (Breiman, Friedman, Olshen and Stone 1984, section 3.4.3). With ``"bic"`` and discrete columns it is the
        first of those that have, of each number of components, the covariance type of the smallest MMDL.
        """
        sound = [one for one in self.ranking if not one.is_degenerate and not one.failure]
        enough = [one for one in sound if one.smallest_share >= self.min_share]
        return choose_best(enough or sound, self.criterion) if sound else self.ranking[0]

    @property
    def excluded(self) -> tuple[Candidate, ...]:
        """Candidates with a smaller criterion than the best that are degenerate or have too small a component."""
        before = self.ranking[: self.ranking.index(self.best)]
        return tuple(one for one in before if one.is_degenerate or one.smallest_share < self.min_share)

    @property
    def minimum(self) -> Candidate:
        """The first of the ranking that is not excluded: the best, unless `selection_reason` says why it is another."""
        return first_not_excluded(self.ranking, self.excluded)

    @property
    def rule(self) -> str:
        """What decided: ``"minimum"``, ``"one standard error"``, or of MMDL the ``"covariance type"``."""
        return decided_by(self.best, self.minimum)

    @property
    def selection_reason(self) -> str | None:
        """Say why the best has not the smallest criterion: the one-standard-error rule, or MMDL; None where it has."""
        return explain_choice(self.best, self.minimum)

    @property
    def robust(self) -> str:
        """What the models have against outliers: ``"none"``, ``"noise"`` or ``"t"``."""
        return self.candidates[0].robust

    @property
    def robust_reason(self) -> str | None:
        """Say what the criterion decided of outliers; None where it was not asked."""
        if not self.robust_scores:
            return None
        words = {"none": "Gaussian components alone", "noise": "a noise component", "t": "t components"}
        listed = ", ".join(f"{words[kind]} {score:,.1f}" for kind, score in self.robust_scores.items())
        return f"{self.criterion.upper()} chose {words[self.robust]} ({listed})."

    @property
    def boundary_warning(self) -> str | None:
        """Say so if the best lies on the edge of the numbers of components searched; None if it does not.

        A single component is the least there is, and no edge; with one number of components nothing was searched. Where
        a standard error decides, the smallest criterion may lie there, too, and with more components be smaller.
        """
        found, tried = self.best.n_components, {one.n_components for one in self.candidates}
        if len(tried) == 1:
            return None
        if found < max(tried) == self.minimum.n_components:
            return (
                f"The smallest {self.criterion.upper()} lies on the edge of the search: {max(tried)} components, the "
                "most that were tried. With more it may be smaller and the choice another: search up to "
                f"{2 * max(tried)} components."
            )
        if min(tried) < found < max(tried) or found == 1:
            return None
        most = found == max(tried)
        further = f"{found} to {2 * found}" if most else f"1 to {found}"
        return (
            f"The best lies on the edge of the search: {found} components, the {'most' if most else 'fewest'} that "
            f"were tried. {'More' if most else 'Fewer'} may be better: search {further} components."
        )

    def table(self, columns: Sequence[str] | None = None, *, first: int = 0) -> list[dict[str, Any]]:
        """Return a row per candidate, in the order of the ranking.

        Parameters
        ----------
        columns : sequence of str, optional
            Names of the columns, for what is said of degenerate components.
        first : int, default=0
            Number of the first component there.

        Returns
        -------
        list of dict
            Keys ``covariance_type``, ``n_components``, ``n_parameters``, ``log_likelihood``, ``entropy``, every name in
            `FIT_CRITERIA`, ``degenerate`` (why, if it is), ``outcome`` (how the fit ended), ``n_iter``, ``seconds`` and
            ``failure`` (why there is no fit). With ``criterion="cv"`` also ``cv``, its ``cv_standard_error``, and
            ``cv_failure`` (why there is no score). What a failed fit does not have is None.

        Examples
        --------
        >>> from mixtura.datasets import make_customers
        >>> from mixtura.select import search
        >>> for row in search(make_customers(), components=[2, 3], covariance_types=["tied", "diag"]).table():
        ...     print(row["covariance_type"], row["n_components"], row["n_parameters"], round(row["icl"]))
        tied 3 11 4820
        diag 3 14 4816
        tied 2 8 4856
        diag 2 9 4902
        """
        return [candidate.row(columns, first=first) for candidate in self.ranking]


def choose_best(ranking: Sequence[Candidate], criterion: str) -> Candidate:
    """Return the best of candidates that may win, the smallest criterion first.

    It is the first, but where cross-validation ranks them: held-out rows cannot distinguish models within one
    standard error, and the simplest of these is chosen, see `CrossValidation.simplest`; and but where the covariance
    type is not left to the criterion, see `with_best_types`.
    """
    if criterion != "cv":
        return with_best_types(ranking, criterion)[0]
    scored = {
        CrossValidated(one.covariance_type, one.n_components, one.n_parameters, one.folds): one
        for one in ranking
        if one.folds is not None and one.folds.failure is None
    }
    return scored[CrossValidation(tuple(scored)).simplest()] if scored else ranking[0]


def with_best_types(ranking: Sequence[Candidate], criterion: str) -> list[Candidate]:
    """Return the candidates whose covariance type may win for their number of components, in the order given.

    All may, but where BIC ranks mixtures that have discrete columns. Those have many components for their rows, and BIC
    takes each parameter of a component for one that all rows determine, so that it prefers a covariance that components
    share even where theirs differ. There the type of the smallest MMDL may win, see `mmdl`; BIC has the number.
    """
    if criterion != "bic" or not any(_has_levels(one) for one in ranking):
        return list(ranking)
    best: dict[int, Candidate] = {}
    for one in ranking:
        before = best.get(one.n_components)
        if before is None or one.criterion("mmdl") < before.criterion("mmdl"):
            best[one.n_components] = one
    return [one for one in ranking if one is best[one.n_components]]


def _has_levels(candidate: Candidate) -> bool:
    return candidate.mixture is not None and candidate.mixture.levels is not None


def first_not_excluded(ranking: Sequence[Candidate], excluded: Sequence[Candidate]) -> Candidate:
    """Return the first candidate that is not excluded."""
    return next(one for one in ranking if one not in excluded)


def decided_by(best: Candidate, smallest: Candidate) -> str:
    """Return what decided: the ``"minimum"``, ``"one standard error"`` of it, or of MMDL the ``"covariance type"``."""
    if best is smallest:
        return "minimum"
    return "covariance type" if smallest.folds is None else "one standard error"


def explain_choice(best: Candidate, smallest: Candidate) -> str | None:
    """Say why the best is not the one of the smallest criterion; None if it is, or the criterion does not say it."""
    if best is smallest:
        return None
    if smallest.folds is None:
        return _explain_type(best, smallest) if _has_levels(best) else None
    return (
        f"The smallest CV is that of {smallest.covariance_type} with {smallest.n_components} "
        f"({smallest.folds.score:,.1f}, with a standard error of {smallest.folds.standard_error:,.1f}); "
        f"{best.covariance_type} with {best.n_components} is chosen because it has the fewest parameters within one "
        "standard error of it."
    )


def _explain_type(best: Candidate, smallest: Candidate) -> str:
    """Say that MMDL had the covariance type."""
    return (
        f"BIC is smaller of {smallest.covariance_type} with {smallest.n_components} ({smallest.bic:,.1f}) than of "
        f"{best.covariance_type} with {best.n_components} ({best.bic:,.1f}), which is chosen: with discrete columns "
        "the covariance type is that of the smallest MMDL, which counts what a component has for itself by its rows."
    )
