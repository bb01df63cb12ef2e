"""Starts that every covariance family of a search can use: found once, on one sample, in units of no column."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import Any, TypeAlias

import numpy as np

from mixtura._typing import IntArray
from mixtura.core.data import Data
from mixtura.core.mixture import Mixture
from mixtura.fit.init.base import Initialization, Initializer
from mixtura.fit.init.hierarchical.tree import Tree, grow_on
from mixtura.fit.init.known.kept_partitions import kept_partitions
from mixtura.fit.init.known.known_kmeans import in_known_order, kmeans_of_known, known_labels
from mixtura.fit.init.sample import MOST_ROWS, FromLabels, Sample, draw_sample
from mixtura.fit.init.sampling.dense_rows import are_dense
from mixtura.fit.kmeans.lloyd import best_clustering
from mixtura.fit.kmeans.plusplus import kmeans_plusplus
from mixtura.fit.steps.em import Problem

__all__ = ["FromSample", "SharedStarts", "cluster_sample"]

_Clustered: TypeAlias = tuple[np.random.RandomState, IntArray, IntArray]
"""What is drawn from after K-means, and the labels of both."""

_SHUFFLED = 4
"""Random partitions for each number of components, where rows have discrete columns, of which distances say less."""


class SharedStarts:
    """The starts of a search: two trees, and two partitions by K-means for every number of components.

    All are found on one sample of the rows, in the coordinates of mclust's scaled singular value decomposition (one
    K-means: of standardized columns), so that they do not depend on the units of the columns; none depends on the
    covariance family, and each is found once.

    Parameters
    ----------
    data : Data
    rng : RandomState
        Drawn from; what is found does not depend on the order of the requests.
    criterion : str, default="VVV"
        Of the first tree. The second is the sum of squares', EII.
    max_rows : int, default=2000
        How many rows are looked at.
    n_further : int, default=0
        Further runs of K-means for each number of components, from other seeds.
    kept : Mixture, optional
        Components that stay as they are, the first of those looked for.
    second_tree : bool, default=True
        Whether there is the tree of the sum of squares: models that begin from what their neighbors have, too, hardly
        need it.
    robust : bool, default=False
        Look for them among the rows that lie densely, and add K-means of all rows, for models that have outliers.
    sizes : sequence of int, default=()
        Numbers of components that will be asked for: K-means of these runs beside the trees, on all cores.
    """

    def __init__(
        self,
        data: Data,
        rng: np.random.RandomState,
        *,
        criterion: str = "VVV",
        max_rows: int = MOST_ROWS,
        n_further: int = 0,
        kept: Mixture | None = None,
        second_tree: bool = True,
        robust: bool = False,
        sizes: Sequence[int] = (),
    ) -> None:
        self._n_further, self._kept = n_further, kept
        self._whole = self._sample = draw_sample(data, rng, max_rows)
        if robust:
            self._sample = self._whole.of(are_dense(self._whole.rows, self._whole.weights))
        self._seed, self._data = int(rng.randint(2**31 - 1)), data
        self._distinct, self._owners = self._sample.distinct()
        seen = (self._distinct.seen_as(name) for name in ("svd", "std"))
        clustered = [data.in_memory(one.rows, one.weights) for one in seen]
        self._seen = tuple(one.alone() for one in clustered)
        criteria = (criterion, "EII") if second_tree else (criterion,)
        grow = [partial(grow_on, self._sample, name) for name in criteria]
        found: list[Any] = clustered[0].runner.map([*grow, *(partial(self._cluster, k) for k in sizes)])
        self.trees: tuple[Tree, ...] = tuple(found[: len(grow)])
        self._clustered: dict[int, _Clustered] = dict(zip(sizes, found[len(grow) :], strict=True))
        self._known = known_labels(self._sample.data)
        self._n_shuffled = 0 if self._sample.scores is None else _SHUFFLED
        self._found: dict[int, tuple[Initialization, ...]] = {}

    def starts(self, n_components: int) -> tuple[Initialization, ...]:
        """Return the starts for a number of components, the most trusted first; a partition found twice is there once.

        The tree, K-means, the sum of squares' tree, and K-means of the standardized rows: in this order each adds the
        most to those before it, measured by how often the best of them has the log-likelihood that mclust has.
        """
        if n_components not in self._found:
            first, *second = (tree.labels(n_components) for tree in self.trees)
            is_there = n_components in self._clustered
            rng, means, standard = (self._clustered.pop if is_there else self._cluster)(n_components)
            distinct: dict[bytes, IntArray] = {}
            further = (self._labels(self._seen[i % 2], n_components, rng) for i in range(self._n_further))
            shuffled = (self._shuffled(n_components, rng) for _ in range(self._n_shuffled))
            drawn = (first, means, *second, standard, *further, *shuffled)
            if self._known is not None:
                drawn = tuple(self._with_known(drawn, self._known, n_components))
            if self._kept is not None and self._kept.n_components <= n_components:
                drawn = tuple(kept_partitions(self._sample, self._kept, drawn, n_components, rng))
            if self._known is None and self._kept is None:
                drawn = tuple(_by_means(self._sample, labels) for labels in drawn)
            for labels in drawn:
                numbered = _canonical(labels) if self._kept is None else labels
                distinct.setdefault(numbered.tobytes(), labels)
            found = [FromLabels(self._sample, one) for one in distinct.values()]
            if self._whole is not self._sample:
                seen = self._whole.seen_as("std")
                every = cluster_sample(self._data.in_memory(seen.rows, seen.weights), n_components, rng)
                if (known := known_labels(self._whole.data)) is not None:
                    every = in_known_order(every, known, n_components)
                found.append(FromLabels(self._whole, every))
            self._found[n_components] = tuple(found)
        return self._found[n_components]

    def _cluster(self, n_components: int) -> _Clustered:
        """Return labels by K-means in both coordinates, and the generator that is left for what is drawn after them."""
        rng = np.random.RandomState((self._seed + n_components) % 2**32)
        means, standard = (self._labels(seen, n_components, rng) for seen in self._seen)
        return rng, means, standard

    def _labels(self, seen: Data, n_components: int, rng: np.random.RandomState) -> IntArray:
        """Return the labels, (n,), by K-means of the distinct rows."""
        return np.asarray(cluster_sample(seen, n_components, rng)[self._owners])

    def _shuffled(self, n_components: int, rng: np.random.RandomState) -> IntArray:
        """Return labels, (n,), by chance, the same for equal rows."""
        return np.asarray(rng.randint(n_components, size=self._distinct.n_rows)[self._owners])

    def _with_known(
        self, drawn: Iterable[IntArray], known: IntArray, n_components: int
    ) -> Iterator[IntArray]:
        """Yield partitions that keep known rows together: of K-means from these, then those drawn in their order."""
        if known.max() < n_components:
            rng = np.random.RandomState(self._seed)
            for name in ("svd", "std"):
                seen = self._sample.seen_as(name)
                yield kmeans_of_known(seen.rows, seen.weights, known, n_components, rng)
        yield from (in_known_order(labels, known, n_components) for labels in drawn)


class FromSample:
    """K-means of a sample of the rows, standardized, with the levels of their discrete columns.

    Parameters
    ----------
    n_init : int, default=1
        Runs of K-means, of which the best is taken.
    dense : bool, default=False
        Leave out rows that do not lie densely: centers that single outliers would take are left to groups.
    """

    def __init__(self, n_init: int = 1, *, dense: bool = False) -> None:
        self._n_init, self._dense = n_init, dense

    def prepare(self, problem: Problem, rng: np.random.RandomState) -> Initializer:
        sample = draw_sample(problem.data, rng)
        if self._dense:
            sample = sample.of(are_dense(sample.rows, sample.weights))
        distinct, owners = sample.distinct()
        seen = distinct.seen_as("std")
        k = problem.model.n_components
        labels = cluster_sample(problem.data.in_memory(seen.rows, seen.weights), k, rng, self._n_init)
        return FromLabels(sample, labels[owners]).prepare(problem, rng)


def cluster_sample(data: Data, n_components: int, rng: np.random.RandomState, n_init: int = 1) -> IntArray:
    """Return the labels, (n,), of the best of ``n_init`` runs of K-means on a sample."""
    drawn = [kmeans_plusplus(data, n_components, rng) for _ in range(n_init)]
    return best_clustering(data, [data.rows(seeds) for seeds in drawn]).labels


def _by_means(sample: Sample, labels: IntArray) -> IntArray:
    """Return the same partition, its classes numbered by their means, column by column.

    Components of a fit then have the same order whatever order the rows have, be they repeated or weighted.
    """
    inverse = _without_gaps(labels)
    counts = np.bincount(inverse, sample.weights)
    means = [np.bincount(inverse, sample.weights * column) / counts for column in sample.rows.T]
    order = np.lexsort([counts, *means[::-1]])
    return np.asarray(np.argsort(order)[inverse])


def _canonical(labels: IntArray) -> IntArray:
    """Return the same partition, its classes numbered in the order of their first rows."""
    inverse = _without_gaps(labels)
    firsts = np.empty(inverse.max() + 1, dtype=np.intp)
    firsts[inverse[::-1]] = np.arange(len(labels))[::-1]  # of equal labels the last one stays
    return np.asarray(np.argsort(np.argsort(firsts))[inverse])


def _without_gaps(labels: IntArray) -> IntArray:
    """Return labels, (n,), from 0, numbered on without those that no row has."""
    return np.asarray((np.cumsum(np.bincount(labels) > 0) - 1)[labels])
