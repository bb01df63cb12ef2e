"""Subsamples of a table: models are found on few rows first, from there on more, in the end on all."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from mixtura.core.data import Data
from mixtura.core.parts.known_labels import labels_in_turn
from mixtura.fit.init.known.known_kmeans import known_labels

__all__ = ["draw_subsamples"]

_PERMUTED = 5_000_000
"""Rows up to which their numbers are permuted; of more, a sample by hashes takes no memory of their number."""


def draw_subsamples(data: Data, sizes: Iterable[int], seed: int) -> dict[int, Data]:
    """Return random subsamples by their number of rows; the smaller ones are contained in the larger ones.

    Where the component of some rows is known, half of a subsample are known rows, or all that there are.

    Parameters
    ----------
    data : Data
    sizes : iterable of int
        Numbers of rows, at most those there are.
    seed : int
    """
    largest = max(sizes := set(sizes), default=0)
    known = known_labels(data)
    if known is None and data.n_rows > _PERMUTED and largest:
        sample = data.sample(largest, seed)
        return {size: sample.select(np.arange(size)) for size in sorted(sizes)}
    order = np.random.RandomState(seed).permutation(data.n_rows)
    order = order if known is None else labels_in_turn(known, order)
    return {size: data.select(order[:size]) for size in sorted(set(sizes))}
