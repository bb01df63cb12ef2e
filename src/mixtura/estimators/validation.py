"""Checks of what estimators are given, before any work is done; in scikit-learn's words where it has them."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn import config_context, get_config
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.validation import _check_sample_weight, check_array, check_is_fitted, validate_data

import mixtura.data as places
from mixtura._optional import as_numpy
from mixtura._typing import FloatArray, RowArray
from mixtura.core.covariance import NAMES, NAMES_SHOWN, Structure, get_family
from mixtura.core.data import Data
from mixtura.core.mixture import Mixture
from mixtura.engine import as_data, as_distributed, is_distributed, is_in_database, is_spark, packing_of
from mixtura.exceptions import DataError, ParameterError, TooFewRowsError
from mixtura.validation import (
    count_rows,
    missing_values,
    require_some_values,
    require_total,
    without_empty_rows,
)

__all__ = [
    "CovarianceNames",
    "as_rows",
    "as_rows_or_data",
    "as_weights",
    "check_means",
    "check_precisions",
    "check_weights",
    "columns_of",
    "data_of_rows",
    "in_numpy",
    "note_columns",
    "require_count",
    "require_rows",
    "require_rows_here",
    "require_same_form",
]


class CovarianceNames(StrOptions):
    """Names of covariance families as a constraint, in order where an error lists them; and some other words."""

    def __init__(self, *others: str) -> None:
        super().__init__({*others, *NAMES})
        self._others = others

    def __str__(self) -> str:
        return "".join(f"{word!r}, " for word in self._others) + NAMES_SHOWN


_OR_MISSING = ", or take rows as they are with missing='fiml'"


def as_rows(estimator: Any, X: Any, *, reset: bool, min_rows: int = 1, missing: bool = False) -> RowArray:
    """Return the rows as a C-contiguous float64 or float32 array, (N, D), not copied if they are one already.

    With ``missing`` NaN stands for a missing value, which rows may have; in fit every column must have a value.

    Raises
    ------
    MissingValuesError
        There are NaN or infinite values; with ``missing``, infinite values or a column without any value.
    ValueError
        scikit-learn's own messages, for what is not a numeric table with the columns seen in fit.
    """
    require_rows_here(X)
    if places.unread(X):
        X = places.rows_of_source(X)
    with in_numpy():
        rows: RowArray = validate_data(
            estimator,
            as_numpy(X, "X"),
            reset=reset,
            dtype=[np.float64, np.float32],
            order="C",
            ensure_min_samples=min_rows,
            ensure_all_finite=False,
        )
    # One sum shows whether to look closer; infinities of both signs or large numbers may spoil it.
    with np.errstate(invalid="ignore", over="ignore"):
        total = places.sum_of(rows)
    if not np.isfinite(total):
        _require_finite(estimator, rows, missing=missing, fitting=reset)
    return rows


def as_rows_or_data(
    estimator: Any, X: Any, sample_weight: Any, *, min_rows: int = 1, n_components: int = 0
) -> tuple[Data, np.dtype[Any], RowArray | None, FloatArray | None]:
    """Return checked rows to fit as `Data`, their type, and where they are in memory rows and weights themselves.

    Rows of a Dask collection or a Spark dataframe stay on their cluster, those of a table of a database in it.
    """
    missing = getattr(estimator, "missing", "error")
    if is_distributed(X):
        note_columns(estimator, X, sample_weight)
        data = as_distributed(X, sample_weight, missing)
        assert isinstance(data.blocks, places.PartitionedBlocks)
        require_count(data.blocks.n_positive, n_components, weighted=sample_weight is not None)
        return data, np.dtype(data.blocks.packing.dtype), None, None
    if is_in_database(X):
        _require_queries(estimator, X)
        data = as_data(X, sample_weight)
        assert isinstance(data.blocks, places.DatabaseBlocks)
        estimator.n_features_in_ = data.n_features
        estimator.feature_names_in_ = np.array(data.blocks.names, dtype=object)
        require_count(data.blocks.n_positive, n_components, weighted=sample_weight is not None)
        return data, np.dtype(np.float64), None, None
    rows = as_rows(estimator, X, reset=True, min_rows=min_rows, missing=missing == "fiml")
    data, weights = data_of_rows(rows, as_weights(sample_weight, rows), missing, n_components)
    return data, rows.dtype, rows, weights


def data_of_rows(
    rows: RowArray, weights: FloatArray | None, missing: str, n_components: int
) -> tuple[Data, FloatArray | None]:
    """Return checked rows to fit as `Data`, and their weights, where missing values are used none of empty rows."""
    weights = without_empty_rows(weights, rows) if missing == "fiml" else weights
    require_rows(rows, weights, n_components)
    return as_data(rows, weights), weights


def require_rows_here(X: Any) -> None:
    """Raise `DataError` for a table that stays in its database."""
    if is_in_database(X):
        raise DataError(
            f"`X` must be rows here; got the table {X.name!r} of a database, whose rows stay there. It can be fitted "
            "to by GaussianMixture, and scored by SQL: see mixtura.io.export.scoring_sql."
        )


def _require_queries(estimator: Any, X: Any) -> None:
    """Raise an error where an estimator asks for what a database does not add up."""
    if not hasattr(estimator, "covariance_type"):
        require_rows_here(X)
    for name, plain in {"noise": False, "tails": "gaussian", "missing": "error", "checkpoint": None}.items():
        got = getattr(estimator, name, plain)
        if got != plain:
            raise ParameterError(
                f"`{name}` must be {plain!r} for a table that stays in its database; got {got!r}. Leave it out, or "
                "read the rows."
            )
    if not isinstance(estimator.init_params, str):
        raise ParameterError(
            "`init_params` must be a name for a table that stays in its database; got one value per row. Try "
            "`init_params='kmeans'`, or `means_init`."
        )


def note_columns(estimator: Any, X: Any, sample_weight: Any = None) -> None:
    """Note the columns of a distributed collection that is fitted to."""
    columns = packing_of(X, sample_weight=sample_weight if is_spark(X) else None).columns
    estimator.n_features_in_ = int(X.shape[1] if columns is None else len(columns))
    vars(estimator).pop("feature_names_in_", None)
    if columns is not None and all(isinstance(name, str) for name in columns):
        estimator.feature_names_in_ = np.array(columns, dtype=object)


def columns_of(estimator: Any, X: Any) -> list[str] | None:
    """Return the columns of a distributed collection that were seen in fit, None for all of it.

    A frame may have others beside them.

    Raises
    ------
    DataError
        It lacks some.
    """
    check_is_fitted(estimator)
    known = getattr(estimator, "feature_names_in_", None)
    if known is not None and hasattr(X, "columns"):
        lacking = [name for name in known if name not in list(X.columns)]
        if lacking:
            raise DataError(
                f"`X` must have the columns seen in fit, {', '.join(map(repr, known))}; got none named {lacking[0]!r}. "
                "Rename its columns."
            )
        return list(known)
    width = len(X.columns) if hasattr(X, "columns") else X.shape[1]
    if width != estimator.n_features_in_:
        raise DataError(
            f"`X` must have {estimator.n_features_in_} columns, as in fit; got {width}. Select them."
        )
    return None


def in_numpy() -> AbstractContextManager[None]:
    """Return a context without scikit-learn's dispatch to other libraries of arrays: our results are NumPy's."""
    if not get_config().get("array_api_dispatch"):
        return nullcontext()
    return config_context(array_api_dispatch=False)  # type: ignore[no-any-return]


def _require_finite(estimator: Any, rows: RowArray, *, missing: bool, fitting: bool) -> None:
    names = getattr(estimator, "feature_names_in_", None)
    if missing and fitting:
        require_some_values("`X`", rows, names)
    if missing:
        if np.isinf(rows).any():
            raise missing_values(
                "Input X contains infinity: `X` must hold finite numbers or NaN",
                rows,
                "Drop those rows or fill the gaps first (sklearn.impute).",
                names=names,
                may_be_missing=True,
            )
        return
    if np.isfinite(rows).all():
        return
    kind = "NaN" if np.isnan(rows).any() else "infinity"
    raise missing_values(
        f"Input X contains {kind}: `X` must hold finite numbers",
        rows,
        f"{type(estimator).__name__} does not accept missing values encoded as NaN natively, nor infinity. Drop those "
        f"rows or fill the gaps first (sklearn.impute){_OR_MISSING if hasattr(estimator, 'missing') else ''}.",
        names=names,
    )


def as_weights(sample_weight: npt.ArrayLike | None, rows: RowArray) -> FloatArray | None:
    """Return sample weights as float64 of shape (N,), or None where none were given.

    Raises
    ------
    DataError
        A weight is negative or not finite, or all are zero.
    """
    if sample_weight is None:
        return None
    sample_weight = as_numpy(sample_weight, "sample_weight")
    if not np.asarray(sample_weight).any():
        raise DataError(
            "`sample_weight` must be positive for some row; got zero for all. Sample weights must contain at least one "
            "non-zero number. Leave them out to weight all rows equally."
        )
    with in_numpy():
        weights: FloatArray = np.ascontiguousarray(
            _check_sample_weight(sample_weight, rows, dtype=np.float64)
        )
    if (weights < 0).any():
        raise DataError(
            f"`sample_weight` must not be negative; got {float(weights.min())!r} as its smallest. Leave out the rows "
            "that should not count, or give them weight 0."
        )
    require_total(weights)
    return weights


def require_rows(rows: RowArray, weights: FloatArray | None, n_components: int) -> None:
    """Raise `TooFewRowsError` unless there are at least as many rows (of positive weight) as components."""
    require_count(count_rows(rows, weights), n_components, weighted=weights is not None)


def require_count(n_rows: int, n_components: int, *, weighted: bool) -> None:
    """Raise `TooFewRowsError` unless there are at least as many rows as components."""
    if n_rows < n_components:
        raise TooFewRowsError(
            f"Expected n_samples >= n_components but got n_components = {n_components}, n_samples = {n_rows}"
            f"{' with positive weight' if weighted else ''}. Ask for fewer components, or give more rows."
        )


def require_same_form(estimator: Any, last: Mixture, n_features: int) -> None:
    """Raise `ParameterError` where a fit cannot go on from the last one, of other columns or covariances."""
    name, k = estimator.covariance_type, estimator.n_components
    if k != last.n_components:
        what = f"`n_components` must be {last.n_components}, as in the last fit; got {k!r}"
    elif n_features != last.n_features:
        what = f"`X` must have {last.n_features} columns, as in the last fit; got {n_features}"
    elif type(get_family(name).storage) is not type(last.family.storage):
        what = f"`covariance_type` must hold covariances as {last.family.name!r} of the last fit does; got {name!r}"
    else:
        return
    raise ParameterError(f"{what}. Set `warm_start=False` to begin again.")


def _as_floats(value: npt.ArrayLike, name: str, **kwargs: Any) -> FloatArray:
    with in_numpy():
        checked = check_array(as_numpy(value, name), dtype=[np.float64, np.float32], **kwargs)
    return np.asarray(checked, dtype=np.float64)


def _check_shape(value: FloatArray, shape: tuple[int, ...], name: str) -> None:
    if value.shape != shape:
        raise ParameterError(
            f"The parameter '{name}' should have the shape of {shape}, but got {value.shape}"
        )


def check_weights(value: npt.ArrayLike, n_components: int) -> FloatArray:
    """Return initial weights, (K,); raise `ParameterError` unless they lie in [0, 1] and sum to one."""
    weights = _as_floats(value, "weights_init", ensure_2d=False, allow_nd=True)
    _check_shape(weights, (n_components,), "weights")
    if (weights < 0).any() or (weights > 1).any():
        raise ParameterError(
            "The parameter 'weights' should be in the range [0, 1], but got max value "
            f"{weights.min():.5f}, min value {weights.max():.5f}"
        )
    if abs(1.0 - weights.sum()) > 1e-6:
        raise ParameterError(
            f"The parameter 'weights' should be normalized, but got sum(weights) = {weights.sum():.5f}"
        )
    return weights


def check_means(value: npt.ArrayLike, n_components: int, n_features: int) -> FloatArray:
    """Return initial means, (K, D)."""
    means = _as_floats(value, "means_init")
    _check_shape(means, (n_components, n_features), "means")
    return means


def check_precisions(
    value: npt.ArrayLike, family: Structure, n_components: int, n_features: int
) -> FloatArray:
    """Return the covariances whose inverses are the initial precisions, in the shape the family stores.

    Matrices must be symmetric positive definite, variances positive, and their structure the family's.
    """
    precisions = _as_floats(value, "precisions_init", ensure_2d=False, allow_nd=True)
    _check_shape(precisions, family.storage.shape(n_components, n_features), f"{family.name} precision")
    if not family.stores_matrices:
        if (precisions <= 0).any():
            raise ParameterError(f"'{family.name} precision' should be positive")
        return _of_family(1.0 / precisions, family, n_components, n_features)
    symmetric = np.allclose(precisions, precisions.swapaxes(-1, -2), rtol=1e-5, atol=1e-8)
    if not symmetric or (np.linalg.eigvalsh(precisions) <= 0).any():
        raise ParameterError(f"'{family.name} precision' should be symmetric, positive-definite")
    inverse = np.linalg.inv(precisions)
    return _of_family(0.5 * (inverse + inverse.swapaxes(-1, -2)), family, n_components, n_features)


def _of_family(covariances: FloatArray, family: Structure, n_components: int, n_features: int) -> FloatArray:
    if not family.contains(covariances, n_components, n_features):
        raise ParameterError(
            f"'{family.name} precision' has volumes, shapes or orientations that differ between components; they must "
            "be equal where the family says so. Leave precisions_init out to have them estimated."
        )
    return covariances
