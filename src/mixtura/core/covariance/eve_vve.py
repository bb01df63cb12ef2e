"""Covariances that share their axes, each of its own shape; of one volume (EVE) or different ones (VVE)."""

from __future__ import annotations

from abc import abstractmethod
from functools import lru_cache

import numpy as np

from mixtura._typing import FloatArray, IntArray
from mixtura.core.bound import Bound
from mixtura.core.covariance.bounded import one_volume
from mixtura.core.covariance.matrices import NO_RIDGE, MatrixFamily, component_covariances
from mixtura.core.covariance.volumes import MOST_ROUNDS, geometric_mean, told_apart
from mixtura.core.prior import Prior
from mixtura.core.statistics import Statistics

__all__ = ["EVE", "VVE"]

_TOLERANCE = 1e-10
"""Decrease of the mean log-volume in a sweep, in nats, at which the axes have converged."""

_MOST_WARM_SWEEPS = 100
"""Sweeps after which an M-step that began at the last one's axes ends; the next one goes on from there."""

_MOST_BOUND_SWEEPS = 10
"""The same where a bound is near."""

_NONE = np.array([], dtype=np.intp)


class _SharedAxes(MatrixFamily):
    """``Sigma_k = lambda_k D A_k D^T`` with A_k diagonal and D orthogonal.

    Given D, the best ``lambda_k A_k`` follow from ``v_k = diag(D^T S_k D)``, S_k the covariance of component k about
    its mean. Given those, D minimizes ``sum_k n_k tr(D^T S_k D A_k^-1) / lambda_k``: one plane of two axes at a time,
    in which the best angle is known, all disjoint planes at once (Flury and Gautschi 1986; the model is Celeux and
    Govaert's 1995, its first complete fit Browne and McNicholas's 2014). Each turn lowers the sum.
    """

    @abstractmethod
    def spread(self, variances: FloatArray, counts: FloatArray) -> FloatArray:
        """Return ``lambda_k A_k`` (K, D) that the family allows, from the variances along the axes (K, D)."""

    @abstractmethod
    def loss(self, variances: FloatArray, counts: FloatArray) -> float:
        """Return the mean log-volume that is left, in nats."""

    def estimate(
        self, statistics: Statistics, means: FloatArray, prior: Prior, previous: FloatArray | None = None
    ) -> FloatArray:
        own, counts = component_covariances(statistics, means, prior, previous), statistics.counts
        begin = np.average(own, axis=0, weights=counts) if previous is None else _mixed(previous)
        with np.errstate(all="ignore"):
            begin = np.linalg.eigh(np.nan_to_num(begin, posinf=0.0, neginf=0.0))[1]
            axes = self._turn(begin, own, counts, MOST_ROUNDS if previous is None else _MOST_WARM_SWEEPS)
            variances = np.einsum("ji,kjl,li->ki", axes, own, axes)
            spread = told_apart(self.spread(variances, counts), prior.ridge)
            return np.asarray((axes * spread[:, None, :]) @ axes.T)

    @abstractmethod
    def spread_above(self, variances: FloatArray, counts: FloatArray, lowest: FloatArray) -> FloatArray:
        """Return the same where each is to be at least the lowest along its axis, (D,)."""

    def estimate_above(
        self, statistics: Statistics, means: FloatArray, bound: Bound, previous: FloatArray | None = None
    ) -> FloatArray:
        """The bound holds along the axes and turns with them, so a turn may lose: the best of all is kept."""
        own, counts = component_covariances(statistics, means, NO_RIDGE, previous), statistics.counts
        begin = np.average(own, axis=0, weights=counts) if previous is None else _mixed(previous)
        axes = np.linalg.eigh(begin)[1]
        turned = axes.T @ own @ axes
        least, best = np.inf, np.array(np.nan)
        if previous is not None:
            least, best = _remaining(np.einsum("kii->ki", axes.T @ previous @ axes), turned, counts), previous
        for _ in range(_MOST_BOUND_SWEEPS):
            before = least
            for left, right in ((_NONE, _NONE), *_disjoint_planes(axes.shape[0])):
                spread = self.spread_above(np.einsum("kii->ki", turned), counts, bound.along(axes))
                remaining = _remaining(spread, turned, counts)
                if remaining < least:
                    least, best = remaining, (axes * spread[:, None, :]) @ axes.T
                rotation = _rotation(turned, counts[:, None] / spread, left, right)
                axes, turned = axes @ rotation, rotation.T @ turned @ rotation
            if not before - least > _TOLERANCE:
                break
        return best

    def _turn(self, axes: FloatArray, own: FloatArray, counts: FloatArray, most_sweeps: int) -> FloatArray:
        """Return the axes (D, D), as columns, turned until the loss falls no more, or so many sweeps are done."""
        turned = axes.T @ own @ axes
        before = self.loss(np.einsum("kii->ki", turned), counts)
        for _ in range(most_sweeps):
            for left, right in _disjoint_planes(axes.shape[0]):
                rates = counts[:, None] / self.spread(turned.diagonal(axis1=1, axis2=2), counts)
                rotation = _rotation(turned, rates, left, right)
                axes, turned = axes @ rotation, rotation.T @ turned @ rotation
            after = self.loss(np.einsum("kii->ki", turned), counts)
            if not before - after > _TOLERANCE:
                break
            before = after
        return axes


