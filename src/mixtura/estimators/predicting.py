"""What a fitted mixture says of rows, in scikit-learn's words."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from mixtura._typing import FloatArray, IntArray, RowArray, RowsLike
from mixtura.core.mixture import Mixture
from mixtura.engine import as_data, as_distributed, evaluate_distributed, is_distributed, is_in_database
from mixtura.estimators.validation import as_weights, columns_of
from mixtura.exceptions import ParameterError
from mixtura.fit.evaluation import log_likelihood
from mixtura.select.scores.criteria import aic, bic
from mixtura.validation import without_empty_rows

__all__ = ["MixturePredictor"]


class MixturePredictor(ABC):
    """Labels, probabilities, densities, criteria and samples of a fitted mixture of K components in D columns.

    An estimator that derives from this says which mixture it fitted and checks the rows, once.
    """

    random_state: int | np.random.RandomState | None

    @abstractmethod
    def _as_mixture(self) -> Mixture:
        """Return the fitted mixture."""

    def _draw(self, n_samples: int, rng: np.random.RandomState) -> tuple[FloatArray, IntArray]:
        """Draw rows, and their components."""
        return self._as_mixture().sample(n_samples, rng)

    @abstractmethod
    def _rows(self, X: RowsLike) -> RowArray:
        """Return rows (N, D) with the columns seen in fit; raise where nothing was fitted."""

    @property
    def _takes_missing(self) -> bool:
        """Whether NaN stands for a missing value."""
        return getattr(self, "missing", "error") == "fiml"

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()  # type: ignore[misc]  # of BaseEstimator, beside this in every estimator
        tags.input_tags.allow_nan = self._takes_missing
        return tags

    def _labels(self, rows: RowArray) -> IntArray:
        labels = np.empty(rows.shape[0], dtype=np.intp)
        data = as_data(rows)
        data.evaluate(self._as_mixture().components(), labels=data.state_of(labels))
        return labels

    def _lazily(self, X: Any, output: str) -> Any:
        """Return what the mixture says of a collection's rows, computed when asked for."""
        mixture, columns = self._as_mixture(), columns_of(self, X)
        return evaluate_distributed(X, columns, mixture.components(), output, missing=self._takes_missing)

    def predict(self, X: RowsLike) -> IntArray:
        """Return the most probable component of each row, (N,); -1 for noise.

        For a Dask collection it is a Dask array; a Spark dataframe is given the column ``prediction``, and
        ``probability_0`` and so on, or ``log_density``.
        """
        if is_distributed(X):
            return self._lazily(X, "labels")  # type: ignore[no-any-return]
        return self._labels(self._rows(X))

    def predict_proba(self, X: RowsLike) -> FloatArray:
        """Return the probability that each row came from each component, (N, K): one less that of noise in sum."""
        if is_distributed(X):
            return self._lazily(X, "memberships")  # type: ignore[no-any-return]
        rows = self._rows(X)
        mixture, data = self._as_mixture(), as_data(rows)
        memberships = np.empty((rows.shape[0], mixture.n_components))
        data.evaluate(mixture.components(), memberships=data.state_of(memberships))
        return memberships.astype(rows.dtype, copy=False)

    def score_samples(self, X: RowsLike) -> FloatArray:
        """Return the log density of each row, (N,), in nats."""
        if is_distributed(X):
            return self._lazily(X, "log_density")  # type: ignore[no-any-return]
        rows = self._rows(X)
        return self._log_density(rows).astype(rows.dtype, copy=False)

    def _log_density(self, rows: RowArray) -> FloatArray:
        data, log_density = as_data(rows), np.empty(rows.shape[0])
        data.evaluate(self._as_mixture().components(), log_density=data.state_of(log_density))
        return log_density

    def _total(self, X: RowsLike, sample_weight: npt.ArrayLike | None) -> tuple[float, float]:
        """Return the total log-likelihood and the total weight."""
        if is_distributed(X):
            missing = "fiml" if self._takes_missing else "error"
            spread = as_distributed(X, sample_weight, missing, columns_of(self, X))
            return log_likelihood(spread, self._as_mixture()), spread.total_weight
        if is_in_database(X):
            columns = columns_of(self, X)
            held = as_data(X if columns is None else X.part(columns), sample_weight)
            return log_likelihood(held, self._as_mixture()), held.total_weight
        rows = self._rows(X)
        weights = as_weights(sample_weight, rows)
        if self._takes_missing:
            weights = without_empty_rows(weights, rows)
        log_density = self._log_density(rows)
        if weights is None:
            return float(log_density.sum()), float(rows.shape[0])
        return float(log_density @ weights), float(weights.sum())

    def score(self, X: RowsLike, y: object = None, *, sample_weight: npt.ArrayLike | None = None) -> float:
        """Return the mean log density of a row, in nats; weighted where weights (N,) are given."""
        if sample_weight is None and not (is_distributed(X) or is_in_database(X)):
            return float(self.score_samples(X).mean())
        total, weight = self._total(X, sample_weight)
        return total / weight

    def bic(self, X: RowsLike, *, sample_weight: npt.ArrayLike | None = None) -> float:
        """Return the Bayesian information criterion ``-2 log L + p log n`` (Schwarz 1978); smaller is better.

        With weights (N,), n is their sum.
        """
        total, weight = self._total(X, sample_weight)
        return bic(total, self._n_parameters(), weight)

    def aic(self, X: RowsLike, *, sample_weight: npt.ArrayLike | None = None) -> float:
        """Return Akaike's information criterion ``-2 log L + 2 p`` (Akaike 1974); smaller is better."""
        return aic(self._total(X, sample_weight)[0], self._n_parameters())

    def _n_parameters(self) -> int:
        return self._as_mixture().n_parameters

    def sample(self, n_samples: int = 1) -> tuple[FloatArray, IntArray]:
        """Draw random rows from the fitted mixture with ``random_state``.

        Returns
        -------
        X : ndarray of shape (n_samples, D), ordered by component
        y : ndarray of shape (n_samples,)
            The component of each row; -1 for noise, whose rows are the last.
        """
        check_is_fitted(self)
        if n_samples < 1:
            raise ParameterError(
                f"Invalid value for 'n_samples': {n_samples!r} . The sampling requires at least one sample."
            )
        return self._draw(n_samples, check_random_state(self.random_state))
