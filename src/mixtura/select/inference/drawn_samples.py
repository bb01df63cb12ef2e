"""Samples like a table: as many rows drawn from a mixture, with levels and missing values as the table has them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from typing import TypeAlias

import numpy as np

from mixtura._typing import BoolArray, FloatArray, IntArray
from mixtura.core.mixture import Mixture
from mixtura.core.parts.discrete import LevelTable
from mixtura.core.protocols import MixedRows, RowTable
from mixtura.select.inference.refit import generator
from mixtura.validation import sample_size

__all__ = ["KINDS", "Nonparametric", "Parametric", "Sample", "Weighted", "sample_like"]

Sample: TypeAlias = Callable[[np.random.SeedSequence], tuple[RowTable, FloatArray | None]]
"""Draws the rows and weights of a sample."""


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


@dataclass(frozen=True, slots=True, eq=False)
class Nonparametric:
    """Rows drawn with replacement, as many as their weights sum to."""

    rows: RowTable
    weights: FloatArray | None
    mixture: Mixture

    def __call__(self, seed: np.random.SeedSequence) -> tuple[RowTable, FloatArray | None]:
        rng, weights, n_rows = generator(seed), self.weights, self.rows.shape[0]
        if weights is None:
            drawn = rng.randint(n_rows, size=n_rows)
        else:
            chances = np.cumsum(weights / weights.sum())
            places = rng.random_sample(sample_size(self.rows, weights))
            drawn = np.minimum(np.searchsorted(chances, places, side="right"), n_rows - 1)
        times = np.bincount(drawn, minlength=n_rows)
        kept = np.flatnonzero(times)
        return self.rows[kept], times[kept].astype(np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class Weighted:
    """All rows, weighted by random numbers that sum to their weights."""

    rows: RowTable
    weights: FloatArray | None
    mixture: Mixture

    def __call__(self, seed: np.random.SeedSequence) -> tuple[RowTable, FloatArray | None]:
        # A row of weight w stands for w rows; the sum of as many exponential numbers is a gamma number.
        shape = np.ones(self.rows.shape[0]) if self.weights is None else self.weights
        drawn = generator(seed).standard_gamma(shape)
        return self.rows, np.asarray(drawn * (float(shape.sum()) / drawn.sum()))


@dataclass(frozen=True, slots=True, eq=False)
class Parametric:
    """Rows drawn from the mixture."""

    rows: RowTable
    weights: FloatArray | None
    mixture: Mixture

    def __call__(self, seed: np.random.SeedSequence) -> tuple[RowTable, FloatArray | None]:
        n_rows = sample_size(self.rows, self.weights)
        return sample_like(self.mixture, n_rows, self.rows, generator(seed)), None


KINDS: dict[str, Callable[[RowTable, FloatArray | None, Mixture], Sample]] = {
    "nonparametric": Nonparametric,
    "weighted": Weighted,
    "parametric": Parametric,
}
"""How samples come about, by name."""
