"""Labels of a sample of which some rows are known: K-means that keeps them, and partitions brought into their order."""

from __future__ import annotations

import numpy as np

from mixtura._typing import FloatArray, IntArray
from mixtura.core.data import Data
from mixtura.core.parts.known_labels import KnownLabels, known_levels

__all__ = ["best_order", "in_known_order", "kmeans_of_known", "known_labels"]

_MOST_STEPS = 100


def known_labels(data: Data) -> IntArray | None:
    """Return the component that each row is known to belong to, (N,), -1 where nothing is known; None without any."""
    levels = known_levels(data.discrete)
    return None if levels is None else data.reduce(KnownLabels(levels))


def kmeans_of_known(
    rows: FloatArray, weights: FloatArray, known: IntArray, n_components: int, rng: np.random.RandomState
) -> IntArray:
    """Return the labels of K-means, (n,), in which known rows keep theirs (Basu, Banerjee and Mooney 2002).

    Centers begin at the means of the known rows; those of components without any are drawn as k-means++ does, with
    probability proportional to the squared distance to the nearest center.

    Parameters
    ----------
    rows : ndarray of shape (n, D)
    weights : ndarray of shape (n,)
        Positive.
    known : ndarray of shape (n,)
        From 0 to K-1; -1 where nothing is known.
    n_components : int
    rng : RandomState
    """
    present = np.unique(known[known >= 0])
    centers = np.full((n_components, rows.shape[1]), np.nan)
    if present.size:  # a resample may have none
        centers[present] = _means(rows, weights, known, present)
    for k in np.setdiff1d(np.arange(n_components), present):
        begun = ~np.isnan(centers[:, 0])
        mass = weights * np.where(known < 0, 1.0, 0.0)
        if begun.any():
            mass = mass * _squared_distances(rows, centers[begun]).min(axis=1)
        total = mass.sum()
        drawn = rng.choice(len(rows), p=mass / total if total > 0 else weights / weights.sum())
        centers[k] = rows[drawn]
    labels = np.full(len(rows), -1, dtype=np.intp)
    for _ in range(_MOST_STEPS):
        nearest = np.where(known >= 0, known, _squared_distances(rows, centers).argmin(axis=1))
        if (nearest == labels).all():
            break
        labels = nearest
        held = np.unique(labels)
        centers[held] = _means(rows, weights, labels, held)
    return labels


def in_known_order(labels: IntArray, known: IntArray, n_components: int) -> IntArray:
    """Return a partition, (n,), with its classes numbered as the known rows are, which keep their label.

    Each class gets one number, so that as many known rows as possible are where they belong.
    """
    counts = np.zeros((int(known.max(initial=-1)) + 1, n_components))
    if len(counts) > n_components:
        return labels
    np.add.at(counts, (known[known >= 0], labels[known >= 0]), 1.0)
    order = best_order(counts)
    number = np.empty(n_components, dtype=np.intp)
    number[order] = np.arange(n_components)
    return np.where(known >= 0, known, number[labels])


def best_order(counts: FloatArray) -> IntArray:
    """Return which class stands for each component, (K,), from weights of known rows by component and class, (G, K).

    The weight of known rows in the class that stands for their component is as large as it can be. Components beyond
    G, of which no row is known, have the classes that are left, in their order.
    """
    from scipy.optimize import linear_sum_assignment

    n_known, n_components = counts.shape
    chosen = linear_sum_assignment(counts, maximize=True)[1]
    left = np.setdiff1d(np.arange(n_components), chosen)
    assert len(chosen) == n_known, "there are at least as many classes as components with known rows"
    return np.concatenate([chosen, left]).astype(np.intp)


def _means(rows: FloatArray, weights: FloatArray, labels: IntArray, present: IntArray) -> FloatArray:
    return np.stack([np.average(rows[labels == k], axis=0, weights=weights[labels == k]) for k in present])


def _squared_distances(rows: FloatArray, centers: FloatArray) -> FloatArray:
    return np.stack([np.square(rows - center).sum(axis=1) for center in centers], axis=1)
