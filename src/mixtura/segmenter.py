"""A segmentation as a step of a scikit-learn pipeline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

import narwhals as nw
import numpy as np
from sklearn.base import BaseEstimator, ClusterMixin, TransformerMixin
from sklearn.utils.validation import check_array, check_is_fitted

from mixtura._optional import as_numpy
from mixtura._typing import FloatArray, IntArray, RowsLike
from mixtura.estimators.validation import in_numpy
from mixtura.exceptions import DataError
from mixtura.segmentation import Segmentation
from mixtura.segments import Assignment, assign_table
from mixtura.segments.model.assignment_frame import eager, held

__all__ = ["Segmenter"]


class Segmenter(TransformerMixin, ClusterMixin, BaseEstimator):
    """What `Segmentation.fit` does, as an estimator: for pipelines, `clone` and searches over parameters.

    `predict` gives the segment of each customer, `transform` the probability of each segment, as features of a later
    step. Everything else, names, profiles and the report, is that of `segmentation_`.

    Parameters
    ----------
    components : sequence of int or None, default=None
        Numbers of segments to try; None for 1 to 9.
    columns : sequence of str or None, default=None
        Columns that build segments; None for all that describe customers, of an array for all.
    covariance_types : sequence of str or None, default=None
    criterion : str, default="bic"
    n_init : int, default=1
    random_state : int or None, default=0
    options : mapping of str to object, optional
        Further parameters of `mixtura.segments.segment_table`, such as ``{"kinds": "continuous", "robust": "auto"}``.

    Attributes
    ----------
    segmentation_ : Segmentation
    labels_ : ndarray of shape (N,)
        The segment of each row, from 0; -1 for those in none.
    n_segments_ : int
    n_features_in_ : int
        Columns of the table.
    feature_names_in_ : ndarray of str
        Where the columns have names.

    Raises
    ------
    MixturaError
        As `Segmentation.fit`.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from mixtura import Segmenter
    >>> from mixtura.datasets import make_customers
    >>> steps = make_pipeline(StandardScaler(), Segmenter(components=[2, 3]))
    >>> steps.fit_predict(make_customers())[:5].tolist()
    [1, 1, 0, 2, 1]
    >>> steps.transform(make_customers()).shape
    (300, 3)
    """

    segmentation_: Segmentation
    labels_: IntArray
    n_segments_: int
    n_features_in_: int
    feature_names_in_: Any

    def __init__(
        self,
        components: Sequence[int] | None = None,
        *,
        columns: Sequence[str] | None = None,
        covariance_types: Sequence[str] | None = None,
        criterion: str = "bic",
        n_init: int = 1,
        random_state: int | None = 0,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        self.components = components
        self.columns = columns
        self.covariance_types = covariance_types
        self.criterion = criterion
        self.n_init = n_init
        self.random_state = random_state
        self.options = options

    def fit(self, X: RowsLike, y: object = None) -> Self:
        """Find segments.

        Parameters
        ----------
        X : pandas, polars or pyarrow table, or array of shape (N, D)
            One row per customer; NaN is a missing value.
        y : ignored
        """
        table = _table(X)
        found = Segmentation.fit(table, **self._options())
        self.segmentation_, self.n_segments_ = found, found.model.n_segments
        names = nw.from_native(table, eager_only=True).columns
        self.n_features_in_ = len(names)
        if hasattr(X, "columns"):
            self.feature_names_in_ = np.array(names, dtype=object)
        elif hasattr(self, "feature_names_in_"):
            del self.feature_names_in_
        self.labels_ = held(found.result).labels
        return self

    def predict(self, X: RowsLike) -> IntArray:
        """Return the segment of each row, (N,), from 0; -1 for those in none."""
        return self._assigned(X).labels

    def transform(self, X: RowsLike) -> FloatArray:
        """Return the probability of each segment, (N, K); NaN for rows in none."""
        return self._assigned(X).memberships

    def get_feature_names_out(self, input_features: object = None) -> Any:
        """Return the names of the segments, (K,)."""
        check_is_fitted(self)
        return np.array(self.segmentation_.names, dtype=object)

    def _options(self) -> dict[str, Any]:
        own = ("components", "columns", "covariance_types", "criterion", "n_init", "random_state")
        return {name: getattr(self, name) for name in own} | dict(self.options or {})

    def _assigned(self, X: RowsLike) -> Assignment:
        check_is_fitted(self)
        drop = bool((self.options or {}).get("drop_missing", False))
        return assign_table(self.segmentation_.model, _table(X), drop_missing=drop)


def _table(X: Any) -> Any:
    """Return rows as a table; columns of an array are called ``x0`` and so on."""
    if hasattr(X, "columns") or isinstance(X, str) or hasattr(X, "__fspath__"):
        return eager(X)
    with in_numpy():
        rows = check_array(as_numpy(X, "X"), dtype=np.float64, ensure_all_finite="allow-nan")
    try:
        columns = {f"x{d}": np.ascontiguousarray(column) for d, column in enumerate(rows.T)}
        return nw.from_dict(columns, backend="pyarrow").to_native()
    except ImportError as error:
        raise DataError(
            "`X` must be a table of pandas or polars where pyarrow is not installed; got an array. Try pip install "
            "'mixtura[cli]'."
        ) from error
