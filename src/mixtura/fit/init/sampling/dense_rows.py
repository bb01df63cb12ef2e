"""Rows that lie densely, and those far from others, which a start is not looked for in."""

from __future__ import annotations

import numpy as np

from mixtura._typing import BoolArray, FloatArray
from mixtura.fit.init.sampling.equal_rows import leaves_of

__all__ = ["are_dense"]

_NEIGHBORS = 10

_MOST_SPARSE = 0.5
"""Share of the rows from which on those that lie sparsely are not outliers."""

_MOST_AXES = 5
"""Dimension of the volumes compared; where there are more columns, rows rarely fill them."""

_PASSES = 50

_LEAST_VOLUME = 1e-290
"""Sum of the volumes of the dense rows, of which those that are equal to others have none; its inverse is finite."""

_MOST_ROWS = 2000


def are_dense(rows: FloatArray, weights: FloatArray) -> BoolArray:
    """Return which rows lie densely, (N,), by the distance to their tenth nearest neighbor (Byers and Raftery 1998).

    The volume within that distance has, for rows spread evenly, a gamma distribution; the rows are taken for a mixture
    of two, dense and sparse, which EM separates. Columns are compared in units of their interquartile ranges. Where
    more than half would be sparse, or where those that would be dense are equal to others, all count as dense.

    Parameters
    ----------
    rows : ndarray of shape (N, D)
    weights : ndarray of shape (N,)
        A row of weight 3 is three rows, where that does not make them more than the rows that starts are looked for in.
    """
    leaves, owners, _ = leaves_of(weights, _MOST_ROWS)
    return _are_dense(rows[owners])[leaves]


def _are_dense(rows: FloatArray) -> BoolArray:
    """Return the same of rows that count once."""
    from scipy.spatial import KDTree
    from scipy.special import expit

    n, d = rows.shape
    if n <= 2 * _NEIGHBORS:
        return np.ones(n, dtype=bool)
    scaled = _scaled(rows)
    distances = KDTree(scaled).query(scaled, k=_NEIGHBORS + 1)[0][:, -1]
    median = np.median(distances)
    if not median > 0:
        return np.ones(n, dtype=bool)
    volumes = (distances / median) ** min(d, _MOST_AXES)
    dense = volumes <= np.quantile(volumes, 0.9)
    share = dense.astype(np.float64)
    for _ in range(_PASSES):
        weights = np.stack([share, 1.0 - share])
        filled = weights @ volumes
        if not weights.sum(axis=1).min() > 0 or not filled.min() > _LEAST_VOLUME:
            return np.ones(n, dtype=bool)
        rates = _NEIGHBORS * weights.sum(axis=1) / filled
        logs = np.log(weights.mean(axis=1)) + _NEIGHBORS * np.log(rates)
        share = expit(logs[0] - logs[1] - (rates[0] - rates[1]) * volumes)
    dense = share > 0.5
    return dense if dense.mean() > _MOST_SPARSE else np.ones(n, dtype=bool)


def _scaled(rows: FloatArray) -> FloatArray:
    quartiles = np.quantile(rows, [0.25, 0.75], axis=0)
    widths, deviations = quartiles[1] - quartiles[0], rows.std(axis=0)
    widths = np.where(widths > 0, widths, deviations)
    return np.asarray((rows - np.median(rows, axis=0)) / np.where(widths > 0, widths, 1.0))
