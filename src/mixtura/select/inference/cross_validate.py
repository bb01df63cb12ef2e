"""Cross-validated log-likelihood: which mixture says most of rows that it has not seen."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from mixtura.core.covariance import choose_families, count_parameters
from mixtura.select.checked_rows import as_table, counted_weights
from mixtura.select.model_search.fitter import SearchOptions
from mixtura.select.model_search.fold_search import score_candidates
from mixtura.select.priors import PriorName
from mixtura.select.scores.one_standard_error import CrossValidated, CrossValidation
from mixtura.validation import as_seed, whole_numbers

__all__ = ["cross_validate"]


def cross_validate(
    rows: npt.ArrayLike,
    *,
    components: Iterable[int] = range(1, 10),
    covariance_types: Iterable[str] | str = ("full", "tied", "diag", "spherical"),
    n_folds: int = 10,
    n_init: int = 1,
    random_state: int | np.random.RandomState | None = 0,
    sample_weight: npt.ArrayLike | None = None,
    prior: PriorName | float = "floor",
    missing: str = "error",
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
    random_state : int, RandomState or None, default=0
        Seed of the folds, the same for all candidates, and of the fits.
    sample_weight : array-like of shape (N,), optional
        Weights of the rows in fits and in scores; rows of weight zero are in no fold.
    prior : {"floor", "conjugate"} or float, default="floor"
        What keeps covariances from collapsing, see `search`.
    missing : {"error", "fiml"}, default="error"
        What NaN in the rows is: an error or a missing value, see `mixtura.GaussianMixture`.

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
        Every candidate failed; the message gives the reason of the first.

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
    table, seed = as_table(rows, missing), as_seed(random_state)
    weights = counted_weights(sample_weight, table)
    families = choose_families(covariance_types, table.shape[1])
    sizes = whole_numbers("components", components, 1)
    options = SearchOptions(prior, n_init, seed)
    scores = score_candidates(table, weights, families, sizes, options, n_folds)
    candidates = (
        CrossValidated(family, k, count_parameters(family, k, table.shape[1]), folds)
        for (family, k), folds in scores.items()
    )
    return CrossValidation(tuple(candidates))
