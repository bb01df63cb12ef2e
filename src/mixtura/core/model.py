"""What is learned from statistics: a model makes a state, such as a mixture, of sums, and is evaluated by a kernel."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

import numpy as np

from mixtura._typing import FloatArray
from mixtura.core.covariance import Structure
from mixtura.core.maximize import Repair, maximize
from mixtura.core.mixture import Mixture
from mixtura.core.moments import DENSE, Moments
from mixtura.core.parts.discrete import DiscreteColumns, LevelTable
from mixtura.core.parts.kept_components import KeptComponents
from mixtura.core.parts.student import StudentTails
from mixtura.core.prior import Prior
from mixtura.core.statistics import Statistics
from mixtura.exceptions import ParameterError
from mixtura.kernels import Components
from mixtura.kernels.terms.background import Background

__all__ = ["GaussianModel", "Model"]

S = TypeVar("S")


class Model(Protocol[S]):
    """What the steps of expectation-maximization ask of a model; its state S is a mixture, or a posterior.

    A model never sees rows: a pass evaluates `components` on them, and `maximize` is given the sums.
    """

    @property
    def n_components(self) -> int: ...

    @property
    def moments(self) -> tuple[Moments, ...]:
        """Second moments that the model can be learned from, the cheapest first."""

    def components(self, state: S, moments: Moments) -> Components:
        """Return what a kernel evaluates so that a pass gathers these moments."""

    def maximize(self, statistics: Statistics, previous: S | None = None) -> tuple[S, tuple[Repair, ...]]:
        """Return the state that maximizes the expected objective, and the repairs it needed."""

    def log_prior(self, state: S) -> float:
        """Return what the objective has beside the log-likelihood, in nats."""

    def is_precise(self, state: S, total: FloatArray) -> bool:
        """Return whether what components share kept its digits beside the total variances of the columns, (D,)."""

    def n_parameters(self, n_features: int) -> int:
        """Return the number of free parameters."""


_LARGEST_CANCELLATION = 1e6
"""Total variance of a column, in units of the variance within components that the columns before leave of it."""

_NOTHING = 1e-200
"""Share of the rows of which nothing can be learned, as squares of what they sum to may be zero."""

_LEAST_NOISE = 1e-6
"""Share of the rows that a start has to give to the noise to say how much of it there is."""

_FAR_APART = 100.0
"""Total variance of a column, in units of that within components, from which on the latter is worth gathering."""


@dataclass(frozen=True, slots=True, eq=False)
class GaussianModel:
    """A Gaussian mixture with one covariance structure.

    Parameters
    ----------
    n_components : int
    structure : Structure
    prior : Prior
    discrete : DiscreteColumns, optional
        What is modeled of discrete columns beside it.
    background : Background, optional
        Noise beside the components, with the share that it begins with.
    tails : StudentTails, optional
        Makes the components multivariate t distributions; by default they are Gaussian.
    kept : KeptComponents, optional
        The first components, of an earlier mixture, which stay as they are.

    Raises
    ------
    ParameterError
        t components with a conjugate prior, whose means the M-step does not have in closed form; kept components with
        one, with noise, or with t components.

    Examples
    --------
    >>> from mixtura.core.covariance import get_family
    >>> from mixtura.core.model import GaussianModel
    >>> from mixtura.core.prior import Ridge
    >>> GaussianModel(2, get_family("full"), Ridge()).n_parameters(3)
    19
    """

    n_components: int
    structure: Structure
    prior: Prior
    discrete: DiscreteColumns | None = None
    background: Background | None = None
    tails: StudentTails | None = None
    kept: KeptComponents | None = None

    def __post_init__(self) -> None:
        if self.kept is not None and not (
            self.prior.is_flat and self.background is None and self.tails is None
        ):
            raise ParameterError(
                "`keep` goes with Gaussian components alone, and a `prior` without pseudo-observations. Try "
                "`prior='floor'` and `robust='none'`."
            )
        if self.tails is not None and not self.prior.is_flat:
            raise ParameterError(
                "`prior` must not add pseudo-observations where components are t distributions; try `prior='floor'`."
            )

    @property
    def moments(self) -> tuple[Moments, ...]:
        """Second moments that the structure can be estimated from, the cheapest first."""
        if self.kept is not None:
            return (DENSE,)
        if self.background is None and self.tails is None:
            return self.structure.moments
        # Rows of the noise, and all that weigh less than one, are whole in the total scatter.
        return tuple(one for one in self.structure.moments if not one.needs_total)

    def components(self, state: Mixture, moments: Moments) -> Components:
        """Return what a kernel evaluates so that a pass gathers these moments."""
        return state.components(moments)

    def maximize(
        self, statistics: Statistics, previous: Mixture | None = None, *, lift: bool = True
    ) -> tuple[Mixture, tuple[Repair, ...]]:
        """Return the best mixture and the repairs it needed, as `mixtura.core.maximize.maximize`."""
        if self.kept is not None:
            return self.kept.maximize(statistics, self.structure, self.prior, self.discrete, previous)
        if self.background is not None and previous is not None and _leave_nothing(statistics):
            return previous, ()
        found, repairs = maximize(statistics.as_gaussian(), self.structure, self.prior, previous, lift=lift)
        if self.tails is not None:
            found = replace(found, tails=self.tails.maximize(statistics))
        if self.discrete is not None:
            logs = self.discrete.maximize(statistics.levels, self.n_components)
            found = replace(found, levels=LevelTable(self.discrete, logs))
        if self.background is not None:
            share = float(statistics.counts.sum() / statistics.total_weight)
            found = self._with_background(found, share, is_start=previous is None)
        return found, repairs

    def begin_from(self, mixture: Mixture) -> Mixture:
        """Return a mixture to start from, with what it lacks of the model: levels, noise, degrees of freedom."""
        if self.discrete is not None and mixture.levels is None:
            logs = self.discrete.maximize(None, self.n_components)
            mixture = replace(mixture, levels=LevelTable(self.discrete, logs))
        if self.tails is not None and mixture.tails is None:
            mixture = replace(mixture, tails=self.tails.begin(self.n_components))
        if self.background is None or mixture.background is not None:
            return mixture
        return self._with_background(mixture, 1.0, is_start=True)

    def _with_background(self, found: Mixture, share: float, *, is_start: bool) -> Mixture:
        """Return a mixture whose components have this share of the rows; noise has the rest.

        A start that gives all rows to the components leaves the noise the share that it begins with: a weight of zero
        would stay zero.
        """
        assert self.background is not None
        if is_start and not share < 1.0 - _LEAST_NOISE:
            share = 1.0 - self.background.weight
        share = min(share, 1.0)
        weights = found.weights * share
        offsets = None if found.offsets is None or share <= 0 else found.offsets + np.log(share)
        noise = self.background.with_weight(1.0 - share)
        return replace(found, weights=weights, offsets=offsets, background=noise)

    def log_prior(self, state: Mixture) -> float:
        """Return the logarithm of the prior density but for a constant, in nats."""
        gaussian = self.prior.log_density(state)
        return (
            gaussian if state.levels is None else gaussian + state.levels.columns.log_prior(state.levels.logs)
        )

    def is_precise(self, state: Mixture, total: FloatArray) -> bool:
        """Return whether what components share kept its digits beside the total variances of the columns, (D,).

        What is lost is some units in the last place of the total variance, in units of what the columns before leave of
        a column within components. Gathering the scatter within helps where that is much narrower than the total.
        """
        whitening = state.factors.whitening
        left = np.diagonal(whitening, axis1=-2, axis2=-1) if self.structure.stores_matrices else whitening
        cancelled = total * left * left
        if not np.maximum.reduce(cancelled, axis=None) > _LARGEST_CANCELLATION:
            return True
        variances = self.structure.storage.variances(state.covariances, state.n_features)
        return not ((cancelled > _LARGEST_CANCELLATION) & (total > _FAR_APART * variances)).any()

    def n_parameters(self, n_features: int) -> int:
        """Return ``K - 1`` weights, ``K D`` means, and the parameters of covariances, noise and tails."""
        if self.kept is not None:
            new = self.n_components - self.kept.n_components
            beside = 0 if self.discrete is None else self.discrete.n_parameters(new)
            return self.kept.n_parameters(self.structure, self.n_components, n_features) + beside
        covariances = self.structure.n_parameters(self.n_components, n_features)
        noise = 0 if self.background is None else Background.N_PARAMETERS
        tails = 0 if self.tails is None else self.tails.n_parameters(self.n_components)
        levels = 0 if self.discrete is None else self.discrete.n_parameters(self.n_components)
        return self.n_components - 1 + self.n_components * n_features + covariances + noise + tails + levels


def _leave_nothing(statistics: Statistics) -> bool:
    """Return whether all rows are noise: what components have of them is too little to learn from."""
    return not statistics.counts.sum() > _NOTHING * statistics.total_weight
