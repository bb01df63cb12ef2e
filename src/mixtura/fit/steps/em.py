"""The expectation-maximization step: a pass that adds up statistics, then the M-step."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np

from mixtura._typing import FloatArray
from mixtura.core.accumulate import AccumulateAbout, EStep
from mixtura.core.covariance import Structure
from mixtura.core.data import Data
from mixtura.core.maximize import maximize
from mixtura.core.mixture import Mixture
from mixtura.core.prior import Prior
from mixtura.core.statistics import Statistics
from mixtura.fit.loop.driver import StepResult
from mixtura.kernels import Components, Layout

__all__ = ["EMStep", "Problem"]


@dataclass(frozen=True, slots=True)
class Problem:
    """The rows, and what is asked of them.

    Parameters
    ----------
    data : Data
    n_components : int
    family : Structure
    prior : Prior
    total : Statistics, optional
        The total scatter, where the family's cheapest layout gathers none; see `with_total`.
    """

    data: Data
    n_components: int
    family: Structure
    prior: Prior
    total: Statistics | None = field(default=None, repr=False)

    def with_total(self) -> Problem:
        """Return the problem with the total scatter gathered, if the family's cheapest layout needs it."""
        if self.total is not None or self.family.layouts[0] is not Layout.SHARED:
            return self
        return replace(self, total=self.data.total)


_NARROWING = 3.0
"""Nats of the log-determinant of a component's whitening factor."""

_LARGEST_CANCELLATION = 1e5
"""Squared widths that a mean may move without its second moments losing more than five digits."""


class EMStep:
    """One EM iteration (Dempster, Laird and Rubin 1977).

    The objective is the mean log-likelihood per unit of weight, with the logarithm of the prior density, if the prior
    has one, added to its total: it never falls.

    Parameters
    ----------
    problem : Problem
        With its total scatter where the family needs one.
    """

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        self._layout = problem.family.layouts[0]

    def __call__(self, model: Mixture) -> StepResult[Mixture]:
        return self.finish(self.gather(model), model)

    def finish(self, statistics: Statistics, model: Mixture) -> StepResult[Mixture]:
        """Return the move that the sums of a pass lead to; passes again where they have lost their digits."""
        family = self._problem.family
        better, repairs = maximize(statistics, family, self._problem.prior, model)
        if not family.is_precise(statistics, better.covariances):
            self._layout = family.layouts[-1]
            statistics = self.gather(model)
            better, repairs = maximize(statistics, family, self._problem.prior, model)
        elif _narrows(model, better) and _has_moved_far(statistics, better):
            statistics = self._gather_about(better.means, model, statistics)
            better, repairs = maximize(statistics, family, self._problem.prior, model)
        ridge = 0.0 if repairs else self._problem.prior.ridge
        allowance = partial(_cost_of_ridge, ridge, statistics.counts, model, better) if ridge else None
        return StepResult(better, self.objective(statistics, model), repairs, allowance=allowance)

    def objective(self, statistics: Statistics, model: Mixture) -> float:
        """Return the objective of the model that entered a pass, from the sums of the pass."""
        gained = statistics.log_likelihood + self._problem.prior.log_density(model)
        return gained / statistics.total_weight

    def gather(self, model: Mixture) -> Statistics:
        """Pass over the rows and return their sums."""
        data = self._problem.data
        return self.complete(data.reduce(EStep(self.components(model), data.kernel)))

    def _gather_about(self, means: FloatArray, model: Mixture, found: Statistics) -> Statistics:
        """Pass again for the sums about the means that they lead to."""
        data = self._problem.data
        sums = data.reduce(AccumulateAbout(self.components(model), means, self._layout, data.kernel))
        sums.sums[0] = found.log_likelihood
        return self.complete(sums)

    def components(self, model: Mixture) -> Components:
        """Return what a pass asks of a kernel, in the layout that serves now."""
        return model.components(self._layout)

    def complete(self, statistics: Statistics) -> Statistics:
        """Return the sums of a pass with what does not change between passes."""
        total = self._problem.total
        return statistics if total is None else replace(statistics, total=total)


def _narrows(before: Mixture, after: Mixture) -> bool:
    """Return whether the volume of a component falls so much in a step that its sums may have cancelled."""
    change = after.factors.log_determinants - before.factors.log_determinants
    return bool(np.maximum.reduce(change) > _NARROWING)


def _has_moved_far(statistics: Statistics, mixture: Mixture) -> bool:
    """Return whether a mean has moved so many of its new widths that the second moments about the old one cancel.

    Of a moment ``n d^2`` about the old mean, d widths away, ``n`` is left, with an error of ``n d^2`` units in the last
    place.
    """
    shift = mixture.means - statistics.means
    whitening = mixture.factors.whitening
    if statistics.layout is Layout.SHARED:
        return False
    if statistics.layout is Layout.DIAGONAL:
        widths = np.square(shift * whitening).sum(axis=1)
    else:
        dense = mixture.components(Layout.DENSE).factors
        widths = np.square(np.einsum("kij,kj->ki", dense, shift)).sum(axis=1)
    return bool(widths.max() > _LARGEST_CANCELLATION)


def _cost_of_ridge(ridge: float, counts: FloatArray, before: Mixture, after: Mixture) -> float:
    """Return by how much an M-step with a ridge may lower the mean log-likelihood, in nats.

    It maximizes ``Q - ridge / 2 sum_k n_k tr(Sigma_k^-1)``, Q the expected complete log-likelihood. As that does not
    fall, Q falls by no more than the penalty does, and the log-likelihood by no more than Q. What rounding may be of
    that is not conceded: some ``eps kappa`` of the traces, kappa the condition of a covariance.
    """
    weights = counts / counts.sum()
    traces, new = _precision_traces(before), _precision_traces(after)
    sizes = np.einsum("kii->k", before.full_covariances())
    rounding = np.finfo(np.float64).eps * weights @ (sizes * traces * traces)
    return 0.5 * ridge * float(weights @ (traces - new) - rounding)


def _precision_traces(mixture: Mixture) -> FloatArray:
    """Return ``tr(Sigma_k^-1)``, the sum of the squared whitening factors, of each component, (K,)."""
    squares = np.square(mixture.factors.whitening)
    if squares.ndim == 2 and mixture.family.stores_matrices:
        return np.full(mixture.n_components, squares.sum())
    return np.asarray(squares.reshape(mixture.n_components, -1).sum(axis=1))
