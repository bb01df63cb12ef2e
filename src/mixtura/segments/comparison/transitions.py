"""Where customers go from one partition to another: from K segments to K + 1, or from the mixture to K-means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mixtura._typing import FloatArray, IntArray
from mixtura.core.mixture import Mixture
from mixtura.segments.comparison.agreement import contingency_table, match_clusters
from mixtura.segments.scan import Scored

__all__ = ["Flow", "TransitionsSummary", "cluster_transitions", "transitions_of"]


@dataclass(frozen=True, slots=True, eq=False)
class Flow:
    """Customers by where they are and where they go.

    Parameters
    ----------
    from_names, to_names : tuple of str
        Of the I and J parts.
    counts : ndarray of shape (I, J)
        Customers, or their weights' sum.
    from_order, to_order : ndarray of shape (I,), (J,)
        The number, from 0, that each part has in the partition that was given.
    """

    from_names: tuple[str, ...]
    to_names: tuple[str, ...]
    counts: FloatArray
    from_order: IntArray
    to_order: IntArray

    @property
    def retention(self) -> float:
        """Share of the customers who go to the part that their own was matched to."""
        n_matched = min(self.counts.shape)
        return float(np.trace(self.counts[:n_matched, :n_matched]) / self.counts.sum())

    def reverse(self) -> Flow:
        """Return the flow from right to left."""
        return Flow(self.to_names, self.from_names, self.counts.T.copy(), self.to_order, self.from_order)


def cluster_transitions(
    before: IntArray,
    after: IntArray,
    from_names: Sequence[str],
    n_after: int,
    *,
    weights: FloatArray | None = None,
) -> Flow:
    """Count who goes where, the parts on the right in the order of those on the left.

    Each part on the left is matched to one on the right, so that most customers stay; parts on the right that are left
    over are new, and come last. With fewer on the right, those on the left that found none come last in `counts` too.

    Parameters
    ----------
    before, after : ndarray of shape (N,)
        Labels from 0.
    from_names : sequence of str
        One per part on the left.
    n_after : int
        Parts on the right, empty ones included.
    weights : ndarray of shape (N,) or None, default=None
        Customers count with their weight; without, with one.

    Examples
    --------
    >>> import numpy as np
    >>> from mixtura.segments import cluster_transitions
    >>> flow = cluster_transitions(np.array([0, 0, 1, 1]), np.array([2, 2, 0, 1]), ["A", "B"], 3)
    >>> flow.to_names
    ('A', 'B', 'new 1')
    >>> flow.counts
    array([[2., 0., 0.],
           [0., 1., 1.]])
    """
    return transitions_of(contingency_table(before, after, len(from_names), n_after, weights), from_names)


class TransitionsSummary:
    """Customers by their segment and that of another mixture of the scaled rows; the result is a table, shape (I, J).

    Parameters
    ----------
    mixture : Mixture
    n_segments : int
        How many there are on the left.
    """

    def __init__(self, mixture: Mixture, n_segments: int) -> None:
        self._mixture, self._table = mixture, np.zeros((n_segments, mixture.n_components))

    def add(self, scored: Scored) -> None:
        after = self._mixture.predict(scored.seen)
        self._table += contingency_table(scored.labels, after, *self._table.shape, scored.weights)

    def merge(self, other: TransitionsSummary) -> None:
        self._table += other._table

    def result(self) -> FloatArray:
        return self._table


def transitions_of(table: FloatArray, from_names: Sequence[str]) -> Flow:
    """Return who goes where, from a table of customers by part on the left and on the right; see `cluster_transitions`.

    Parameters
    ----------
    table : ndarray of shape (I, J)
    from_names : sequence of str, length I
    """
    n_after = table.shape[1]
    left, right = match_clusters(table)
    left = np.concatenate([left, np.setdiff1d(np.arange(len(from_names)), left)])
    new = np.setdiff1d(np.arange(n_after), right)
    order = np.concatenate([right, new])
    names = tuple(from_names[part] for part in left)
    return Flow(
        from_names=names,
        to_names=(*names[: len(right)], *(f"new {number + 1}" for number in range(len(new)))),
        counts=table[np.ix_(left, order)],
        from_order=left,
        to_order=order,
    )
