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

from typing import ClassVar

import numpy as np

from mixtura._typing import FloatArray

__all__ = ["EII", "VII", "VVV", "Criterion"]

_WIDEST = 2.2204460492503131e-16
"""Least value of ``a``, mclust's."""

_WELL_CONDITIONED = 1e-5
"""A factor with pivots further apart is not used to update determinants: they would lose more than five digits."""


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
        self.counts = counts.copy()
        self.centers = np.ascontiguousarray(rows.T)
        self.traces = np.zeros(len(counts))
        apart = rows - counts @ rows / counts.sum()
        self.floor = max(float(counts @ (apart**2).sum(axis=1)) / (counts.sum() * rows.shape[1]), _WIDEST)
        self.terms = self.term(self.counts, self.traces)

    def term(self, counts: FloatArray, traces: FloatArray) -> FloatArray:
        """Return the terms of clusters whose scatter has rank one at most."""
        raise NotImplementedError

    def first_costs(self) -> FloatArray:
        """Return what joining any two of the first clusters costs, (m, m); infinite on the diagonal."""
        m = self.counts.size
        costs = np.empty((m, m))
        for start in range(0, m, 128):
            some = slice(start, start + 128)
            counts = self.counts[some, None] + self.counts
            traces = self._shares(self.counts[some, None], counts) * sum(
                (column[some, None] - column) ** 2 for column in self.centers
            )
            costs[some] = self._change(self.term(counts, traces), self.terms[some, None], self.terms)
        np.fill_diagonal(costs, np.inf)
        return costs

    def _shares(self, one: FloatArray, joined: FloatArray) -> FloatArray:
        return one * self.counts[: joined.shape[-1]] / joined

    @staticmethod
    def _change(joined: FloatArray, one: FloatArray, other: FloatArray) -> FloatArray:
        return joined - (one + other)

    def costs(self, place: int, m: int) -> FloatArray:
        """Return what joining the cluster in a place with each of those in places 0 to m-1 costs, (m,)."""
        counts = self.counts[place] + self.counts[:m]
        apart = self.centers[:, :m] - self.centers[:, place, None]
        shares = self._shares(self.counts[place], counts)
        traces = self.traces[place] + self.traces[:m] + shares * np.einsum("dm,dm->m", apart, apart)
        joined = self._joined(place, m, counts, traces, apart, shares)
        return self._change(joined, self.terms[place], self.terms[:m])

    def _joined(
        self,
        place: int,
        m: int,
        counts: FloatArray,
        traces: FloatArray,
        apart: FloatArray,
        shares: FloatArray,
    ) -> FloatArray:
        """Return the terms of the cluster in a place joined with each other, (m,)."""
        return self.term(counts, traces)

    def join(self, kept: int, left: int, last: int) -> None:
        """Join two clusters in the place of the first; the last cluster moves to the other's."""
        count = self.counts[kept] + self.counts[left]
        share = self.counts[kept] * self.counts[left] / count
        apart = self.centers[:, left] - self.centers[:, kept]
        self._join_scatters(kept, left, last, apart, share)
        self.traces[kept] += self.traces[left] + share * (apart @ apart)
        self.centers[:, kept] += apart * (self.counts[left] / count)
        self.counts[kept] = count
        self.terms[kept] = self._own_term(kept)
        for values in (self.counts, self.traces, self.terms):
            values[left] = values[last]
        self.centers[:, left] = self.centers[:, last]

    def _own_term(self, place: int) -> float:
        return float(self.term(self.counts[place], self.traces[place]))

    def _join_scatters(self, kept: int, left: int, last: int, apart: FloatArray, share: float) -> None:
        """Join the scatter matrices, where the criterion has any."""


class EII(Criterion):
    """All clusters balls of one size: the sum of squares."""

    name = "EII"

    def term(self, counts: FloatArray, traces: FloatArray) -> FloatArray:
        return traces + 0.0


class VII(Criterion):
    """Clusters are balls, each of its own size."""

    name = "VII"

    def term(self, counts: FloatArray, traces: FloatArray) -> FloatArray:
        return np.asarray(counts * np.log((traces + self.floor) / counts))


