"""Cross-validation of the candidates of a search: each is fitted without each fold and scored on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from mixtura._typing import FloatArray
from mixtura.core.mixture import Mixture
from mixtura.core.protocols import RowTable
from mixtura.engine import as_data
from mixtura.exceptions import MixturaError, ParameterError
from mixtura.run import ALONE
from mixtura.select.model_search.cost import search_seconds, workers_for
from mixtura.select.model_search.fitter import SAMPLE_ROWS, SearchOptions
from mixtura.select.model_search.grid import fit_candidates
from mixtura.select.model_search.kept_fits import KeptFits
from mixtura.select.scores.folds import FoldScores, OnFold, held_out_scores, rows_fitted
from mixtura.validation import count_rows, require_rows

__all__ = ["score_candidates"]


def score_candidates(
    rows: RowTable,
    weights: FloatArray | None,
    families: Sequence[str],
    sizes: Sequence[int],
    options: SearchOptions,
    n_folds: int,
    on_fold: OnFold | None = None,
    kept: KeptFits | None = None,
) -> dict[tuple[str, int], FoldScores]:
    """Return what every candidate scores on rows held out, all on the same folds.

    Parameters
    ----------
    rows : ndarray of shape (N, D), float64 or float32, C-contiguous
    weights : ndarray of shape (N,), or None
        Rows of weight zero are in no fold.
    families : sequence of str
    sizes : sequence of int
        Numbers of components.
    options : SearchOptions
        The seed is that of the folds, too.
    n_folds : int
    on_fold : callable, optional
        Called after each fold with how many are done, and how many there are.
    kept : KeptFits, optional
        Where the scores of each fold are kept.

    Raises
    ------
    ParameterError
        Fewer than two folds, or more than rows; or what the search refuses.
    TooFewRowsError
        The most components are more than the rows of all folds but the largest.
    MixturaError
        No candidate has a score; the message gives the reason of the first.
    """
    fewest = rows_fitted(count_rows(rows, weights), n_folds)
    require_rows(fewest, max(sizes), "rows of positive weight outside the largest fold")
    pairs = [(family, k) for family in families for k in sizes]

    # Passes over more rows use all cores by themselves.
    seconds = n_folds * search_seconds(pairs, fewest, rows.shape[1])
    scores = held_out_scores(
        rows, weights, _Fits(families, sizes, options), n_folds=n_folds, random_state=options.random_state,
        on_fold=on_fold, each=None if kept is None else partial(kept.each, f"fold of {n_folds}"),
        workers=workers_for(seconds, n_folds) if fewest <= SAMPLE_ROWS else ALONE,
    )  # fmt: skip
    if all(one.failure for one in scores):
        raise MixturaError(
            f"None of {len(scores)} candidates could be fitted. The first: {scores[0].failure}"
        )
    return dict(zip(pairs, scores, strict=True))


@dataclass(frozen=True, slots=True)
class _Fits:
    """Fits all models to some rows."""

    families: Sequence[str]
    sizes: Sequence[int]
    options: SearchOptions

    def __call__(self, rows: RowTable, weights: FloatArray | None) -> list[Mixture | str]:
        pairs = [(family, k) for family in self.families for k in self.sizes]
        try:
            found = fit_candidates(as_data(rows, weights), self.families, self.sizes, self.options)
        except ParameterError:
            raise
        except MixturaError as error:
            return [str(error)] * len(pairs)
        fits = {(one.covariance_type, one.n_components): one for one in found.candidates}
        return [fits[pair].mixture or str(fits[pair].failure) for pair in pairs]
