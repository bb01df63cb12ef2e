"""Subsamples of a table: models are found on few rows first, from there on more, in the end on all."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from mixtura.core.data import Data

__all__ = ["draw_subsamples"]


def draw_subsamples(data: Data, sizes: Iterable[int], seed: int) -> dict[int, Data]:
    """Return random subsamples by their number of rows; the smaller ones are contained in the larger ones.

    Parameters
    ----------
    data : Data
    sizes : iterable of int
        Numbers of rows, at most those there are.
    seed : int
    """
    order = np.random.RandomState(seed).permutation(data.n_rows)
    return {size: data.select(order[:size]) for size in sorted(set(sizes))}
