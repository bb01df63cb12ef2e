"""scikit-learn's face of the detector: outliers as rows that mixtures of the normal rows do not expect."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, OutlierMixin
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from mixtura._typing import BoolArray, FloatArray, IntArray, RowsLike
from mixtura.anomaly.false_discoveries import control_false_discoveries
from mixtura.anomaly.fitted_detector import learn_detector
from mixtura.anomaly.member_draws import make_recipe
from mixtura.core.explanation.reasons import Reasons
from mixtura.core.mixture import Mixture
from mixtura.estimators.callbacks import checked
from mixtura.estimators.validation import as_rows, as_weights
from mixtura.validation import MISSING, require, whole_numbers
from mixtura.validation import Interval as ValidInterval

__all__ = ["GaussianMixtureOutlierDetector"]


class GaussianMixtureOutlierDetector(OutlierMixin, BaseEstimator):
    """Outliers as rows of low density under Gaussian mixtures that outliers do not mislead.

    A mixture fitted to a table with anomalies may spend a small component on them, which then calls them normal. Here
    many mixtures are fitted, each to 256 random rows and some random columns, standardized, then to those of its rows
    that it finds most likely, a share of half to all that it draws (trimmed likelihood, Neykov et al. 2007; for one
    component that is the concentration step of the minimum covariance determinant), and components of little weight do
    not count; with ``novelty=True`` nothing need be kept from them. A value that more than half of the rows have in a
    column is a point mass, and another one as strange as it is rare (not with ``novelty=True``). The score of a row is
    the mean over the M mixtures of the log of the share of all rows whose density is as low,
    ``s(x) = 1/M sum_m log P_m(f_m(X) <= f_m(x))``: columns need no common unit, and a single heavy tail does not decide
    (subsampling as in Liu, Ting and Zhou 2008; subspaces and averages as in Aggarwal and Sathe 2017, chapters 3 and 5).

    Parameters
    ----------
    n_estimators : int or None, default=None
        Number of mixtures M. None for 200, with ``novelty=True`` for 20, which see more rows.
    n_components : int, sequence of int or None, default=None
        Numbers of components, in ascending order; each mixture draws one, the first ones more often, with
        ``novelty=True`` all as often. None for 1 to 5, with ``novelty=True`` for 1, 2, 3, 5, 8, 12 and 20.
    contamination : "auto" or float, default=0.1
        Share of the rows of fit to flag, above 0 and at most 0.5: a percentile, not a finding. With ``novelty=True``
        the share of new normal rows, by rows of fit that are held out.
        ``"auto"``: as many as `flag` finds stranger than chance explains, which may be none; with ``novelty=True`` the
        threshold below which at most ``fdr`` of normal rows fall.
    novelty : bool, default=False
        Whether the rows of fit are all normal. Then each mixture sees half of the rows, every component counts, and
        p-values are conformal. Half of the mixtures have a component at every row that they see, unless `n_components`
        is given or values are missing; the others see at most 25 columns.
    fdr : float, default=0.1
        Rate of false discoveries of ``contamination="auto"``, above 0 and below 1.
    min_share : float, default=0.2
        Least weight of a component of normal rows, from 0 to 1; not used with ``novelty=True``. Twice the share of
        anomalies that one allows for: in a few rows they may be more, and draw normal ones into their component.
    random_state : int, RandomState or None, default=None
        Seed of samples, starts and simulations.
    missing : {"error", "fiml"}, default="error"
        What NaN is: an error or a missing value, see `mixtura.GaussianMixture`. A row with missing values has the
        density that is expected of the whole row.

    Attributes
    ----------
    offset_ : float
        Rows whose score is below it are outliers.
    scores_ : ndarray of shape (N,)
        Of the rows of fit.
    center_, scale_ : ndarray of shape (D,)
        Mean and standard deviation of the columns, by which they are standardized; of the middle nine tenths where
        single values drown all others. Values more than 10,000 deviations off count as 10,000.
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        Where the columns have names.

    Raises
    ------
    MissingValuesError
        NaN or infinite values; with ``missing="fiml"`` infinite values, or a column without any value.
    ParameterError
        A parameter is out of its range.

    Notes
    -----
    In a table of more than 2,000 rows mixtures are learned from a random sample of as many. Columns in which all
    rows are equal are not looked at.

    Examples
    --------
    >>> import numpy as np
    >>> from mixtura import GaussianMixtureOutlierDetector
    >>> rng = np.random.RandomState(0)
    >>> X = np.vstack([rng.normal(size=(300, 2)), rng.normal(7, 0.2, size=(6, 2))])
    >>> detector = GaussianMixtureOutlierDetector(contamination=0.02, random_state=0).fit(X)
    >>> np.flatnonzero(detector.predict(X) == -1)[-6:]
    array([300, 301, 302, 303, 304, 305])
    >>> detector.predict([[0.5, -0.5], [5.0, -5.0]])
    array([ 1, -1])
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "n_estimators": [Interval(Integral, 1, None, closed="left"), None],
        "n_components": [Interval(Integral, 1, None, closed="left"), "array-like", None],
        "contamination": [StrOptions({"auto"}), Interval(Real, 0, 0.5, closed="right")],
        "novelty": ["boolean"],
        "fdr": [Interval(Real, 0, 1, closed="neither")],
        "min_share": [Interval(Real, 0, 1, closed="both")],
        "random_state": ["random_state"],
        "missing": [StrOptions(set(MISSING))],
    }

    def __init__(
        self,
        n_estimators: int | None = None,
        *,
        n_components: int | Sequence[int] | None = None,
        contamination: str | float = 0.1,
        novelty: bool = False,
        fdr: float = 0.1,
        min_share: float = 0.2,
        random_state: int | np.random.RandomState | None = None,
        missing: str = "error",
    ) -> None:
        self.n_estimators = n_estimators
        self.n_components = n_components
        self.contamination = contamination
        self.novelty = novelty
        self.fdr = fdr
        self.min_share = min_share
        self.random_state = random_state
        self.missing = missing

    @checked
    def fit(self, X: RowsLike, y: object = None, *, sample_weight: npt.ArrayLike | None = None) -> Self:
        """Learn what normal rows look like, and where outliers begin.

        Parameters
        ----------
        X : array-like of shape (N, D)
        y : ignored
        sample_weight : array-like of shape (N,), optional
            Not negative. Rows of weight zero are scored only.
        """
        del y
        rows = as_rows(self, X, reset=True, min_rows=2, missing=self._takes_missing)
        weights, table = as_weights(sample_weight, rows), rows.astype(np.float64, copy=False)
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        recipe = make_recipe(
            self.novelty, seed, self.min_share, n_members=self.n_estimators, components=self._sizes()
        )
        self._fitted = learn_detector(table, weights, recipe)
        self.center_, self.scale_ = self._fitted.standard.center, self._fitted.standard.scale
        self.scores_ = self._fitted.scores(table)
        self.offset_ = self._offset(table, weights)
        return self

    def score_samples(self, X: RowsLike) -> FloatArray:
        """Return the score of each row, (N,), at most zero: the lower, the stranger."""
        rows = self._rows(X)
        return self._fitted.scores(rows)

    def decision_function(self, X: RowsLike) -> FloatArray:
        """Return ``score_samples(X) - offset_``, (N,): negative for outliers."""
        return self.score_samples(X) - self.offset_

    def predict(self, X: RowsLike) -> IntArray:
        """Return -1 for outliers and 1 for all other rows, (N,)."""
        return np.where(self.decision_function(X) < 0, -1, 1)

    def p_values(self, X: RowsLike) -> FloatArray:
        """Return how likely a normal row is at least as strange as each row, (N,), calibrated by rows held out.

        With ``novelty=True`` p-values are conformal: with n normal rows, each judged by the mixtures that did not see
        it (as in Kim, Xu and Barber 2020), ``p = (1 + number of them that are as strange) / (n + 1)``, whatever their
        distribution (Bates, Candes, Lei, Romano and Sesia 2023). Otherwise the rows of fit may hold anomalies
        themselves: ``p`` is then the tail probability of `mixture_`, corrected by what the less strange of the rows,
        each held out of the fit that judges it, show; anomalies of up to a tenth of the rows make it larger.
        """
        rows = self._rows(X)
        return np.exp(self._fitted.log_p_values(rows))

    def tail_probabilities(self, X: RowsLike) -> FloatArray:
        """Return how likely a row of `mixture_` has a density as low as each row, (N,).

        With one component that is ``P(chi2_D >= d^2)`` with the squared Mahalanobis distance d^2; with several it
        comes from a simulation with the detector's seed.
        """
        rows = self._rows(X)
        return np.exp(self._fitted.log_tail_probabilities(rows))

    def flag(self, X: RowsLike, *, fdr: float | None = None) -> BoolArray:
        """Return which rows of a table are anomalies at a rate of false discoveries, (N,), bool.

        Unlike `predict`, which has one threshold for every row, this looks at the table as a whole
        (`mixtura.anomaly.control_false_discoveries`).

        Parameters
        ----------
        X : array-like of shape (N, D)
        fdr : float or None, default=None
            The detector's own by default.
        """
        return control_false_discoveries(self.p_values(X), self.fdr if fdr is None else fdr)

    def explain(self, X: RowsLike) -> Reasons:
        """Return why rows are strange: each column's contribution, and what is normal given the others.

        By `mixture_`, see `mixtura.anomaly.reasons_for`; expected values are in the units of X.
        """
        rows = self._rows(X)
        return self._fitted.reasons(rows)

    def stability(self, X: RowsLike, share: float = 0.1) -> FloatArray:
        """Return in which part of 100 resamples of the mixtures each row is among the strangest, (N,), from 0 to 1.

        Parameters
        ----------
        X : array-like of shape (N, D)
        share : float, default=0.1
            Of the rows of fit, those that are the strangest.
        """
        rows = self._rows(X)
        require("share", share, ValidInterval(0, 1), "Try `share=0.1`.")
        return self._fitted.stability(rows, share)

    @property
    def mixture_(self) -> Mixture:
        """One mixture of the normal rows, in standardized columns that have differences; found when first asked for.

        The best of 1 to 5 components by BIC, full or tied, without those of less weight than ``min_share``. Tail
        probabilities and reasons come from it.
        """
        check_is_fitted(self)
        return self._fitted.normal.normal

    @property
    def _takes_missing(self) -> bool:
        return self.missing == "fiml"

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = self._takes_missing
        return tags

    def _sizes(self) -> list[int] | None:
        if self.n_components is None:
            return None
        return whole_numbers("n_components", np.atleast_1d(self.n_components).tolist(), 1)

    def _rows(self, X: RowsLike) -> FloatArray:
        check_is_fitted(self)
        rows = as_rows(self, X, reset=False, missing=self._takes_missing)
        return rows.astype(np.float64, copy=False)

    def _offset(self, rows: FloatArray, weights: FloatArray | None) -> float:
        scores = self.scores_
        if self.novelty:
            return self._novelty_offset()
        if self.contamination != "auto":
            return _quantile(scores, float(self.contamination), weights)
        n_flagged = int(control_false_discoveries(np.exp(self._fitted.log_p_values(rows)), self.fdr).sum())
        ordered = np.sort(scores)
        if n_flagged == ordered.size:
            return float(np.nextafter(ordered[-1], np.inf))
        return float(ordered[n_flagged])

    def _novelty_offset(self) -> float:
        """Return below which score at most the share asked for of new normal rows fall.

        The rows of fit score higher than new ones under mixtures that saw them, so that their scores cannot say.
        """
        scores, weights = self._fitted.held_out_scores()
        if not scores.size:
            return -np.inf
        if self.contamination != "auto":
            return _quantile(scores, float(self.contamination), weights)
        n_below = int(self.fdr * (scores.size + 1))  # where p = (1 + number below) / (n + 1) is at most fdr
        return float(np.sort(scores)[n_below - 1]) if n_below else -np.inf


def _quantile(values: FloatArray, share: float, weights: FloatArray | None) -> float:
    """Return the value below which a share of the weight lies; as `numpy.quantile` where weights are equal."""
    if weights is None:
        return float(np.quantile(values, share))
    order = np.argsort(values)
    below = np.cumsum(weights[order])
    place = np.searchsorted(below, share * below[-1], side="right")
    return float(values[order][min(int(place), values.size - 1)])
