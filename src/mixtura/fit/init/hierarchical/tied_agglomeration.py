"""Model-based agglomeration where all clusters share one covariance, the criterion EEE.

With W the sum of the clusters' scatters over the number of rows, and D columns, the classification log-likelihood is
minus half of ``n log |W|`` up to a constant (Friedman and Rubin 1967; Banfield and Raftery 1993). The determinant is
zero until D pairs are joined; so as long as joining some two clusters leaves it below ``tr T / D``, with T the scatter
of all rows over their number, ``|W| + tr W`` is made least instead, as mclust does (Fraley 1998).

Joining two clusters adds ``c v v'`` to W, with v what their means differ by, and
``|W + c v v'| = |W| + c v' adj(W) v``: the two are joined that are the nearest by a metric, ``adj(W) + I`` or ``W^-1``,
which changes with every step.
"""

from __future__ import annotations

import numpy as np

from mixtura._typing import FloatArray, IntArray
from mixtura.kernels.trees.agglomeration import Board
from mixtura.kernels.trees.merge_cost import EII

__all__ = ["agglomerate_tied"]

_STALE = 0.8
"""Distances are evaluated again when they may have shrunk to this share; until then they are bounds."""


def agglomerate_tied(rows: FloatArray, counts: FloatArray) -> IntArray:
    """Return the clusters joined at each step, (m - 1, 2), as `agglomerate`.

    Parameters
    ----------
    rows : ndarray of shape (m, D)
    counts : ndarray of shape (m,)
        How many equal rows each stands for.
    """
    m = len(rows)
    state = _Tied(rows, counts)
    heads = np.arange(m)
    pairs = np.empty((m - 1, 2), dtype=np.intp)
    for step in range(m - 1):
        kept, left = state.cheapest()
        last = m - 1 - step
        pairs[step] = min(heads[kept], heads[left]), max(heads[kept], heads[left])
        heads[kept], heads[left] = pairs[step, 0], heads[last]
        state.join(kept, left, last)
    return pairs


class _Tied:
    """Clusters in places, their common scatter, and their distances by the last metric but a few."""

    def __init__(self, rows: FloatArray, counts: FloatArray) -> None:
        self._counts = counts.copy()
        self._centers = rows / np.sqrt(counts.sum())
        self._scatter = np.zeros((rows.shape[1], rows.shape[1]))
        apart = self._centers - counts @ self._centers / counts.sum()
        variance = float(counts @ (apart**2).sum(axis=1)) / rows.shape[1]
        self._enough = max(variance, float(np.finfo(np.float64).tiny))
        self._determined = False
        self._measure(self._metric())

    def _metric(self) -> FloatArray:
        """Return the matrix by which distances grow what is to be least; up to a factor where that is ``|W|``."""
        values, axes = np.linalg.eigh(self._scatter)
        values = np.maximum(values, 0.0)
        self._determined = self._determined or float(np.prod(values)) >= self._enough
        if self._determined:
            return np.asarray((axes / values) @ axes.T)
        return np.asarray((axes * _products_of_others(values)) @ axes.T) + np.eye(len(values))

    def _measure(self, metric: FloatArray) -> None:
        """Evaluate all distances."""
        self._root = np.linalg.cholesky(metric)
        self._clusters = EII(self._centers @ self._root, self._counts)
        self._board = Board(self._clusters.first_costs())

    def cheapest(self) -> tuple[int, int]:
        """Return the places of the two clusters to join, the smaller first."""
        found, metric = self._nearest(self._metric())
        if not self._determined and self._grown(found, metric - np.eye(len(metric))) >= self._enough:
            # The nearest by trace and determinant leave the latter large enough; some others may not.
            adjugate = metric - np.eye(len(metric))
            values, axes = np.linalg.eigh(adjugate)
            seen = EII(self._centers @ (axes * np.sqrt(np.maximum(values, 0.0))), self._counts)
            smallest = Board(seen.first_costs()).cheapest()
            if self._grown(smallest, adjugate) >= self._enough:
                self._determined = True
                return smallest
        return found

    def _grown(self, pair: tuple[int, int], adjugate: FloatArray) -> float:
        """Return the determinant of the scatter if two clusters are joined."""
        return float(np.linalg.det(self._scatter) + self._distances(np.array([pair]), adjugate)[0])

    def _nearest(self, metric: FloatArray) -> tuple[tuple[int, int], FloatArray]:
        """Return the nearest two clusters by a metric, and the metric.

        A distance now is at least ``shrunk`` times the one at hand, so that few have to be looked at.
        """
        inverse = np.linalg.inv(self._root)
        shrunk = float(np.linalg.eigvalsh(inverse @ metric @ inverse.T)[0]) * (1.0 - 1e-9)
        if shrunk < _STALE:
            self._measure(metric)
            return self._board.cheapest(), metric
        first = self._board.cheapest()
        limit = float(self._distances(np.array([first]), metric)[0]) / shrunk
        # Far from zero the distances at hand have lost digits; the least of them is a candidate all the same.
        candidates = self._board.below(max(limit, self._board.cost(*first)))
        distances = self._distances(candidates, metric)
        best = len(distances) - 1 - int(distances[::-1].argmin())
        return (int(candidates[best, 0]), int(candidates[best, 1])), metric

    def _distances(self, pairs: IntArray, metric: FloatArray) -> FloatArray:
        one, other = pairs.T
        apart = self._centers[one] - self._centers[other]
        shares = self._counts[one] * self._counts[other] / (self._counts[one] + self._counts[other])
        return np.asarray(shares * np.einsum("pi,ij,pj->p", apart, metric, apart))

    def join(self, kept: int, left: int, last: int) -> None:
        """Join two clusters in the place of the first; the last cluster moves to the other's."""
        count = self._counts[kept] + self._counts[left]
        apart = self._centers[left] - self._centers[kept]
        self._scatter += self._counts[kept] * self._counts[left] / count * np.outer(apart, apart)
        self._centers[kept] += apart * (self._counts[left] / count)
        self._counts[kept] = count
        self._centers[left], self._counts[left] = self._centers[last], self._counts[last]
        self._centers, self._counts = self._centers[:last], self._counts[:last]
        self._clusters.join(kept, left, last)
        self._clusters.traces[:last] = self._clusters.terms[:last] = 0.0
        self._board.join(kept, left, self._clusters.costs(kept, last))


def _products_of_others(values: FloatArray) -> FloatArray:
    """Return, for each of the values (D,), the product of all others."""
    return np.array([np.prod(np.delete(values, i)) for i in range(len(values))])
