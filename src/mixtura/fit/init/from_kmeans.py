"""Start from the clusters that K-means finds."""

from __future__ import annotations

import numpy as np

from mixtura._typing import FloatArray, IntArray
from mixtura.core.accumulate import accumulate_given
from mixtura.core.protocols import Block, Blocks, Runner
from mixtura.core.statistics import Statistics
from mixtura.fit.init.base import Deferred, InitialStatistics
from mixtura.fit.kmeans.lloyd import run_kmeans
from mixtura.fit.kmeans.plusplus import kmeans_plusplus
from mixtura.fit.steps.em import Problem, describe_rows
from mixtura.kernels import Kernel, Layout

__all__ = ["FromKMeans", "mean_variance", "partition_statistics", "too_few_distinct"]

_RELATIVE_TOLERANCE = 1e-4


class FromKMeans:
    """One run of K-means from greedy k-means++ seeds; scikit-learn's default start."""

    def draw(self, problem: Problem, rng: np.random.RandomState) -> Deferred:
        seeds = kmeans_plusplus(problem.blocks, problem.n_components, rng, problem.kernel, problem.runner)

        def finish(problem: Problem) -> InitialStatistics:
            clustering = run_kmeans(
                problem.blocks,
                problem.blocks.take(seeds),
                problem.kernel,
                problem.runner,
                tolerance=_RELATIVE_TOLERANCE * mean_variance(problem.blocks, problem.kernel, problem.runner),
            )
            notes = too_few_distinct(clustering.n_distinct, problem.n_components)
            return InitialStatistics(
                partition_statistics(problem, clustering.labels, clustering.centers), notes
            )

        return finish


def mean_variance(blocks: Blocks, kernel: Kernel, runner: Runner) -> float:
    """Return the variance of the columns, averaged over the columns, in squared units of the data."""
    rows = describe_rows(blocks, kernel, runner, Layout.DIAGONAL)
    shift = rows.first[0] / rows.total_weight
    return float((rows.second[0] / rows.total_weight - shift**2).mean())


def partition_statistics(problem: Problem, labels: IntArray, centers: FloatArray) -> Statistics:
    """Return the statistics of a partition with labels (N,), about the centers (K, D)."""
    layout = problem.family.layouts[-1]

    def one(block: Block) -> Statistics:
        return accumulate_given(block, labels[block.span], centers, layout, problem.kernel)

    return problem.runner.reduce(problem.blocks, one, Statistics.__iadd__, work=problem.work(layout))


def too_few_distinct(n_distinct: int, n_components: int) -> tuple[str, ...]:
    """Return a note where rows repeat so much that some centers have none."""
    if n_distinct >= n_components:
        return ()
    note = (
        f"Number of distinct clusters ({n_distinct}) found smaller than n_clusters ({n_components}). "
        "Possibly due to duplicate points in X."
    )
    return (note,)
