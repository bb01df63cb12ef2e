"""Start from the clusters that K-means finds."""

from __future__ import annotations

import numpy as np

from mixtura._typing import FloatArray
from mixtura.core.protocols import RowState
from mixtura.core.statistics import Statistics
from mixtura.fit.init.base import Initializer, InitialStatistics
from mixtura.fit.kmeans.lloyd import run_kmeans
from mixtura.fit.kmeans.plusplus import kmeans_plusplus
from mixtura.fit.steps.em import Problem

__all__ = ["FromKMeans", "partition_statistics", "too_few_distinct"]

_RELATIVE_TOLERANCE = 1e-4


class FromKMeans:
    """One run of K-means from greedy k-means++ seeds; scikit-learn's default start."""

    def prepare(self, problem: Problem, rng: np.random.RandomState) -> Initializer:
        seeds = kmeans_plusplus(problem.data, problem.model.n_components, rng)

        def finish(problem: Problem) -> InitialStatistics:
            data = problem.data
            clustering = run_kmeans(
                data, data.rows(seeds), tolerance=_RELATIVE_TOLERANCE * data.mean_variance
            )
            notes = too_few_distinct(clustering.n_distinct, problem.model.n_components)
            return InitialStatistics(
                partition_statistics(problem, clustering.assigned, clustering.centers), notes
            )

        return finish


def partition_statistics(problem: Problem, partition: RowState, centers: FloatArray) -> Statistics:
    """Return the statistics of a partition, labels (N,) or responsibilities (N, K), about the centers (K, D)."""
    moments = problem.model.structure.moments[-1]
    return problem.data.given(centers, moments, partition)


def too_few_distinct(n_distinct: int, n_components: int) -> tuple[str, ...]:
    """Return a note where rows repeat so much that some centers have none."""
    if n_distinct >= n_components:
        return ()
    note = (
        f"Number of distinct clusters ({n_distinct}) found smaller than n_clusters ({n_components}). "
        "Possibly due to duplicate points in X."
    )
    return (note,)
