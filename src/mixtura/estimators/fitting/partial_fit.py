"""Fits in parts: rows that come one batch after the other, and are not kept."""

from __future__ import annotations

from functools import partial
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from sklearn.base import _fit_context
from sklearn.utils._param_validation import Interval, validate_parameter_constraints

import mixtura.fit as fit
from mixtura._typing import FloatArray
from mixtura.core.covariance import get_family
from mixtura.core.model import GaussianModel
from mixtura.core.prior import Ridge
from mixtura.core.statistics import Statistics
from mixtura.engine import as_data, is_distributed, is_in_database
from mixtura.estimators.callbacks import FitTask
from mixtura.estimators.validation import as_rows, as_weights, data_of_rows
from mixtura.exceptions import DataError, ParameterError
from mixtura.fit import (
    AbsoluteChange,
    Problem,
    Settings,
    continue_fit,
    fit_mixture,
)
from mixtura.select.model_search.robustness import Robustness
from mixtura.validation import without_empty_rows

if TYPE_CHECKING:
    from mixtura.core.mixture import Mixture
    from mixtura.estimators.gaussian_mixture import GaussianMixture

__all__ = ["PartialFitMixin"]

_ARGUMENTS: dict[str, Any] = {"half_life": [Interval(Real, 0.0, None, closed="neither"), None]}


class PartialFitMixin:
    """What makes an estimator of mixtures one that can be fitted in parts."""

    feature_names_in_: npt.NDArray[np.object_]
    statistics_: Statistics
    n_samples_seen_: int

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(
        self: GaussianMixture,
        X: npt.ArrayLike,
        y: object = None,
        *,
        sample_weight: npt.ArrayLike | None = None,
        half_life: float | None = None,
    ) -> GaussianMixture:
        """Add a batch of rows to those seen before, of which sums are kept (incremental EM; Neal and Hinton 1998).

        The first batch is fitted as `fit` does; it should have many more rows than components. For every further one
        responsibilities of its rows and the mixture are improved in turn, up to ``max_iter`` times or until the
        bound of the mean log-likelihood changes by less than ``tol``, beside the sums of earlier rows as they are. The
        bound never falls within a batch. After `fit` the rows of the fit are taken for what the mixture says of them.
        Noise keeps the volume of the first batch.

        Parameters
        ----------
        X : array-like of shape (N, D)
            Rows in memory.
        y : ignored
        sample_weight : array-like of shape (N,), optional
        half_life : float, optional
            Rows after which a row counts half, where the last row is the latest; nothing is forgotten by default.

        Raises
        ------
        DataError
            Rows on a cluster or in a database.
        ParameterError
            The number of components or the family is another one than before.

        Examples
        --------
        >>> import numpy as np
        >>> from mixtura import GaussianMixture
        >>> rows = np.random.RandomState(0).standard_normal((300, 2)) + np.repeat([[0.0], [5.0]], 150, axis=0)
        >>> rows = rows[np.random.RandomState(1).permutation(300)]
        >>> gm = GaussianMixture(2, random_state=0)
        >>> for batch in np.split(rows, 3):
        ...     gm = gm.partial_fit(batch)
        >>> gm.n_samples_seen_, float(gm.statistics_.counts.sum().round(6))
        (300, 300.0)
        """
        validate_parameter_constraints(_ARGUMENTS, {"half_life": half_life}, "partial_fit")
        if is_distributed(X) or is_in_database(X):
            raise DataError(
                "`X` must be rows in memory; got rows on a cluster or in a database. Give parts of them one after the "
                "other, or all to `fit`."
            )
        first = not hasattr(self, "means_")
        missing = self.missing == "fiml"
        rows = as_rows(self, X, reset=first, min_rows=2 if first else 1, missing=missing)
        weights = _faded(as_weights(sample_weight, rows), len(rows), half_life)
        if first:
            data, weights = data_of_rows(rows, weights, self.missing, self.n_components)
            task = FitTask.begin(self, rows, y, weights, self.n_init)
            self._fit_checked(data, rows.dtype, task, fit_mixture)
            self.statistics_, self.n_samples_seen_ = fit.sums_of(data, self.mixture_), len(rows)
            return self
        data = as_data(rows, without_empty_rows(weights, rows) if missing else weights)
        mixture, seen = self._as_mixture(), getattr(self, "n_samples_seen_", None)
        kept = fit.KeptSums(_sums_before(self, mixture), mixture)
        kept = kept if half_life is None else kept.scaled(float(np.exp2(-len(rows) / half_life)))
        step = partial(fit.IncrementalEMStep, kept=kept)
        settings = Settings(AbsoluteChange(self.tol), self.max_iter, step=step)
        result = continue_fit(Problem(data, _model(self, mixture)), mixture, settings)
        self._take(result, rows.dtype)
        self.statistics_ = kept.about(result.mixture) + fit.sums_of(data, result.mixture)
        self.n_samples_seen_ = len(rows) + (round(kept.sums.total_weight) if seen is None else seen)
        return self


def _faded(weights: FloatArray | None, n_rows: int, half_life: float | None) -> FloatArray | None:
    """Return weights by age, the last row being the latest."""
    if half_life is None:
        return weights
    factors = np.exp2(-np.arange(n_rows - 1, -1, -1) / half_life)
    return np.asarray(factors if weights is None else weights * factors)


def _sums_before(estimator: GaussianMixture, mixture: Mixture) -> Statistics:
    """Return the sums of the rows seen before, those of a fit as its mixture implies them."""
    known: Statistics | None = getattr(estimator, "statistics_", None)
    if known is not None:
        return known
    weight, bound = estimator.result_.total_weight, estimator.lower_bound_
    found = fit.implied_sums(mixture, weight, ridge=estimator.reg_covar)
    found.sums[0] = weight * bound
    return found


def _model(estimator: GaussianMixture, mixture: Mixture) -> GaussianModel:
    k, family = mixture.n_components, mixture.family
    if (k, family.name) != (estimator.n_components, get_family(estimator.covariance_type).name):
        raise ParameterError(
            f"`n_components` and `covariance_type` must be as before, {k} and {family.name!r}; got "
            f"{estimator.n_components} and {estimator.covariance_type!r}. Make a new estimator, or fit again."
        )
    terms = Robustness.of(mixture)
    return GaussianModel(
        k, family, Ridge(estimator.reg_covar), background=terms.background, tails=terms.tails
    )