def _remaining(spread: FloatArray, turned: FloatArray, counts: FloatArray) -> float:
    """Return ``sum_k n_k sum_j (log g_kj + v_kj / g_kj) / n`` of variances along axes, as in `bounded`, in nats."""
    per_component = np.log(spread) + np.einsum("kii->ki", turned) / spread
    return float(np.average(per_component.sum(axis=1), weights=counts))


def _rotation(turned: FloatArray, rates: FloatArray, left: IntArray, right: IntArray) -> FloatArray:
    """Return the rotation (D, D) that is best in each of some disjoint planes.

    In the plane of axes i and j the sum is, but for a constant, ``P cos 2t + Q sin 2t`` with
    ``P = sum_k (r_ki - r_kj)(w_kii - w_kjj) / 2`` and ``Q = sum_k (r_ki - r_kj) w_kij``.
    """
    unlike = rates[:, left] - rates[:, right]
    cosine = 0.5 * (unlike * (turned[:, left, left] - turned[:, right, right])).sum(axis=0)
    sine = (unlike * turned[:, left, right]).sum(axis=0)
    angle = 0.5 * np.arctan2(-sine, -cosine)
    angle = np.where((cosine == 0) & (sine == 0), 0.0, angle)
    rotation = np.eye(turned.shape[1])
    rotation[left, left] = rotation[right, right] = np.cos(angle)
    rotation[left, right], rotation[right, left] = -np.sin(angle), np.sin(angle)
    return rotation


@lru_cache(maxsize=64)
def _disjoint_planes(n_features: int) -> tuple[tuple[IntArray, IntArray], ...]:
    """Return all pairs of axes, in rounds of disjoint pairs (a round-robin tournament)."""
    players = list(range(n_features)) + [-1] * (n_features % 2)
    rounds = []
    for _ in range(len(players) - 1):
        half = len(players) // 2
        pairs = [
            (a, b) for a, b in zip(players[:half], reversed(players[half:]), strict=True) if min(a, b) >= 0
        ]
        if pairs:
            rounds.append((np.array([a for a, _ in pairs]), np.array([b for _, b in pairs])))
        players = [players[0], players[-1], *players[1:-1]]
    return tuple(rounds)


def _mixed(covariances: FloatArray) -> FloatArray:
    """Return a sum of matrices with common axes whose eigenvalues hardly coincide: it has their axes."""
    shares = 1.0 + np.sqrt(np.arange(1, covariances.shape[0] + 1)) / 7.0
    scale = np.trace(covariances, axis1=1, axis2=2)
    return np.asarray(np.einsum("k,kij->ij", shares / scale, covariances))


class EVE(_SharedAxes):
    """``Sigma_k = lambda D A_k D^T``: ``A_k = v_k / |v_k|^(1/D)``, ``lambda = sum_k n_k |v_k|^(1/D) / n``."""

    name = "EVE"

    def n_parameters(self, n_components: int, n_features: int) -> int:
        return 1 + n_components * (n_features - 1) + n_features * (n_features - 1) // 2

    def spread(self, variances: FloatArray, counts: FloatArray) -> FloatArray:
        logs = np.log(variances).sum(axis=1) / variances.shape[1]
        volume = (counts @ np.exp(logs)) / counts.sum()
        return np.asarray(variances * (volume * np.exp(-logs))[:, None])

    def spread_above(self, variances: FloatArray, counts: FloatArray, lowest: FloatArray) -> FloatArray:
        return one_volume(variances / lowest, counts) * lowest

    def loss(self, variances: FloatArray, counts: FloatArray) -> float:
        return float(variances.shape[1] * np.log(np.average(geometric_mean(variances), weights=counts)))


class VVE(_SharedAxes):
    """``Sigma_k = lambda_k D A_k D^T``: ``lambda_k A_k = v_k``."""

    name = "VVE"

    def n_parameters(self, n_components: int, n_features: int) -> int:
        return n_components * n_features + n_features * (n_features - 1) // 2

    def spread(self, variances: FloatArray, counts: FloatArray) -> FloatArray:
        return variances

    def spread_above(self, variances: FloatArray, counts: FloatArray, lowest: FloatArray) -> FloatArray:
        return np.maximum(variances, lowest)

    def loss(self, variances: FloatArray, counts: FloatArray) -> float:
        return float(np.average(np.log(variances).sum(axis=1), weights=counts))