class VVV(Criterion):
    """Each cluster has its own covariance."""

    name = "VVV"

    def __init__(self, rows: FloatArray, counts: FloatArray) -> None:
        n_features = rows.shape[1]
        self._scatter = np.zeros((n_features, n_features, len(counts)))
        super().__init__(rows, counts)

    def term(self, counts: FloatArray, traces: FloatArray) -> FloatArray:
        spread = (traces + self.floor) / counts
        if len(self._scatter) == 1:  # in one column a scatter of rank one has a determinant
            spread = spread + np.where(counts > 1, traces / counts, 0.0)
        return np.asarray(counts * np.log(spread))

    def _joined(
        self,
        place: int,
        m: int,
        counts: FloatArray,
        traces: FloatArray,
        apart: FloatArray,
        shares: FloatArray,
    ) -> FloatArray:
        logs = np.log((traces + self.floor) / counts)
        spreads = counts > len(self._scatter)
        point = spreads & (self.traces[:m] == 0)
        root = self._root(place)
        if root is not None and point.any():
            spreads &= ~point
            logs[point] = self._with_points(root, apart[:, point], shares[point], counts[point], logs[point])
        full = np.flatnonzero(spreads)
        if full.size:
            scatters = self._scatter[:, :, full] + self._scatter[:, :, place, None]
            chosen = apart[:, full]
            scatters += (shares[full] * chosen)[:, None] * chosen
            determinants = log_determinants(scatters) - len(self._scatter) * np.log(counts[full])
            logs[full] = np.logaddexp(logs[full], determinants)
        return np.asarray(counts * logs)

    def _root(self, place: int) -> FloatArray | None:
        """Return the Cholesky factor of a scatter; None where it is singular or close to it."""
        if self.counts[place] <= len(self._scatter):
            return None
        try:
            root: FloatArray = np.asarray(np.linalg.cholesky(self._scatter[:, :, place]))
        except np.linalg.LinAlgError:
            return None
        pivots = root.diagonal()
        return root if pivots.min() > _WELL_CONDITIONED * pivots.max() else None

    @staticmethod
    def _with_points(
        root: FloatArray, apart: FloatArray, shares: FloatArray, counts: FloatArray, logs: FloatArray
    ) -> FloatArray:
        """Add the determinants with clusters that have no scatter: ``|W + c v v'| = |W| (1 + c v' W^-1 v)``."""
        whitened = np.linalg.solve(root, apart)
        gains = np.log1p(shares * np.einsum("dm,dm->m", whitened, whitened))
        own = 2.0 * np.log(root.diagonal()).sum()
        return np.asarray(np.logaddexp(logs, own + gains - len(root) * np.log(counts)))

    def _own_term(self, place: int) -> float:
        count = self.counts[place]
        log = np.log((self.traces[place] + self.floor) / count)
        if count > len(self._scatter):
            determinant = log_determinants(self._scatter[:, :, place, None].copy())[0]
            log = np.logaddexp(log, determinant - len(self._scatter) * np.log(count))
        return float(count * log)

    def _join_scatters(self, kept: int, left: int, last: int, apart: FloatArray, share: float) -> None:
        self._scatter[:, :, kept] += self._scatter[:, :, left] + share * apart[:, None] * apart
        self._scatter[:, :, left] = self._scatter[:, :, last]


def log_determinants(matrices: FloatArray) -> FloatArray:
    """Return the log determinants, (m,), of positive semidefinite matrices (D, D, m), which are overwritten.

    By elimination without pivoting, on all matrices at once; minus infinity where one is singular to rounding.
    """
    logs = np.zeros(matrices.shape[2])
    with np.errstate(all="ignore"):
        for j in range(len(matrices)):
            pivot = matrices[j, j]
            logs += np.log(pivot)
            below = matrices[j + 1 :, j]
            matrices[j + 1 :, j + 1 :] -= below[:, None] * (below / pivot)
    return np.where(np.isnan(logs), -np.inf, logs)
