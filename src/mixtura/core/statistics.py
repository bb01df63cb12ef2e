"""The sums from which a mixture is learned: a monoid.

`Statistics` hold, per component, the weighted count, the sum of ``x - mu_k`` and, as far as the
layout gathers them, second moments of ``x - mu_k``, all weighted by responsibility. They are plain
sums about the means they were taken with: never divided, added with ``+``, zero is `Statistics.zero`.
Sums about a mean do not cancel, whatever the offset of the data; sums about different means are
brought together exactly by `Statistics.rebase`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import isfinite

import numpy as np

from mixtura._typing import FloatArray
from mixtura.core.moments import GATHERED, Moments
from mixtura.core.packed import diagonal_of_packed, pack_lower, unpack_lower
from mixtura.exceptions import DataError, ParameterError
from mixtura.kernels import Layout, moment_size, sums_size

__all__ = ["NOT_FINITE", "Statistics", "diagonal_of_packed", "pack_lower", "unpack_lower"]


NOT_FINITE = (
    "The rows gave sums that are not finite numbers; squares and products of values must stay below 1e308. "
    "Look for NaN or infinite values, or rescale the columns (StandardScaler does)."
)


@dataclass(frozen=True, slots=True, eq=False)
class Statistics:
    """Sums over rows, about the means they were taken with.

    Parameters
    ----------
    layout : Layout
        Which second moments are there: ``dense`` all, ``diagonal`` the squares, ``shared`` none.
    means : ndarray of shape (K, D)
        The points the sums are about.
    sums : ndarray of length ``2 + K (1 + D + moment_size)``
        All sums in one vector, in the order that `mixtura.kernels.sums_size` documents. Means and sums may have the
        same axes before these: several statistics side by side, see `stack`.
    total : Statistics or None
        For the shared layout, the dense one-component statistics of all rows. They do not
        change between passes, so they are gathered once and attached; ``+`` keeps the left one.

    Examples
    --------
    >>> import numpy as np
    >>> from mixtura.core.statistics import Statistics
    >>> from mixtura.kernels import Layout
    >>> zero = Statistics.zero(Layout.DIAGONAL, np.zeros((2, 3)))
    >>> (zero + zero).counts
    array([0., 0.])
    """

    layout: Layout
    means: FloatArray
    sums: FloatArray
    total: Statistics | None = None

    @classmethod
    def zero(cls, layout: Layout, means: FloatArray) -> Statistics:
        """Return sums over no rows, about ``means`` of shape (K, D)."""
        return cls(layout, means, np.zeros(sums_size(layout, *means.shape)))

    @classmethod
    def stack(cls, several: Sequence[Statistics]) -> Statistics:
        """Return statistics of one layout and one number of components side by side, along a new first axis."""
        means, sums = np.array([one.means for one in several]), np.array([one.sums for one in several])
        return cls(several[0].layout, means, sums)

    @property
    def moments(self) -> Moments:
        """Which second moments there are, and what can be done with them."""
        return GATHERED[self.layout]

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
    def first(self) -> FloatArray:
        """Sums of ``x - mu_k``, shape (K, D)."""
        n_components, n_features = self.means.shape[-2:]
        start = 2 + n_components
        first = self.sums[..., start : start + n_components * n_features]
        return first.reshape(*self.sums.shape[:-1], n_components, n_features)

    @property
    def second(self) -> FloatArray:
        """Sums of second moments about mu_k as gathered, shape (K, moment_size)."""
        n_components, n_features = self.means.shape[-2:]
        start = 2 + n_components * (1 + n_features)
        size = moment_size(self.layout, n_features)
        return self.sums[..., start:].reshape(*self.sums.shape[:-1], n_components, size)

    def second_matrices(self) -> FloatArray:
        """Return the second moments of the dense layout as symmetric matrices (K, D, D)."""
        return unpack_lower(self.second, self.n_features)

    def lift(self, means: FloatArray, gain: FloatArray, spread: FloatArray) -> Statistics:
        """Return the sums of all columns from these, which are those of the columns observed.

        ``n' = n``, ``s' = A s`` and ``S' = A S A^T + n C`` are the sums of full-information expectation-maximization
        (Ghahramani and Jordan 1994): missing values count with their conditional means and covariances.

        Parameters
        ----------
        means : ndarray of shape (K, D)
            Those of all columns; the observed ones among them are the points these sums are about.
        gain : ndarray of shape (K, D, O)
            ``A_k = Sigma_k[:, o] Sigma_k[o, o]^-1``.
        spread : ndarray of shape (K, D, D)
            ``C_k = Sigma_k - A_k Sigma_k[o, :]``.
        """
        first = (gain @ self.first[..., None])[..., 0]
        second = self.moments.lift(self.second, gain, spread, self.counts)
        unchanged = self.sums[: 2 + self.n_components]
        return replace(self, means=means, sums=np.concatenate([unchanged, first.ravel(), second.ravel()]))

    def __add__(self, other: Statistics) -> Statistics:
        self._require_same_means(other)
        return replace(self, sums=self.sums + other.sums)

    def __iadd__(self, other: Statistics) -> Statistics:
        self._require_same_means(other)
        np.add(self.sums, other.sums, out=self.sums)
        return self

    def _require_same_means(self, other: Statistics) -> None:
        if other.layout is not self.layout:
            raise ParameterError(
                f"Statistics of layouts {self.layout.value!r} and {other.layout.value!r} were given to '+'; "
                "both must have one layout. Gather both with the same covariance family."
            )
        if other.means is not self.means and not np.array_equal(other.means, self.means):
            raise ParameterError(
                "Statistics about different means were given to '+'; both must be about the same means. "
                "Bring one to the other's with rebase(means) first."
            )

    def require_finite(self) -> None:
        """Raise `DataError` if a sum overflowed, or a row was not finite."""
        # The sum of finite numbers is finite, but where it overflows itself.
        if not isfinite(np.add.reduce(self.sums)) and not np.isfinite(self.sums).all():
            raise DataError(NOT_FINITE)

    def scale(self, factor: float) -> Statistics:
        """Return the sums times a factor: what the same rows give with all weights multiplied by it."""
        total = None if self.total is None else self.total.scale(factor)
        return replace(self, sums=self.sums * factor, total=total)

    def rebase(self, means: FloatArray) -> Statistics:
        """Return the same sums about other means, exactly.

        With ``d = mu_old - mu_new``: ``s' = s + n d`` and ``S' = S + s d^T + d s^T + n d d^T``.

        Parameters
        ----------
        means : ndarray of shape (K, D)
        """
        if means.shape != self.means.shape[-2:]:
            raise ParameterError(
                f"Means of shape {means.shape!r} were given to rebase; the statistics have {self.means.shape[-2:]!r}. "
                "Give one mean per component."
            )
        shift = self.means - means
        moved = self.counts[..., None] * shift
        first = self.first
        second = self.moments.shift(self.counts, first, self.second, shift)
        before = self.sums.shape[:-1]
        unchanged = self.sums[..., : 2 + self.n_components]
        moments = ((first + moved).reshape(*before, -1), second.reshape(*before, -1))
        sums = np.concatenate([unchanged, *moments], axis=-1)
        return Statistics(self.layout, means, sums, self.total)
