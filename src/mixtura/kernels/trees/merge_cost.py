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
from typing import ClassVar, NamedTuple

import numpy as np

from mixtura._typing import FloatArray

__all__ = ["CRITERIA", "EII", "VII", "VVV", "Criterion", "floor_of"]

_WIDEST = 2.2204460492503131e-16
"""Least value of ``a``, mclust's."""

_BLOCK = 32
"""Rows of costs that are computed at a time: they stay in the processor's cache."""


class _Union(NamedTuple):
    """Two clusters as one: count, trace, term and root; mean, (D,); and scatter, (D, D), empty where it is not kept."""

    state: tuple[float, float, float, float]
    center: FloatArray
    scatter: FloatArray


class Criterion:
    """Clusters, each in a place, and what joining two of them costs.

    Places 0 to m-1 are taken; of two clusters that are joined, one leaves its place to the last.

    Parameters
    ----------
    rows : ndarray of shape (m, D)
        One per cluster: the number of equal rows that a cluster begins as.
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
        self.floor = floor_of(rows, counts)
        self.terms[:] = self.term(self.counts, self.traces)
        self._evaluated: dict[tuple[int, int], _Union] = {}

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
            traces = _squares(self.centers[some], self.centers[others])
            traces *= own * counts[others] / both
            joined = self.term(both, traces)
            np.subtract(joined, self.terms[some, None] + self.terms[others], out=costs[some, others])
        return costs

    def costs(self, place: int, m: int) -> FloatArray:
        """Return what joining the cluster in a place with each of those in places 0 to m-1 costs at least, (m,)."""
        counts, traces, terms, roots = self._state[:, :m] + self._state[:, place, None]
        between = _squares(self.centers[place, None], self.centers[:m])[0]
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

    def join(self, kept: int, left: int, last: int) -> None:
        """Join two clusters in the place of the first; the last cluster moves to the other's."""
        union = self._evaluated.get((kept, left)) or self._union(kept, left)
        self._evaluated.clear()
        self._put(kept, union)
        self._move(last, left)

    def _union(self, one: int, other: int) -> _Union:
        """Return what two clusters are together."""
        n, also = self.counts.item(one), self.counts.item(other)
        count = n + also
        apart = self.centers[other] - self.centers[one]
        share = n * also / count
        # Added up one after the other, as in all other distances: costs that are equal stay so.
        square = float(np.add.accumulate(apart * apart)[-1])
        trace = self.traces.item(one) + (self.traces.item(other) + share * square)
        scatter = self._joint_scatter(one, other, apart, share)
        term, root = self._term_and_root(count, trace, scatter)
        return _Union((count, trace, term, root), self.centers[one] + apart * (also / count), scatter)

    def _joint_scatter(self, one: int, other: int, apart: FloatArray, share: float) -> FloatArray:
        """Return the scatter of two clusters about their mean, (D, D); empty where it is not kept."""
        return apart[:0, None]

    def _term_and_root(self, count: float, trace: float, scatter: FloatArray) -> tuple[float, float]:
        """Return the term of a cluster, and the D-th root of the determinant of its scatter."""
        return float(self.term(np.asarray(count), np.asarray(trace))), 0.0

    def _put(self, place: int, union: _Union) -> None:
        """Put a cluster in a place."""
        self._state[:, place] = union.state
        self.centers[place] = union.center

    def _move(self, last: int, left: int) -> None:
        """Move the last cluster to the place that is left."""
        self._state[:, left] = self._state[:, last]
        self.centers[left] = self.centers[last]


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
        self._evaluated[one, other] = union = self._union(one, other)
        return union.state[2] - float(self.terms.item(one) + self.terms.item(other))

    def _joint_scatter(self, one: int, other: int, apart: FloatArray, share: float) -> FloatArray:
        return np.asarray(self._scatter[one] + (self._scatter[other] + share * (apart[:, None] * apart)))

    def _term_and_root(self, count: float, trace: float, scatter: FloatArray) -> tuple[float, float]:
        d = len(scatter)
        determinant = max(float(np.linalg.det(scatter / count)), 0.0) if count > d else 0.0
        term = count * math.log(determinant + (trace + self.floor) / count)
        return term, count * determinant ** (1.0 / d)

    def _put(self, place: int, union: _Union) -> None:
        super()._put(place, union)
        self._scatter[place] = union.scatter

    def _move(self, last: int, left: int) -> None:
        super()._move(last, left)
        self._scatter[left] = self._scatter[last]


CRITERIA = {one.name: one for one in (EII, VII, VVV)}


def floor_of(rows: FloatArray, counts: FloatArray) -> float:
    """Return a: the mean variance of rows (m, D) that count as many, over all columns."""
    apart = rows - counts @ rows / counts.sum()
    return max(float(counts @ (apart**2).sum(axis=1)) / float(counts.sum() * rows.shape[1]), _WIDEST)


def _power(base: FloatArray, exponent: int) -> FloatArray:
    """Return a new array of powers; `numpy.power` is slow where the base is zero, as that of single rows is."""
    if exponent == 1:
        return base.copy()
    half = _power(base, exponent // 2)
    half *= half
    return half * base if exponent % 2 else half


def _squares(points: FloatArray, others: FloatArray) -> FloatArray:
    """Return squared distances of points (m, D) from others (M, D): (m, M)."""
    from scipy.spatial.distance import cdist

    return np.asarray(cdist(points, others, "sqeuclidean"))
