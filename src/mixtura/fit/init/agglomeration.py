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
    """The costs of all pairs, and for each row what they are at least.

    What costs the least is found by these bounds; a bound is the least of its row until a cluster is gone that was the
    cheapest partner, and is then looked up when it is the least of all, not before.
    """

    def __init__(self, costs: FloatArray) -> None:
        self.m = len(costs)
        self._costs = costs
        self._least = costs.min(axis=1)

    def cheapest(self) -> tuple[int, int]:
        """Return the places of the cheapest pair, the smaller first; of equals the one that ends last."""
        costs, least, m = self._costs, self._least[: self.m][::-1], self.m
        while True:
            second = m - 1 - int(least.argmin())
            row = costs[second, :m]
            place = int(row.argmin())
            if row[place] <= self._least[second]:
                return second - 1 - int(row[:second][::-1].argmin()), second
            self._least[second] = row[place]

    def cost(self, one: int, other: int) -> float:
        return float(self._costs[one, other])

    def correct(self, one: int, other: int, cost: float) -> None:
        """Give a pair its cost, no less than the bound it had."""
        self._costs[one, other] = self._costs[other, one] = cost

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
        table, least = self._costs, self._least[:last]
        moved = table[last, :last]
        table[left, :last] = moved
        table[:last, left] = moved
        table[left, left] = costs[kept] = np.inf
        table[kept, :last] = costs
        table[:last, kept] = costs
        self._least[left] = self._least[last]
        np.minimum(least, costs, out=least)
        least[kept] = costs.min()
