"""HDBSCAN: clusters that stay together over the widest range of densities, of any shape; the others are noise.

scikit-learn has it, too, but to load `sklearn.cluster` takes a third of the time in which a small table is segmented.
Without it there is single linkage, which is SciPy's, and the choice of clusters in its tree. Where distances are equal,
as in mutual reachability they often are, scikit-learn joins pairs in the order of the rows; here all are joined at
once, so that the order of the rows says nothing. The tests compare both.

References
----------
Campello, R. J. G. B., Moulavi, D., Sander, J. (2013). Density-based clustering based on hierarchical density
estimates. PAKDD 2013, 160-172.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

import numpy as np
from scipy.spatial import cKDTree
from scipy.spatial.distance import pdist

from mixtura._typing import FloatArray, IntArray

__all__ = ["NOISE", "core_distances", "hdbscan"]

NOISE = -1
"""The label of rows in no cluster."""


def core_distances(rows: FloatArray, n_neighbors: int) -> FloatArray:
    """Return how far each row is from its nearest ones, of which it is the first itself, shape (N,).

    Parameters
    ----------
    rows : ndarray of shape (N, D)
    n_neighbors : int
        The distance is that of the last of them.
    """
    distances = cKDTree(rows).query(rows, n_neighbors)[0]
    return np.asarray(distances, dtype=np.float64).reshape(len(rows), -1)[:, -1]


def hdbscan(rows: FloatArray, smallest: int, n_neighbors: int) -> IntArray:
    """Return the cluster of each row, from 0 in the order of their first rows, or `NOISE`, shape (N,).

    Rows are joined by single linkage of their mutual reachability ``max(d(a, b), core(a), core(b))``. Going down its
    tree, at density ``1 / distance``, a branch of fewer than `smallest` rows falls out of its cluster, and a cluster of
    which several branches are as large divides. The stability of a cluster is the sum over its rows of the range of
    densities in which it holds them; a cluster is chosen where it is at least as stable as all chosen in its branches.
    All rows together are not a cluster.

    Parameters
    ----------
    rows : ndarray of shape (N, D)
        At least two; distances between all pairs are held.
    smallest : int
        Rows in a cluster, at least; 2 and more.
    n_neighbors : int
        Of the core distance, the row itself counted.

    Examples
    --------
    >>> import numpy as np
    >>> from mixtura.segments.advice.evidence.hdbscan import hdbscan
    >>> rows = np.array([[0.0], [0.1], [0.2], [5.0], [5.1], [5.3], [20.0]])
    >>> hdbscan(rows, 3, 2).tolist()
    [0, 0, 0, 1, 1, 1, -1]
    """
    from scipy.cluster.hierarchy import linkage

    reached, core = pdist(rows), core_distances(rows, n_neighbors)
    starts = np.cumsum(np.arange(len(rows), 0, -1) - 1)
    for row, pairs in enumerate(np.split(reached, starts[:-1])):
        np.maximum(pairs, np.maximum(core[row], core[row + 1 :]), out=pairs)
    branches = _condense(linkage(reached, "single"), smallest)
    _choose(branches)
    labels = np.full(len(rows), NOISE)
    for branch in branches:
        labels[branch.rows] = branch.label
    inside = labels != NOISE
    _, first, found = np.unique(labels[inside], return_index=True, return_inverse=True)
    labels[inside] = np.argsort(np.argsort(first))[found]
    return labels


@dataclass(slots=True)
class _Branch:
    """A cluster of the tree: a run of densities over which it keeps `smallest` rows and more together.

    Parameters
    ----------
    born : float
        The density at which it is a cluster of its own.
    stability : float
    rows : list of int
        Those that fell out of it, and are in none of its branches.
    branches : list of _Branch
        Those that it divides into, or none.
    label : int
    """

    born: float
    stability: float = 0.0
    rows: list[int] = field(default_factory=list)
    branches: list[_Branch] = field(default_factory=list)
    label: int = NOISE


def _condense(tree: FloatArray, smallest: int) -> list[_Branch]:
    """Return the clusters of a single-linkage tree, those that divide before their branches; the first is the whole."""
    n = len(tree) + 1
    sizes = np.concatenate([np.ones(n), tree[:, 3]]).astype(int).tolist()
    found = [_Branch(0.0)]
    waiting = deque([(2 * n - 2, found[0])])
    while waiting:
        node, within = waiting.popleft()
        distance = float(tree[node - n, 2])
        density = 1.0 / distance if distance > 0 else np.inf
        sides = _below(node, tree, distance)
        kept = [side for side in sides if sizes[side] >= smallest]
        within.stability += (density - within.born) * (
            sizes[node] - (sizes[kept[0]] if len(kept) == 1 else 0)
        )
        within.rows += [row for side in sides if sizes[side] < smallest for row in _below(side, tree)]
        if len(kept) > 1:
            within.branches = [_Branch(density) for _ in kept]
            found += within.branches
        waiting.extend(zip(kept, within.branches or [within], strict=False))
    return found


def _below(node: int, tree: FloatArray, distance: float = 0.0) -> list[int]:
    """Return the parts of a node that are joined at a distance or more, in the end its rows."""
    n = len(tree) + 1
    waiting, parts = [node], []
    while waiting:
        one = waiting.pop()
        if one >= n and tree[one - n, 2] >= distance:
            waiting += tree[one - n, :2].astype(int).tolist()
        else:
            parts.append(one)
    return parts


def _choose(branches: list[_Branch]) -> None:
    """Number the most stable clusters, none within another, and those within them alike."""
    best: dict[int, float] = {}
    for branch in reversed(branches):
        within = sum(best[id(one)] for one in branch.branches)
        best[id(branch)] = max(branch.stability, within)
    n_found = 0
    for branch in branches:
        chosen = branch is not branches[0] and branch.stability >= best[id(branch)]
        if branch.label == NOISE and chosen:
            branch.label = n_found
            n_found += 1
        for one in branch.branches:
            one.label = branch.label
