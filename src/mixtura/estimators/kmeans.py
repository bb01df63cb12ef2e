"""scikit-learn's face of K-means, the baseline of every comparison."""

from __future__ import annotations

import warnings
from functools import partial
from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    ClusterMixin,
    TransformerMixin,
)
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics.pairwise import euclidean_distances
from sklearn.utils import check_array, check_random_state
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from mixtura._typing import FloatArray, IntArray, RowArray, RowsLike
from mixtura.core.data import Data
from mixtura.data import PartitionedBlocks
from mixtura.engine import as_data, as_distributed, evaluate_distributed, is_distributed, map_distributed
from mixtura.estimators.callbacks import CallbackSupportMixin, FitTask, checked_fit
from mixtura.estimators.validation import as_rows, as_rows_or_data, as_weights, columns_of
from mixtura.exceptions import ParameterError, TooFewRowsError
from mixtura.fit import best_clustering, nearest
from mixtura.fit.init.from_kmeans import too_few_distinct
from mixtura.fit.kmeans.lloyd import inertia, unit_spheres
from mixtura.fit.kmeans.plusplus import kmeans_plusplus

__all__ = ["KMeans"]

_MANY_STARTS = 10


class KMeans(
    CallbackSupportMixin, ClassNamePrefixFeaturesOutMixin, TransformerMixin, ClusterMixin, BaseEstimator
):
    """K-means clustering with scikit-learn's interface, numbers and defaults.

    Minimizes ``sum_n w_n min_k |x_n - c_k|^2`` (Lloyd 1982). It is the pass of a Gaussian mixture with one
    spherical covariance for all components and every row given wholly to its nearest center.

    Parameters
    ----------
    n_clusters : int, default=8
        Number of clusters K.
    init : {"k-means++", "random"} or array-like of shape (K, D), default="k-means++"
        Centers to start from: rows drawn far apart, rows drawn evenly, or given ones.
    n_init : "auto" or int, default="auto"
        Number of starts; ``"auto"`` is 10 for ``"random"`` and 1 otherwise.
    max_iter : int, default=300
    tol : float, default=1e-4
        Stop when the sum of squared moves of the centers is not above this share of the mean variance.
    random_state : int, RandomState or None, default=None

    Attributes
    ----------
    cluster_centers_ : ndarray of shape (K, D)
    labels_ : ndarray of shape (N,), int32
    inertia_ : float
        Weighted sum of squared distances to the nearest center, in squared units of the data.
    n_iter_ : int
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        Where the columns have names.

    Raises
    ------
    MissingValuesError
        NaN or infinite values.
    TooFewRowsError
        Fewer rows than clusters.

    Examples
    --------
    >>> import numpy as np
    >>> from mixtura import KMeans
    >>> X = np.array([[1, 2], [1, 4], [1, 0], [10, 2], [10, 4], [10, 0]])
    >>> KMeans(n_clusters=2, random_state=0).fit(X).cluster_centers_
    array([[10.,  2.],
           [ 1.,  2.]])
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "n_clusters": [Interval(Integral, 1, None, closed="left")],
        "init": [StrOptions({"k-means++", "random"}), "array-like"],
        "n_init": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        n_clusters: int = 8,
        *,
        init: str | npt.ArrayLike = "k-means++",
        n_init: str | int = "auto",
        max_iter: int = 300,
        tol: float = 1e-4,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.n_clusters = n_clusters
        self.init = init
        self.n_init = n_init
        self.max_iter = max_iter
        self.tol = tol
        self.random_state = random_state

    @checked_fit
    def fit(self, X: RowsLike, y: object = None, sample_weight: npt.ArrayLike | None = None) -> Self:
        """Find the centers.

        Parameters
        ----------
        X : array-like of shape (N, D)
            C-ordered float64 or float32 arrays are not copied. Or a Dask array or dataframe, or a Spark dataframe,
            whose rows stay on their cluster; ``labels_`` is then what `predict` gives, computed when asked for.
        y : ignored
        sample_weight : array-like of shape (N,), optional
            Not negative.
        """
        data, dtype, rows, weights = as_rows_or_data(self, X, sample_weight)
        self._require(data)
        task = FitTask.begin(self, X if rows is None else rows, y, weights, 0)
        rng = check_random_state(self.random_state)
        tolerance = self.tol * data.mean_variance if self.tol else 0.0
        starts = [self._start(data, rng) for _ in range(self._n_starts())]
        best = best_clustering(data, starts, max_iter=self.max_iter, tolerance=tolerance)
        for note in too_few_distinct(best.n_distinct, self.n_clusters):
            warnings.warn(note, ConvergenceWarning, stacklevel=3)
        self.cluster_centers_ = best.centers.astype(dtype, copy=False)
        self.labels_ = self.predict(X) if rows is None else best.labels.astype(np.int32)
        self.inertia_, self.n_iter_ = best.inertia, best.n_iter
        if task is not None:
            task.end({})
        return self

    def _require(self, data: Data) -> None:
        if data.n_rows < self.n_clusters:
            raise TooFewRowsError(
                f"n_samples={data.n_rows} should be >= n_clusters={self.n_clusters}. "
                "Ask for fewer clusters, or give more rows."
            )
        if not isinstance(self.init, str) and np.shape(self.init) != (self.n_clusters, data.n_features):
            raise ParameterError(
                f"`init` must hold one center per cluster, shape {(self.n_clusters, data.n_features)!r}; got shape "
                f"{np.shape(self.init)!r}. Try `init='k-means++'`."
            )

    def _n_starts(self) -> int:
        if isinstance(self.n_init, str):
            return _MANY_STARTS if isinstance(self.init, str) and self.init == "random" else 1
        return int(self.n_init)

    def _start(self, data: Data, rng: np.random.RandomState) -> FloatArray:
        """Return centers to start from, (K, D), drawing as scikit-learn draws."""
        if not isinstance(self.init, str):
            return np.array(check_array(self.init, dtype=np.float64, order="C"))
        if self.init == "random":
            if isinstance(data.blocks, PartitionedBlocks):
                raise ParameterError(
                    "`init` must be 'k-means++' or centers for rows on a cluster; got 'random', which draws from all "
                    "rows in one place."
                )
            weights = data.rows_and_weights(np.arange(data.n_rows))[1]
            shares = weights / weights.sum()
            return data.rows(rng.choice(data.n_rows, size=self.n_clusters, replace=False, p=shares))
        return data.rows(kmeans_plusplus(data, self.n_clusters, rng))

    def _nearest(self, X: RowsLike) -> tuple[IntArray, FloatArray]:
        check_is_fitted(self)
        rows = as_rows(self, X, reset=False)
        centers = np.asarray(self.cluster_centers_, dtype=np.float64)
        labels, distances = nearest(as_data(rows), centers)
        return labels.gathered(), distances.gathered()

    def predict(self, X: RowsLike) -> npt.NDArray[np.int32]:
        """Return the nearest center of each row, (N,); for a Dask collection a Dask array."""
        if is_distributed(X):
            columns = columns_of(self, X)
            spheres = unit_spheres(np.asarray(self.cluster_centers_, dtype=np.float64))
            return evaluate_distributed(X, columns, spheres, "labels", missing=False)  # type: ignore[no-any-return]
        return self._nearest(X)[0].astype(np.int32)

    def transform(self, X: RowsLike) -> FloatArray:
        """Return the distance of each row to each center, (N, K), in units of the data."""
        check_is_fitted(self)
        if is_distributed(X):
            names = [f"distance_{k}" for k in range(len(self.cluster_centers_))]
            distances = partial(_distances, self.cluster_centers_)
            return map_distributed(X, columns_of(self, X), distances, np.float64, *names)  # type: ignore[no-any-return]
        rows = as_rows(self, X, reset=False)
        return _distances(self.cluster_centers_, rows)

    def fit_transform(
        self, X: RowsLike, y: object = None, sample_weight: npt.ArrayLike | None = None
    ) -> FloatArray:
        """Find the centers and return the distance of each row to each, (N, K)."""
        distances: FloatArray = self.fit(X, sample_weight=sample_weight).transform(X)
        return distances

    def score(self, X: RowsLike, y: object = None, sample_weight: npt.ArrayLike | None = None) -> float:
        """Return minus the weighted sum of squared distances to the nearest center."""
        if is_distributed(X):
            data = as_distributed(X, sample_weight, columns=columns_of(self, X))
            return -inertia(data, np.asarray(self.cluster_centers_, dtype=np.float64))
        distances = self._nearest(X)[1]
        weights = as_weights(sample_weight, distances[:, None])
        return -float(distances.sum() if weights is None else distances @ weights)

    @property
    def _n_features_out(self) -> int:
        return int(self.cluster_centers_.shape[0])


def _distances(centers: FloatArray, rows: RowArray) -> FloatArray:
    """Return the distance of each row to each center, (N, K)."""
    # The distances are expanded, |x|^2 - 2 x c + |c|^2: near the origin that keeps its digits.
    about = centers.mean(axis=0, dtype=np.float64)
    return np.asarray(euclidean_distances(rows - about, centers - about), dtype=rows.dtype)
