"""scikit-learn's face of a Gaussian mixture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from numbers import Integral, Real
from os import PathLike
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, DensityMixin
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

import mixtura.fit.init as starts
from mixtura._typing import FloatArray, IntArray, RowArray, RowsLike
from mixtura.core.covariance import get_family
from mixtura.core.data import Data
from mixtura.core.mixture import Mixture
from mixtura.core.model import GaussianModel
from mixtura.core.parts.known_labels import without_known
from mixtura.core.parts.student import TAILS
from mixtura.core.parts.volume import measure_background
from mixtura.core.prior import Ridge
from mixtura.engine import is_in_database
from mixtura.estimators.callbacks import CallbackSupportMixin, FitTask, checked_fit
from mixtura.estimators.fit_known import data_with_known, keep_known, start_with_known
from mixtura.estimators.fit_warnings import warn_of
from mixtura.estimators.fitted_attributes import attributes_of, drawn_from, mixture_of, take_result
from mixtura.estimators.fitting.checkpoints import checkpointed
from mixtura.estimators.fitting.partial_fit import PartialFitMixin
from mixtura.estimators.predicting import MixturePredictor
from mixtura.estimators.validation import (
    CovarianceNames,
    as_rows,
    as_rows_or_data,
    check_means,
    check_precisions,
    check_weights,
    require_rows_here,
    require_same_form,
)
from mixtura.estimators.verbose import Narrator
from mixtura.fit import (
    AbsoluteChange,
    FitResult,
    Given,
    Problem,
    Settings,
    continue_fit,
    em_leaving_out,
    fit_mixture,
)
from mixtura.fit.from_sample import fit_from_sample
from mixtura.fit.init.by_name import INITIALIZATIONS
from mixtura.fit.loop.driver import ignore
from mixtura.kernels import NEGLIGIBLE
from mixtura.validation import MISSING

__all__ = ["GaussianMixture"]

_FITTED = ["weights_", "means_", "precisions_cholesky_"]


class GaussianMixture(CallbackSupportMixin, PartialFitMixin, MixturePredictor, DensityMixin, BaseEstimator):
    """Gaussian mixture fitted by expectation-maximization; a drop-in for scikit-learn's class of this name.

    Parameters, defaults, attributes, component order and numbers (to 1e-6 relative) are those of
    `sklearn.mixture.GaussianMixture` for the same ``random_state``. In addition: ``sample_weight`` wherever
    rows are given, a partition as ``init_params``, `mixture_` and `result_`; float32 rows are computed with
    in float64; data far from the origin keep their digits. The density is
    ``p(x) = sum_k w_k N(x; mu_k, Sigma_k)`` (McLachlan and Peel 2000; Bishop 2006, section 9.2).

    Parameters
    ----------
    n_components : int, default=1
        Number of components K.
    covariance_type : {"full", "tied", "diag", "spherical", "EII", "VII", "EEI", "VEI", "EVI", "VVI", "EEE", "VEE", \
"EVE", "VVE", "EEV", "VEV", "EVV", "VVV", "E", "V"}, default="full"
        ``full``: each component its own covariance matrix; ``tied``: one matrix for all;
        ``diag``: each its own variances, axes parallel to the columns; ``spherical``: each its own single variance.
        Three letters say whether volume, shape and orientation are equal (E), vary (V) or are none (I: balls; axes
        parallel to the columns), as in mclust (Celeux and Govaert 1995); full is VVV, tied EEE, diag VVI, spherical
        VII. ``E`` and ``V``, for one column: one variance for all, or each its own.
    tol : float, default=1e-3
        Stop when the mean log-likelihood of a row changes by less, in nats.
    reg_covar : float, default=1e-6
        Added to every variance, in squared units of the data. With zero, an ill-defined covariance is an error.
    max_iter : int, default=100
        Largest number of passes. Zero keeps the start.
    n_init : int, default=1
        Number of starts; the best end is kept. They run side by side where there are enough of them.
    init_params : {"kmeans", "k-means++", "random", "random_from_data", "hierarchical", "small_em"} or array-like, \
