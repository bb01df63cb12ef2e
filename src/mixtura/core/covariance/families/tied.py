"""One covariance matrix for all components (``tied``, EEE)."""

from __future__ import annotations

import numpy as np

from mixtura._typing import FloatArray
from mixtura.core.covariance.base import Maps, Structure
from mixtura.core.covariance.scatter import EMPTY, NO_RIDGE, within_scatter
from mixtura.core.covariance.storage import ONE_MATRIX
from mixtura.core.floor import CovarianceFloor
from mixtura.core.prior import Prior
from mixtura.core.statistics import Statistics
from mixtura.kernels import ClosedForm
from mixtura.kernels.iterations.bound import raised

__all__ = ["Tied"]


_FEW_ROWS = 100.0
"""Total weight from which on ten units in the last place of the counts change no sixth digit."""

_LARGEST_SHARE = 1e-3
"""Of the ridge; what is larger is wrong, and not scikit-learn's last digits."""


class Tied(Structure):
    """``Sigma = W / n + ridge I``, W the scatter within components."""

    name, storage, general, maps = "tied", ONE_MATRIX, "tied", Maps.LINEAR
    free, pooled = True, True
    closed_form = ClosedForm(pooled=True, diagonal=False, averaged=False)
    fewest_rows = _FEW_ROWS

    def n_parameters(self, n_components: int, n_features: int) -> int:
        return n_features * (n_features + 1) // 2

    def estimate(
        self, statistics: Statistics, means: FloatArray, prior: Prior, previous: FloatArray | None = None
    ) -> FloatArray:
        total = np.add.reduce(statistics.counts)
        covariance = np.asarray(within_scatter(statistics, means) / total)
        if prior.ridge and total < self.fewest_rows:
            covariance += _rounding_of_counts(means, total, prior.ridge)
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
        return np.asarray(raised(own[None], floor.root)[0])


def _rounding_of_counts(means: FloatArray, total: float, ridge: float) -> FloatArray:
    """Return what scikit-learn's ``n_k + 10 eps`` in place of the counts n_k adds to a shared covariance, (D, D).

    It is ``10 eps sum_k m_k m_k^T / n``: visible where fewer rows than columns leave nothing but the ridge.
    """
    added = (EMPTY / total) * (means.T @ means)
    return added if added.diagonal().max() < _LARGEST_SHARE * ridge else np.zeros_like(added)
