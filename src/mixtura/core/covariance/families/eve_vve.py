"""Covariances that share their axes, each of its own shape; of one volume (EVE) or different ones (VVE)."""

from __future__ import annotations

from mixtura._typing import FloatArray
from mixtura.core.covariance.algebra.common_axes import (
    along_axes,
    best_axes,
    common_axes,
    constrained_axes,
    from_axes,
    pooled_axes,
)
from mixtura.core.covariance.algebra.volumes import MOST_ROUNDS, resolvable
from mixtura.core.covariance.base import Structure
from mixtura.core.covariance.scatter import NO_RIDGE, component_covariances
from mixtura.core.covariance.storage import MATRICES
from mixtura.core.floor import CovarianceFloor
from mixtura.core.prior import Prior
from mixtura.core.statistics import Statistics
from mixtura.kernels import CommonForm
from mixtura.kernels.iterations.sweeps import spread_along

__all__ = ["EVE", "VVE"]

_MOST_WARM_SWEEPS = 100
"""Sweeps from the axes of the last M-step, after which this one ends; the next one continues from there."""


_FEW_FEATURES = 12
"""Columns up to which a few Newton steps find the axes; beyond, sweeps do, which converge slowly."""

_MANY_FEATURES_SWEEPS, _MANY_FEATURES_WARM_SWEEPS = 100, 10
"""Sweeps there, at the start and from then on: passes are cheaper than axes to the last digit of a step that is not the
last. Each sweep lowers the loss, so that the log-likelihood does not fall (a generalized M-step)."""


class _SharedAxes(Structure):
    """``Sigma_k = lambda_k D A_k D^T`` with A_k diagonal and D orthogonal.

    Given D, the best ``lambda_k A_k`` follow from ``v_k = diag(D^T S_k D)``, S_k the covariance of component k about
    its mean. Given those, D minimizes ``sum_k n_k tr(D^T S_k D A_k^-1) / lambda_k``, see `common_axes` (the model is
    Celeux and Govaert's 1995, its first complete fit Browne and McNicholas's 2014).

    Attributes
    ----------
    equal_volume : bool
        Whether all components have one volume.
    """

    storage, general = MATRICES, "full"
    equal_volume: bool

    def estimate(
        self, statistics: Statistics, means: FloatArray, prior: Prior, previous: FloatArray | None = None
    ) -> FloatArray:
        own, counts = component_covariances(statistics, means, prior, previous), statistics.counts
        few = means.shape[1] <= _FEW_FEATURES
        if previous is None:
            sweeps = MOST_ROUNDS if few else _MANY_FEATURES_SWEEPS
            axes = pooled_axes(own, counts)
        else:
            sweeps = _MOST_WARM_SWEEPS if few else _MANY_FEATURES_WARM_SWEEPS
            axes = common_axes(previous)
        axes = best_axes(axes, counts, own, sweeps, equal_volume=self.equal_volume)
        spread = spread_along(along_axes(own, axes), counts, equal_volume=self.equal_volume)
        return from_axes(axes, resolvable(spread, prior.ridge))

    def estimate_constrained(
        self,
        statistics: Statistics,
        means: FloatArray,
        floor: CovarianceFloor,
        previous: FloatArray | None = None,
    ) -> FloatArray:
        own = component_covariances(statistics, means, NO_RIDGE, previous)
        return constrained_axes(statistics.counts, own, floor, previous, equal_volume=self.equal_volume)


class EVE(_SharedAxes):
    """``Sigma_k = lambda D A_k D^T``: ``A_k = v_k / |v_k|^(1/D)``, ``lambda = sum_k n_k |v_k|^(1/D) / n``."""

    name, equal_volume = "EVE", True
    common_form = CommonForm(diagonal=False, equal_volume=True, equal_shape=False, own_axes=False)

    def n_parameters(self, n_components: int, n_features: int) -> int:
        return 1 + n_components * (n_features - 1) + n_features * (n_features - 1) // 2


class VVE(_SharedAxes):
    """``Sigma_k = lambda_k D A_k D^T``: ``lambda_k A_k = v_k``."""

    name, equal_volume = "VVE", False
    common_form = CommonForm(diagonal=False, equal_volume=False, equal_shape=False, own_axes=False)

    def n_parameters(self, n_components: int, n_features: int) -> int:
        return n_components * n_features + n_features * (n_features - 1) // 2
