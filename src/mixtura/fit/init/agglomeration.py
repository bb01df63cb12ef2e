"""Model-based agglomeration: from single rows to one cluster, always joining the two that cost the least."""

from __future__ import annotations

import numpy as np

from mixtura._typing import FloatArray, IntArray
from mixtura.fit.init.criteria import Criterion

__all__ = ["Board", "agglomerate"]


def agglomerate(clusters: Criterion) -> IntArray:
    """Join clusters, two at a time, until one is left; return the pairs.

    Every step joins the two whose joining costs the least: all costs are kept, (m, m), and with them each cluster's
    cheapest partner, so that a step evaluates one row of costs and looks again only for those whose partner is gone.
    Of equal costs the last is taken, the clusters in the places where mclust has them: the one that is joined to
    another leaves its place to the last.

    Parameters
    ----------
    clusters : Criterion
        Holding the first clusters; used up.

    Returns
    -------
    ndarray of shape (m - 1, 2)
        The clusters joined at each step, by the smallest number of their first clusters; the smaller one first.
    """
    m = clusters.counts.size
    board = Board(clusters.first_costs())
    heads = np.arange(m)
    pairs = np.empty((m - 1, 2), dtype=np.intp)
    for step in range(m - 1):
        kept, left = _cheapest(board, clusters)
        last = board.m - 1
        pairs[step] = min(heads[kept], heads[left]), max(heads[kept], heads[left])
        heads[kept], heads[left] = pairs[step, 0], heads[last]
        clusters.join(kept, left, last)
        board.join(kept, left, clusters.costs(kept, last))
    return pairs


def _cheapest(board: Board, clusters: Criterion) -> tuple[int, int]:
    """Return the places of the cheapest pair: what is cheapest by a bound is evaluated until one stays so."""
    while True:
        pair = board.cheapest()
        cost = clusters.cost(*pair)
        if cost is None or cost <= board.cost(*pair):
            return pair
        board.correct(*pair, cost)


class Board:
    """The costs of all pairs, and the least of each row."""

    def __init__(self, costs: FloatArray) -> None:
        self.m = len(costs)
        self._costs = costs
        self._partner = costs.argmin(axis=1) if self.m > 1 else np.zeros(1, dtype=np.intp)
        self._least = costs.min(axis=1)

    def cheapest(self) -> tuple[int, int]:
        """Return the places of the cheapest pair, the smaller first; of equals the one that ends last."""
        second = self.m - 1 - int(self._least[: self.m][::-1].argmin())
        first = second - 1 - int(self._costs[second, :second][::-1].argmin())
        return first, second

    def cost(self, one: int, other: int) -> float:
        return float(self._costs[one, other])

    def correct(self, one: int, other: int, cost: float) -> None:
        """Give a pair its cost, no less than the bound it had."""
        self._costs[one, other] = self._costs[other, one] = cost
        for place in (one, other):
            self._look(place, self.m)

    def _look(self, place: int, m: int) -> None:
        """Find the cheapest partner of a place among the first m."""
        row = self._costs[place, :m]
        self._partner[place] = row.argmin()
        self._least[place] = row[self._partner[place]]

    def below(self, limit: float) -> IntArray:
        """Return the places of all pairs that cost no more than ``limit``, (p, 2), in the order of their second."""
        found = []
        for second in np.flatnonzero(self._least[: self.m] <= limit):
            first = np.flatnonzero(self._costs[second, :second] <= limit)
            found.append(np.stack([first, np.full(first.size, second)], axis=1))
        return np.concatenate(found)

    def join(self, kept: int, left: int, costs: FloatArray) -> None:
        """Give ``kept`` new costs, (m - 1,), and let the last take the place that is left."""
        self.m = last = self.m - 1
        table, partner, least = self._costs, self._partner[:last], self._least[:last]
        gone = (self._partner == kept) | (self._partner == left)
        self._partner[self._partner == last] = left
        gone[left], self._partner[left], self._least[left] = (
            gone[last],
            self._partner[last],
            self._least[last],
        )
        table[left, :last] = table[last, :last]
        table[:last, left] = table[:last, last]
        table[left, left] = costs[kept] = np.inf
        table[kept, :last] = table[:last, kept] = costs
        closer = costs <= least
        np.copyto(least, costs, where=closer)
        partner[closer] = kept
        gone = gone[:last] & ~closer
        gone[kept] = True
        for place in np.flatnonzero(gone):
            self._look(int(place), last)
