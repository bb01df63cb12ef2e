"""The expectation-maximization step: a pass that adds up statistics, then the M-step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import NamedTuple

import numpy as np

from mixtura._typing import FloatArray
from mixtura.core.accumulate import AccumulateAbout, EStep
from mixtura.core.data import Data
from mixtura.core.maximize import Repair
from mixtura.core.mixture import Mixture
from mixtura.core.model import GaussianModel
from mixtura.core.moments import POOLED, Moments
from mixtura.core.prior import Ridge
from mixtura.core.statistics import Statistics
from mixtura.fit.loop.state import StepResult
from mixtura.kernels import NEGLIGIBLE, Components

__all__ = ["EMState", "EMStep", "Problem"]


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """The rows, and what is asked of them.

    Parameters
    ----------
    data : Data
    model : GaussianModel
        What is to be learned.
    """

    data: Data
    model: GaussianModel

    @property
    def moments(self) -> Moments:
        """Second moments that passes gather at first; what the total would complete is not known of missing values."""
        return self.model.moments[-1 if self.data.has_missing else 0]

    def prepare(self) -> None:
        """Gather the total scatter, where the model needs it: tasks side by side then share it."""
        if self.model.moments[0].needs_total:
            _ = self.data.total

    def near_together(self, mixture: Mixture) -> Problem:
        """Return the problem with rows sorted by their components where they are many enough that passes gain by it."""
        many = self.model.n_components >= _MANY_COMPONENTS and self.data.n_rows >= _MANY_ROWS
        if not many or mixture.tails is not None:
            return self
        components = self.model.components(mixture, self.model.moments[-1])
        return replace(self, data=self.data.near_together(components))


_MANY_COMPONENTS, _MANY_ROWS = 64, 50_000
"""From where on rows are sorted before a run."""

_NARROWING = 3.0
"""Nats of the log-determinant of a component's whitening factor."""

_MOST_WIDTHS = 100.0
"""Squared widths that a mean may move without its second moments losing more than two digits."""


class EMState(NamedTuple):
    """The state of `EMStep`.

    Parameters
    ----------
    model : Mixture
        That enters the next pass.
    moments : Moments
        Those that it gathers; costlier ones where the cheapest have lost their digits.
    """

    model: Mixture
    moments: Moments


class EMStep:
    """One EM iteration (Dempster, Laird and Rubin 1977).

    The objective is the mean log-likelihood per unit of weight, with the logarithm of the prior density, if the prior
    has one, added to its total: it never falls.

    Parameters
    ----------
    problem : Problem
    negligible : float, default=1e-12
        `Components.negligible` of its passes.
    """

    def __init__(self, problem: Problem, negligible: float = NEGLIGIBLE) -> None:
        self._data, self._model, self._first_moments = problem.data, problem.model, problem.moments
        self.negligible = negligible
        self._ridge = problem.model.prior.ridge
        self._drops_in = isinstance(problem.model.prior, Ridge)

    def init(self, model: Mixture) -> EMState:
        return EMState(model, self._first_moments)

    def __call__(self, state: EMState) -> tuple[EMState, StepResult[Mixture]]:
        return self.finish(state, self.gather(state))

    def final(self, state: EMState) -> tuple[Mixture, tuple[Repair, ...]]:
        return state.model, ()

    def finish(self, state: EMState, statistics: Statistics) -> tuple[EMState, StepResult[Mixture]]:
        """Return the state that the sums of a pass lead to; passes again where they have lost their digits."""
        model = state.model
        better, repairs = self._model.maximize(statistics, model)
        if not self.is_precise(better, state.moments):
            state = EMState(model, self._model.moments[-1])
            statistics = self.gather(state)
            better, repairs = self._model.maximize(statistics, model)
        elif statistics.tails is None and _narrows(model, better) and _has_moved_far(statistics, better):
            statistics = self._gather_about(better.means, state, statistics)
            better, repairs = self._model.maximize(statistics, model)
        ridge = 0.0 if repairs else self._ridge
        shares = partial(_shares, statistics)
        allowance = partial(_cost_of_ridge, ridge, shares, model, better) if ridge else None
        noise = None if self._drops_in else partial(_rounding, shares, model)
        found = StepResult(
            better, self.objective(statistics, model), repairs, allowance=allowance, noise=noise
        )
        return EMState(better, state.moments), found

    def is_precise(self, model: Mixture, moments: Moments) -> bool:
        """Return whether a model made of the sums of a pass, completed by the total scatter, kept its digits.

        Where components lie far apart for their width the subtraction cancels, and passes gather their scatter itself.
        """
        return not moments.needs_total or self._model.is_precise(model, self._total_variances)

    def objective(self, statistics: Statistics, model: Mixture) -> float:
        """Return the objective of the model that entered a pass, from the sums of the pass."""
        gained = statistics.log_likelihood + self._model.log_prior(model)
        return gained / statistics.total_weight

    def gather(self, state: EMState) -> Statistics:
        """Pass over the rows and return their sums."""
        sums = self._data.reduce(EStep(self.components(state), self._data.kernel))
        return self.complete(sums, state.moments)

    def _gather_about(self, means: FloatArray, state: EMState, found: Statistics) -> Statistics:
        """Pass again for the sums about the means that they lead to."""
        kernel = self._data.kernel
        sums = self._data.reduce(AccumulateAbout(self.components(state), means, state.moments, kernel))
        sums.sums[0] = found.log_likelihood
        return self.complete(sums, state.moments)

    def components(self, state: EMState) -> Components:
        """Return what a pass asks of a kernel."""
        components = self._model.components(state.model, state.moments)
        if self.negligible == components.negligible:
            return components
        return replace(components, negligible=self.negligible)

    def complete(self, statistics: Statistics, moments: Moments) -> Statistics:
        """Return the sums of a pass, completed by the total scatter where the moments need it."""
        return statistics.complete(self._total) if moments.needs_total else statistics

    @cached_property
    def _total(self) -> Statistics:
        return self._data.total.pooled()

    @cached_property
    def _total_variances(self) -> FloatArray:
        """Variances of the columns over all rows, (D,)."""
        total = self._total
        return np.asarray(POOLED.diagonal(total.second)[0] / total.total_weight)


