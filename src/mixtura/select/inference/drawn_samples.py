"""Samples like a table: as many rows drawn from a mixture, with levels and missing values as the table has them."""

from __future__ import annotations

from itertools import product

import numpy as np

from mixtura._typing import BoolArray, FloatArray, IntArray
from mixtura.core.mixture import Mixture
from mixtura.core.parts.discrete import LevelTable
from mixtura.core.protocols import MixedRows, RowTable

__all__ = ["sample_like"]


def sample_like(mixture: Mixture, n_rows: int, rows: RowTable, rng: np.random.RandomState) -> RowTable:
    """Return rows drawn from a mixture that lack values as rows of a table do, drawn evenly.

    Parameters
    ----------
    mixture : Mixture
    n_rows : int
    rows : ndarray of shape (N, D), or MixedRows
        Where it has levels the sample has drawn levels, too. A column that is missing in all rows at which a discrete
        column is not at its first level has point masses, and is missing there in the sample.
    rng : numpy.random.RandomState
    """
    drawn, labels = mixture.sample(n_rows, rng)
    drawn = np.ascontiguousarray(drawn)
    if not isinstance(rows, MixedRows) or mixture.levels is None:
        missing = np.isnan(rows.rows if isinstance(rows, MixedRows) else rows)
        if missing.any():
            drawn[missing[rng.randint(len(rows), size=n_rows)]] = np.nan
        return drawn
    levels = _drawn_levels(mixture.levels, labels, rng)
    return _with_gaps(drawn, levels, rows, rng)


def _drawn_levels(table: LevelTable, labels: IntArray, rng: np.random.RandomState) -> IntArray:
    """Return a level of each column, from 0, for each row; those of noise, -1, are as frequent as in the table."""
    logs = np.hstack([table.logs, table.columns.maximize(None)])
    return table.columns.draw(rng, logs, labels)


def _with_gaps(drawn: FloatArray, levels: IntArray, rows: MixedRows, rng: np.random.RandomState) -> MixedRows:
    pairs = _point_masses(rows)
    missing, absent = np.isnan(rows.rows), rows.levels == rows.discrete.size - 1
    for j, d in pairs:  # Where it is at a point mass a value is not missing.
        missing[:, d] = absent[:, j]
        drawn[levels[:, j] > 0, d] = np.nan
    if missing.any() or absent.any():
        like = rng.randint(len(rows), size=len(drawn))
        drawn[missing[like]] = np.nan
        levels[absent[like]] = -1
    return MixedRows(drawn, rows.discrete.numbered(levels), rows.discrete)


def _point_masses(rows: MixedRows) -> list[tuple[int, int]]:
    """Return the discrete columns that say at which point mass a continuous one is, with these."""
    starts = rows.discrete.starts[:-1]

    def says(j: int, d: int) -> bool:
        away: BoolArray = rows.levels[:, j] != starts[j]
        return bool(away.any() and np.array_equal(away, np.isnan(rows.rows[:, d])))

    every = product(range(rows.discrete.n_columns), range(rows.shape[1]))
    return [(j, d) for j, d in every if says(j, d)]
