"""Sums as vectors, in coordinates in which steps and gradients of EM can be compared."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mixtura._typing import FloatArray
from mixtura.core.mixture import Mixture
from mixtura.core.moments import Moments
from mixtura.core.statistics import Statistics
from mixtura.fit.steps.level_coordinates import LevelCoordinates
from mixtura.kernels import get_algebra, moment_size

__all__ = ["Coordinates"]


@dataclass(frozen=True, slots=True, eq=False)
class Coordinates:
    """Sums as vectors in which the complete-data information of one mixture is the identity.

    With ``L_k (x - mu_k)`` whitening component k, and sums ``n_k``, ``s_k``, ``S_k`` about ``mu_k``, coordinates are
    ``n_k``, ``L_k s_k`` and ``(L_k S_k L_k^T - n_k I) / sqrt(2)``, each over the root of the effective count. Counts
    ``h_l`` of the levels of a discrete column, of which ``g`` are known, are ``(h_l - theta_l g) / sqrt(theta_l n)``.

    Parameters
    ----------
    moments : Moments
    means : ndarray of shape (K, D)
    roots : ndarray of shape (K,)
        Square roots of the effective counts.
    whitening, coloring : ndarray
        Factors as a pass in this layout reads them, and their inverses.
    levels : LevelCoordinates or None
    """

    moments: Moments
    means: FloatArray
    roots: FloatArray
    whitening: FloatArray
    coloring: FloatArray
    levels: LevelCoordinates | None = None

    @classmethod
    def about(cls, model: Mixture, statistics: Statistics) -> Coordinates:
        """Lay coordinates about a mixture and the sums of its pass; no component may be empty."""
        whitening = model.family.storage.whitening(model.factors, statistics.moments, model.n_components)
        coloring = statistics.moments.invert(whitening)
        roots, levels = np.sqrt(statistics.counts), None
        if model.levels is not None and statistics.levels is not None:
            levels = LevelCoordinates.about(model.levels, statistics.levels, roots)
        return cls(statistics.moments, model.means, roots, whitening, coloring, levels)

    def of(self, statistics: Statistics) -> FloatArray:
        """Return the coordinates of sums about any means, (P,); a row for each where there are several, (H, P)."""
        statistics = statistics.gathered()
        means, sums, layout = statistics.means, statistics.sums, self.moments.layout
        several = sums.ndim == 2
        means, sums = (means, sums) if several else (means[None], sums[None])
        found = get_algebra().whiten_sums(layout, means, sums, self.means, self.whitening, self.roots)
        if self.levels is not None and statistics.levels is not None:
            counts = statistics.levels if several else statistics.levels[None]
            found = np.concatenate([found, self.levels.of(counts)], axis=1)
        return found if several else found[0]

    def sums(self, point: FloatArray, like: Statistics) -> Statistics:
        """Return the statistics at a point, as a pass gathers them, about these means; the rest is another's."""
        gaussian, levels = point[: self._n_gaussian], None
        vector = get_algebra().color_sums(self.moments.layout, gaussian, self.coloring, self.roots)
        vector[:2] = like.sums[:2]
        if self.levels is not None and like.levels is not None:
            counts = vector[2 : 2 + len(self.roots)]
            levels = self.levels.counts(point[self._n_gaussian :], counts, like.levels)
        return Statistics(self.moments.gathered, self.means, vector, levels)

    @property
    def _n_gaussian(self) -> int:
        n_components, n_features = self.means.shape
        return int(n_components * (1 + n_features + moment_size(self.moments.layout, n_features)))

    def step_length(self, step: FloatArray) -> float:
        """Return by what share of itself the step changes the count, mean or covariance that it changes most."""
        gaussian = step[: self._n_gaussian] if self.levels is not None else step
        found = get_algebra().largest_change(gaussian, self.roots, self.means.shape[1])
        if self.levels is None:
            return found
        return max(found, float((self.levels.changes(step[self._n_gaussian :]) / self.roots).max()))
