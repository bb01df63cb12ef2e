"""Missing values filled by a fitted mixture: conditional means, random draws, multiple imputations."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from mixtura._optional import as_numbers
from mixtura._typing import FloatArray
from mixtura.core.impute import conditional_draws, conditional_means
from mixtura.core.mixture import Mixture
from mixtura.exceptions import DataError, ParameterError
from mixtura.validation import Interval, require

__all__ = ["impute", "multiple_imputations"]


def impute(
    model: Any,
    X: npt.ArrayLike,
    *,
    method: str = "mean",
    random_state: int | np.random.RandomState | None = 0,
) -> FloatArray:
    """Return rows with their missing values filled.

    ``"mean"``: the conditional mean
    ``E[x_m | x_o] = sum_k r_k(x_o) (mu_k,m + Sigma_k,mo Sigma_k,oo^-1 (x_o - mu_k,o))``, the best guess by squared
    error; filled columns vary less than real ones. ``"draw"``: a component by its probability, then values from its
    conditional distribution; distributions and correlations are kept (Little and Rubin 2019, chapters 4 and 11).

    Parameters
    ----------
    model : GaussianMixture, GaussianMixtureIC or Mixture
        Fitted to rows with the same columns, as with ``missing="fiml"``.
    X : array-like of shape (N, D)
        NaN where a value is missing. Rows without any value get the mixture's own mean, or a draw from it.
    method : {"mean", "draw"}, default="mean"
    random_state : int, RandomState or None, default=0
        Of the draws.

    Returns
    -------
    ndarray of shape (N, D)
        Values that were there are kept.

    Raises
    ------
    DataError
        The rows are not a table of D numbers, or some are infinite.
    ParameterError
        The model is not a fitted mixture, or the method is unknown.

    Examples
    --------
    >>> import numpy as np
    >>> from mixtura import GaussianMixture, impute
    >>> rng = np.random.RandomState(0)
    >>> first = rng.normal(size=500)
    >>> X = np.column_stack([first, 2 * first + 0.1 * rng.normal(size=500)])
    >>> X[:100, 1] = np.nan
    >>> model = GaussianMixture(1, missing="fiml").fit(X)
    >>> impute(model, [[1.5, np.nan]]).round(1).tolist()
    [[1.5, 3.0]]
    """
    require("method", method, ["mean", "draw"])
    mixture, rows = _opened(model, X)
    if method == "mean":
        return conditional_means(mixture, rows)
    return conditional_draws(mixture, rows, _generator(random_state))


def multiple_imputations(
    model: Any,
    X: npt.ArrayLike,
    n_imputations: int = 20,
    *,
    random_state: int | np.random.RandomState | None = 0,
) -> Iterator[FloatArray]:
    """Return an iterator over several independent draws of the missing values, each as `impute` with ``method="draw"``.

    Analyze each and combine by Rubin's rules: the estimate is the mean over imputations, its variance that within them
    plus ``1 + 1 / n_imputations`` times that between them (Rubin 1987). The model's own uncertainty is not in it: with
    few rows, fit it to bootstrap samples and impute with each.

    Parameters
    ----------
    model, X
        As in `impute`.
    n_imputations : int, default=20
        At least 1.
    random_state : int, RandomState or None, default=0

    Examples
    --------
    >>> import numpy as np
    >>> from mixtura import GaussianMixture, multiple_imputations
    >>> X = np.array([[0.0, 1.0], [1.0, np.nan], [2.0, 5.0], [3.0, 6.0], [np.nan, 2.0]])
    >>> model = GaussianMixture(1, missing="fiml", reg_covar=0.1).fit(X)
    >>> means = [rows.mean(axis=0) for rows in multiple_imputations(model, X, 5)]
    >>> len(means), bool(np.isfinite(means).all())
    (5, True)
    """
    require("n_imputations", n_imputations, Interval(1, whole=True))
    mixture, rows = _opened(model, X)
    rng = _generator(random_state)
    return (conditional_draws(mixture, rows, rng) for _ in range(n_imputations))


def _opened(model: Any, X: npt.ArrayLike) -> tuple[Mixture, FloatArray]:
    """Return the mixture and the rows, whose columns are those that an estimator saw in fit, in their order."""
    mixture, rows = _mixture_of(model), _rows_of(X)
    if rows.shape[1] != mixture.n_features:
        raise DataError(
            f"`X` must have the {mixture.n_features} columns of the model; got {rows.shape[1]}. Give the columns that "
            "it was fitted to, in their order."
        )
    known, given = list(getattr(model, "feature_names_in_", ())), list(getattr(X, "columns", ()))
    named = known and given and all(isinstance(name, str) for name in given)
    if named and given != known:
        raise DataError(
            f"`X` must have the columns seen in fit, {', '.join(map(repr, known))}, in this order; got "
            f"{', '.join(map(repr, given))}. Try `X[model.feature_names_in_]`."
        )
    return mixture, rows


def _mixture_of(model: Any) -> Mixture:
    found = model if isinstance(model, Mixture) else getattr(model, "best_model_", model)
    found = found if isinstance(found, Mixture) else getattr(found, "mixture_", None)
    if not isinstance(found, Mixture):
        raise ParameterError(
            f"`model` must be a fitted GaussianMixture, GaussianMixtureIC or a Mixture; got {type(model).__name__}. "
            "Call fit first."
        )
    return found


def _rows_of(X: npt.ArrayLike) -> FloatArray:
    rows = np.array(as_numbers("`X`", X), dtype=np.float64, order="C")
    if rows.ndim != 2 or np.isinf(rows).any():
        raise DataError(
            f"`X` must hold rows of finite numbers or NaN; got shape {rows.shape!r}"
            f"{' with infinite values' if np.isinf(rows).any() else ''}."
        )
    return rows


def _generator(random_state: int | np.random.RandomState | None) -> np.random.RandomState:
    from sklearn.utils import check_random_state  # slow to load, and conditional means do not need it

    return check_random_state(random_state)  # type: ignore[no-any-return]
