"""What joining two clusters costs, by criteria of model-based agglomeration.

With n_k the number of rows of a cluster, W_k their scatter about its mean, n and W those of all rows, and D columns,
the classification log-likelihood of clusters with a covariance of one structure is, up to constants, minus half of

=====  =======================================================================================
EII    ``sum_k tr W_k`` (Ward 1963)
VII    ``sum_k n_k log((tr W_k + a) / n_k)``, a as below
VVV    ``sum_k n_k log(|W_k / n_k| + (tr W_k + a) / n_k)``, ``a = tr W / (n D)``
=====  =======================================================================================

(Banfield and Raftery 1993). The terms in a, and the trace beside the determinant, keep clusters comparable that have
no spread of their own, single rows to begin with; where a cluster has no more rows than columns the determinant is
left out (Fraley 1998, section 2.2, with alpha = beta = 1 as in mclust). A sum of terms, one per cluster: joining two
changes theirs alone.
"""

from __future__ import annotations

import math
from typing import ClassVar

import numpy as np
from scipy.spatial.distance import cdist

from mixtura._typing import FloatArray

_BLOCK = 32
"""So many rows of costs are computed at a time: they stay in the processor's cache."""

__all__ = ["EII", "VII", "VVV", "Criterion"]

_WIDEST = 2.2204460492503131e-16
"""Least value of ``a``, mclust's."""


class Criterion:
    """Clusters, each in a place, and what joining two of them costs.

    Places 0 to m-1 are taken; of two clusters that are joined, one leaves its place to the last.

    Parameters
    ----------
    rows : ndarray of shape (m, D)
        One per cluster: a cluster begins as so many equal rows.
    counts : ndarray of shape (m,)
        How many.
    """

    name: ClassVar[str]

    def __init__(self, rows: FloatArray, counts: FloatArray) -> None:
        # In one array, so that one operation takes the sums of all with another cluster's.
        self._state = np.zeros((4, len(counts)))
        self.counts, self.traces, self.terms, self._roots = self._state
        self.counts[:] = counts
        self.centers = rows.copy()
        apart = rows - counts @ rows / counts.sum()
        self.floor = max(float(counts @ (apart**2).sum(axis=1)) / (counts.sum() * rows.shape[1]), _WIDEST)
        self.terms[:] = self.term(self.counts, self.traces)

    def term(self, counts: FloatArray, traces: FloatArray) -> FloatArray:
        """Return the terms of clusters whose scatter has rank one at most."""
        raise NotImplementedError

    def first_costs(self) -> FloatArray:
        """Return what joining any two of the first clusters costs at least, (m, m), below the diagonal."""
        m = self.counts.size
        costs = np.empty((m, m))
        # Where all clusters count the same, one number stands for all.
        counts = self.counts if np.ptp(self.counts) > 0 else self.counts[:1]
        for start in range(0, m, _BLOCK):
            some, others = slice(start, start + _BLOCK), slice(0, start + _BLOCK)
            own = self.counts[some, None]
            both = own + counts[others]
            traces = cdist(self.centers[some], self.centers[others], "sqeuclidean")
            traces *= own * counts[others] / both
            joined = self.term(both, traces)
            np.subtract(joined, self.terms[some, None] + self.terms[others], out=costs[some, others])
        return costs

    def costs(self, place: int, m: int) -> FloatArray:
        """Return what joining the cluster in a place with each of those in places 0 to m-1 costs at least, (m,)."""
        counts, traces, terms, roots = self._state[:, :m] + self._state[:, place, None]
        between = cdist(self.centers[place, None], self.centers[:m], "sqeuclidean")[0]
        between *= self.counts[:m] * self.counts[place] / counts
        traces += between
        joined = self._joined(counts, traces, roots, self.counts.item(place))
        joined -= terms
        return joined

    def cost(self, one: int, other: int) -> float | None:
        """Return what joining two clusters costs; None where `costs` already says."""
        return None

    def _joined(self, counts: FloatArray, traces: FloatArray, roots: FloatArray, least: float) -> FloatArray:
        """Return the least terms that joined clusters may have, (m,), each of more than ``least`` rows.

        May use up the arrays that it is given.
        """
        return self.term(counts, traces)

    def _between(self, one: int, other: int) -> tuple[FloatArray, float]:
        """Return how far apart the means are, (D,), and the weight that this has in the joined scatter."""
        n, also = self.counts.item(one), self.counts.item(other)
        return self.centers[other] - self.centers[one], n * also / (n + also)

    def join(self, kept: int, left: int, last: int) -> None:
        """Join two clusters in the place of the first; the last cluster moves to the other's."""
        apart, share = self._between(kept, left)
        self._add_scatter(kept, left, apart, share)
        count, more = self.counts.item(kept), self.counts.item(left)
        self.counts[kept] = count + more
        self.centers[kept] += apart * (more / (count + more))
        self.terms[kept] = self._own_term(kept)
        self._move(last, left)

    def _add_scatter(self, kept: int, left: int, apart: FloatArray, share: float) -> None:
        """Give a cluster the scatter of another, and of the two means."""
        self.traces[kept] += self.traces.item(left) + share * float(apart.dot(apart))

    def _move(self, last: int, left: int) -> None:
        """Move the last cluster to the place that is left."""
        self._state[:, left] = self._state[:, last]
        self.centers[left] = self.centers[last]

    def _own_term(self, place: int) -> float:
        return float(self.term(self.counts[place], self.traces[place]))


