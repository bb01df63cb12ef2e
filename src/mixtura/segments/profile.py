"""What the customers of a segment have in common, against everybody."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mixtura._typing import FloatArray, IntArray
from mixtura.segments.model import SegmentModel
from mixtura.segments.naming import name_segments

__all__ = ["SegmentProfile", "hard_means", "name_components", "profile_segments"]


@dataclass(frozen=True, slots=True, eq=False)
class SegmentProfile:
    """One segment.

    Parameters
    ----------
    number : int
        From 1; the largest segment first.
    name : str
    count : int
        Customers for whom it is the most probable segment.
    share : float
        `count` over all assigned customers.
    weight : float
        Mixing weight: its share when each customer counts with its membership.
    means : ndarray of shape (D,)
        Mean of each column over these customers, in the user's units; where there are none, the component's mean.
    differences : ndarray of shape (D,)
        `means` less the mean of everybody, in standard deviations of everybody.
    """

    number: int
    name: str
    count: int
    share: float
    weight: float
    means: FloatArray
    differences: FloatArray


def hard_means(rows: FloatArray, labels: IntArray, fallback: FloatArray) -> tuple[IntArray, FloatArray]:
    """Return customers per segment (K,) and their column means (K, D); `fallback` (K, D) where there are none."""
    means = fallback.copy()
    counts = np.bincount(labels, minlength=len(fallback))
    for k in np.flatnonzero(counts):
        means[k] = rows[labels == k].mean(axis=0)
    return counts, means


def name_components(scaled_means: FloatArray, columns: Sequence[str]) -> tuple[str, ...]:
    """Return names from the means of scaled rows, shape (K, D); a single segment is everybody."""
    return ("everybody",) if len(scaled_means) == 1 else name_segments(scaled_means, columns)


def profile_segments(model: SegmentModel, rows: FloatArray, labels: IntArray) -> tuple[SegmentProfile, ...]:
    """Return the segments' profiles.

    Parameters
    ----------
    model : SegmentModel
    rows : ndarray of shape (N, D)
        In the user's units.
    labels : ndarray of shape (N,)
    """
    fallback = model.mixture.means * model.scaling.scale + model.scaling.center
    counts, means = hard_means(rows, labels, fallback)
    return tuple(
        SegmentProfile(
            number=k + 1,
            name=model.names[k],
            count=int(counts[k]),
            share=float(counts[k] / counts.sum()),
            weight=float(model.mixture.weights[k]),
            means=means[k],
            differences=(means[k] - model.scaling.center) / model.scaling.scale,
        )
        for k in range(model.n_segments)
    )
