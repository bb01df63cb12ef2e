"""Exact quantiles of a column in groups, in two passes over the rows and bounded memory.

The first pass counts rows per fine bin and group (`GroupHistogram`). It is then known in which bins the quantiles lie;
the second pass keeps the values in those bins alone (`Refinement`), a few in a hundred, and sorts them. Values that are
repeated are kept once, so that a column of few different values needs no more memory.
"""

from __future__ import annotations

import numpy as np

from mixtura._typing import Array, FloatArray, IntArray
from mixtura.segments.weighted import group_sums, quantiles

__all__ = ["GroupHistogram", "Refinement", "bin_edges"]

_FINE, _FINEST, _ROWS_PER_BIN = 512, 8_192, 16
"""Bins at most, which hold about as many rows of a sample each; more of a larger sample, for longer tables."""

_SLACK = 1e-9
"""Of the total weight: sums of fractional weights, added in another order, equal a share up to rounding."""


def bin_edges(sample: FloatArray) -> FloatArray:
    """Return the edges of fine bins from some rows of a column, ascending; NaN is left out.

    Any edges give the same quantiles; good ones make them quick.
    """
    known = np.unique(sample[~np.isnan(sample)])
    fine = max(_FINE, min(_FINEST, sample.size // _ROWS_PER_BIN))
    if known.size > fine:
        ordered = np.sort(sample[~np.isnan(sample)])
        known = np.unique(ordered[np.linspace(0, ordered.size - 1, fine).astype(np.intp)])
    return known[np.isfinite(known)]


class GroupHistogram:
    """The weight in each bin of each group: bin b holds values above edge b - 1, up to and with edge b.

    Parameters
    ----------
    edges : ndarray of shape (E,)
        From `bin_edges`.
    n_groups : int

    Attributes
    ----------
    table : ndarray of shape (E + 1, G)
        Weights, or numbers of rows without weights; the last bin lies above all edges.
    """

    def __init__(self, edges: FloatArray, n_groups: int) -> None:
        self.edges = edges
        self.table = np.zeros((edges.size + 1, n_groups))

    def add(self, values: FloatArray, groups: IntArray, weights: FloatArray | None = None) -> None:
        """Add rows: values without NaN, groups and weights of shape (n,)."""
        n_groups = self.table.shape[1]
        cells = np.searchsorted(self.edges, values) * n_groups + groups
        counts = group_sums(cells, weights, self.table.size)
        self.table += counts.reshape(self.table.shape)

    def merge(self, other: GroupHistogram) -> None:
        """Add the rows of another with the same edges."""
        self.table += other.table

    def refine(self, own: FloatArray, together: FloatArray, *, every: bool = False) -> Refinement:
        """Return what finds quantiles exactly, fed with the same rows once more.

        Parameters
        ----------
        own : ndarray of shape (Q,)
            Shares, from 0 to 1, at which each group has its quantiles.
        together : ndarray of shape (P,)
            Those of all groups together.
        every : bool, default=False
            Keep all different values: they are known to be few.
        """
        asked = [self.bins_at(group, own) for group in self.table.T]
        asked.append(self.bins_at(self.table.sum(axis=1), together))
        wanted = np.ones(len(self.table), dtype=bool) if every else np.logical_or.reduce(asked)
        return Refinement(self, wanted, own, together)

    def bins_at(self, group: FloatArray, shares: FloatArray) -> Array:
        """Return which bins the quantiles of a group, shape (E + 1,), may lie in, shape (E + 1,), bool."""
        ends, found = np.cumsum(group), np.zeros(group.size, dtype=bool)
        targets, slack = shares * ends[-1], _SLACK * ends[-1]
        first = np.searchsorted(ends, targets - slack)
        last = np.searchsorted(ends, targets + slack, side="right")
        for low, high in zip(first, last, strict=True):
            found[low : high + 1] = True
        return found & (group > 0)


class Refinement:
    """The values in the bins of a histogram in which quantiles lie, each with its weight in each group.

    Parameters
    ----------
    histogram : GroupHistogram
        Of all rows.
    wanted : ndarray of shape (E + 1,), bool
        The bins.
    own, together : ndarray
        As of `GroupHistogram.refine`.
    """

    def __init__(
        self, histogram: GroupHistogram, wanted: Array, own: FloatArray, together: FloatArray
    ) -> None:
        self._histogram, self._wanted, self._own, self._together = histogram, wanted, own, together
        self._inside = _intervals(histogram.edges, wanted)
        self._parts: list[tuple[FloatArray, Array, FloatArray]] = []

    def blank(self) -> Refinement:
        """Return one for the same bins, without any rows; what the bins are is shared."""
        return Refinement(self._histogram, self._wanted, self._own, self._together)

    def add(self, values: FloatArray, groups: IntArray, weights: FloatArray | None = None) -> None:
        """Add the rows that the histogram was made of, a block at a time."""
        chosen = np.flatnonzero(np.searchsorted(self._inside, values) % 2)
        counted = np.ones(chosen.size) if weights is None else weights[chosen]
        self._parts.append(_summed(values[chosen], groups[chosen].astype(np.int32), counted))

    def merge(self, other: Refinement) -> None:
        """Add the rows of another that was made by the same histogram."""
        self._parts += other._parts

    def quantiles(self) -> tuple[FloatArray, FloatArray]:
        """Return the quantiles of each group, shape (G, Q), NaN without weight, and of all together, shape (P,)."""
        values, groups, weights = self._kept()
        table, n_groups = self._histogram.table, self._histogram.table.shape[1]
        own = np.full((n_groups, self._own.size), np.nan)
        for group in range(n_groups):
            members = groups == group
            own[group] = self._of(table[:, group], values[members], weights[members], self._own)
        return own, self._of(table.sum(axis=1), values, weights, self._together)

    def _of(
        self, group: FloatArray, values: FloatArray, weights: FloatArray, shares: FloatArray
    ) -> FloatArray:
        """Return quantiles from the values that were kept; each other bin stands for the weight it holds."""
        if not group.sum() > 0:
            return np.full(shares.shape, np.nan)
        # No quantile lies in another bin, so that any value of it can stand for all.
        others = np.flatnonzero(~self._wanted & (group > 0))
        every = np.concatenate([values, np.append(self._histogram.edges, np.inf)[others]])
        return quantiles(every, shares, np.concatenate([weights, group[others]]))

    def counts(self, edges: FloatArray) -> FloatArray:
        """Return the weight per bin and group, shape (E + 1, G), of coarser bins whose edges are quantiles asked for.

        Parameters
        ----------
        edges : ndarray of shape (E,)
            Ascending; a bin holds its upper edge.
        """
        values, groups, weights = self._kept()
        table, n_groups = self._histogram.table, self._histogram.table.shape[1]
        cells = np.searchsorted(edges, values) * n_groups + groups
        found = group_sums(cells, weights, (edges.size + 1) * n_groups).reshape(-1, n_groups)
        others = np.flatnonzero(~self._wanted)
        upper = np.append(self._histogram.edges, np.inf)[others]
        np.add.at(found, np.searchsorted(edges, upper), table[others])
        return found

    def _kept(self) -> tuple[FloatArray, Array, FloatArray]:
        if len(self._parts) > 1:
            joined = (np.concatenate(one) for one in zip(*self._parts, strict=True))
            self._parts = [_summed(*joined)]
        return self._parts[0] if self._parts else (np.empty(0), np.empty(0, dtype=np.int32), np.empty(0))


def _intervals(edges: FloatArray, wanted: Array) -> FloatArray:
    """Return limits between which the wanted bins lie: above each odd number of limits a value is in one of them."""
    lower, upper = np.append(-np.inf, edges), np.append(edges, np.inf)
    starts = wanted & ~np.append(False, wanted[:-1])
    ends = wanted & ~np.append(wanted[1:], False)
    return np.column_stack([lower[starts], upper[ends]]).ravel()


def _summed(values: FloatArray, groups: Array, weights: FloatArray) -> tuple[FloatArray, Array, FloatArray]:
    """Return each value of each group once, in their order, with the sum of its weights."""
    order = np.lexsort((groups, values))
    values, groups, weights = values[order], groups[order], weights[order]
    new = np.ones(values.size, dtype=bool)
    new[1:] = (values[1:] != values[:-1]) | (groups[1:] != groups[:-1])
    starts = np.flatnonzero(new)
    return values[starts], groups[starts], np.add.reduceat(weights, starts) if starts.size else weights
