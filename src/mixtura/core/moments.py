"""Second moments of statistics: which of them are kept, and how they move, are whitened and read.

==========  =========================================  ==================  ==============================
moments     second moments about mu_k                  shape of `second`   a pass evaluates
==========  =========================================  ==================  ==============================
`DENSE`     of each component, all                     (K, D(D+1)/2)       one factor for each component
`DIAGONAL`  of each component, the squares             (K, D)              reciprocal deviations
`POOLED`    all, added up over the components          (1, D D)            one factor for all components
`FIRST`     none                                       (K, 0)              one factor for all components
==========  =========================================  ==================  ==============================

A pass gathers the second moments of `POOLED` from nothing: with one factor for all components it adds up first moments
(`FIRST`), and the scatter within components follows from the total scatter, see `Statistics.complete`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from math import isqrt, sqrt

import numpy as np

from mixtura._typing import FloatArray
from mixtura.core.packed import diagonal_of_packed, pack_lower, unpack_lower
from mixtura.kernels import Layout

__all__ = ["DENSE", "DIAGONAL", "FIRST", "GATHERED", "POOLED", "Moments"]


class Moments(ABC):
    """Which second moments statistics have.

    Arguments are those of statistics of K components in D columns about the points mu_k: counts (K,), first moments
    (K, D) and second moments in the shape of the table above. Leading axes, where several statistics lie side by side,
    are kept.

    Attributes
    ----------
    name : str
    layout : Layout
        What a pass evaluates.
    one_factor : bool
        Whether a pass reads one factor for all components.
    needs_total : bool
        Whether the total scatter completes what a pass adds up.
    """

    name: str
    layout: Layout
    one_factor: bool = False
    needs_total: bool = False

    def __repr__(self) -> str:
        return self.name.upper()

    def __reduce__(self) -> str:
        return self.name.upper()

    @property
    def gathered(self) -> Moments:
        """What a pass adds up; the rest follows from the total scatter."""
        return self

    @abstractmethod
    def shape(self, n_components: int, n_features: int) -> tuple[int, int]:
        """Return the shape of the second moments."""

    @abstractmethod
    def pack(self, matrices: FloatArray) -> FloatArray:
        """Return second moments from those of each component as matrices (K, D, D)."""

    @abstractmethod
    def matrices(self, second: FloatArray) -> FloatArray:
        """Return second moments as matrices (K, D, D), or (1, D, D) where they are pooled."""

    @abstractmethod
    def diagonal(self, second: FloatArray) -> FloatArray:
        """Return the squares among second moments, (K, D), or (1, D) where they are pooled."""

    @abstractmethod
    def shift(self, counts: FloatArray, first: FloatArray, second: FloatArray, by: FloatArray) -> FloatArray:
        """Return second moments about the points ``mu_k - d_k``: ``S + s d^T + d s^T + n d d^T``, d of shape (K, D)."""

    def within(self, counts: FloatArray, first: FloatArray, second: FloatArray, by: FloatArray) -> FloatArray:
        """Return second moments after a `shift`, added up over the components, as a matrix (D, D)."""
        return np.asarray(np.add.reduce(self.matrices(self.shift(counts, first, second, by)), axis=0))

    @abstractmethod
    def whiten_first(self, first: FloatArray, factors: FloatArray) -> FloatArray:
        """Return ``L_k s_k``, (K, D), with the factors L_k that a pass reads."""

    def invert(self, factors: FloatArray) -> FloatArray:
        """Return the inverse of factors, in their shape."""
        return np.asarray(np.linalg.inv(factors))

    @abstractmethod
    def of_deviations(self, reciprocals: FloatArray) -> FloatArray:
        """Return reciprocal deviations (K, D) in the shape that a pass reads."""


class _Dense(Moments):
    name, layout = "dense", Layout.DENSE

    def whiten_first(self, first: FloatArray, factors: FloatArray) -> FloatArray:
        return np.asarray((factors @ first[..., None])[..., 0])

    def shape(self, n_components: int, n_features: int) -> tuple[int, int]:
        return n_components, n_features * (n_features + 1) // 2

    def pack(self, matrices: FloatArray) -> FloatArray:
        return pack_lower(matrices)

    def matrices(self, second: FloatArray) -> FloatArray:
        return unpack_lower(second, _order(second))

    def diagonal(self, second: FloatArray) -> FloatArray:
        return second.take(diagonal_of_packed(_order(second)), axis=-1)

    def shift(self, counts: FloatArray, first: FloatArray, second: FloatArray, by: FloatArray) -> FloatArray:
        cross = (first + 0.5 * counts[..., None] * by)[..., :, None] * by[..., None, :]
        return second + pack_lower(cross + cross.swapaxes(-1, -2))

    def of_deviations(self, reciprocals: FloatArray) -> FloatArray:
        return reciprocals[:, :, None] * np.eye(reciprocals.shape[1])


class _Diagonal(Moments):
    name, layout = "diagonal", Layout.DIAGONAL

    def whiten_first(self, first: FloatArray, factors: FloatArray) -> FloatArray:
        return first * factors

    def shape(self, n_components: int, n_features: int) -> tuple[int, int]:
        return n_components, n_features

    def pack(self, matrices: FloatArray) -> FloatArray:
        return np.asarray(np.einsum("...ii->...i", matrices))

    def matrices(self, second: FloatArray) -> FloatArray:
        return second[..., None] * np.eye(second.shape[-1])

    def diagonal(self, second: FloatArray) -> FloatArray:
        return second

    def shift(self, counts: FloatArray, first: FloatArray, second: FloatArray, by: FloatArray) -> FloatArray:
        return second + by * (2 * first + counts[..., None] * by)

    def invert(self, factors: FloatArray) -> FloatArray:
        return np.asarray(1.0 / factors)

    def of_deviations(self, reciprocals: FloatArray) -> FloatArray:
        return reciprocals


class _First(Moments):
    name, layout, one_factor = "first", Layout.SHARED, True

    def whiten_first(self, first: FloatArray, factors: FloatArray) -> FloatArray:
        return np.asarray(first @ factors.T)

    def shape(self, n_components: int, n_features: int) -> tuple[int, int]:
        return n_components, 0

    def pack(self, matrices: FloatArray) -> FloatArray:
        return np.empty((*matrices.shape[:-2], 0))

    def matrices(self, second: FloatArray) -> FloatArray:
        return second[..., None]

    def diagonal(self, second: FloatArray) -> FloatArray:
        return second

    def shift(self, counts: FloatArray, first: FloatArray, second: FloatArray, by: FloatArray) -> FloatArray:
        return second

    def of_deviations(self, reciprocals: FloatArray) -> FloatArray:
        return np.diag(reciprocals[0])


class _Pooled(_First):
    name, needs_total = "pooled", True

    @property
    def gathered(self) -> Moments:
        return FIRST

    def shape(self, n_components: int, n_features: int) -> tuple[int, int]:
        return 1, n_features * n_features

    def pack(self, matrices: FloatArray) -> FloatArray:
        pooled = np.add.reduce(matrices, axis=-3)
        return np.asarray(pooled.reshape(*pooled.shape[:-2], 1, -1))

    def matrices(self, second: FloatArray) -> FloatArray:
        order = isqrt(second.shape[-1])
        return second.reshape(*second.shape[:-1], order, order)

    def diagonal(self, second: FloatArray) -> FloatArray:
        return second[..., :: isqrt(second.shape[-1]) + 1]

    def shift(self, counts: FloatArray, first: FloatArray, second: FloatArray, by: FloatArray) -> FloatArray:
        cross = (first + 0.5 * counts[..., None] * by).swapaxes(-1, -2) @ by
        return second + (cross + cross.swapaxes(-1, -2)).reshape(second.shape)

    def within(self, counts: FloatArray, first: FloatArray, second: FloatArray, by: FloatArray) -> FloatArray:
        half = counts[:, None] * by
        half *= 0.5
        half += first
        cross = half.T.dot(by)
        return np.asarray(second.reshape(cross.shape) + (cross + cross.T))


def _order(packed: FloatArray) -> int:
    """Return D of packed lower halves (..., D(D+1)/2)."""
    return int(sqrt(2 * packed.shape[-1]))


DENSE, DIAGONAL, POOLED, FIRST = _Dense(), _Diagonal(), _Pooled(), _First()

GATHERED: Mapping[Layout, Moments] = {moments.layout: moments for moments in (DENSE, DIAGONAL, FIRST)}
"""What a pass in each layout adds up."""
