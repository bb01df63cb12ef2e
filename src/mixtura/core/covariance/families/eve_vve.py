"""Covariances that share their axes, each of its own shape; of one volume (EVE) or different ones (VVE)."""

from __future__ import annotations

import math
from abc import abstractmethod
from functools import lru_cache

import numpy as np
from scipy.linalg import lapack

from mixtura._typing import FloatArray
from mixtura.core.covariance.algebra.constrained import constrained_equal_volume
from mixtura.core.covariance.algebra.rotations import (
    cayley,
    disjoint_planes,
    identity,
    planes_of,
    rotation_in,
)
from mixtura.core.covariance.algebra.volumes import MOST_ROUNDS, resolvable
from mixtura.core.covariance.storage.matrices import NO_RIDGE, MatrixFamily, component_covariances
from mixtura.core.floor import CovarianceFloor
from mixtura.core.prior import Prior
from mixtura.core.statistics import Statistics

__all__ = ["EVE", "VVE"]

_TOLERANCE = 1e-10
"""Decrease of the mean log-volume in a sweep, in nats, at which the axes have converged."""

_SETTLED = 1e-6
"""Decrease that a Newton step promises after which, its errors being squared by each step, none is left."""

_MOST_STEPS = 20

_MOST_HALVINGS = 8
"""How often a step that does not lower the loss is halved; along a descent some length does."""

_FLAT = 1e-10
"""Curvature below this share of the largest is none."""

_MOST_PLANES = 66
"""Newton's method solves for the angles of all planes at once; beyond 12 columns sweeps are quicker."""

_MOST_WARM_SWEEPS = 100
"""Sweeps after which an M-step that began at the last one's axes ends; the next one goes on from there."""

_MOST_BOUND_SWEEPS = 2
"""The same where a bound is near."""

_EPSILON = float(np.finfo(np.float64).eps)

_NONE = np.array([], dtype=np.intp)


