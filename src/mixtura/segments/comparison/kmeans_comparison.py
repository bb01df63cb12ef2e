"""The segments against K-means with as many clusters: who moves, how sure the mixture was of them, what is split."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mixtura._typing import Array, FloatArray, IntArray
from mixtura.core.mixture import Mixture
from mixtura.core.protocols import MixedRows, RowTable, continuous_rows
from mixtura.engine import as_data
from mixtura.fit import best_clustering
from mixtura.fit.kmeans.plusplus import kmeans_plusplus
from mixtura.segments.comparison.agreement import (
    Silhouette,
    adjusted_rand_index,
    contingency_table,
    match_clusters,
    silhouette_widths,
)
from mixtura.segments.model.segment_model import SegmentModel
from mixtura.segments.weighted import effective_counts, row_maxima

__all__ = [
    "KMeansComparison",
    "MergedSegments",
    "SplitSegment",
    "axis_ratios",
    "compare_with_kmeans",
    "kmeans_labels",
    "nearest_clusters",
]

_STARTS = 10
_TOLERANCE = 1e-4
"""Of K-means: share of the mean variance below which moves of the centers end it, as in the estimator."""

_SUBSTANTIAL = 0.25
"""Of a segment's customers: a cluster that takes less has taken its fringe, and not split the segment."""

_MAJORITY = 0.5
"""Of a segment's customers: a cluster with the majority of two segments merges them."""

_STRETCHED = 2.0
"""Largest over smallest deviation from which on a segment is called stretched."""

_THREAD = 100
"""Ratio from which on the exact value is meaningless: a column hardly varies within the segment."""


@dataclass(frozen=True, slots=True)
class SplitSegment:
    """A segment of which several clusters take a substantial share each: a quarter or more.

    Parameters
    ----------
    segment : int
        From 0.
    clusters : tuple of int
        By the segments they stand for, from 0; the one that takes most first.
    shares : tuple of float
        Of the segment's customers that each takes.
    axis_ratio : float
        Largest over smallest principal deviation of the segment, on standardized columns.
    """

    segment: int
    clusters: tuple[int, ...]
    shares: tuple[float, ...]
    axis_ratio: float


@dataclass(frozen=True, slots=True)
class MergedSegments:
    """A cluster with the majority of the customers of several segments.

    Parameters
    ----------
    cluster : int
        By the segment it stands for, from 0.
    segments : tuple of int
        From 0.
    shares : tuple of float
        Of each segment's customers that the cluster takes.
    """

    cluster: int
    segments: tuple[int, ...]
    shares: tuple[float, ...]


@dataclass(frozen=True, slots=True, eq=False)
class KMeansComparison:
    """K-means with as many clusters as there are segments, on the same standardized rows.

    Parameters
    ----------
    names : tuple of str
        Of the K segments.
    labels : ndarray of shape (n_complete,)
        Clusters renumbered: each stands for the segment it shares most customers with, one to one.
    moved : ndarray of shape (n_complete,), bool
        Customers whom K-means puts in another segment.
    table : ndarray of shape (K, K)
        Customers, or their weights' sums, by segment (rows) and cluster (columns).
    agreement : float
        Share of customers, by weight, whom both put into the same segment.
    adjusted_rand : float
        See `adjusted_rand_index`; needs no matching of clusters.
    certainty_moved, certainty_retained : float
        Mean largest membership of the customers who move, and of those who do not; NaN where there are none.
    silhouette_mixture, silhouette_kmeans : float
        Mean silhouette width of each, on standardized columns; NaN with a single segment.
    silhouette_rows : int
        Customers the silhouettes were measured on.
    silhouette_sampled : bool
        Whether these were drawn from more.
    axis_ratio : ndarray of shape (K,)
        Per segment, largest over smallest principal deviation, on standardized columns.
    split : tuple of SplitSegment
    merged : tuple of MergedSegments
    """

    names: tuple[str, ...]
    labels: IntArray
    moved: Array
    table: FloatArray
    agreement: float
    adjusted_rand: float
    certainty_moved: float
    certainty_retained: float
    silhouette_mixture: float
    silhouette_kmeans: float
    silhouette_rows: int
    silhouette_sampled: bool
    axis_ratio: FloatArray
    split: tuple[SplitSegment, ...]
    merged: tuple[MergedSegments, ...]

    def __repr__(self) -> str:
        return (
            f"<KMeansComparison: {self.agreement:.0%} of customers in the same of {len(self.names)} segments>"
        )

    @property
    def sentences(self) -> tuple[str, ...]:
        """What changes, in plain words."""
        return tuple(_sentences(self))


