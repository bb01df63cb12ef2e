"""Partitions of a sample from which components are looked for beside those that are kept."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from mixtura._typing import FloatArray, IntArray
from mixtura.core.mixture import Mixture
from mixtura.fit.init.known.known_kmeans import best_order, kmeans_of_known
from mixtura.fit.init.sample import Sample

__all__ = ["kept_partitions"]

_FAR = (0.05, 0.2)
"""Shares of the rows, those that kept components expect least, in which the others are looked for."""

_NEAR = 0.5
"""Share of the rows that kept components expect most, and that stay theirs."""


def kept_partitions(
    sample: Sample, kept: Mixture, drawn: Iterable[IntArray], n_components: int, rng: np.random.RandomState
) -> Iterator[IntArray]:
    """Yield labels of the rows of a sample, (n,): those of kept components first, then those of the others.

    The others are K-means clusters of the rows that kept components expect least, or of all but those that they expect
    most; and the classes that are left of partitions, once each kept component has the one that has most of its rows.

    Parameters
    ----------
    sample : Sample
    kept : Mixture
    drawn : iterable of ndarray of shape (n,)
        Partitions into as many classes as components.
    n_components : int
        K, at least those kept.
    rng : RandomState
    """
    memberships, log_density = _evaluated(sample, kept)
    nearest, n_kept = memberships.argmax(axis=1), kept.n_components
    if n_components == n_kept:
        yield nearest
        return
    seen = sample.seen_as("std")
    ranks = np.empty(len(log_density))
    ranks[np.argsort(log_density, kind="stable")] = (np.arange(len(log_density)) + 0.5) / len(log_density)
    for share in _FAR:
        far = ranks <= max(share, (n_components - n_kept) / len(ranks))
        nobody = np.full(int(far.sum()), -1, dtype=np.intp)
        labels = nearest.copy()
        labels[far] = n_kept + kmeans_of_known(
            seen.rows[far], seen.weights[far], nobody, n_components - n_kept, rng
        )
        yield labels
    known = np.where(ranks > 1.0 - _NEAR, nearest, -1)
    yield kmeans_of_known(seen.rows, seen.weights, known, n_components, rng)
    for labels in drawn:
        counts = np.zeros((n_kept, n_components))
        np.add.at(counts.T, labels, memberships * sample.weights[:, None])
        number = np.empty(n_components, dtype=np.intp)
        number[best_order(counts)] = np.arange(n_components)
        yield number[labels]


def _evaluated(sample: Sample, kept: Mixture) -> tuple[FloatArray, FloatArray]:
    """Return the memberships, (n, G), of rows in kept components, and their log densities, (n,)."""
    data, n = sample.data, sample.n_rows
    memberships, log_density = np.empty((n, kept.n_components)), np.empty(n)
    data.evaluate(
        kept.components(), memberships=data.state_of(memberships), log_density=data.state_of(log_density)
    )
    return np.nan_to_num(memberships), log_density
