"""Cross-validated log-likelihood: which mixture says most of rows that it has not seen."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from mixtura._typing import FloatArray, RowArray
from mixtura.core.covariance import choose_families, get_family
from mixtura.core.mixture import Mixture
from mixtura.exceptions import MixturaError, ParameterError
from mixtura.select.arguments import as_rows, as_weights, count_rows, require_rows, whole_numbers
from mixtura.select.grid import search
from mixtura.select.held_out import FoldScores, draw_folds, held_out_scores
from mixtura.select.priors import PriorName

__all__ = ["CrossValidated", "CrossValidation", "cross_validate"]


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

    @property
    def ranking(self) -> tuple[CrossValidated, ...]:
        """The candidates, best first; those that failed come last."""
        return tuple(sorted(self.candidates, key=lambda one: one.score))

    @property
    def best(self) -> CrossValidated:
        """The candidate of the smallest score."""
        return self.ranking[0]

    def within(self, *, paired: bool = False) -> tuple[CrossValidated, ...]:
        """Return the candidates that are not told from the best, best first: within one standard error of it.

        Parameters
        ----------
        paired : bool, default=False
            Whether the error is that of the difference to the best, fold by fold, instead of that of the best's own
            score. Rows that are hard to predict are so for every candidate; the difference does not contain that, and
            its error is often a tenth.
        """
        best = self.best

        def error(one: CrossValidated) -> float:
            folds = one.folds.minus(best.folds) if paired else best.folds
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
                    one.folds.minus(best.folds).standard_error if one.failure is None else None
                ),
                "within": one in within,
                "failure": one.failure,
            }
            for one in self.ranking
        ]


def cross_validate(
    rows: npt.ArrayLike,
    *,
    components: Iterable[int] = range(1, 10),
    covariance_types: Iterable[str] | str = ("full", "tied", "diag", "spherical"),
    n_folds: int = 10,
    n_init: int = 1,
    random_state: int = 0,
    sample_weight: npt.ArrayLike | None = None,
    prior: PriorName | float = "floor",
) -> CrossValidation:
    """Score covariance types and numbers of components by the log-likelihood of rows held out (Smyth 2000).

    The rows are cut into folds. Every candidate is fitted to all folds but one and says how likely the rows of that
    one are; the score is minus twice the sum over all folds, so that smaller is better, as for the criteria. It asks
    nothing of theory: it is an estimate, up to a constant, of twice the Kullback-Leibler distance to the truth. It
    costs as many searches as there are folds.

    Parameters
    ----------
    rows : array-like of shape (N, D)
    components : iterable of int, default 1 to 9
    covariance_types : str or iterable of str, default ("full", "tied", "diag", "spherical")
        As for `search`.
    n_folds : int, default=10
        From 2 to the number of rows.
    n_init : int, default=1
        Starts per fit.
    random_state : int, default=0
        Seed of the folds, the same for all candidates, and of the fits.
    sample_weight : array-like of shape (N,), optional
        Weights of the rows in fits and in scores; rows of weight zero are in no fold.
    prior : {"floor", "conjugate"} or float, default="floor"
        What keeps covariances from collapsing, see `search`.

    Returns
    -------
    CrossValidation

    Raises
    ------
    ParameterError
        A parameter is out of its range.
    DataError
        Rows or weights that cannot be used; `TooFewRowsError` where the most components are more than the rows of all
        folds but the largest.
    MixturaError
        Every candidate failed; the reason of the first is told.

    References
    ----------
    Smyth (2000), Model selection for probabilistic clustering using cross-validated likelihood, Statistics and
    Computing 10.

    Examples
    --------
    >>> from mixtura.datasets import make_customers
    >>> from mixtura.select import cross_validate
    >>> found = cross_validate(make_customers(), components=range(1, 6), covariance_types=["spherical", "full"])
    >>> found.simplest().covariance_type, found.simplest().n_components
    ('spherical', 3)
    """
    table = as_rows(rows)
    weights = as_weights(sample_weight, table.shape[0])
    families = choose_families(covariance_types, table.shape[1])
    sizes = whole_numbers("components", components, 1)
    _check(sizes, table, weights, n_folds, random_state)
    pairs = [(family, k) for family in families for k in sizes]

    def fit(rows: RowArray, weights: FloatArray | None) -> list[Mixture | str]:
        try:
            found = search(
                rows,
                components=sizes,
                covariance_types=families,
                n_init=n_init,
                random_state=random_state,
                sample_weight=weights,
                prior=prior,
            )
        except ParameterError:
            raise
        except MixturaError as error:
            return [str(error)] * len(pairs)
        fits = {(one.covariance_type, one.n_components): one for one in found.candidates}
        return [fits[pair].mixture or str(fits[pair].failure) for pair in pairs]

    scores = held_out_scores(table, weights, fit, n_folds=n_folds, random_state=random_state)
    return _gathered(pairs, scores, table.shape[1])


def _gathered(pairs: list[tuple[str, int]], scores: list[FoldScores], n_features: int) -> CrossValidation:
    candidates = tuple(
        CrossValidated(family, k, _n_parameters(family, k, n_features), folds)
        for (family, k), folds in zip(pairs, scores, strict=True)
    )
    if all(one.failure for one in candidates):
        raise MixturaError(
            f"None of {len(candidates)} candidates could be fitted. The first: {candidates[0].failure}"
        )
    return CrossValidation(candidates)


def _n_parameters(covariance_type: str, k: int, n_features: int) -> int:
    return k - 1 + k * n_features + get_family(covariance_type).n_parameters(k, n_features)


def _check(
    sizes: list[int],
    rows: RowArray,
    weights: FloatArray | None,
    n_folds: int,
    random_state: int,
) -> None:
    n_rows = count_rows(rows, weights)
    largest = int(np.bincount(draw_folds(n_rows, n_folds, random_state)).max())
    require_rows(n_rows - largest, max(sizes), "rows of positive weight outside the largest fold")
