"""What is learned from statistics: a model makes a state, such as a mixture, of sums, and is evaluated by a kernel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, TypeVar

from mixtura._typing import FloatArray
from mixtura.core.covariance import Structure
from mixtura.core.maximize import Repair, maximize
from mixtura.core.mixture import Mixture
from mixtura.core.moments import Moments
from mixtura.core.prior import Prior
from mixtura.core.statistics import Statistics
from mixtura.kernels import Components

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

    def is_precise(self, state: S, least: FloatArray) -> bool:
        """Return whether all variances are above the least ones, (D,), that keep half their digits."""

    def n_parameters(self, n_features: int) -> int:
        """Return the number of free parameters."""


@dataclass(frozen=True, slots=True, eq=False)
class GaussianModel:
    """A Gaussian mixture with one covariance structure.

    Parameters
    ----------
    n_components : int
    structure : Structure
    prior : Prior

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

    @property
    def moments(self) -> tuple[Moments, ...]:
        """Second moments that the structure can be estimated from, the cheapest first."""
        return self.structure.moments

    def components(self, state: Mixture, moments: Moments) -> Components:
        """Return what a kernel evaluates so that a pass gathers these moments."""
        return state.components(moments)

    def maximize(
        self, statistics: Statistics, previous: Mixture | None = None
    ) -> tuple[Mixture, tuple[Repair, ...]]:
        """Return the best mixture and the repairs it needed, as `mixtura.core.maximize.maximize`."""
        return maximize(statistics, self.structure, self.prior, previous)

    def log_prior(self, state: Mixture) -> float:
        """Return the logarithm of the prior density but for a constant, in nats."""
        return self.prior.log_density(state)

    def is_precise(self, state: Mixture, least: FloatArray) -> bool:
        """Return whether all variances are above the least ones, (D,), that keep half their digits."""
        variances = self.structure.storage.variances(state.covariances, state.n_features)
        return bool((variances > least).all())

    def n_parameters(self, n_features: int) -> int:
        """Return ``K - 1`` weights, ``K D`` means, and the parameters of the covariances."""
        covariances = self.structure.n_parameters(self.n_components, n_features)
        return self.n_components - 1 + self.n_components * n_features + covariances