class _SharedAxes(MatrixFamily):
    """``Sigma_k = lambda_k D A_k D^T`` with A_k diagonal and D orthogonal.

    Given D, the best ``lambda_k A_k`` follow from ``v_k = diag(D^T S_k D)``, S_k the covariance of component k about
    its mean. Given those, D minimizes ``sum_k n_k tr(D^T S_k D A_k^-1) / lambda_k``: one plane of two axes at a time,
    in which the best angle is known, all disjoint planes at once (Flury and Gautschi 1986; the model is Celeux and
    Govaert's 1995, its first complete fit Browne and McNicholas's 2014). Each turn lowers the sum.

    Near the best axes Newton's method on the angles of all planes gets there in a step or two (as in Ablin, Cardoso and
    Gramfort 2018, with the whole Hessian); turns are what it begins with and falls back on.

    Attributes
    ----------
    constrained_equal_volume : bool
        Whether all components have one volume.
    """

    constrained_equal_volume: bool

    @abstractmethod
    def weigh(self, variances: FloatArray, counts: FloatArray) -> tuple[float, FloatArray]:
        """Return the loss, the mean log-volume that is left, in nats, and its derivatives u_k (K,).

        A change of ``sum_i log v_ki`` by q_k, for every k, changes the loss by
        ``sum_k u_k q_k + c/2 (sum_k u_k q_k^2 - (sum_k u_k q_k)^2)``, with c = 1/D with one volume, zero otherwise.
        """

    def loss(self, variances: FloatArray, counts: FloatArray) -> float:
        return self.weigh(variances, counts)[0]

    @abstractmethod
    def spread(self, variances: FloatArray, counts: FloatArray) -> FloatArray:
        """Return ``lambda_k A_k`` (K, D) that the family allows, from the variances along the axes (K, D)."""

    def estimate(
        self, statistics: Statistics, means: FloatArray, prior: Prior, previous: FloatArray | None = None
    ) -> FloatArray:
        own, counts = component_covariances(statistics, means, prior, previous), statistics.counts
        begin = _pooled(own, counts) if previous is None else _mixed(previous)
        axes = self._settle(_axes(begin), own, counts, MOST_ROUNDS if previous is None else _MOST_WARM_SWEEPS)
        spread = resolvable(self.spread(_diagonals(_turned(own, axes)), counts), prior.ridge)
        return _times(axes * spread[:, None, :], axes.T)

    def _settle(self, axes: FloatArray, own: FloatArray, counts: FloatArray, most_sweeps: int) -> FloatArray:
        """Return the best axes near some, by Newton steps as long as each lowers the loss, else by turns."""
        n_features = len(axes)
        if n_features * (n_features - 1) // 2 > _MOST_PLANES or n_features == 1:
            return self._turn(axes, own, counts, most_sweeps)
        turned = _turned(own, axes)
        before, shares = self.weigh(_diagonals(turned), counts)
        for _ in range(_MOST_STEPS):
            step, promised = self._newton_step(turned, shares)
            if not math.isfinite(promised):
                break
            for _ in range(_MOST_HALVINGS):
                rotation = cayley(step)
                tried = _turned(turned, rotation)
                after, shares = self.weigh(_diagonals(tried), counts)
                if after <= before + _TOLERANCE:
                    break
                step = 0.5 * step
            else:
                break
            axes, turned, before = axes.dot(rotation), tried, after
            if promised < _SETTLED:
                return axes
        return self._turn(axes, own, counts, most_sweeps)

    def _newton_step(self, turned: FloatArray, shares: FloatArray) -> tuple[FloatArray, float]:
        """Return the skew matrix X (D, D) of a Newton step, and the decrease of the loss it promises; infinite if none.

        ``exp(-X) W exp(X) = W + [W, X] + [[W, X], X] / 2 + ...`` gives both derivatives of ``log v_ki``. Let
        ``T_ibc = sum_k u_k W_kbc / v_ki`` and ``F_ibc = sum_k u_k W_kib W_kic / v_ki^2``. Half the derivative in the
        plane of b and c is ``T_ccb - T_bbc``. Half the second derivative is ``H_ibc = T_ibc - 2 F_ibc - (T_bbc + T_ccb)
        / 2`` in the planes of i and b and of i and c, which share one axis; ``H_ibb + H_bii`` where they share both;
        none where they share no axis.
        """
        n_features = turned.shape[1]
        planes, variances, flat = planes_of(n_features), _diagonals(turned), turned.reshape(len(turned), -1)
        inverse = 1.0 / variances
        rates = shares[:, None] * inverse
        half = rates.T.dot(flat).reshape(n_features, n_features, n_features)
        own = half.reshape(-1, n_features)[:: n_features + 1]
        gradient = (own.T - own).take(planes.entries)
        scaled = (2.0 * rates * inverse)[:, :, None] * turned
        both = 0.5 * (own + own.T)
        half -= scaled.transpose(1, 2, 0) @ turned.transpose(1, 0, 2)
        half -= both
        curvature = half.take(planes.pairs) * planes.signs
        curvature.reshape(-1)[:: len(gradient) + 1] += half.take(planes.mirrored)
        if self.constrained_equal_volume:
            apart = inverse.take(planes.second, axis=1) - inverse.take(planes.first, axis=1)
            apart = flat.take(planes.entries, axis=1) * apart - gradient
            curvature += ((2.0 / n_features * shares)[:, None] * apart).T.dot(apart)
        angles = _solve(curvature, gradient)
        return angles.take(planes.positions) * planes.turns, -float(gradient.dot(angles))

    @abstractmethod
    def spread_above(self, variances: FloatArray, counts: FloatArray, lowest: FloatArray) -> FloatArray:
        """Return the same where each is to be at least the lowest along its axis, (D,)."""

    def estimate_constrained(
        self,
        statistics: Statistics,
        means: FloatArray,
        bound: CovarianceFloor,
        previous: FloatArray | None = None,
    ) -> FloatArray:
        """The bound holds along the axes and turns with them, so a turn may lose: the best of all is kept."""
        own, counts = component_covariances(statistics, means, NO_RIDGE, previous), statistics.counts
        axes = _axes(_pooled(own, counts) if previous is None else _mixed(previous))
        turned = _turned(own, axes)
        least, best = np.inf, np.array(np.nan)
        if previous is not None:
            least, best = _remaining(_diagonals(_turned(previous, axes)), turned, counts), previous
        for _ in range(_MOST_BOUND_SWEEPS):
            before = least
            for left, right in ((_NONE, _NONE), *disjoint_planes(axes.shape[0])):
                spread = self.spread_above(_diagonals(turned), counts, bound.along(axes))
                remaining = _remaining(spread, turned, counts)
                if remaining < least - _rounding(spread, counts):
                    least, best = remaining, (axes * spread[:, None, :]) @ axes.T
                rotation = rotation_in(turned, counts[:, None] / spread, left, right)
                axes, turned = axes @ rotation, _turned(turned, rotation)
            if not before - least > _TOLERANCE:
                break
        return best

    def _turn(self, axes: FloatArray, own: FloatArray, counts: FloatArray, most_sweeps: int) -> FloatArray:
        """Return the axes (D, D), as columns, turned until the loss falls no more, or so many sweeps are done."""
        turned = _turned(own, axes)
        before = self.loss(_diagonals(turned), counts)
        for _ in range(most_sweeps):
            for left, right in disjoint_planes(axes.shape[0]):
                rates = counts[:, None] / self.spread(_diagonals(turned), counts)
                rotation = rotation_in(turned, rates, left, right)
                axes, turned = axes @ rotation, _turned(turned, rotation)
            after = self.loss(_diagonals(turned), counts)
            if not before - after > _TOLERANCE:
                break
            before = after
        return axes


