"""Agglomeration by the sum of squares, EII, many pairs at a time.

Joining clusters of n and n' rows whose means differ by v costs ``c |v|^2``, ``c = n n' / (n + n')`` (Ward 1963). A
joined cluster is never nearer to a third than the nearer of its parts was. So two clusters, each of which is the
other's nearest, remain so until they are joined, whatever is joined before (Bruynooghe 1977; Murtagh 1983): all such
pairs are joined at once, round after round, and put in the order of their costs in the end.

The tree is that of joining the cheapest pair at every step, unless two costs that had to be compared are equal but for
rounding; then the steps are taken one after the other.
"""

from __future__ import annotations

import numpy as np

from mixtura._typing import FloatArray, IntArray
from mixtura.fit.init.hierarchical.agglomeration import agglomerate
from mixtura.fit.init.hierarchical.merge_cost import EII

__all__ = ["agglomerate_spherical"]

_ROUNDING = 64 * 2.2204460492503131e-16
"""What differs by no more than this share of what it was computed from may be equal."""

_BLOCK = 64
"""Clusters for which all costs are computed at a time: they stay in the processor's cache."""


def agglomerate_spherical(rows: FloatArray, counts: FloatArray) -> IntArray:
    """Return the clusters joined at each step, (m - 1, 2), as `agglomerate` by the criterion `EII`.

    Parameters
    ----------
    rows : ndarray of shape (m, D)
    counts : ndarray of shape (m,)
        How many equal rows each stands for.
    """
    clusters = _Balls(rows, counts)
    pairs, costs, errors = np.empty((0, 2), dtype=np.intp), np.empty(0), np.empty(0)
    while len(clusters.heads) > 1:
        one, other = clusters.reciprocal()
        cost, error = clusters.cost(one, other)
        pairs = np.concatenate([pairs, clusters.join(one, other)])
        costs, errors = np.append(costs, cost), np.append(errors, error)
        if not one.size:
            break
    order = costs.argsort()
    costs, errors = costs[order], errors[order]
    if len(pairs) < len(rows) - 1 or (np.diff(costs) <= errors[1:] + errors[:-1]).any():
        return agglomerate(EII(rows, counts))
    return pairs[order]


class _Balls:
    """Clusters, each by its smallest leaf, with counts, means and scatters."""

    def __init__(self, rows: FloatArray, counts: FloatArray) -> None:
        self.heads = np.arange(len(rows))
        self._counts, self._centers, self._traces = counts.copy(), rows.copy(), np.zeros(len(rows))

    def cost(self, one: IntArray, other: IntArray) -> tuple[FloatArray, FloatArray]:
        """Return what joining each of some clusters with each of others costs, and by how much that may err."""
        n, also = self._counts[one], self._counts[other]
        apart = np.abs(self._centers[other] - self._centers[one])
        size = np.abs(self._centers[other]) + np.abs(self._centers[one])
        shares = n * also / (n + also)
        cost = shares * np.einsum("pd,pd->p", apart, apart)
        base = self._traces[one] + self._traces[other] + shares * np.einsum("pd,pd->p", apart, size)
        return cost, _ROUNDING * base

    def reciprocal(self) -> tuple[IntArray, IntArray]:
        """Return the pairs of which each is the other's nearest; none where it equals the next nearest."""
        nearest, further = self._nearest()
        one = np.flatnonzero(nearest[nearest] == np.arange(nearest.size))
        other = nearest[one]
        if nearest.size > 2:
            cost, error = self.cost(one, other)
            above, also = self.cost(one, further[one])
            # The nearest are found by |x|^2 - 2 x'y + |y|^2, which errs more.
            squares = np.einsum("pd,pd->p", self._centers[one], self._centers[one])
            error += also + _ROUNDING * self._counts[one] * squares
            if (above - cost <= error).any():
                return one[:0], one[:0]
        return one[one < other], other[one < other]

    def _nearest(self) -> tuple[IntArray, IntArray]:
        """Return the nearest and the next nearest of every cluster, (m,) each."""
        m = len(self.heads)
        found = np.empty((2, m), dtype=np.intp)
        squares, ones = np.einsum("md,md->m", self._centers, self._centers), np.ones(m)
        left = np.column_stack([self._centers, squares, ones])
        right = np.column_stack([-2.0 * self._centers, ones, squares]).T.copy()
        inverse = 1.0 / self._counts
        for start in range(0, m, _BLOCK):
            some = np.arange(start, min(start + _BLOCK, m))
            costs = left[some] @ right
            costs /= inverse[some, None] + inverse
            places = np.arange(some.size)
            costs[places, some] = np.inf
            for order in found:
                order[some] = costs.argmin(axis=1)
                costs[places, order[some]] = np.inf
        return found[0], found[1]

    def join(self, one: IntArray, other: IntArray) -> IntArray:
        """Join pairs of clusters; return their heads, (p, 2), the smaller first."""
        pairs = np.sort(np.stack([self.heads[one], self.heads[other]], axis=1), axis=1)
        n, also = self._counts[one], self._counts[other]
        self._traces[one] += self._traces[other] + self.cost(one, other)[0]
        self._centers[one] += (self._centers[other] - self._centers[one]) * (also / (n + also))[:, None]
        self._counts[one] += also
        self.heads[one] = pairs[:, 0]
        kept = np.ones(len(self.heads), dtype=bool)
        kept[other] = False
        self.heads, self._counts = self.heads[kept], self._counts[kept]
        self._centers, self._traces = self._centers[kept], self._traces[kept]
        return pairs
