"""Degrees of freedom of multivariate t components, estimated by maximum likelihood."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mixtura._typing import FloatArray, IntArray
from mixtura.core.statistics import Statistics

__all__ = ["TAILS", "StudentTails", "Tails"]

_STEPS = 4
_LEAST_CURVATURE, _MOST_CURVATURE = 1e-4, 1e6
"""Of ``log a - psi(a)``: beyond, the shape is far above or below any bound."""


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
        counts = statistics.counts
        if statistics.tails is None:
            return self.begin(len(counts))
        extra = statistics.tails[1]
        if self.common:
            counts, extra = np.full_like(counts, counts.sum()), np.full_like(extra, extra.sum())
        wanted = -1.0 - extra / np.maximum(counts, np.finfo(np.float64).tiny)
        return Tails(np.clip(2.0 * _gamma_shapes(wanted), self.least, self.most), self.common)

    def n_parameters(self, n_components: int) -> int:
        """Return the number of free parameters."""
        return 1 if self.common else n_components


def _gamma_shapes(wanted: FloatArray) -> FloatArray:
    """Return the roots of ``log a - psi(a) = c``, infinity from zero: the likeliest shapes of gamma distributions.

    By Minka's (2002) approximation and his form of Newton's method, in 1 / a, which converges from there in four steps.
    """
    from scipy.special import digamma, zeta  # takes longer than many a fit

    found = np.full(len(wanted), np.inf)
    there = wanted > _LEAST_CURVATURE
    c = np.minimum(wanted[there], _MOST_CURVATURE)
    shapes = (3.0 - c + np.sqrt((c - 3.0) ** 2 + 24.0 * c)) / (12.0 * c)
    for _ in range(_STEPS):
        lacks = np.log(shapes) - digamma(shapes) - c
        shapes = 1.0 / (1.0 / shapes + lacks / (shapes - shapes**2 * zeta(2.0, shapes)))
    found[there] = shapes
    return found


TAILS = {"gaussian": None, "t": StudentTails(), "common t": StudentTails(common=True)}
"""Distributions of components by the name that ``tails`` of `mixtura.GaussianMixture` uses."""