def _remaining(spread: FloatArray, turned: FloatArray, counts: FloatArray) -> float:
    """Return ``sum_k n_k sum_j (log g_kj + v_kj / g_kj) / n`` of variances along axes, as in `bounded`, in nats."""
    per_component = np.log(spread) + _diagonals(turned) / spread
    return float(counts @ per_component.sum(axis=1) / counts.sum())


def _rounding(spread: FloatArray, counts: FloatArray) -> float:
    """Return what is rounding in `_remaining`: the smallest variances have lost the digits of the largest."""
    lost = np.add.reduce(np.maximum.reduce(spread, axis=1)[:, None] / spread, axis=1)
    return float(_EPSILON * counts.dot(lost) / counts.sum())


def _solve(curvature: FloatArray, gradient: FloatArray) -> FloatArray:
    """Return ``-H^-1 g``, with the absolute eigenvalues of H where it is not clearly positive definite; NaN if none."""
    lower, angles, info = lapack.dposv(curvature, gradient, lower=1)
    pivots = lower.diagonal().tolist() if info == 0 else [0.0]
    if min(pivots) ** 2 > _FLAT * max(pivots) ** 2:
        return np.asarray(-angles)
    if not np.isfinite(curvature).all():
        return np.full_like(gradient, np.nan)
    values, vectors = np.linalg.eigh(curvature)
    sizes = np.abs(values)
    return np.asarray(-vectors @ (vectors.T @ gradient / np.maximum(sizes, _FLAT * sizes.max())))


def _pooled(covariances: FloatArray, counts: FloatArray) -> FloatArray:
    """Return the mean of the components' matrices, weighted by counts, with zeros for what is no number."""
    mean = counts.dot(covariances.reshape(len(counts), -1)) / counts.sum()
    return np.asarray(np.nan_to_num(mean, posinf=0.0, neginf=0.0).reshape(covariances.shape[1:]))