class EII(Criterion):
    """All clusters balls of one size: the sum of squares."""

    name = "EII"

    def term(self, counts: FloatArray, traces: FloatArray) -> FloatArray:
        return traces.copy()


class VII(Criterion):
    """Clusters are balls, each of its own size."""

    name = "VII"

    def term(self, counts: FloatArray, traces: FloatArray) -> FloatArray:
        return np.asarray(counts * np.log((traces + self.floor) / counts))


class VVV(Criterion):
    """Each cluster has its own covariance.

    Determinants are evaluated for the pairs that may be joined next alone. For all others a bound serves,
    ``|A + B + c v v'|^(1/D) >= |A|^(1/D) + |B|^(1/D)`` (Minkowski). Of one column the determinant is the trace.
    """

    name = "VVV"

    def __init__(self, rows: FloatArray, counts: FloatArray) -> None:
        n_features = rows.shape[1]
        self._scatter = np.zeros((len(counts), n_features, n_features))
        super().__init__(rows, counts)

    def term(self, counts: FloatArray, traces: FloatArray) -> FloatArray:
        determinants = np.where(counts > 1, traces, 0.0) if self._is_exact else 0.0
        return np.asarray(counts * np.log((determinants + traces + self.floor) / counts))

    @property
    def _is_exact(self) -> bool:
        return self._scatter.shape[1] == 1

    def _joined(self, counts: FloatArray, traces: FloatArray, roots: FloatArray, least: float) -> FloatArray:
        if self._is_exact:
            return self.term(counts, traces)
        d = self._scatter.shape[1]
        roots /= counts
        joined = _power(roots, d)
        if least < d:
            joined[counts <= d] = 0.0
        traces += self.floor
        traces /= counts
        joined += traces
        np.log(joined, out=joined)
        joined *= counts
        return joined

    def cost(self, one: int, other: int) -> float | None:
        if self._is_exact:
            return None
        apart, share = self._between(one, other)
        count = self.counts.item(one) + self.counts.item(other)
        trace = self.traces.item(one) + self.traces.item(other) + share * float(apart.dot(apart))
        determinant = 0.0
        if count > apart.size:
            scatter = self._scatter[one] + self._scatter[other]
            scatter += share * (apart[:, None] * apart)
            determinant = _determinant(scatter / count)
        terms = self.terms.item(one) + self.terms.item(other)
        return self._term_of(count, trace, determinant) - float(terms)

    def _term_of(self, count: float, trace: float, determinant: float) -> float:
        return count * math.log(determinant + (trace + self.floor) / count)

    def _own_term(self, place: int) -> float:
        scatter, count = self._scatter[place], self.counts.item(place)
        determinant = _determinant(scatter / count) if count > len(scatter) else 0.0
        self._roots[place] = count * determinant ** (1.0 / len(scatter))
        return self._term_of(count, self.traces.item(place), determinant)

    def _add_scatter(self, kept: int, left: int, apart: FloatArray, share: float) -> None:
        super()._add_scatter(kept, left, apart, share)
        self._scatter[kept] += self._scatter[left] + share * (apart[:, None] * apart)

    def _move(self, last: int, left: int) -> None:
        super()._move(last, left)
        self._scatter[left] = self._scatter[last]


def _power(base: FloatArray, exponent: int) -> FloatArray:
    """Return a new array of powers; `numpy.power` is slow where the base is zero, as that of single rows is."""
    if exponent == 1:
        return base.copy()
    half = _power(base, exponent // 2)
    half *= half
    return half * base if exponent % 2 else half


def _determinant(matrix: FloatArray) -> float:
    """Return the determinant of a positive semidefinite matrix (D, D); zero where rounding makes it less."""
    return max(float(np.linalg.det(matrix)), 0.0)
