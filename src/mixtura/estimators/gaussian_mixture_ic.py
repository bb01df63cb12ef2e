"""scikit-learn's face of the search over covariance types and numbers of components."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, DensityMixin
from sklearn.utils._param_validation import Interval, Options, StrOptions
from sklearn.utils.validation import check_is_fitted

from mixtura._typing import FloatArray, IntArray, RowArray, RowsLike
from mixtura.core.mixture import Mixture
from mixtura.data.frames import frame_like
from mixtura.engine import is_distributed
from mixtura.estimators.callbacks import CallbackSupportMixin, FitTask, checked_fit
from mixtura.estimators.fit_known import keep_known
from mixtura.estimators.gaussian_mixture import GaussianMixture
from mixtura.estimators.predicting import MixturePredictor
from mixtura.estimators.validation import CovarianceNames, as_rows, as_weights, note_columns, require_count
from mixtura.exceptions import ParameterError
from mixtura.run import with_jobs
from mixtura.select import CRITERIA, Candidate, search
from mixtura.select.model_search.robustness import ROBUST
from mixtura.select.priors import PriorName
from mixtura.select.scores.folds import rows_fitted
from mixtura.validation import MISSING, count_rows, without_empty_rows

__all__ = ["GaussianMixtureIC"]

_MOST_COMPONENTS = 9


_AS_THEY_ARE = ("criterion", "n_folds", "n_init", "random_state", "prior", "missing", "robust")
"""Parameters that `search` takes under the same name."""


class GaussianMixtureIC(CallbackSupportMixin, MixturePredictor, DensityMixin, BaseEstimator):
    """The Gaussian mixture that a criterion chooses among covariance types and numbers of components.

    What R's mclust does (Fraley and Raftery 2002; Scrucca, Fop, Murphy and Raftery 2016): every covariance type is
    fitted with every number of components, the smallest criterion wins, and the winner predicts.
    ``mixtura.plot.plot_criterion(model.search_)`` draws the criterion over the number of components, a line per
    covariance type.

    Parameters
    ----------
    n_components : int, range, sequence of int or None, default=None
        Numbers of components to try; None for 1 to 9, fewer where a fit has fewer rows.
    covariance_type : str or sequence of str, default="all"
        ``"all"`` for the fourteen families of mclust, or one or several of those that `GaussianMixture` takes.
    criterion : {"bic", "aic", "aicc", "caic", "mmdl", "icl", "nec", "cv"}, default="bic"
        Smaller is better; formulas in `mixtura.select`. ``"cv"`` is minus twice the log-likelihood of rows held out,
        and takes a search more per fold; the winner is the model of fewest free parameters within one standard error of
        the smallest.
    n_folds : int, default=10
        Folds of ``criterion="cv"``, by the seed; the other criteria hold out no rows.
    n_init : int, default=1
        Every model has several starts, of which the best end is kept; each above one adds a start of K-means, and
        starts from neighbors, see `mixtura.select.search`.
    random_state : int, RandomState or None, default=None
        Seed of every model.
    prior : {"floor", "conjugate"} or float, default="floor"
        What keeps covariances from collapsing, see `mixtura.select.search`; a number is the ``reg_covar`` of
        `GaussianMixture`.
    n_jobs : int or None, default=None
        How many cores work; -1 for all, None for what `mixtura.set_threads` says (all unless changed). A search of more
        than a few seconds fits its models in this many processes, a shorter one in threads. Results are the same to the
        last digit.
    missing : {"error", "fiml"}, default="error"
        What NaN in the rows is: an error or a missing value, see `GaussianMixture`.
    robust : {"none", "noise", "t", "auto"}, default="none"
        What models have against outliers: nothing, noise, t components, or what the criterion chooses of these
        (``search_.robust_reason``), see `mixtura.select.search`.

    Attributes
    ----------
    best_model_ : GaussianMixture
        The winner, fitted. Its mixture is the one that the search found: fits of a search go on further than the
        default of `GaussianMixture`, see `mixtura.select.search`.
    results_ : dataframe or dict
        A row per model, in the order of the criterion: ``covariance_type``, ``n_components``, ``n_parameters``,
        ``log_likelihood``, ``entropy``, each criterion, ``degenerate`` (why, if it is), ``outcome``, ``n_iter``,
        ``seconds``, ``failure``; with ``criterion="cv"`` also ``cv``, ``cv_standard_error`` and ``cv_failure``. A
        pandas, polars or Arrow table if X was one, otherwise a dict of columns. What a failed fit does not have is
        missing.
    search_ : SearchResult
        All models with their mixtures; ``search_.boundary_warning`` says so if the best has the most, or the fewest,
        components that were tried, and ``search_.selection_reason`` if the winner has not the smallest ``cv``.
    criterion_ : float
        The criterion of the winner.
    covariance_type_ : str
    n_components_ : int
    weights_, means_, covariances_ : ndarray
        Of the winner, in the shapes of `GaussianMixture`.
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        Where the columns have names.

    Raises
    ------
    MissingValuesError
        NaN or infinite values; with ``missing="fiml"`` infinite values, or a column without any value.
    TooFewRowsError
        Fewer rows (of positive weight) than the largest number of components; with ``criterion="cv"`` the rows of the
        largest fold do not count.
    ParameterError
        A parameter is out of its range.
    MixturaError
        Every model failed.

    Examples
    --------
    >>> from mixtura import GaussianMixtureIC
    >>> from mixtura.datasets import make_customers
    >>> X = make_customers()
    >>> model = GaussianMixtureIC(range(1, 5), covariance_type=["EEE", "VVI", "VVV"], random_state=0).fit(X)
    >>> model.covariance_type_, model.n_components_, round(model.criterion_, 1)
    ('tied', 3, 4799.4)
    >>> list(zip(model.results_["covariance_type"], model.results_["n_components"]))[:2]
    [('tied', 3), ('diag', 3)]
    >>> model.predict(X[:3])
    array([...])
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "n_components": [Interval(Integral, 1, None, closed="left"), "array-like", None],
        "covariance_type": [CovarianceNames("all"), "array-like"],
        "criterion": [StrOptions(set(CRITERIA))],
        "n_folds": [Interval(Integral, 2, None, closed="left")],
        "n_init": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
        "prior": [StrOptions({"floor", "conjugate"}), Interval(Real, 0.0, None, closed="left")],
        "n_jobs": [Interval(Integral, 1, None, closed="left"), Options(Integral, {-1}), None],
        "missing": [StrOptions(set(MISSING))],
        "robust": [StrOptions(set(ROBUST))],
    }

    def __init__(
        self,
        n_components: int | Sequence[int] | None = None,
        *,
        covariance_type: str | Sequence[str] = "all",
        criterion: str = "bic",
        n_folds: int = 10,
        n_init: int = 1,
        random_state: int | np.random.RandomState | None = None,
        prior: PriorName | float = "floor",
        n_jobs: int | None = None,
        missing: str = "error",
        robust: str = "none",
    ) -> None:
        self.n_components = n_components
        self.covariance_type = covariance_type
        self.criterion = criterion
        self.n_folds = n_folds
        self.n_init = n_init
        self.random_state = random_state
        self.prior = prior
        self.n_jobs = n_jobs
        self.missing = missing
        self.robust = robust

    @checked_fit
    def fit(
        self, X: RowsLike, y: object = None, *, sample_weight: npt.ArrayLike | None = None,
        known: npt.ArrayLike | None = None,
    ) -> Self:  # fmt: skip
        """Fit every model and keep the best.

        Parameters
        ----------
        X : array-like of shape (N, D)
            A NumPy array, or a pandas or polars frame; C-ordered float64 or float32 arrays are not copied. Or a Dask
            array or dataframe, or a Spark dataframe, whose rows stay on their cluster.
        y : ignored
        sample_weight : array-like of shape (N,), optional
            Not negative; log-likelihoods, entropies and the number of rows are then weighted.
        known : array-like of shape (N,), optional
            The component that each row is known to belong to, from 0; -1 where nothing is known, see
            `mixtura.select.search`.
        """
        rows, weights, dtype, n_rows = self._opened(X, sample_weight)
        task = FitTask.begin(self, rows, y, weights, None)
        with with_jobs(self.n_jobs):
            self.search_ = search(
                rows,
                components=self._components(n_rows, weighted=weights is not None),
                covariance_types=self.covariance_type,
                **{name: getattr(self, name) for name in _AS_THEY_ARE},
                sample_weight=weights,
                known=known,
                on_candidate=None if task is None else lambda *_: task.pass_over("model"),
            )
        self._take(self.search_.best, dtype)
        table = self.search_.table()
        self.results_ = frame_like(X, {name: [row[name] for row in table] for name in table[0]})
        if task is not None:
            task.end({})
        return self

    def _opened(self, X: Any, sample_weight: Any) -> tuple[Any, Any, np.dtype[Any], int]:
        """Return rows and weights, checked where they are in memory, their type, and how many there are at most."""
        if is_distributed(X):
            note_columns(self, X, sample_weight)
            return X, sample_weight, np.dtype(np.float64), sys.maxsize
        rows = as_rows(self, X, reset=True, min_rows=2, missing=self._takes_missing)
        weights = without_empty_rows(as_weights(sample_weight, rows), rows)
        return rows, weights, rows.dtype, count_rows(rows, weights)

    def _components(self, n_rows: int, *, weighted: bool) -> list[int]:
        if self.n_components is None:
            fewest = rows_fitted(n_rows, self.n_folds) if self.criterion == "cv" else n_rows
            return list(range(1, min(_MOST_COMPONENTS, fewest) + 1))
        given: list[Any] = np.atleast_1d(np.asarray(self.n_components)).tolist()
        if not given or not all(type(k) is int and k >= 1 for k in given):
            raise ParameterError(
                f"`n_components` must be a whole number of at least 1, or a list of them; got {self.n_components!r}. "
                "Try `n_components=range(1, 10)`."
            )
        require_count(n_rows, max(given), weighted=weighted)
        return given

    def _take(self, best: Candidate, dtype: np.dtype[Any]) -> None:
        """Copy the winner to the public attributes."""
        assert best.result is not None, "a search without any fit has raised"
        model = GaussianMixture(
            best.n_components,
            covariance_type=best.covariance_type,
            n_init=self.n_init,
            random_state=self.random_state,
            missing=self.missing,
            tails="t" if best.robust == "t" else "gaussian",
            noise=best.robust == "noise",
        )
        model._take(best.result, dtype)  # noqa: SLF001 (the winner was fitted by the search)
        for name in ("n_features_in_", "feature_names_in_"):
            if hasattr(self, name):
                setattr(model, name, getattr(self, name))
        self.best_model_ = model
        self.criterion_ = best.criterion(self.criterion)
        self.covariance_type_, self.n_components_ = best.covariance_type, best.n_components
        self.weights_, self.means_, self.covariances_ = model.weights_, model.means_, model.covariances_

    def _as_mixture(self) -> Mixture:
        check_is_fitted(self)
        return self.best_model_._as_mixture()  # noqa: SLF001 (which users may have changed)

    def _draw(self, n_samples: int, rng: np.random.RandomState) -> tuple[FloatArray, IntArray]:
        return self.best_model_._draw(n_samples, rng)  # noqa: SLF001

    def _rows(self, X: RowsLike) -> RowArray:
        check_is_fitted(self)
        return as_rows(self, X, reset=False, missing=self._takes_missing)

    def fit_predict(
        self,
        X: RowsLike,
        y: object = None,
        *,
        sample_weight: npt.ArrayLike | None = None,
        known: npt.ArrayLike | None = None,
    ) -> IntArray:
        """Fit every model and return the winner's most probable component of each row, (N,); of known rows theirs."""
        self.fit(X, y, sample_weight=sample_weight, known=known)
        return keep_known(self.predict(X), known)