def _mixed(covariances: FloatArray) -> FloatArray:
    """Return a sum of matrices with common axes whose eigenvalues hardly coincide: it has their axes."""
    traces = np.add.reduce(_diagonals(covariances), axis=1)
    mixed = (_unlike(len(traces)) / traces).dot(covariances.reshape(len(traces), -1))
    return np.asarray(mixed.reshape(covariances.shape[1:]))


@lru_cache(maxsize=64)
def _unlike(n_components: int) -> FloatArray:
    return 1.0 + np.sqrt(np.arange(1, n_components + 1)) / 7.0


def _axes(matrix: FloatArray) -> FloatArray:
    """Return the eigenvectors of a symmetric matrix (D, D) as columns; the columns' own where there are none."""
    _, axes, info = lapack.dsyevd(matrix, lower=1)
    return axes if info == 0 and math.isfinite(axes[0, 0]) else identity(len(matrix))


def _diagonals(matrices: FloatArray) -> FloatArray:
    """Return a view of the diagonals (K, D) of contiguous matrices (K, D, D)."""
    return matrices.reshape(len(matrices), -1)[:, :: matrices.shape[1] + 1]


def _times(matrices: FloatArray, matrix: FloatArray) -> FloatArray:
    """Return each of the matrices (K, D, D) times one: as one product."""
    return np.asarray(matrices.reshape(-1, len(matrix)).dot(matrix).reshape(matrices.shape))


def _turned(matrices: FloatArray, axes: FloatArray) -> FloatArray:
    """Return ``D^T S D`` of the matrices S (K, D, D) for axes D."""
    return np.asarray(axes.T @ _times(matrices, axes))


def _volumes(variances: FloatArray) -> FloatArray:
    """Return ``|v_k|^(1/D)`` (K,); NaN where a variance is negative."""
    return np.asarray(np.exp(np.add.reduce(np.log(variances), axis=1) / variances.shape[1]))


class EVE(_SharedAxes):
    """``Sigma_k = lambda D A_k D^T``: ``A_k = v_k / |v_k|^(1/D)``, ``lambda = sum_k n_k |v_k|^(1/D) / n``."""

    name = "EVE"
    constrained_equal_volume = True

    def n_parameters(self, n_components: int, n_features: int) -> int:
        return 1 + n_components * (n_features - 1) + n_features * (n_features - 1) // 2

    def spread(self, variances: FloatArray, counts: FloatArray) -> FloatArray:
        volumes = _volumes(variances)
        return np.asarray(variances * (counts.dot(volumes) / np.add.reduce(counts) / volumes)[:, None])

    def weigh(self, variances: FloatArray, counts: FloatArray) -> tuple[float, FloatArray]:
        volumes = counts * _volumes(variances)
        total = np.add.reduce(volumes)
        return float(variances.shape[1] * np.log(total / np.add.reduce(counts))), volumes / total

    def spread_above(self, variances: FloatArray, counts: FloatArray, lowest: FloatArray) -> FloatArray:
        return constrained_equal_volume(variances / lowest, counts) * lowest


class VVE(_SharedAxes):
    """``Sigma_k = lambda_k D A_k D^T``: ``lambda_k A_k = v_k``."""

    name = "VVE"
    constrained_equal_volume = False

    def n_parameters(self, n_components: int, n_features: int) -> int:
        return n_components * n_features + n_features * (n_features - 1) // 2

    def spread(self, variances: FloatArray, counts: FloatArray) -> FloatArray:
        return variances

    def spread_above(self, variances: FloatArray, counts: FloatArray, lowest: FloatArray) -> FloatArray:
        return np.maximum(variances, lowest)

    def weigh(self, variances: FloatArray, counts: FloatArray) -> tuple[float, FloatArray]:
        shares = counts / np.add.reduce(counts)
        return float(shares.dot(np.add.reduce(np.log(variances), axis=1))), shares
