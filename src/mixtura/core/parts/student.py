"""Degrees of freedom of multivariate t components, estimated by maximum likelihood."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mixtura._typing import FloatArray, IntArray
from mixtura.core.statistics import Statistics

__all__ = ["TAILS", "StudentTails", "Tails"]

_HALVINGS = 45


@dataclass(frozen=True, slots=True, eq=False)
class Tails:
    """The degrees of freedom of a mixture.

    Parameters
    ----------
    freedom : ndarray of shape (K,)
        Positive; a component of two or fewer has no covariance.
    common : bool, default=False
        Whether they are one parameter.
    """

    freedom: FloatArray
    common: bool = False

    @property
    def n_parameters(self) -> int:
        return 1 if self.common else len(self.freedom)

    def of(self, components: IntArray) -> Tails:
        """Return the degrees of freedom of some components, in this order."""
        return Tails(self.freedom[components], self.common)


@dataclass(frozen=True, slots=True)
class StudentTails:
    """How the degrees of freedom of t components are estimated (Peel and McLachlan 2000).

    They maximize the expected log-likelihood: nu is the root of ``log(nu / 2) - psi(nu / 2) + 1 + e / n``, with n the
    count of the component and e the sum of ``r (E[log u] - E[u])``, within bounds.

    Parameters
    ----------
    common : bool, default=False
        Whether all components have the same.
    start : float, default=20
    least, most : float, default=2 and 200
        Bounds, as in the R package teigen: below, there is no covariance; above, components are Gaussian but for the
        last digits.

    Examples
    --------
    >>> from mixtura.core.parts.student import StudentTails
    >>> StudentTails(common=True).n_parameters(3)
    1
    """

    common: bool = False
    start: float = 20.0
    least: float = 2.0
    most: float = 200.0

    def begin(self, n_components: int) -> Tails:
        """Return the degrees of freedom that a start begins with."""
        return Tails(np.full(n_components, self.start), self.common)

    def maximize(self, statistics: Statistics) -> Tails:
        """Return the likeliest degrees of freedom; those of a start if the sums are of Gaussian components."""
        from scipy.special import digamma

        counts = statistics.counts
        if statistics.tails is None:
            return self.begin(len(counts))
        extra = statistics.tails[1]
        if self.common:
            counts, extra = np.full_like(counts, counts.sum()), np.full_like(extra, extra.sum())
        wanted = 1.0 + extra / np.maximum(counts, np.finfo(np.float64).tiny)
        low, high = (np.full(len(counts), np.log(0.5 * bound)) for bound in (self.least, self.most))
        for _ in range(_HALVINGS):
            middle = 0.5 * (low + high)
            rises = middle - digamma(np.exp(middle)) + wanted > 0
            low, high = np.where(rises, middle, low), np.where(rises, high, middle)
        found = np.clip(2.0 * np.exp(0.5 * (low + high)), self.least, self.most)
        return Tails(found, self.common)

    def n_parameters(self, n_components: int) -> int:
        """Return the number of free parameters."""
        return 1 if self.common else n_components


TAILS = {"gaussian": None, "t": StudentTails(), "common t": StudentTails(common=True)}
"""Distributions of components by the name that ``tails`` of `mixtura.GaussianMixture` uses."""