def _narrows(before: Mixture, after: Mixture) -> bool:
    """Return whether the volume of a component falls so much in a step that its sums may have cancelled."""
    change = after.factors.log_determinants - before.factors.log_determinants
    return bool(np.maximum.reduce(change) > _NARROWING)


def _has_moved_far(statistics: Statistics, mixture: Mixture) -> bool:
    """Return whether a mean has moved by enough of its new widths that the second moments about the old one cancel.

    Of a moment ``n d^2`` about the old mean, d widths away, ``n`` is left, with an error of ``n d^2`` units in the last
    place.
    """
    moments = statistics.moments
    if moments.needs_total:
        return False
    shift = moments.whiten_first(mixture.means - statistics.means, mixture.components(moments).factors)
    with np.errstate(over="ignore"):
        return bool(np.square(shift).sum(axis=1).max() > _MOST_WIDTHS)


def _shares(statistics: Statistics) -> FloatArray:
    """Return the share of the rows that each component has, (K,); noise has the rest."""
    counts = statistics.counts
    return np.asarray(counts / max(counts.sum(), statistics.total_weight))


def _cost_of_ridge(ridge: float, shares: Callable[[], FloatArray], before: Mixture, after: Mixture) -> float:
    """Return by how much an M-step with a ridge may lower the mean log-likelihood, in nats.

    It maximizes ``Q - ridge / 2 sum_k n_k tr(Sigma_k^-1)``, Q the expected complete log-likelihood. As that does not
    fall, Q falls by no more than the penalty does, and the log-likelihood by no more than Q. What rounding may be of
    that is not conceded: some ``eps kappa`` of the traces, kappa the condition of a covariance.
    """
    weights = shares()
    traces, new = _precision_traces(before), _precision_traces(after)
    sizes = np.einsum("kii->k", before.full_covariances())
    with np.errstate(over="ignore"):
        rounding = np.finfo(np.float64).eps * weights @ (sizes * traces * traces)
    return 0.5 * ridge * float(weights @ (traces - new) - rounding)


def _rounding(shares: Callable[[], FloatArray], mixture: Mixture) -> float:
    """Return how far rounding may move the mean log-likelihood, in nats: ``eps kappa``, kappa the condition.

    With a floor or a conjugate prior a covariance may be nearly singular and still go on. With a ridge alone, as in
    scikit-learn, a step that loses by rounding is rejected.
    """
    sizes = np.einsum("kii->k", mixture.full_covariances())
    return float(np.finfo(np.float64).eps * shares() @ (sizes * _precision_traces(mixture)))


def _precision_traces(mixture: Mixture) -> FloatArray:
    """Return ``tr(Sigma_k^-1)``, the sum of the squared whitening factors, of each component, (K,)."""
    squares = np.square(mixture.factors.whitening)
    if squares.ndim == 2 and mixture.family.stores_matrices:
        return np.full(mixture.n_components, squares.sum())
    return np.asarray(squares.reshape(mixture.n_components, -1).sum(axis=1))