def compare_with_kmeans(
    model: SegmentModel,
    rows: RowTable,
    memberships: FloatArray,
    *,
    weights: FloatArray | None = None,
    most: int = 2000,
) -> KMeansComparison:
    """Run K-means with as many clusters as there are segments, match its clusters to them, and compare the two.

    The matching maximizes the number of customers in common (the assignment problem: Kuhn 1955).

    Parameters
    ----------
    model : SegmentModel
    rows : ndarray of shape (n_complete, D), or MixedRows, in the user's units
        Clustered are the continuous columns; where there are none, indicators of the levels.
    memberships : ndarray of shape (n_complete, K)
        Of these rows.
    weights : ndarray of shape (n_complete,) or None, default=None
        Customers count with their weight, also for K-means and in the silhouettes; `moved` are people.
    most : int, default=2000
        Rows for which silhouette widths are computed; of more, this many are drawn.

    Examples
    --------
    >>> from mixtura.datasets import make_customers
    >>> from mixtura.segments import compare_with_kmeans, segment_table
    >>> found = segment_table(make_customers(as_frame="polars"), components=[3])
    >>> compared = compare_with_kmeans(found.model, found.rows, found.model.memberships(found.rows))
    >>> int(compared.moved.sum()), round(compared.agreement, 3)
    (22, 0.927)
    """
    k, scaled = model.n_segments, model.scaling.apply(continuous_rows(rows))
    if not model.columns and isinstance(rows, MixedRows):
        scaled = _indicators(rows)
    clusters = kmeans_labels(scaled, k, model.training.seed, weights)
    labels = memberships.argmax(axis=1)
    segment_of = match_clusters(contingency_table(clusters, labels, k, k, weights))[1]
    matched = segment_of[clusters]
    widths = silhouette_widths(
        scaled, (labels, matched), weights=weights, most=most, seed=model.training.seed
    )
    del scaled, clusters
    counted = None if weights is None else effective_counts(weights)
    table = contingency_table(labels, matched, k, k, weights)
    moved = matched != labels
    ratios = axis_ratios(model.segment_mixture)
    certainty = row_maxima(memberships)
    return KMeansComparison(
        names=model.names,
        labels=matched,
        moved=moved,
        table=table,
        agreement=float(np.trace(table) / table.sum()),
        adjusted_rand=adjusted_rand_index(contingency_table(labels, matched, k, k, counted)),
        certainty_moved=_mean(certainty, counted, moved),
        certainty_retained=_mean(certainty, counted, ~moved),
        **_silhouettes(widths),
        axis_ratio=ratios,
        split=_split(table, ratios),
        merged=_merged(table),
    )


def _indicators(rows: MixedRows) -> FloatArray:
    """Return a column for each level of the discrete columns, (n, L): one where a row is at it."""
    found = np.zeros((len(rows), rows.discrete.size))
    np.put_along_axis(found, rows.levels.astype(np.intp), 1.0, axis=1)
    return np.ascontiguousarray(found[:, :-1])


def kmeans_labels(
    rows: FloatArray, n_clusters: int, seed: int, weights: FloatArray | None = None
) -> IntArray:
    """Return what ``KMeans(n_clusters, n_init=10, random_state=seed).fit(rows).labels_`` is, shape (N,).

    The estimator is not used because it loads scikit-learn, which takes longer than all the rest of a segmentation.
    """
    data, rng = as_data(rows, weights), np.random.RandomState(seed)
    starts = [data.rows(kmeans_plusplus(data, n_clusters, rng)) for _ in range(_STARTS)]
    return best_clustering(data, starts, tolerance=_TOLERANCE * data.mean_variance).labels


def nearest_clusters(model: SegmentModel, rows: FloatArray, labels: IntArray, others: FloatArray) -> IntArray:
    """Return the K-means cluster whose mean is nearest to other rows, shape (n,), by what they have.

    Parameters
    ----------
    model : SegmentModel
    rows : ndarray of shape (N, D)
        In the user's units, that were clustered.
    labels : ndarray of shape (N,)
    others : ndarray of shape (n, D)
    """
    scaled, moved = model.scaling.apply(rows), model.scaling.apply(others)
    distances = np.full((len(others), model.n_segments), np.inf)
    for k in np.unique(labels):
        center = np.nanmean(scaled[labels == k], axis=0)
        distances[:, k] = np.nansum(np.square(moved - center), axis=1)
    return np.asarray(distances.argmin(axis=1), dtype=np.intp)


