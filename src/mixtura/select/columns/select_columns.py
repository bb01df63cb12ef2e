"""Selection of the columns that build the components of a mixture."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from mixtura._typing import FloatArray
from mixtura.core.covariance import choose_families, is_factor
from mixtura.core.protocols import MixedRows, RowTable
from mixtura.exceptions import DataError, ParameterError, TooFewRowsError
from mixtura.select.checked_rows import as_table, counted_weights
from mixtura.select.columns.column_groups import ColumnGroup, groups_of
from mixtura.select.columns.column_roles import ColumnSelection
from mixtura.select.columns.describe_roles import describe_roles
from mixtura.select.columns.one_distribution import OneDistribution
from mixtura.select.columns.stepwise import choose_stepwise
from mixtura.select.columns.subset_models import SubsetModels
from mixtura.select.priors import PriorName
from mixtura.validation import Interval, as_seed, count_rows, require, require_rows, whole_numbers

__all__ = ["select_columns"]

_SAMPLE_ROWS = 5_000


def select_columns(
    rows: npt.ArrayLike | MixedRows,
    *,
    names: Sequence[str] | None = None,
    components: Iterable[int] = range(2, 10),
    covariance_types: Iterable[str] | str = ("full", "tied", "diag", "spherical"),
    n_init: int = 1,
    random_state: int | np.random.RandomState | None = 0,
    sample_weight: npt.ArrayLike | None = None,
    prior: PriorName | float = "floor",
    missing: str = "error",
    rounding: npt.ArrayLike | None = None,
    n_bootstraps: int = 20,
    sample_rows: int = _SAMPLE_ROWS,
    groups: Sequence[ColumnGroup] | None = None,
) -> ColumnSelection:
    """Find out which columns build the components of a mixture, which follow from these, and which are noise.

    A column *builds* if a mixture of it and the other building columns has a smaller BIC than a mixture of the others
    and a linear regression of it on some of them (Raftery and Dean 2006; Maugis, Celeux and Martin-Magniette 2009). One
    that does not is *redundant* where that regression has predictors, chosen stepwise, and *noise*, independent of the
    components, where it has none. Residuals are Gaussian, or have another distribution of a single peak, so that a
    skewed column is not taken for groups.

    The search begins at columns on which mixtures of all columns see components, and takes columns in and leaves them
    out one at a time until none changes. Columns are screened by one pass of sums: with the responsibilities held, what
    a column adds to the log-likelihood at least follows from its sums by component.

    Discrete columns, of `MixedRows`, are judged by the same difference of BIC; they build, or are noise with a single
    distribution of their levels, and are never redundant. At least one continuous column builds.

    Parameters
    ----------
    rows : array-like of shape (N, D), or MixedRows
        At least two columns, best standardized, as for `mixtura.select.search`.
    names : sequence of str, optional
        Of the columns, the continuous ones first; their numbers by default.
    components : iterable of int, default 2 to 9
        Numbers of components to try; one component has no building columns, so that 1 is left out.
    covariance_types : str or iterable of str, default ("full", "tied", "diag", "spherical")
        As for `mixtura.select.search`; those of factors are for many columns, and not tried with few of them.
    n_init : int, default=1
        Starts per model.
    random_state : int, RandomState or None, default=0
    sample_weight : array-like of shape (N,), optional
        A row of weight two counts as two rows.
    prior : {"floor", "conjugate"} or float, default="floor"
        What keeps covariances from collapsing.
    missing : {"error", "fiml"}, default="error"
        What NaN in the rows is: an error or a missing value. All models are then of what was observed.
    rounding : array-like of shape (D,), optional
        Steps that the continuous columns are rounded to, 0 for none.
    n_bootstraps : int, default=20
        Resamples in which the evidence is measured again, for the stability; 0 for none.
    sample_rows : int, default=5,000
        Of larger tables this many rows are drawn; evidence is of these.
    groups : sequence of ColumnGroup, optional
        What of `MixedRows` belongs to one column, such as a continuous one and its point masses; by default each is one
        of its own.

    Returns
    -------
    ColumnSelection

    Raises
    ------
    ParameterError
        No number of components above one, names or groups that do not fit the columns, or another parameter out of its
        range.
    TooFewRowsError
        No more rows than columns, or fewer than components.
    DataError
        Fewer than two columns, or rows or weights that cannot be used.
    MixturaError
        One Gaussian of all columns cannot be fitted.

    References
    ----------
    Raftery and Dean (2006), Variable selection for model-based clustering, Journal of the American Statistical
    Association 101, 168-178. Maugis, Celeux and Martin-Magniette (2009), Variable selection in model-based clustering:
    a general variable role modeling, Computational Statistics and Data Analysis 53, 3872-3882.

    Examples
    --------
    >>> import numpy as np
    >>> from mixtura import select_columns
    >>> rng = np.random.default_rng(0)
    >>> group = rng.integers(3, size=300)
    >>> builders = rng.normal(size=(300, 2)) + 3.0 * np.eye(3, 2)[group]
    >>> rows = np.column_stack([builders, builders.sum(axis=1) + rng.normal(size=300), rng.normal(size=(300, 2))])
    >>> found = select_columns(rows, names=["a", "b", "a + b", "u", "v"], components=[2, 3, 4], n_bootstraps=0)
    >>> found.building, found.redundant, found.noise
    (('a', 'b'), ('a + b',), ('u', 'v'))
    """
    table, seed = as_table(rows, missing), as_seed(random_state)
    weights = counted_weights(sample_weight, table)
    chosen = _checked_groups(table, names, groups)
    sizes = tuple(one for one in whole_numbers("components", components, 1) if one > 1)
    if not sizes:
        raise ParameterError(
            f"`components` must have a number above one; got {list(components)!r}. No column builds a single "
            "one. Try `components=range(2, 10)`."
        )
    require("n_bootstraps", n_bootstraps, Interval(0, whole=True), "Try `n_bootstraps=20`.")
    require("sample_rows", sample_rows, Interval(100, whole=True), "Try `sample_rows=5_000`.")
    _check_rows(count_rows(table, weights), max(sizes), len(chosen))
    table, weights = _sampled(table, weights, sample_rows, seed)
    models = SubsetModels(
        table, weights, chosen, sizes, _families(covariance_types, table.shape[1]), n_init, seed, prior,
        _steps(rounding, table.shape[1]), OneDistribution.of(table, weights),
    )  # fmt: skip
    found = choose_stepwise(models)
    return ColumnSelection(
        describe_roles(models, found, n_bootstraps),
        None if found is None else found.fit.mixture,
        count_rows(table, weights),
        n_bootstraps,
    )


def _families(covariance_types: Iterable[str] | str, n_features: int) -> tuple[str, ...]:
    """Return the covariance types to try: not those of factors, which few columns do not determine."""
    found = choose_families(covariance_types, n_features)
    return tuple(one for one in found if not is_factor(one)) or ("full", "tied", "diag")


def _checked_groups(
    table: RowTable, names: Sequence[str] | None, groups: Sequence[ColumnGroup] | None
) -> tuple[ColumnGroup, ...]:
    if groups is not None:
        return tuple(sorted(groups, key=lambda one: (one.continuous is None, one.continuous or 0)))
    n_columns = table.shape[1] + (table.discrete.n_columns if isinstance(table, MixedRows) else 0)
    if names is not None and len(names) != n_columns:
        raise ParameterError(
            f"`names` must have one name for each of the {n_columns} columns; got {len(names)}. Leave it out to number "
            "them."
        )
    if n_columns < 2:
        raise DataError(
            f"At least two columns are required to select from; got {n_columns}. A single column builds the components "
            "or there are none: `mixtura.select.search` says which."
        )
    return groups_of(table, names)


def _check_rows(n_rows: int, n_components: int, n_columns: int) -> None:
    require_rows(n_rows, n_components, "rows of positive weight")
    if n_rows <= n_columns:
        raise TooFewRowsError(
            f"There must be more rows than columns, so that columns can be regressed on each other; got {n_rows} rows "
            f"and {n_columns} columns. Leave out columns, or give more rows."
        )


def _sampled(
    table: RowTable, weights: FloatArray | None, sample_rows: int, seed: int
) -> tuple[RowTable, FloatArray | None]:
    kept = np.arange(len(table)) if weights is None else np.flatnonzero(weights > 0)
    if len(kept) > sample_rows:
        kept = np.sort(np.random.RandomState(seed).choice(kept, sample_rows, replace=False))
    if len(kept) == len(table):
        return table, weights
    return table[kept], None if weights is None else weights[kept]


def _steps(rounding: npt.ArrayLike | None, n_features: int) -> FloatArray | None:
    if rounding is None:
        return None
    steps = np.asarray(rounding, dtype=np.float64)
    if steps.shape != (n_features,):
        raise ParameterError(
            f"`rounding` must be a step for each of the {n_features} columns; got shape {steps.shape!r}. Try 0 for "
            "columns that are not rounded."
        )
    return steps
