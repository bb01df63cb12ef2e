"""What candidates score on rows held out, and the one-standard-error rule that chooses among them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mixtura.select.scores.folds import FoldScores

__all__ = ["CrossValidated", "CrossValidation"]


@dataclass(frozen=True, slots=True, eq=False)
class CrossValidated:
    """One covariance type with one number of components, and what it scores on rows held out.

    Parameters
    ----------
    covariance_type : str
    n_components : int
    n_parameters : int
        Free parameters.
    folds : FoldScores
    """

    covariance_type: str
    n_components: int
    n_parameters: int
    folds: FoldScores

    @property
    def score(self) -> float:
        """Minus twice the log-likelihood of all rows, each under the fit without its fold; infinite if one failed."""
        return self.folds.score

    @property
    def standard_error(self) -> float:
        """Of the score; see `FoldScores.standard_error`."""
        return self.folds.standard_error

    @property
    def failure(self) -> str | None:
        """Why there is no score."""
        return self.folds.failure


@dataclass(frozen=True, slots=True, eq=False)
class CrossValidation:
    """All candidates, in the order given, scored on the same folds."""

    candidates: tuple[CrossValidated, ...]

    def __repr__(self) -> str:
        best = self.best
        return (
            f"<CrossValidation: best of {len(self.candidates)}: {best.covariance_type} with "
            f"{best.n_components} components, score {best.score:.1f}>"
        )

    @property
    def ranking(self) -> tuple[CrossValidated, ...]:
        """The candidates, best first; those that failed come last."""
        return tuple(sorted(self.candidates, key=lambda one: one.score))

    @property
    def best(self) -> CrossValidated:
        """The candidate of the smallest score."""
        return self.ranking[0]

    def within(self, *, paired: bool = False) -> tuple[CrossValidated, ...]:
        """Return the candidates within one standard error of the best, best first.

        Parameters
        ----------
        paired : bool, default=False
            Whether the error is that of the difference to the best, fold by fold, instead of that of the best's own
            score. Rows that are hard to predict are so for every candidate; the difference does not contain that, and
            its error is often a tenth.
        """
        best = self.best

        def error(one: CrossValidated) -> float:
            folds = one.folds.difference(best.folds) if paired else best.folds
            return folds.standard_error

        return tuple(
            one for one in self.ranking if one.failure is None and one.score - best.score <= error(one)
        )

    def simplest(self, *, paired: bool = False) -> CrossValidated:
        """Return the candidate of fewest free parameters among those `within` one standard error of the best.

        The one-standard-error rule (Breiman, Friedman, Olshen and Stone 1984, section 3.4.3); of equals the smaller
        score.

        Parameters
        ----------
        paired : bool, default=False
            As for `within`.
        """
        return min(self.within(paired=paired), key=lambda one: (one.n_parameters, one.score))

    def table(self) -> list[dict[str, Any]]:
        """Return a row per candidate, the best first.

        Returns
        -------
        list of dict
            Keys ``covariance_type``, ``n_components``, ``n_parameters``, ``score``, ``standard_error``, ``gap`` (to the
            best), ``gap_standard_error`` (of the difference, fold by fold), ``within`` (one standard error of the
            best) and ``failure``. What a candidate that failed does not have is None.
        """
        within, best = self.within(), self.best
        return [
            {
                "covariance_type": one.covariance_type,
                "n_components": one.n_components,
                "n_parameters": one.n_parameters,
                "score": one.score if one.failure is None else None,
                "standard_error": one.standard_error if one.failure is None else None,
                "gap": one.score - best.score if one.failure is None else None,
                "gap_standard_error": (
                    one.folds.difference(best.folds).standard_error if one.failure is None else None
                ),
                "within": one in within,
                "failure": one.failure,
            }
            for one in self.ranking
        ]