def axis_ratios(mixture: Mixture) -> FloatArray:
    """Return the largest over the smallest principal deviation of each component, shape (K,); one for a sphere.

    Parameters
    ----------
    mixture : Mixture
        Of standardized columns: the ratio depends on the scale of the columns, as K-means does.
    """
    if not mixture.n_features:
        return np.ones(mixture.n_components)
    variances = np.linalg.eigvalsh(mixture.full_covariances())
    smallest = np.maximum(variances[:, 0], np.finfo(np.float64).tiny)
    return np.asarray(np.sqrt(variances[:, -1] / smallest))


def _mean(values: FloatArray, weights: FloatArray | None, where: Array) -> float:
    total = np.count_nonzero(where) if weights is None else float(weights.sum(where=where))
    counted = values if weights is None else values * weights
    return float(counted.sum(where=where)) / total if total > 0 else float("nan")


def _silhouettes(found: Silhouette) -> dict[str, Any]:
    mixture, kmeans = found.widths
    return {
        "silhouette_mixture": mixture,
        "silhouette_kmeans": kmeans,
        "silhouette_rows": found.n_rows,
        "silhouette_sampled": found.sampled,
    }


def _split(table: FloatArray, ratios: FloatArray) -> tuple[SplitSegment, ...]:
    found = []
    for segment, counts in enumerate(table):
        shares = counts / max(counts.sum(), np.finfo(np.float64).tiny)
        clusters = [int(j) for j in np.argsort(-shares, kind="stable") if shares[j] >= _SUBSTANTIAL]
        if len(clusters) > 1:
            taken = tuple(float(shares[j]) for j in clusters)
            found.append(SplitSegment(segment, tuple(clusters), taken, float(ratios[segment])))
    return tuple(found)


def _merged(table: FloatArray) -> tuple[MergedSegments, ...]:
    shares = table / np.maximum(table.sum(axis=1, keepdims=True), np.finfo(np.float64).tiny)
    found = []
    for cluster in range(len(table)):
        segments = [int(i) for i in np.flatnonzero(shares[:, cluster] >= _MAJORITY)]
        if len(segments) > 1:
            taken = tuple(float(shares[i, cluster]) for i in segments)
            found.append(MergedSegments(cluster, tuple(segments), taken))
    return tuple(found)


def _sentences(found: KMeansComparison) -> list[str]:
    if len(found.names) < 2:
        return ["With a single segment, K-means finds the same."]
    n_moved, n_all = int(found.moved.sum()), found.moved.size
    share = 1 - found.agreement
    if not n_moved:
        return [f"K-means assigns all {n_all:,} customers to the same segments as the mixture."]
    weighed = "" if math.isclose(share * n_all, n_moved, rel_tol=1e-9) else " by weight"
    moved = (
        f"K-means assigns {n_moved:,} of {n_all:,} customers ({100 * share:.1f} %{weighed}) to another segment. Their "
        f"mean certainty is {100 * found.certainty_moved:.0f} %, that of the others "
        f"{100 * found.certainty_retained:.0f} %."
    )
    said = [moved]
    said += [_split_sentence(one, found.names) for one in found.split]
    said += [_merged_sentence(one, found.names) for one in found.merged]
    if math.isnan(found.silhouette_mixture) or math.isnan(found.silhouette_kmeans):
        return said
    sampled = f", on {found.silhouette_rows:,} customers drawn at random" if found.silhouette_sampled else ""
    said.append(
        f"Silhouette width: {found.silhouette_kmeans:.2f} for K-means, {found.silhouette_mixture:.2f} for the mixture"
        f"{sampled}. It rewards round groups of equal width, which is what K-means assumes."
    )
    return said


def _split_sentence(found: SplitSegment, names: Sequence[str]) -> str:
    shares = " and ".join(f"{100 * share:.0f} %" for share in found.shares)
    # With one column, or round covariances, there is no direction to be stretched in.
    times = f"{found.axis_ratio:.1f}" if found.axis_ratio < _THREAD else f"more than {_THREAD}"
    shape = f", {times} times as long as wide," if found.axis_ratio >= _STRETCHED else ""
    return f"K-means splits the segment {names[found.segment]!r}{shape} into pieces of {shares} of its customers."


def _merged_sentence(found: MergedSegments, names: Sequence[str]) -> str:
    joined = " and ".join(repr(names[segment]) for segment in found.segments)
    return f"K-means merges most of the segments {joined} in one cluster."
