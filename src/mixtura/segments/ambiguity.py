"""Customers between segments, and what K-means, which knows no between, says of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mixtura._typing import FloatArray, IntArray
from mixtura.segments.model import SegmentModel

__all__ = ["AmbiguousCustomer", "Comparison", "compare_with_kmeans", "most_ambiguous"]


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
    kmeans : int or None
        The segment of the K-means cluster the customer is in; None if that cluster answers to no segment.
    """

    row: int
    customer: str
    memberships: FloatArray
    first: int
    second: int
    kmeans: int | None


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

    from mixtura.estimators import KMeans

    k = model.n_segments
    scaled = model.scaling.apply(rows)
    n_clusters = min(k, len(np.unique(scaled, axis=0)))
    clusters = (
        KMeans(n_clusters=n_clusters, n_init=10, random_state=model.training.seed).fit(scaled).labels_
    )
    common = np.zeros((k, k), dtype=np.intp)
    np.add.at(common, (clusters, labels), 1)
    _, segment_of = linear_sum_assignment(common, maximize=True)
    matched = np.asarray(segment_of, dtype=np.intp)[clusters]
    return Comparison(labels=matched, agreement=float(np.mean(matched == labels)))


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
    order = np.argsort(certainty, kind="stable")[:most]
    return order[~np.isnan(certainty[order])]
