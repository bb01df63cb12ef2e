"""One model tried: a covariance type with a number of components, and how it came out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from mixtura.core.mixture import Mixture
from mixtura.exceptions import ParameterError
from mixtura.fit import Degeneracy, FitResult, Outcome
from mixtura.select.scores.criteria import FIT_CRITERIA, aic, aicc, bic, caic, icl, mmdl, nec
from mixtura.select.scores.folds import FoldScores

__all__ = ["Candidate", "OnCandidate"]


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """One covariance type with one number of components.

    Parameters
    ----------
    covariance_type : str
    n_components : int
    n_parameters : int
        Free parameters.
    n_rows : float
        Number of rows, or the sum of the sample weights.
    log_likelihood : float
        Total, in nats; this and what follows is NaN where the fit failed.
    entropy : float
        Of the responsibilities, ``-sum_n w_n sum_k r_nk log r_nk``, in nats.
    classification_entropy : float
        ``-sum_n w_n log max_k r_nk``, in nats.
    single_log_likelihood : float
        Of one component of the same covariance type.
    mixture : Mixture or None
    result : FitResult or None
        How the fit ended; None where it failed.
    seconds : float
    failure : str or None
        Why there is no mixture.
    degeneracies : tuple of Degeneracy
        Components that sit on equal values, in a plane, or on a handful of rows, with the rows and columns that cause
        it.
    folds : FoldScores or None, default=None
        What it scores on rows held out; None where the search was not asked for ``criterion="cv"``.
    robust : {"none", "noise", "t"}, default="none"
        What the model has against outliers.
    n_own : int, default=0
        Free parameters that each component has for itself, so that its rows determine them: not the weights, and not
        what components share.
    n_kept : int, default=0
        The first components that are kept, and have none.
    """

    covariance_type: str
    n_components: int
    n_parameters: int
    n_rows: float
    log_likelihood: float
    entropy: float
    classification_entropy: float
    single_log_likelihood: float
    mixture: Mixture | None
    result: FitResult | None
    seconds: float
    failure: str | None = None
    degeneracies: tuple[Degeneracy, ...] = ()
    folds: FoldScores | None = None
    robust: str = "none"
    n_own: int = 0
    n_kept: int = 0

    @property
    def is_degenerate(self) -> bool:
        """Whether a component describes an accident of the rows, so that the likelihood means nothing."""
        return bool(self.degeneracies)

    @property
    def smallest_share(self) -> float:
        """Weight of the smallest component, its expected share of the rows; NaN where the fit failed."""
        return np.nan if self.mixture is None else float(self.mixture.weights.min())

    @property
    def outcome(self) -> Outcome | None:
        return None if self.result is None else self.result.outcome

    @property
    def converged(self) -> bool:
        return self.result is not None and self.result.converged

    @property
    def n_iter(self) -> int:
        return 0 if self.result is None else self.result.n_iter

    @property
    def bic(self) -> float:
        """The Bayesian information criterion; infinite where the fit failed."""
        return self.criterion("bic")

    @property
    def aic(self) -> float:
        """Akaike's information criterion; infinite where the fit failed."""
        return self.criterion("aic")

    def criterion(self, name: str) -> float:
        """Return the value of a criterion by name, one of `CRITERIA`; infinite where the fit failed.

        Raises
        ------
        ParameterError
            ``"cv"`` of a candidate that was not cross-validated.
        """
        fit = self.log_likelihood, self.n_parameters
        if name == "nec":
            value = nec(self.log_likelihood, self.single_log_likelihood, self.entropy, self.n_components)
        elif name == "icl":
            value = icl(*fit, self.n_rows, self.classification_entropy)
        elif name == "aic":
            value = aic(*fit)
        elif name == "mmdl":
            weights = () if self.mixture is None else self.mixture.weights[self.n_kept :].tolist()
            value = mmdl(*fit, self.n_rows, self.n_own, weights)
        elif name == "cv":
            value = self._score()
        else:
            value = {"bic": bic, "aicc": aicc, "caic": caic}[name](*fit, self.n_rows)
        return np.inf if self.failure is not None or np.isnan(value) else value

    def _score(self) -> float:
        if self.folds is None and self.failure is None:
            raise ParameterError(
                f"`name` must be a criterion that the search computed; got 'cv' for {self.covariance_type!r} with "
                f"{self.n_components!r} components, which was not cross-validated. Search with `criterion='cv'`."
            )
        return np.nan if self.folds is None else self.folds.score

    @property
    def criteria(self) -> dict[str, float]:
        """Every criterion by name; where it was cross-validated, ``cv`` and its ``cv_standard_error``, too.

        A score that there is not, of a fit or a fold that failed, is NaN.
        """
        found = {name: self.criterion(name) for name in FIT_CRITERIA}
        if self.folds is None:
            return found
        failed = self.failure is not None or self.folds.failure is not None
        scored = (np.nan, np.nan) if failed else (self.folds.score, self.folds.standard_error)
        return found | dict(zip(("cv", "cv_standard_error"), scored, strict=True))

    def row(self, columns: Sequence[str] | None = None, *, first: int = 0) -> dict[str, Any]:
        """Return this candidate as a row of a table; what a failed fit does not have is None.

        Parameters
        ----------
        columns : sequence of str, optional
            Names of the columns, for what is said of degenerate components; without them columns have numbers.
        first : int, default=0
            Number of the first component in what is said of degenerate ones.
        """
        failed = self.failure is not None
        numbers = {"log_likelihood": self.log_likelihood, "entropy": self.entropy}
        numbers |= self.criteria
        return {
            "covariance_type": self.covariance_type,
            "n_components": self.n_components,
            "n_parameters": self.n_parameters,
            **{name: None if failed or np.isnan(value) else float(value) for name, value in numbers.items()},
            "degenerate": "; ".join(one.describe(columns, first=first) for one in self.degeneracies) or None,
            "outcome": None if self.outcome is None else self.outcome.value,
            "n_iter": self.n_iter,
            "seconds": self.seconds,
            "failure": self.failure,
            **({} if self.folds is None else {"cv_failure": self.folds.failure}),
        }


class OnCandidate(Protocol):
    """Called with each candidate when it is finished."""

    def __call__(self, candidate: Candidate, done: int, total: int) -> None: ...
