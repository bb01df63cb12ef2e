"""Subsamples of a table: models are found on few rows first, from there on more, in the end on all."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from mixtura.core.data import Data

__all__ = ["draw_subsamples"]

_PERMUTED = 5_000_000
"""Rows up to which their numbers are permuted; of more, a sample by hashes takes no memory of their number."""


def draw_subsamples(data: Data, sizes: Iterable[int], seed: int) -> dict[int, Data]:
    """Return random subsamples by their number of rows; the smaller ones are contained in the larger ones.

    Parameters
    ----------
    data : Data
    sizes : iterable of int
        Numbers of rows, at most those there are.
    seed : int
    """
    largest = max(sizes := set(sizes), default=0)
    if data.n_rows > _PERMUTED and largest:
        sample = data.sample(largest, seed)
        return {size: sample.select(np.arange(size)) for size in sorted(sizes)}
    order = np.random.RandomState(seed).permutation(data.n_rows)
    return {size: data.select(order[:size]) for size in sorted(set(sizes))}