default="kmeans"
        How to start; ``hierarchical`` as mclust does, by model-based agglomeration of 2,000 rows at most; ``small_em``:
        ten short runs from random rows, of which the best goes on. Or a partition: labels (N,) from 0 to K-1, or
        responsibilities (N, K).
    weights_init : array-like of shape (K,), optional
    means_init : array-like of shape (K, D), optional
    precisions_init : array-like, optional
        Inverse covariances, in the shape of ``covariances_``.
    random_state : int, RandomState or None, default=None
    warm_start : bool, default=False
        Continue where the last fit ended.
    verbose : int, default=0
        1 reports restarts and iterations, 2 also times and changes.
    verbose_interval : int, default=10
    missing : {"error", "fiml"}, default="error"
        What NaN in the rows is: an error, as in scikit-learn, or a missing value. With ``fiml``, full-information
        maximum likelihood, the density of a row is that of the columns it has,
        ``sum_k w_k N(x_o; mu_k,o, Sigma_k,oo)``, and missing values count with their conditional means and covariances
        (Ghahramani and Jordan 1994). That is right where values are missing at random: for reasons that the observed
        ones explain. Rows without any value are not learned from; their density is 1, their probabilities the weights.
        Likelihood and criteria are those of what was observed.
    tails : {"gaussian", "t", "common t"}, default="gaussian"
        Distribution of the components: Gaussian, or multivariate t with degrees of freedom that are estimated, from 2
        to 200, for each component or one number for all (Peel and McLachlan 2000). Rows far out then count less.
        ``covariances_`` and ``precisions_`` are those of the scale matrices.
    noise : bool, default=False
        Whether some rows may belong to no component: noise, spread evenly over the volume of the rows, whose share is
        estimated (Banfield and Raftery 1993; mclust's noise component). They are labeled -1, as scikit-learn's DBSCAN
        does; probabilities of a row, and ``weights_``, then sum to one less that of the noise.
    negligible : float, default=1e-12
        With 64 components or more a pass leaves out of a row those whose probabilities are together at most this, where
        that saves time; the default changes no digit. With more, such as 1e-6, passes take less time until one gains
        less than ``tol``; then all count, and ``result_.trace.gap`` says by how much the log-likelihood of a row was
        too small before.
    checkpoint : str or Path, optional
        A file that keeps what is done, every few seconds: the same fit of the same rows goes on where it was
        interrupted, to the last bit. It is removed at the end.

    Attributes
    ----------
    weights_ : ndarray of shape (K,)
    means_ : ndarray of shape (K, D)
    covariances_, precisions_, precisions_cholesky_ : ndarray
        (K, D, D) full, (D, D) tied, (K, D) diag, (K,) spherical. Other names that end in I are stored as diag, other
        names as full.
    converged_ : bool
    n_iter_ : int
        Passes of the start that was kept.
    lower_bound_ : float
        Mean log-likelihood of a row, in nats, of the mixture that entered the last pass.
    lower_bounds_ : list of float
        The same at each pass.
    degrees_of_freedom_ : ndarray of shape (K,)
        Infinite where components are Gaussian.
    noise_weight_ : float
        Share of the noise; zero without.
    mixture_ : Mixture
        The fitted mixture as a value, in float64.
    statistics_, n_samples_seen_ : Statistics, int
        After `partial_fit`: the sums and the number of all rows so far.
    result_ : FitResult
        How the fit ended, every start's trace, repairs, kernel, instruction set, threads and seconds per phase.
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        Where the columns have names.

    Raises
    ------
    MissingValuesError
        NaN or infinite values; with ``missing="fiml"`` infinite values, or a column without any value.
    TooFewRowsError
        Fewer rows (of positive weight) than components.
    IllDefinedCovarianceError
        A covariance is not positive definite and ``reg_covar=0``.
    ParameterError
        A parameter has a wrong shape or is out of range.

    Examples
    --------
    >>> import numpy as np
    >>> from mixtura import GaussianMixture
    >>> X = np.array([[1, 2], [1, 4], [1, 0], [10, 2], [10, 4], [10, 0]])
    >>> gm = GaussianMixture(n_components=2, random_state=0).fit(X)
    >>> gm.means_
    array([[10.,  2.],
           [ 1.,  2.]])
    >>> gm.predict([[0, 0], [12, 3]])
    array([1, 0])
    >>> gm.result_.outcome.explanation
    'The stopping rule was satisfied.'
    """

    weights_: FloatArray
    means_: FloatArray
    covariances_: FloatArray
    precisions_: FloatArray
    precisions_cholesky_: FloatArray
    mixture_: Mixture

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "covariance_type": [CovarianceNames()],
        "tol": [Interval(Real, 0.0, None, closed="left")],
        "reg_covar": [Interval(Real, 0.0, None, closed="left")],
        "max_iter": [Interval(Integral, 0, None, closed="left")],
        "n_init": [Interval(Integral, 1, None, closed="left")],
        "init_params": [StrOptions(set(INITIALIZATIONS)), "array-like"],
        "weights_init": ["array-like", None],
        "means_init": ["array-like", None],
        "precisions_init": ["array-like", None],
        "random_state": ["random_state"],
        "warm_start": ["boolean"],
        "verbose": ["verbose"],
        "verbose_interval": [Interval(Integral, 1, None, closed="left")],
        "missing": [StrOptions(set(MISSING))],
        "tails": [StrOptions(set(TAILS))],
        "noise": ["boolean"],
        "negligible": [Interval(Real, 0.0, 1.0, closed="left")],
        "checkpoint": [str, PathLike, None],
    }

    def __init__(
        self,
        n_components: int = 1,
        *,
        covariance_type: str = "full",
        tol: float = 1e-3,
        reg_covar: float = 1e-6,
        max_iter: int = 100,
        n_init: int = 1,
        init_params: str | npt.ArrayLike = "kmeans",
        weights_init: npt.ArrayLike | None = None,
        means_init: npt.ArrayLike | None = None,
        precisions_init: npt.ArrayLike | None = None,
        random_state: int | np.random.RandomState | None = None,
        warm_start: bool = False,
        verbose: int = 0,
        verbose_interval: int = 10,
        missing: str = "error",
        tails: str = "gaussian",
        noise: bool = False,
        negligible: float = NEGLIGIBLE,
        checkpoint: str | PathLike[str] | None = None,
    ) -> None:
        self.n_components = n_components
        self.covariance_type = covariance_type
        self.tol = tol
        self.reg_covar = reg_covar
        self.max_iter = max_iter
        self.n_init = n_init
        self.init_params = init_params
        self.weights_init = weights_init
        self.means_init = means_init
        self.precisions_init = precisions_init
        self.random_state = random_state
        self.warm_start = warm_start
        self.verbose = verbose
        self.verbose_interval = verbose_interval
        self.missing = missing
        self.tails, self.noise, self.negligible = tails, noise, negligible
        self.checkpoint = checkpoint

    @checked_fit
    def fit(
        self,
        X: RowsLike,
        y: object = None,
        *,
        sample_weight: npt.ArrayLike | None = None,
        known: npt.ArrayLike | None = None,
    ) -> Self:
        """Estimate the parameters.

        Parameters
        ----------
        X : array-like of shape (N, D)
            A NumPy array, or a pandas or polars frame; C-ordered float64 or float32 arrays are not copied. Or a Dask
            array or dataframe, or a Spark dataframe, whose rows stay on their cluster. Or a `mixtura.DatabaseTable`,
            whose rows stay in the database: the start is that of 10,000 of them, see ``docs/how-to/in-a-database.md``.
        y : ignored
            Labels for callbacks to score with, where there are any.
        sample_weight : array-like of shape (N,), optional
            Not negative; for a Spark dataframe or a table of a database the name of a column. Whole numbers give the
            fit of the repeated rows, from the same start.
        known : array-like of shape (N,), optional
            The component that each row is known to belong to, from 0 to K-1; -1 where nothing is known. In the fit
            known rows keep it, with the log density ``log(w_k N(x; mu_k, Sigma_k))``; `predict` may put them elsewhere.
        """
        self._fit_data(X, sample_weight, y, known)
        return self

    @checked_fit
    def fit_predict(
        self,
        X: RowsLike,
        y: object = None,
        *,
        sample_weight: npt.ArrayLike | None = None,
        known: npt.ArrayLike | None = None,
    ) -> IntArray:
        """Estimate the parameters and return the most probable component of each row, (N,); of known rows theirs."""
        require_rows_here(X)
        rows = self._fit_data(X, sample_weight, y, known)
        labels: IntArray = self.predict(X) if rows is None else self._labels(rows)
        return keep_known(labels, known)

    def _fit_data(self, X: Any, sample_weight: Any, y: object, known: Any) -> RowArray | None:
        """Fit, and return the rows where they are in memory."""
        k = self.n_components
        data, dtype, rows, weights = as_rows_or_data(self, X, sample_weight, min_rows=2, n_components=k)
        data = data_with_known(data, rows, weights, known, k)
        task = FitTask.begin(self, X if rows is None else rows, y, weights, self.n_init)
        self._fit_checked(data, dtype, task, fit_from_sample if is_in_database(X) else fit_mixture)
        return rows

    def _fit_checked(
        self, data: Data, dtype: np.dtype[Any], task: FitTask | None, fit: Callable[..., FitResult]
    ) -> None:
        """Fit to rows that were checked."""
        given = self._given(data.n_features)
        problem = Problem(data, self._model(data))
        observe = Narrator(self.verbose, self.verbose_interval) if self.verbose else ignore
        step = em_leaving_out(self.negligible, self.tol)
        settings = Settings(AbsoluteChange(self.tol), self.max_iter, observe, step)
        if task is not None:
            settings = task.watch(settings, lambda mixture: attributes_of(mixture, dtype))
        if self.warm_start and self.checkpoint is None and hasattr(self, "converged_"):
            last = self._as_mixture()
            require_same_form(self, last, data.n_features)
            result = continue_fit(problem, last, settings, previous=self.lower_bound_)
        else:
            start = start_with_known(self._initialization(), data, self.init_params)
            with checkpointed(self, data, settings) as (kept, rng):
                result = fit(problem, start, kept, n_init=self.n_init, random_state=rng, given=given)
        result = replace(result, mixture=without_known(result.mixture))
        self._take(result, dtype)
        if task is not None:
            task.end(attributes_of(result.mixture, dtype))
        warn_of(result, max_iter=self.max_iter, reg_covar=self.reg_covar)
        if self.verbose:
            Narrator.summarize(result)

    def _model(self, data: Data) -> GaussianModel:
        family, noise = get_family(self.covariance_type), measure_background(data) if self.noise else None
        model = GaussianModel(self.n_components, family, Ridge(self.reg_covar), data.discrete, noise)
        return replace(model, tails=TAILS[self.tails])

    def _initialization(self) -> starts.Initialization:
        robust = self.noise or self.tails != "gaussian"
        if robust and isinstance(self.init_params, str) and self.init_params == "kmeans":
            return starts.ROBUST_KMEANS
        if isinstance(self.init_params, str):
            return INITIALIZATIONS[self.init_params]
        return starts.FromPartition(np.asarray(self.init_params))

    def _given(self, n_features: int) -> Given:
        k, family = self.n_components, get_family(self.covariance_type)
        return Given(
            None if self.weights_init is None else check_weights(self.weights_init, k),
            None if self.means_init is None else check_means(self.means_init, k, n_features),
            None
            if self.precisions_init is None
            else check_precisions(self.precisions_init, family, k, n_features),
        )

    def _take(self, result: FitResult, dtype: np.dtype[Any]) -> None:
        """Copy the result to the public attributes; `partial_fit` adds its own."""
        take_result(self, result, dtype)

    def _as_mixture(self) -> Mixture:
        """Return the mixture that the public attributes hold, which a user may have set."""
        check_is_fitted(self, _FITTED)
        return mixture_of(self)

    def _draw(self, n_samples: int, rng: np.random.RandomState) -> tuple[FloatArray, IntArray]:
        """Draw rows, as scikit-learn from the covariances that are public now."""
        return drawn_from(self, n_samples, rng)

    def _rows(self, X: RowsLike) -> RowArray:
        check_is_fitted(self, _FITTED)
        return as_rows(self, X, reset=False, missing=self._takes_missing)
