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

_NONE = np.array([], dtype=np.intp)


class _SharedAxes(MatrixFamily):
    """``Sigma_k = lambda_k D A_k D^T`` with A_k diagonal and D orthogonal.

    Given D, the best ``lambda_k A_k`` follow from ``v_k = diag(D^T S_k D)``, S_k the covariance of component k about
    its mean. Given those, D minimizes ``sum_k n_k tr(D^T S_k D A_k^-1) / lambda_k``: one plane of two axes at a time,
    in which the best angle is known, all disjoint planes at once (Flury and Gautschi 1986; the model is Celeux and
    Govaert's 1995, its first complete fit Browne and McNicholas's 2014). Each turn lowers the sum.

    Near the best axes Newton's method on the angles of all planes gets there in a step or two (as in Ablin, Cardoso and
    Gramfort 2018, with the whole Hessian); turns are what it begins with and falls back on.
    """

    @abstractmethod
    def shares(self, variances: FloatArray, counts: FloatArray) -> tuple[FloatArray, float]:
        """Return how a change of ``sum_i log v_ki`` changes the loss: ``u_k`` (K,), and the factor c of its curvature.

        The loss falls or rises by ``sum_k u_k q_k + c/2 (sum_k u_k q_k^2 - (sum_k u_k q_k)^2)`` for changes q_k.
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
            axes = self._settle(begin, own, counts, MOST_ROUNDS if previous is None else _MOST_WARM_SWEEPS)
            variances = np.einsum("ji,kjl,li->ki", axes, own, axes)
            spread = told_apart(self.spread(variances, counts), prior.ridge)
            return np.asarray((axes * spread[:, None, :]) @ axes.T)

    def _settle(self, axes: FloatArray, own: FloatArray, counts: FloatArray, most_sweeps: int) -> FloatArray:
        """Return the best axes near some, by Newton steps as long as each lowers the loss, else by turns."""
        n_features = len(axes)
        if n_features * (n_features - 1) // 2 > _MOST_PLANES or n_features == 1:
            return self._turn(axes, own, counts, most_sweeps)
        turned = axes.T @ own @ axes
        before = self.loss(np.einsum("kii->ki", turned), counts)
        for _ in range(_MOST_STEPS):
            step, promised = self._newton_step(turned, counts)
            if not np.isfinite(promised):
                break
            for _ in range(_MOST_HALVINGS):
                rotation = _cayley(step)
                tried = rotation.T @ turned @ rotation
                after = self.loss(np.einsum("kii->ki", tried), counts)
                if after <= before + _TOLERANCE:
                    break
                step = 0.5 * step
            else:
                break
            axes, turned, before = axes @ rotation, tried, after
            if promised < _SETTLED:
                return axes
        return self._turn(axes, own, counts, most_sweeps)

    def _newton_step(self, turned: FloatArray, counts: FloatArray) -> tuple[FloatArray, float]:
        """Return the skew matrix X (D, D) of a Newton step, and the decrease of the loss it promises; infinite if none.

        ``exp(-X) W exp(X) = W + [W, X] + [[W, X], X] / 2 + ...`` gives both derivatives of ``log v_ki``.
        """
        n_features = turned.shape[1]
        planes = _skew_basis(n_features)
        variances = np.einsum("kii->ki", turned)
        shares, bend = self.shares(variances, counts)
        moved = turned[:, None] @ planes - planes @ turned[:, None]
        logs = np.einsum("kpii->kpi", moved) / variances[:, None, :]
        scaled = np.einsum("ki,kpij->pij", shares[:, None] / variances, moved)
        second = scaled.reshape(len(planes), -1) @ planes.transpose(0, 2, 1).reshape(len(planes), -1).T
        flat = (logs * np.sqrt(shares)[:, None, None]).transpose(1, 0, 2).reshape(len(planes), -1)
        totals = logs.sum(axis=2)
        gradient = shares @ totals
        curvature = second + second.T - flat @ flat.T
        if bend:
            curvature += bend * ((totals * shares[:, None]).T @ totals - np.outer(gradient, gradient))
        if not np.isfinite(curvature).all():
            return turned[0], np.inf
        values, vectors = np.linalg.eigh(curvature)
        along = vectors.T @ gradient / np.maximum(np.abs(values), _FLAT * np.abs(values).max())
        step = -vectors @ along
        return np.einsum("p,pij->ij", step, planes), float(-0.5 * gradient @ step)

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
    return float(counts @ per_component.sum(axis=1) / counts.sum())


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


def _cayley(skew: FloatArray) -> FloatArray:
    """Return the rotation ``(I - X/2)^-1 (I + X/2)``, which is exp(X) to second order."""
    half = 0.5 * skew
    identity = np.eye(len(skew))
    return np.asarray(np.linalg.solve(identity - half, identity + half))


@lru_cache(maxsize=64)
def _skew_basis(n_features: int) -> FloatArray:
    """Return the skew matrices (P, D, D) with a one above and a minus one below the diagonal."""
    rows, columns = np.triu_indices(n_features, 1)
    basis = np.zeros((rows.size, n_features, n_features))
    basis[np.arange(rows.size), rows, columns] = 1.0
    basis[np.arange(rows.size), columns, rows] = -1.0
    return basis


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

    def shares(self, variances: FloatArray, counts: FloatArray) -> tuple[FloatArray, float]:
        volumes = counts * geometric_mean(variances)
        return volumes / volumes.sum(), 1.0 / variances.shape[1]

    def spread_above(self, variances: FloatArray, counts: FloatArray, lowest: FloatArray) -> FloatArray:
        return one_volume(variances / lowest, counts) * lowest

    def loss(self, variances: FloatArray, counts: FloatArray) -> float:
        return float(variances.shape[1] * np.log(counts @ geometric_mean(variances) / counts.sum()))


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
        return float(counts @ np.log(variances).sum(axis=1) / counts.sum())

    def shares(self, variances: FloatArray, counts: FloatArray) -> tuple[FloatArray, float]:
        return counts / counts.sum(), 0.0
