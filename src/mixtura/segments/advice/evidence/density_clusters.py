"""Dense clusters of any shape, by HDBSCAN, and whether Gaussian components can have such shapes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree
from scipy.spatial.distance import cdist

from mixtura._typing import FloatArray, IntArray
from mixtura.segments.advice.evidence.hdbscan import NOISE, core_distances, hdbscan
from mixtura.segments.comparison.agreement import adjusted_rand_index, contingency_table

__all__ = [
    "NEIGHBORS",
    "DenseCluster",
    "DenseClusters",
    "dense_clusters",
    "nonconvex_share",
    "smallest_cluster",
]

_SMALLEST = 10
_SHARE = 0.05
NEIGHBORS = 10
"""HDBSCAN's `min_samples`."""

_MIDPOINTS = 1000
_HOLLOW_NEIGHBORS = 5


@dataclass(frozen=True, slots=True)
class DenseCluster:
    """A cluster that HDBSCAN found.

    Parameters
    ----------
    share : float
        Of the rows.
    gap : float
        The least mutual reachability distance to a row of another cluster, over the 90th percentile of its own rows'
        core distances; near 1 where the density hardly falls in between. 0 where nine rows in ten coincide with others.
    hollow : float
        Share of midpoints between two of its rows that lie where the cluster has no rows.
    n_components : int
        Components of the mixture that hold at least a tenth of its rows.
    """

    share: float
    gap: float
    hollow: float
    n_components: int


@dataclass(frozen=True, slots=True)
class DenseClusters:
    """What HDBSCAN found.

    Parameters
    ----------
    clusters : tuple of DenseCluster
    noise : float
        Share of the rows in no cluster.
    agreement : float
        Adjusted Rand index of the clusters and the components of the mixture, over the rows in clusters.
    """

    clusters: tuple[DenseCluster, ...]
    noise: float
    agreement: float

    @property
    def gap(self) -> float:
        """The smallest gap around a cluster; 0 without two clusters."""
        return min((cluster.gap for cluster in self.clusters), default=0.0)

    @property
    def hollow(self) -> float:
        """The largest share of empty midpoints among clusters that a mixture needs three components for."""
        return max((one.hollow for one in self.clusters if one.n_components >= 3), default=0.0)


def smallest_cluster(n_rows: int) -> int:
    """Return HDBSCAN's `min_cluster_size`: a twentieth of the rows, and ten at least."""
    return max(_SMALLEST, round(_SHARE * n_rows))


def dense_clusters(scaled: FloatArray, labels: IntArray, rng: np.random.Generator) -> DenseClusters:
    """Find dense clusters of at least a twentieth of the rows, and hold them against the components of a mixture.

    Parameters
    ----------
    scaled : ndarray of shape (N, D)
        Standardized rows.
    labels : ndarray of shape (N,)
        The component of each row.
    rng : numpy.random.Generator
    """
    n = len(scaled)
    smallest, neighbors = smallest_cluster(n), min(NEIGHBORS, n - 1)
    if n < 2 * smallest:
        return DenseClusters((), 1.0, 0.0)
    found = hdbscan(scaled, smallest, neighbors)
    inside = found != NOISE
    if not inside.any():
        return DenseClusters((), 1.0, 0.0)
    core = core_distances(scaled, neighbors)
    clusters = []
    for number in range(int(found.max()) + 1):
        members = found == number
        counts = np.bincount(labels[members])
        clusters.append(
            DenseCluster(
                share=float(members.mean()),
                gap=_gap(scaled, core, members, inside & ~members),
                hollow=nonconvex_share(scaled[members], rng),
                n_components=int((counts >= 0.1 * members.sum()).sum()),
            )
        )
    table = contingency_table(found[inside], labels[inside], len(clusters), int(labels.max()) + 1)
    return DenseClusters(tuple(clusters), float(1 - inside.mean()), adjusted_rand_index(table))


def _gap(rows: FloatArray, core: FloatArray, members: IntArray, others: IntArray) -> float:
    """Return how far away the others are, by mutual reachability ``max(d(a, b), core(a), core(b))``."""
    distances = cdist(rows[members], rows[others])
    reached = np.maximum(np.maximum(distances, core[members][:, None]), core[others][None, :])
    usual = float(np.quantile(core[members], 0.9))
    return float(reached.min()) / usual if usual > 0 else 0.0


def nonconvex_share(rows: FloatArray, rng: np.random.Generator) -> float:
    """Return the share of midpoints between two rows that lie outside of the cluster that the rows make.

    A convex cluster has none; of a crescent or a ring most chords leave it. A midpoint is outside if its fifth nearest
    row is further away than that of 99 percent of the rows.

    Parameters
    ----------
    rows : ndarray of shape (N, D)
        At least six.
    rng : numpy.random.Generator
        Draws 1,000 pairs.

    Examples
    --------
    >>> import numpy as np
    >>> from mixtura.segments.advice import nonconvex_share
    >>> angle = np.linspace(0, 2 * np.pi, 300)
    >>> ring = np.column_stack([np.cos(angle), np.sin(angle)])
    >>> nonconvex_share(ring, np.random.default_rng(0)) > 0.7
    True
    """
    tree = cKDTree(rows)
    own = tree.query(rows, _HOLLOW_NEIGHBORS + 1)[0][:, -1]
    first, second = rng.integers(0, len(rows), size=(2, _MIDPOINTS))
    reached = tree.query((rows[first] + rows[second]) / 2, _HOLLOW_NEIGHBORS)[0][:, -1]
    return float((reached > np.quantile(own, 0.99)).mean())
