"""Mergeable statistics of rows in groups: moments, and the rows that come first.

Each can be fed block by block, in any order and by several threads: statistics of blocks are merged, and what results
does not depend on how the rows were cut.
"""

from __future__ import annotations

import numpy as np

from mixtura._typing import FloatArray, IntArray
from mixtura.segments.weighted import group_sums

__all__ = ["GroupMoments", "TopRows"]


class GroupMoments:
    """Counts, means and standard deviations of a column in each group, and in all together.

    Means and squared deviations of blocks are merged as Chan, Golub and LeVeque (1979) do: nothing cancels, however far
    from zero the values are. Deviations are kept in units of the largest, so that squares neither overflow nor vanish.

    Parameters
    ----------
    n_groups : int

    Attributes
    ----------
    count : ndarray of shape (G,), int
        Rows with a value.
    missing : ndarray of shape (G,), int
        Rows without.
    positive : ndarray of shape (G,), int
        Rows with a value and a weight above zero.
    weight : ndarray of shape (G,)
        Sum of the weights of rows with a value; `count` without weights.
    total : ndarray of shape (G,)
        Weighted sum of the values.

    Examples
    --------
    >>> import numpy as np
    >>> from mixtura.segments.mergeable import GroupMoments
    >>> moments = GroupMoments(2)
    >>> moments.add(np.array([1.0, 3.0, 10.0]), np.array([0, 0, 1]))
    >>> moments.mean.tolist(), moments.sd.tolist()
    ([2.0, 10.0], [1.0, 0.0])
    >>> moments.together().mean.round(3).tolist()
    [4.667]
    """

    def __init__(self, n_groups: int) -> None:
        self.count = np.zeros(n_groups, dtype=np.intp)
        self.missing = np.zeros(n_groups, dtype=np.intp)
        self.positive = np.zeros(n_groups, dtype=np.intp)
        self.weight, self.total = np.zeros(n_groups), np.zeros(n_groups)
        self._mean = np.zeros(n_groups)
        self._unit, self._squares = np.zeros(n_groups), np.zeros(n_groups)

    def add(self, values: FloatArray, groups: IntArray, weights: FloatArray | None = None) -> None:
        """Add rows.

        Parameters
        ----------
        values : ndarray of shape (n,)
            NaN is a missing value.
        groups : ndarray of shape (n,), int
        weights : ndarray of shape (n,) or None, default=None
        """
        block, n_groups = GroupMoments(self.count.size), self.count.size
        known = ~np.isnan(values)
        if not known.all():
            block.missing = np.bincount(groups[~known], minlength=n_groups)
            values, groups = values[known], groups[known]
            weights = None if weights is None else weights[known]
        block._take(values, groups, weights)
        self.merge(block)

    def _take(self, values: FloatArray, groups: IntArray, weights: FloatArray | None) -> None:
        if values.size == 0:
            return
        n_groups = self.count.size
        self.count = np.bincount(groups, minlength=n_groups)
        self.weight, self.positive = self.count.astype(np.float64), self.count
        if weights is not None:
            self.weight = group_sums(groups, weights, n_groups)
            self.positive = np.bincount(groups[weights > 0], minlength=n_groups)
        size = float(np.abs(values).max()) or 1.0
        summed = group_sums(groups, _weighted(values / size, weights), n_groups)
        self._mean = _ratio(summed, self.weight) * size
        self.total = summed * size
        deviations = values - self._mean[groups]
        # Rows of weight zero say nothing of the spread, and may lie anywhere.
        counts = deviations if weights is None else np.where(weights > 0, deviations, 0.0)
        unit = float(np.abs(counts).max())
        if unit > 0:
            squares = _weighted(np.square(counts / unit), weights)
            self._unit = np.full(n_groups, unit)
            self._squares = group_sums(groups, squares, n_groups)

    def merge(self, other: GroupMoments) -> None:
        """Add the rows of other statistics of the same groups."""
        weight = self.weight + other.weight
        apart = other._mean - self._mean
        both = np.where((self.weight > 0) & (other.weight > 0), np.abs(apart), 0.0)
        unit = np.maximum(np.maximum(self._unit, other._unit), both)
        between = np.square(_ratio(both, unit)) * self.weight * _ratio(other.weight, weight)
        mine = self._squares * np.square(_ratio(self._unit, unit))
        theirs = other._squares * np.square(_ratio(other._unit, unit))
        self._squares, self._unit = mine + theirs + between, unit
        self._mean = np.where(self.weight > 0, self._mean + apart * _ratio(other.weight, weight), other._mean)
        self.weight, self.total = weight, self.total + other.total
        self.count, self.missing = self.count + other.count, self.missing + other.missing
        self.positive = self.positive + other.positive

    def together(self) -> GroupMoments:
        """Return the statistics of all groups as those of one."""
        whole = GroupMoments(1)
        for group in range(self.count.size):
            whole.merge(self._only(group))
        return whole

    def _only(self, group: int) -> GroupMoments:
        one = GroupMoments(1)
        for name, values in vars(self).items():
            setattr(one, name, values[group : group + 1])
        return one

    @property
    def mean(self) -> FloatArray:
        """Weighted mean of each group, shape (G,); NaN without weight."""
        return np.where(self.weight > 0, self._mean, np.nan)

    @property
    def sd(self) -> FloatArray:
        """Standard deviation of each group, shape (G,), its divisor the total weight; NaN without weight."""
        known = self.weight > 0
        return np.where(known, np.sqrt(_ratio(self._squares, self.weight)) * self._unit, np.nan)


def _weighted(values: FloatArray, weights: FloatArray | None) -> FloatArray:
    return values if weights is None else values * weights


def _ratio(values: FloatArray, divisors: FloatArray) -> FloatArray:
    """Return quotients, zero where there is nothing to divide by."""
    return np.divide(values, divisors, out=np.zeros_like(values), where=divisors > 0)


class TopRows:
    """The rows with the smallest keys; among equal keys those that come first in the table.

    Parameters
    ----------
    most : int
        How many rows are kept.

    Attributes
    ----------
    keys : ndarray of shape (n,)
        Ascending; at most `most`.
    rows : ndarray of shape (n,), int
        Their numbers.

    Examples
    --------
    >>> import numpy as np
    >>> from mixtura.segments.mergeable import TopRows
    >>> top = TopRows(2)
    >>> top.add(np.array([0.5, 0.1, 0.1]), np.array([0, 1, 2]))
    >>> top.rows.tolist()
    [1, 2]
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.keys: FloatArray = np.empty(0)
        self.rows: IntArray = np.empty(0, dtype=np.intp)

    def add(self, keys: FloatArray, rows: IntArray) -> None:
        """Add rows with their keys, shape (n,) each; those whose key is NaN are left out."""
        if keys.size > self.most:
            # NaN comes last, so that it bounds nothing unless there are fewer keys than are kept.
            bound = np.partition(keys, self.most - 1)[self.most - 1]
            chosen = ~(keys > bound)
            keys, rows = keys[chosen], rows[chosen]
        known = ~np.isnan(keys)
        keys, rows = np.concatenate([self.keys, keys[known]]), np.concatenate([self.rows, rows[known]])
        order = np.lexsort((rows, keys))[: self.most]
        self.keys, self.rows = keys[order], rows[order]

    def merge(self, other: TopRows) -> None:
        """Add the rows of another."""
        self.add(other.keys, other.rows)
