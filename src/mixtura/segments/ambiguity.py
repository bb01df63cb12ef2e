"""Customers between segments, and what K-means, which knows no between, says of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mixtura._typing import FloatArray, IntArray
from mixtura.data import ArrayBlocks
from mixtura.fit import best_clustering
from mixtura.fit.init.kmeans import mean_variance
from mixtura.fit.init.seeds import draw_far_apart
from mixtura.kernels import get_kernel
from mixtura.run import SerialRunner, get_runner, hold_blas
from mixtura.segments.model import SegmentModel

__all__ = ["AmbiguousCustomer", "Comparison", "compare_with_kmeans", "kmeans_labels", "most_ambiguous"]

_STARTS = 10
_TOLERANCE = 1e-4
"""Of K-means: share of the mean variance below which moves of the centers end it, as in the estimator."""


@dataclass(frozen=True, slots=True, eq=False)
class AmbiguousCustomer:
    """A customer whom no segment claims firmly.

    Parameters
    ----------
    row : int
        Of the table, from 0.
    customer : str
        The id.
    memberships : ndarray of shape (K,)
    first, second : int
        The two most probable segments, from 0.
    kmeans : int
        The segment, from 0, that the customer's K-means cluster stands for.
    """

    row: int
    customer: str
    memberships: FloatArray
    first: int
    second: int
    kmeans: int


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """K-means with as many clusters as there are segments, on the same scaled rows.

    Parameters
    ----------
    labels : ndarray of shape (n_complete,)
        Clusters renumbered: each stands for the segment it shares most customers with, one to one.
    agreement : float
        Share of customers that both put into the same segment.
    """

    labels: IntArray
    agreement: float


def compare_with_kmeans(model: SegmentModel, rows: FloatArray, labels: IntArray) -> Comparison:
    """Run K-means and match its clusters to the segments.

    The matching maximizes the number of customers in common (the assignment problem: Kuhn 1955).

    Parameters
    ----------
    model : SegmentModel
    rows : ndarray of shape (n_complete, D), in the user's units
    labels : ndarray of shape (n_complete,)
        Segments.
    """
    from scipy.optimize import linear_sum_assignment

    k = model.n_segments
    clusters = kmeans_labels(model.scaling.apply(rows), k, model.training.seed)
    common = np.zeros((k, k), dtype=np.intp)
    np.add.at(common, (clusters, labels), 1)
    _, segment_of = linear_sum_assignment(common, maximize=True)
    matched = np.asarray(segment_of, dtype=np.intp)[clusters]
    return Comparison(labels=matched, agreement=float(np.mean(matched == labels)))


def kmeans_labels(rows: FloatArray, n_clusters: int, seed: int) -> IntArray:
    """Return what ``KMeans(n_clusters, n_init=10, random_state=seed).fit(rows).labels_`` is, shape (N,).

    The estimator is not used because it loads scikit-learn, which takes longer than all the rest of a segmentation.
    """
    blocks, kernel, runner = ArrayBlocks(rows), get_kernel(n_features=rows.shape[1]), get_runner()
    rng = np.random.RandomState(seed)
    with hold_blas(kernel.name == "numpy"):
        tolerance = _TOLERANCE * mean_variance(blocks, kernel, runner)
        starts = [
            blocks.take(draw_far_apart(blocks, n_clusters, rng, kernel, runner)) for _ in range(_STARTS)
        ]
        best = best_clustering(blocks, starts, kernel, runner, serial=SerialRunner(), tolerance=tolerance)
    return best.labels


def most_ambiguous(memberships: FloatArray, most: int) -> IntArray:
    """Return the rows with the smallest certainty, the least certain first; ties in the order of the table.

    Parameters
    ----------
    memberships : ndarray of shape (N, K)
        Rows of NaN come last and are never returned.
    most : int
        How many; fewer if fewer have a membership.
    """
    certainty = memberships.max(axis=1)
    order: IntArray = np.argsort(certainty, kind="stable")[:most]
    return np.asarray(order[~np.isnan(certainty[order])])
