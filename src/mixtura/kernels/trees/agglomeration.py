"""Model-based agglomeration: from single rows to one cluster, always joining the two that cost the least."""

from __future__ import annotations

import numpy as np

from mixtura._typing import FloatArray, IntArray
from mixtura.kernels.trees.merge_cost import Criterion

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
    heads = list(range(m))
    pairs = []
    for last in range(m - 1, 0, -1):
        kept, left = _cheapest(board, clusters)
        pair = sorted((heads[kept], heads[left]))
        pairs.append(pair)
        heads[kept], heads[left] = pair[0], heads[last]
        clusters.join(kept, left, last)
        board.join(kept, left, clusters.costs(kept, last))
    return np.array(pairs, dtype=np.intp).reshape(-1, 2)


def _cheapest(board: Board, clusters: Criterion) -> tuple[int, int]:
    """Return the places of the cheapest pair: what is cheapest by a bound is evaluated until one stays so."""
    evaluated = set()
    while (pair := board.cheapest()) not in evaluated:
        cost = clusters.cost(*pair)
        if cost is None or cost <= board.cost(*pair):
            break
        board.correct(*pair, cost)
        evaluated.add(pair)
    return pair


class Board:
    """The costs of all pairs, each in the row of its later place, and for each row what they are at least.

    Such a bound is the least of its row until the pair that was the cheapest is gone; then it is looked up when it is
    the least of all, not before.

    Parameters
    ----------
    costs : ndarray of shape (m, m)
        Below the diagonal; the rest is not looked at. Kept and changed.
    """

    def __init__(self, costs: FloatArray) -> None:
        self.m = len(costs)
        self._costs = costs
        rows = [costs[place, :place] for place in range(1, self.m)]
        self._least = np.array([np.inf, *(row.item(row.argmin()) for row in rows)])

    def cheapest(self) -> tuple[int, int]:
        """Return the places of the cheapest pair, the smaller first; of equals the one that ends last."""
        least, m = self._least, self.m
        backward = least[:m][::-1]
        while True:
            second = m - 1 - int(backward.argmin())
            row = self._costs[second, :second]
            first = second - 1 - int(row[::-1].argmin())
            if not row[first] > least[second]:
                return first, second
            least[second] = row[first]

    def cost(self, first: int, second: int) -> float:
        return self._costs.item(second, first)

    def correct(self, first: int, second: int, cost: float) -> None:
        """Give a pair its cost, no less than the bound it had."""
        self._costs[second, first] = cost

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
        if left < last:
            self._put(left, self._costs[last, :last], self._least.item(last))
        self._put(kept, costs, costs.item(costs[:kept].argmin()) if kept else np.inf)

    def _put(self, place: int, costs: FloatArray, least: float) -> None:
        """Give the pairs of a place their costs, (m,), and its row a bound."""
        after = slice(place + 1, self.m)
        self._costs[place, :place] = costs[:place]
        self._costs[after, place] = costs[after]
        bounds = self._least[after]
        np.minimum(bounds, costs[after], out=bounds)
        self._least[place] = least
