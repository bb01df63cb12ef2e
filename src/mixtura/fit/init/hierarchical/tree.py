"""Start from the tree of a model-based agglomeration; one tree serves every number of components."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from mixtura._typing import FloatArray, IntArray
from mixtura.core.data import Data
from mixtura.exceptions import ParameterError
from mixtura.fit.init.base import Initializer
from mixtura.fit.init.hierarchical.tied_agglomeration import agglomerate_tied
from mixtura.fit.init.sample import MOST_ROWS, FromLabels, Sample, draw_sample
from mixtura.fit.init.sampling.equal_rows import leaves_of
from mixtura.fit.steps.em import Problem
from mixtura.kernels import get_algebra

__all__ = ["CRITERIA", "FromHierarchy", "FromTree", "Tree", "grow", "grow_on"]

CRITERIA: dict[str, Callable[[FloatArray, FloatArray], IntArray]] = {
    "VVV": lambda rows, counts: get_algebra().agglomerate("VVV", rows, counts),
    "EEE": agglomerate_tied,
    "VII": lambda rows, counts: get_algebra().agglomerate("VII", rows, counts),
    "EII": lambda rows, counts: get_algebra().agglomerate("EII", rows, counts),
}
"""From rows (m, D) and counts (m,) to the pairs joined, (m - 1, 2); every criterion by its name."""


@dataclass(frozen=True, slots=True, eq=False)
class Tree:
    """Which clusters were joined, from single rows to one cluster.

    Parameters
    ----------
    sample : Sample
        The rows that were clustered.
    leaves : ndarray of shape (n,)
        The first cluster of each.
    pairs : ndarray of shape (n_leaves - 1, 2)
        The clusters joined at each step, by the smallest number of their leaves; the smaller first.
    """

    sample: Sample
    leaves: IntArray
    pairs: IntArray

    @property
    def n_leaves(self) -> int:
        return len(self.pairs) + 1

    def labels(self, n_components: int) -> IntArray:
        """Return the clusters when this many were left, (n,), numbered in the order of their first rows.

        With fewer rows, each is one.
        """
        parents = np.arange(self.n_leaves)
        joined = self.pairs[: max(self.n_leaves - n_components, 0)]
        parents[joined[:, 1]] = joined[:, 0]
        while not np.array_equal(above := parents[parents], parents):
            parents = above
        return np.unique(parents[self.leaves], return_inverse=True)[1]


def grow(
    data: Data,
    rng: np.random.RandomState,
    criterion: str = "VVV",
    transform: str = "svd",
    max_rows: int = MOST_ROWS,
) -> Tree:
    """Return the tree of a model-based agglomeration (Banfield and Raftery 1993; Fraley 1998).

    Parameters
    ----------
    data : Data
        A row of weight 3 counts as three equal rows; rows of weight zero are left out.
    rng : RandomState
        Drawn from where there are more than ``max_rows`` rows.
    criterion : {"VVV", "EEE", "VII", "EII"}, default="VVV"
    transform : {"svd", "std", "none"}, default="svd"
        The coordinates in which rows are compared. The first two make the tree independent of the units of columns.
    max_rows : int, default=2000

    Raises
    ------
    ParameterError
        An unknown criterion or transform.
    """
    return grow_on(draw_sample(data, rng, max_rows), criterion, transform)


def grow_on(sample: Sample, criterion: str = "VVV", transform: str = "svd") -> Tree:
    """Return the tree of a sample; as `grow`."""
    if criterion not in CRITERIA:
        raise ParameterError(
            f"`criterion` must be one of {list(CRITERIA)!r}; got {criterion!r}. 'VVV' is mclust's."
        )
    leaves, owners, counts = leaves_of(sample.weights, MOST_ROWS)
    seen = sample.seen_as(transform)
    return Tree(sample, leaves, CRITERIA[criterion](seen.rows[owners], counts))


class FromTree:
    """Start from the clusters of a tree, cut where there are as many as components."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree

    def prepare(self, problem: Problem, rng: np.random.RandomState) -> Initializer:
        tree = self._tree
        return FromLabels(tree.sample, tree.labels(problem.model.n_components)).prepare(problem, rng)


class FromHierarchy:
    """Grow a tree and start from it: model-based hierarchical agglomeration, mclust's start.

    Parameters
    ----------
    criterion, transform, max_rows
        As in `grow`.
    """

    def __init__(self, criterion: str = "VVV", transform: str = "svd", max_rows: int = MOST_ROWS) -> None:
        self._criterion, self._transform, self._max_rows = criterion, transform, max_rows

    def prepare(self, problem: Problem, rng: np.random.RandomState) -> Initializer:
        sample = draw_sample(problem.data, rng, self._max_rows)
        return lambda problem: FromTree(grow_on(sample, self._criterion, self._transform)).prepare(
            problem, rng
        )(problem)
