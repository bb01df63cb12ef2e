"""The sums from which a mixture is learned: a monoid.

`Statistics` hold, for each component, the weighted count, the sum of ``x - mu_k`` and second moments of ``x - mu_k``,
as `Moments` say which, all weighted by responsibility. They are plain sums about the means they were taken with: never
divided, added with ``+``; their zero is `Statistics.zero`.
Sums about a mean do not cancel, whatever the offset of the data; sums about different means are
brought together exactly by `Statistics.rebase`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import isfinite

import numpy as np

from mixtura._typing import FloatArray
from mixtura.core.moments import POOLED, Moments
from mixtura.exceptions import DataError, ParameterError

__all__ = ["NOT_FINITE", "Statistics"]


NOT_FINITE = (
    "The rows gave sums that are not finite numbers; squares and products of values must stay below 1e308. "
    "Look for NaN or infinite values, or rescale the columns (StandardScaler does)."
)


@dataclass(frozen=True, slots=True, eq=False)
class Statistics:
    """Sums over rows, about the means they were taken with.

    Parameters
    ----------
    moments : Moments
        Which second moments there are: `DENSE`, `DIAGONAL`, `POOLED` over the components, or `FIRST` moments alone.
    means : ndarray of shape (K, D)
        The points the sums are about.
    sums : ndarray
        All sums in one vector: log-likelihood, total weight, counts (K), first moments (K x D), second moments. It is
        the vector that kernels add to, but that `POOLED` moments follow from those a pass adds up, see `complete`.
        Means and sums may have the same axes before these: several statistics side by side, see `stack`.
    levels : ndarray of shape (L, K), optional
        Weighted counts of the levels of discrete columns.
    tails : ndarray of shape (2, K), optional
        Mass and expected logarithms of t components, as kernels add them up; moments then have the mass as weight.

    Examples
    --------
    >>> import numpy as np
    >>> from mixtura.core.moments import DIAGONAL
    >>> from mixtura.core.statistics import Statistics
    >>> zero = Statistics.zero(DIAGONAL, np.zeros((2, 3)))
    >>> (zero + zero).counts
    array([0., 0.])
    """

    moments: Moments
    means: FloatArray
    sums: FloatArray
    levels: FloatArray | None = None
    tails: FloatArray | None = None

    @classmethod
    def zero(cls, moments: Moments, means: FloatArray, n_levels: int = 0) -> Statistics:
        """Return sums over no rows, about ``means`` of shape (K, D), with counts of this many levels."""
        n_components, n_features = means.shape
        rows, size = moments.shape(n_components, n_features)
        sums = np.zeros(2 + n_components * (1 + n_features) + rows * size)
        return cls(moments, means, sums, np.zeros((n_levels, n_components)) if n_levels else None)

    @classmethod
    def stack(cls, several: Sequence[Statistics]) -> Statistics:
        """Return statistics of the same moments and number of components side by side, along a new first axis."""
        means, sums = np.array([one.means for one in several]), np.array([one.sums for one in several])
        levels = [one.levels for one in several if one.levels is not None]
        tails = [one.tails for one in several if one.tails is not None]
        beside = (np.array(some) if some else None for some in (levels, tails))
        return cls(several[0].moments, means, sums, *beside)

    @property
    def n_components(self) -> int:
        return int(self.means.shape[-2])

    @property
    def n_features(self) -> int:
        return int(self.means.shape[-1])

    @property
    def log_likelihood(self) -> float:
        """Total log-likelihood of the rows under the mixture that weighted them."""
        return float(self.sums[0])

    @property
    def total_weight(self) -> float:
        """Sum of the sample weights: the number of rows where none were given."""
        return float(self.sums[1])

    @property
    def counts(self) -> FloatArray:
        """Effective counts, shape (K,)."""
        return self.sums[..., 2 : 2 + self.means.shape[-2]]

    @property
    def mass(self) -> FloatArray:
        """What the moments of each component are weighted by in sum, shape (K,): counts, but for t components."""
        return self.counts if self.tails is None else self.tails[..., 0, :]

    @property
    def first(self) -> FloatArray:
        """Sums of ``x - mu_k``, shape (K, D)."""
        n_components, n_features = self.means.shape[-2:]
        start = 2 + n_components
        first = self.sums[..., start : start + n_components * n_features]
        return first.reshape(*self.sums.shape[:-1], n_components, n_features)

    @property
    def second(self) -> FloatArray:
        """Sums of second moments about mu_k, in the shape that the moments give them."""
        n_components, n_features = self.means.shape[-2:]
        start = 2 + n_components * (1 + n_features)
        shape = self.moments.shape(n_components, n_features)
        return self.sums[..., start:].reshape(*self.sums.shape[:-1], *shape)

    def second_matrices(self) -> FloatArray:
        """Return second moments as symmetric matrices, (K, D, D), or (1, D, D) where they are pooled."""
        return self.moments.matrices(self.second)

    def gathered(self) -> Statistics:
        """Return what a pass adds up of these: without second moments where they are pooled."""
        moments = self.moments.gathered
        if moments is self.moments:
            return self
        n_components, n_features = self.means.shape[-2:]
        first = self.sums[..., : 2 + n_components * (1 + n_features)]
        return Statistics(moments, self.means, first, self.levels, self.tails)

    def complete(self, total: Statistics) -> Statistics:
        """Return pooled statistics, given first moments: the scatter within components follows from the total scatter.

        With T the scatter of all rows about one point c, p_k the sum of the rows about c by responsibility, and
        ``m_k = mu_k - c``, the scatter within components about mu_k is
        ``W = T - sum_k (p_k m_k^T + m_k p_k^T - n_k m_k m_k^T)``. Responsibilities of each row must sum to one.

        Parameters
        ----------
        total : Statistics
            Dense or pooled statistics of all rows as one component, about any point.
        """
        if total.moments is not POOLED:
            total = total.pooled()
        # A pass over few rows takes as long as this: the parts of the vectors are read directly.
        (n_components, n_features), sums = self.means.shape, self.sums
        apart = self.means - total.means
        half = sums[2 : 2 + n_components, None] * apart
        half *= 0.5
        half += sums[2 + n_components :].reshape(n_components, n_features)
        cross = half.T.dot(apart)
        within = total.sums[3 + n_features :] - (cross + cross.T).reshape(-1)
        return Statistics(POOLED, self.means, np.concatenate((sums, within)), self.levels)

    def pooled(self) -> Statistics:
        """Return dense statistics with their second moments added up over the components."""
        return self.with_moments(POOLED)

    def with_moments(self, moments: Moments) -> Statistics:
        """Return dense statistics with other second moments, which follow from all of them."""
        if moments is self.moments:
            return self
        unchanged = self.sums[: 2 + self.n_components * (1 + self.n_features)]
        second = moments.pack(self.second_matrices())
        return replace(self, moments=moments, sums=np.concatenate((unchanged, second.ravel())))

    def complete_available(self, observed: FloatArray) -> Statistics:
        """Return the sums as if missing values were distributed as those observed, from sums to which they add nothing.

        Means and variances are those of the available cases; correlations come out smaller by the share of values that
        pairs lack, so that covariances stay positive definite. A column of which a component has no value gets the
        variance that it has within the others.

        Parameters
        ----------
        observed : ndarray of shape (K, D)
            Weighted counts of the values observed: `CountObserved`.
        """
        counts = self.counts[:, None]
        known = observed > 0
        factors = np.where(known, counts / np.where(known, observed, 1.0), 0.0)
        first, second = self.first * factors, self.second
        if second.size:
            roots = np.sqrt(factors)
            matrices = self.second_matrices() * roots[:, :, None] * roots[:, None, :]
            if not known.all():
                squares = self.moments.diagonal(second).sum(axis=0)
                within = squares / np.maximum(observed.sum(axis=0), np.finfo(np.float64).tiny)
                k, d = np.nonzero(~known)
                matrices[k, d, d] = self.counts[k] * within[d]
            second = self.moments.pack(matrices)
        sums = np.concatenate([self.sums[: 2 + self.n_components], first.ravel(), second.ravel()])
        return replace(self, sums=sums)

    def __add__(self, other: Statistics) -> Statistics:
        self._require_same_means(other)
        levels, tails = _sum(self.levels, other.levels), _sum(self.tails, other.tails)
        return replace(self, sums=self.sums + other.sums, levels=levels, tails=tails)

    def __iadd__(self, other: Statistics) -> Statistics:
        self._require_same_means(other)
        np.add(self.sums, other.sums, out=self.sums)
        if self.levels is not None and other.levels is not None:
            np.add(self.levels, other.levels, out=self.levels)
        if self.tails is not None and other.tails is not None:
            np.add(self.tails, other.tails, out=self.tails)
        return self

    def _require_same_means(self, other: Statistics) -> None:
        if other.moments is not self.moments:
            raise ParameterError(
                f"Statistics with {self.moments.name} and {other.moments.name} second moments cannot be added; both "
                "must have the same. Gather both with the same covariance family."
            )
        if other.means is not self.means and not np.array_equal(other.means, self.means):
            raise ParameterError(
                "Statistics about different means cannot be added; both must be about the same means. "
                "Bring one to the other's with rebase(means) first."
            )

    def require_finite(self) -> None:
        """Raise `DataError` if a sum overflowed, or a row was not finite."""
        # The sum of finite numbers is finite, but where it overflows itself.
        if not isfinite(np.add.reduce(self.sums)) and not np.isfinite(self.sums).all():
            raise DataError(NOT_FINITE)

    def scale(self, factor: float) -> Statistics:
        """Return the sums times a factor: what the same rows give with all weights multiplied by it."""
        levels = None if self.levels is None else self.levels * factor
        tails = None if self.tails is None else self.tails * factor
        return replace(self, sums=self.sums * factor, levels=levels, tails=tails)

    def rebase(self, means: FloatArray) -> Statistics:
        """Return the same sums about other means, exactly.

        With ``d = mu_old - mu_new``: ``s' = s + n d`` and ``S' = S + s d^T + d s^T + n d d^T``, with the mass for n.

        Parameters
        ----------
        means : ndarray of shape (K, D), or of all means where statistics are side by side
        """
        if means.shape not in (self.means.shape[-2:], self.means.shape):
            raise ParameterError(
                f"`means` must have the shape {self.means.shape[-2:]!r}; got {means.shape!r}. "
                "Give one mean per component."
            )
        shift = self.means - means
        moved = self.mass[..., None] * shift
        first = self.first
        second = self.moments.shift(self.mass, first, self.second, shift)
        before = self.sums.shape[:-1]
        unchanged = self.sums[..., : 2 + self.n_components]
        changed = ((first + moved).reshape(*before, -1), second.reshape(*before, -1))
        sums = np.concatenate([unchanged, *changed], axis=-1)
        return Statistics(self.moments, means, sums, self.levels, self.tails)

    def as_gaussian(self) -> Statistics:
        """Return sums of t components as those of Gaussians with the same M-step, about the means that they lead to.

        With mass m, the means are ``mu + s / m``; the scatter about them, ``S - s s^T / m``, is divided by the count n
        (Peel and McLachlan 2000). So these are sums whose first moments are zero.
        """
        if self.tails is None:
            return self
        mass = self.mass[..., None]
        shift = np.where(mass > 0, 1.0, 0.0) * self.first / np.where(mass > 0, mass, 1.0)
        found = self.rebase(self.means + shift)
        found.first[...] = 0.0
        return replace(found, tails=None)


def _sum(one: FloatArray | None, other: FloatArray | None) -> FloatArray | None:
    return one if one is None or other is None else np.asarray(one + other)
