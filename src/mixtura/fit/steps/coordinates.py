"""Sums as vectors, in coordinates in which steps and gradients of EM can be compared."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import sqrt

import numpy as np

from mixtura._typing import FloatArray
from mixtura.core.mixture import Mixture
from mixtura.core.statistics import Statistics, diagonal_of_packed, pack_lower, unpack_lower
from mixtura.kernels import Layout

__all__ = ["Coordinates"]

_ROOT_HALF = sqrt(0.5)


@dataclass(frozen=True, slots=True, eq=False)
class Coordinates:
    """Sums as vectors in which the complete-data information of one mixture is the identity.

    With ``L_k (x - mu_k)`` whitening component k, and sums ``n_k``, ``s_k``, ``S_k`` about ``mu_k``, coordinates are
    ``n_k``, ``L_k s_k`` and ``(L_k S_k L_k^T - n_k I) / sqrt(2)``, each over the root of the effective count.

    Parameters
    ----------
    layout : Layout
    means : ndarray of shape (K, D)
    roots : ndarray of shape (K,)
        Square roots of the effective counts.
    whitening, coloring : ndarray
        Factors as a pass in this layout reads them, and their inverses.
    """

    layout: Layout
    means: FloatArray
    roots: FloatArray
    whitening: FloatArray
    coloring: FloatArray

    @classmethod
    def about(cls, model: Mixture, statistics: Statistics) -> Coordinates:
        """Lay coordinates about a mixture and the sums of its pass; no component may be empty."""
        whitening = model.family.storage.whitening(model.factors, statistics.layout, model.n_components)
        diagonal = statistics.layout is Layout.DIAGONAL
        coloring = np.asarray(1.0 / whitening if diagonal else np.linalg.inv(whitening))
        return cls(statistics.layout, model.means, np.sqrt(statistics.counts), whitening, coloring)

    def of(self, statistics: Statistics) -> FloatArray:
        """Return the coordinates of sums about any means, (P,); a row for each where there are several, (H, P)."""
        if statistics.means is not self.means:
            statistics = statistics.rebase(self.means)
        counts, over = statistics.counts, 1.0 / self.roots[:, None]
        if self.layout is Layout.SHARED:
            moments = statistics.first @ self.whitening.T * over
        elif self.layout is Layout.DIAGONAL:
            second = (statistics.second * self.whitening**2 - counts[..., None]) * _ROOT_HALF
            moments = np.concatenate([statistics.first * self.whitening, second], axis=-1) * over
        else:
            first = (self.whitening @ statistics.first[..., None])[..., 0]
            white = self.whitening @ statistics.second_matrices() @ self.whitening.transpose(0, 2, 1)
            second, diagonal = pack_lower(white), diagonal_of_packed(self.means.shape[1])
            second[..., diagonal] = (second[..., diagonal] - counts[..., None]) * _ROOT_HALF
            moments = np.concatenate([first, second], axis=-1) * over
        return np.concatenate([counts / self.roots, moments.reshape(*counts.shape[:-1], -1)], axis=-1)

    def sums(self, point: FloatArray, like: Statistics) -> Statistics:
        """Return the statistics at a point, about these means; the rest of them as another's."""
        n_components, n_features = self.means.shape
        counts = point[:n_components] * self.roots
        moments = point[n_components:].reshape(n_components, -1) * self.roots[:, None]
        first, second = moments[:, :n_features], moments[:, n_features:]
        if self.layout is Layout.SHARED:
            first = first @ self.coloring.T
        elif self.layout is Layout.DIAGONAL:
            first = first * self.coloring
            second = (second / _ROOT_HALF + counts[:, None]) * self.coloring**2
        else:
            first = (self.coloring @ first[:, :, None])[:, :, 0]
            second, diagonal = second.copy(), diagonal_of_packed(n_features)
            second[:, diagonal] = second[:, diagonal] / _ROOT_HALF + counts[:, None]
            full = unpack_lower(second, n_features)
            second = pack_lower(self.coloring @ full @ self.coloring.transpose(0, 2, 1))
        vector = np.concatenate([like.sums[:2], counts, first.ravel(), second.ravel()])
        return replace(like, means=self.means, sums=vector)

    def reach(self, step: FloatArray) -> float:
        """Return by what share of itself the step changes the count, mean or covariance that it changes most."""
        n_components, n_features = self.means.shape
        counts = np.abs(step[:n_components])
        squares = step[n_components:].reshape(n_components, -1) ** 2
        moments = np.maximum(squares[:, :n_features].sum(axis=1), 2.0 * squares[:, n_features:].sum(axis=1))
        return float((np.maximum(counts, np.sqrt(moments)) / self.roots).max())
