"""Clusters of clusters: whether distances between components jump, so that there are two levels."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from mixtura._typing import FloatArray
from mixtura.core.mixture import Mixture

__all__ = ["Nesting", "hierarchy"]

_APART = 4.0


@dataclass(frozen=True, slots=True)
class Nesting:
    """Two levels in the dendrogram of the components.

    Parameters
    ----------
    jump : float
        The largest ratio of consecutive merging distances in average linkage of the component means, among cuts that
        leave at least two groups of several components. 1 where there is no such cut.
    n_groups, n_leaves : int
        Groups above the jump, and clusters below it: components closer than 4 standard deviations are one.
    within, between : float
        The largest merging distance below the jump and the smallest above, in standard deviations of a component.
    cophenetic : float
        Correlation of the distances between means with those in the dendrogram; 1 for a perfect hierarchy.
    """

    jump: float
    n_groups: int
    n_leaves: int
    within: float
    between: float
    cophenetic: float


def hierarchy(mixture: Mixture) -> Nesting:
    """Look for groups of components far apart, each of components that are apart themselves.

    Distances are between means, in units of the pooled standard deviation ``W = sum_k w_k Sigma_k``:
    ``|W^-1/2 (mu_i - mu_j)|``, joined by average linkage.

    Parameters
    ----------
    mixture : Mixture
    """
    pooled = np.einsum("k,kij->ij", mixture.weights, mixture.full_covariances())
    means = np.linalg.solve(np.linalg.cholesky(pooled), mixture.means.T).T
    k = len(means)
    nothing = Nesting(1.0, 1, k, 0.0, 0.0, 1.0)
    if k < 4:
        return nothing
    from scipy.cluster.hierarchy import cophenet, fcluster, linkage
    from scipy.spatial.distance import pdist

    distances = pdist(means)
    tree = linkage(distances, "average")
    heights = np.maximum(tree[:, 2], _APART)
    leaves = fcluster(tree, _APART, criterion="distance")
    correlation = float(cophenet(tree, distances)[0])
    best = Nesting(1.0, 1, int(leaves.max()), 0.0, 0.0, correlation)
    for lower, upper in pairwise(heights.tolist()):
        groups = fcluster(tree, (lower + upper) / 2, criterion="distance")
        if upper > best.jump * lower and _grouped(leaves, groups) >= 2:
            measures = float(upper / lower), int(groups.max()), int(leaves.max()), float(lower), float(upper)
            best = Nesting(*measures, correlation)
    return best


def _grouped(leaves: FloatArray, groups: FloatArray) -> int:
    """Return how many groups hold several leaves."""
    return sum(len(set(leaves[groups == group].tolist())) > 1 for group in set(groups.tolist()))
