"""One covariance matrix for all components (``tied``, EEE)."""

from __future__ import annotations

import numpy as np

from mixtura._typing import FloatArray
from mixtura.core.covariance.algebra.constrained import clip_eigenvalues
from mixtura.core.covariance.base import Maps, Structure
from mixtura.core.covariance.scatter import NO_RIDGE, within_scatter
from mixtura.core.covariance.storage import ONE_MATRIX
from mixtura.core.floor import CovarianceFloor
from mixtura.core.prior import Prior
from mixtura.core.statistics import Statistics

__all__ = ["Tied"]


class Tied(Structure):
    """``Sigma = W / n + ridge I``, W the scatter within components."""

    name, storage, general, maps = "tied", ONE_MATRIX, "tied", Maps.LINEAR
    free, pooled = True, True

    def n_parameters(self, n_components: int, n_features: int) -> int:
        return n_features * (n_features + 1) // 2

    def estimate(
        self, statistics: Statistics, means: FloatArray, prior: Prior, previous: FloatArray | None = None
    ) -> FloatArray:
        covariance = np.asarray(within_scatter(statistics, means) / np.add.reduce(statistics.counts))
        covariance.ravel()[:: means.shape[1] + 1] += prior.ridge
        return covariance

    def estimate_constrained(
        self,
        statistics: Statistics,
        means: FloatArray,
        floor: CovarianceFloor,
        previous: FloatArray | None = None,
    ) -> FloatArray:
        own = self.estimate(statistics, means, NO_RIDGE)
        return np.asarray(clip_eigenvalues(own[None], floor)[0])
