"""Coordinates of rows by the levels of their discrete columns: multiple correspondence analysis."""

from __future__ import annotations

import numpy as np

from mixtura._typing import FloatArray
from mixtura.core.data import Data
from mixtura.core.parts.known_labels import without_known_column

__all__ = ["level_scores"]

_MOST_SCORES = 10


def level_scores(data: Data, weights: FloatArray) -> FloatArray | None:
    """Return the principal coordinates of the levels of all rows, (N, d); None without discrete columns.

    They are those of multiple correspondence analysis: singular vectors of the indicators of the levels, each column of
    it centered and over the root of its share. Kept are axes whose eigenvalue is at least that of unrelated columns,
    1 / J (Benzecri 1979), at most ten. A missing value lies at the center.

    Parameters
    ----------
    data : Data
        Few rows, in memory.
    weights : ndarray of shape (N,)
        A row of weight two is two rows.
    """
    if data.discrete is None:
        return None
    blocks = (data.blocks.block(number).levels for number in range(len(data.blocks)))
    levels, discrete = without_known_column(
        np.concatenate([one for one in blocks if one is not None]), data.discrete
    )
    if discrete is None:
        return None
    starts, size = discrete.starts, discrete.size
    indicators = np.zeros((len(levels), size))
    np.put_along_axis(indicators, levels.astype(np.intp), 1.0, axis=1)
    known = np.add.reduceat(indicators[:, :-1], starts[:-1], axis=1)
    indicators = indicators[:, :-1]
    counts = np.repeat(weights @ known, np.diff(starts))
    shares = weights @ indicators / np.where(counts > 0, counts, 1.0)
    present = (shares > 0) & (shares < 1)
    if not present.any():
        return None
    apart = indicators - np.repeat(known, np.diff(starts), axis=1) * shares
    scaled = apart[:, present] / np.sqrt(shares[present] * discrete.n_columns)
    _, values, axes = np.linalg.svd(np.sqrt(weights / weights.sum())[:, None] * scaled, full_matrices=False)
    kept = (values**2 >= 1.0 / discrete.n_columns - 1e-9)[:_MOST_SCORES]
    kept[0] = True
    return np.asarray(scaled @ axes[: len(kept)][kept].T)
