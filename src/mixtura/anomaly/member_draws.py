"""Draws of an ensemble: which rows and columns each member sees, and how it is learned from them.

They are made one after the other from one stream of random numbers, before any member is learned, so that members can
be learned side by side and in any order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np

from mixtura._typing import BoolArray, FloatArray, IntArray
from mixtura.anomaly.concentration import varies
from mixtura.anomaly.standard_rows import PointMasses, StandardRows, point_masses

__all__ = ["Draw", "DrawAtEveryRow", "DrawOfMixture", "EnsembleRecipe", "MemberDraws", "make_recipe"]

_ROWS = 256
"""Rows that a member sees, as the trees of an isolation forest do (Liu, Ting and Zhou 2008)."""

_ROWS_PER_COLUMN = 10
"""That a covariance is learned from; of a column with a point mass, rows that have another value."""

_COLUMNS = 25
"""Columns that a member sees at most, ten rows for each: a covariance of more is not learned from so few rows."""

_MEMBERS, _NOVELTY_MEMBERS = 200, 20
_COMPONENTS, _NOVELTY_COMPONENTS = (1, 2, 3, 4, 5), (1, 2, 3, 5, 8, 12, 20)
_MIN_SHARE = 0.2
_MOST_TRIMMED = 0.5
"""Share of its rows that a member leaves out at most, beyond which anomalies were the rule."""

_COMPLETE, _WITH_GAPS = (4e-3, 2e-6), (8e-3, 8e-6)
"""Seconds that learning a member takes, and those of each of its cells; where values are missing or at point masses
there are passes for each pattern, and rows are described through what each column has."""


@dataclass(frozen=True, slots=True)
class EnsembleRecipe:
    """How an ensemble is learned.

    Parameters
    ----------
    n_members : int
    components : sequence of int
        Numbers of components, of which each member draws one.
    min_share : float
        Components of less weight are not normal; see `without_small`.
    all_normal : bool
        Whether no row is an anomaly.
    every_row : bool
        Whether half of the members have a component at every row that they see, where no value is missing.
    seed : int
    """

    n_members: int
    components: Sequence[int]
    min_share: float
    all_normal: bool
    every_row: bool
    seed: int

    def draw_size(self, n_rows: int, n_features: int, rng: np.random.RandomState) -> tuple[int, int, int]:
        """Return how many columns and rows a member sees, and its number of components; see `learn_ensemble`."""
        most, n_seen = min(n_features, _COLUMNS), self.n_seen(n_rows)
        if self.all_normal:
            return most, n_seen, self.components[rng.randint(len(self.components))]
        width = _log_uniform(most, rng)
        return width, n_seen, self.components[_log_uniform(len(self.components), rng) - 1]

    def n_seen(self, n_rows: int) -> int:
        """Return how many of some rows a member sees."""
        half = max(2, n_rows // 2)
        return half if self.all_normal else min(_ROWS, half)


def make_recipe(
    all_normal: bool,
    seed: int,
    min_share: float = _MIN_SHARE,
    *,
    n_members: int | None = None,
    components: Sequence[int] | None = None,
) -> EnsembleRecipe:
    """Return how an ensemble is learned, with defaults for tables that may hold anomalies and for normal rows.

    Parameters
    ----------
    all_normal : bool
    seed : int
    min_share : float, default=0.2
        Not used where all rows are normal.
    n_members : int or None, default=None
        None for 200, and 20 for normal rows, of which each member sees more.
    components : sequence of int or None, default=None
        None for 1 to 5, and for normal rows 1 to 20 in half of the members, one at every row in the others.
    """
    return EnsembleRecipe(
        n_members or (_NOVELTY_MEMBERS if all_normal else _MEMBERS),
        components or (_NOVELTY_COMPONENTS if all_normal else _COMPONENTS),
        0.0 if all_normal else float(min_share),
        all_normal,
        all_normal and components is None,
        seed,
    )


@dataclass(frozen=True, slots=True, eq=False)
class DrawOfMixture:
    """What a member is learned from that is a mixture of a few components.

    Parameters
    ----------
    rows : ndarray of int
        Which of the sampled rows it sees.
    columns : ndarray of int, length C
        Which columns, all with differences among these rows.
    continuous : ndarray of bool, length C
        Which of them a mixture is learned of; the others are at their point masses but for a few rows.
    n_components : int
    seed : int
        Of the start.
    trimmed : float
        Share of the rows that are left out.
    """

    rows: IntArray
    columns: IntArray
    continuous: BoolArray
    n_components: int
    seed: int
    trimmed: float


@dataclass(frozen=True, slots=True, eq=False)
class DrawAtEveryRow:
    """What a member is learned from that has a component at every row that it sees.

    Parameters
    ----------
    rows : ndarray of int
        Half of the sampled rows.
    unseen : ndarray of int
        The others.
    """

    rows: IntArray
    unseen: IntArray


Draw: TypeAlias = DrawOfMixture | DrawAtEveryRow


@dataclass(frozen=True, slots=True, eq=False)
class MemberDraws:
    """A table from which members are drawn; see `mixtura.anomaly.ensemble.learn_ensemble`.

    Parameters
    ----------
    sample : ndarray of shape (n, D)
        Scaled rows; NaN where a value is missing.
    weights : ndarray of shape (n,) or None
    masses : PointMasses or None
        Of the sample; None where all rows are normal.
    recipe : EnsembleRecipe
    """

    sample: FloatArray
    weights: FloatArray | None
    masses: PointMasses | None
    recipe: EnsembleRecipe

    @classmethod
    def of(cls, standard: StandardRows, recipe: EnsembleRecipe) -> MemberDraws:
        """Return the draws from a table: without components at rows where values are missing."""
        if recipe.every_row and np.isnan(standard.sample).any():
            recipe = replace(recipe, every_row=False)
        masses = None if recipe.all_normal else point_masses(standard.sample, standard.weights)
        return cls(standard.sample, standard.weights, masses, recipe)

    @property
    def seconds(self) -> float:
        """About how long one core takes to learn a member, of half of the columns that it may see."""
        n_rows, n_features = self.sample.shape
        cells = self.recipe.n_seen(n_rows) * min(n_features, _COLUMNS) / 2
        has_gaps = np.isnan(self.sample).any() or (
            self.masses is not None and not np.isnan(self.masses.values).all()
        )
        per_member, per_cell = _WITH_GAPS if has_gaps else _COMPLETE
        return float(per_member + per_cell * cells)

    def masses_of(self, columns: IntArray) -> PointMasses | None:
        """Return the point masses of some columns, None where these have none."""
        return None if self.masses is None else self.masses.of_columns(columns)

    def draw(self, rng: np.random.RandomState) -> Draw | None:
        """Return random rows and columns for a member, or None where all rows are equal in the columns."""
        n_rows, n_features = self.sample.shape
        if self.recipe.every_row and rng.randint(2):
            seen, unseen = np.split(rng.permutation(n_rows), [(n_rows + 1) // 2])
            return DrawAtEveryRow(seen, unseen)
        width, n_seen, n_components = self.recipe.draw_size(n_rows, n_features, rng)
        columns = rng.choice(n_features, width, replace=False)
        rows = rng.choice(n_rows, n_seen, replace=False)
        seed = rng.randint(2**31 - 1)
        columns = columns[varies(self.sample[np.ix_(rows, columns)])]
        if not columns.size:
            return None
        continuous = self._continuous(rows, columns)
        is_trimmed = continuous.any() and not self.recipe.all_normal
        trimmed = rng.uniform(0.0, _MOST_TRIMMED) if is_trimmed else 0.0
        return DrawOfMixture(rows, columns, continuous, n_components, seed, trimmed)

    def _continuous(self, rows: IntArray, columns: IntArray) -> BoolArray:
        """Return which columns, beside their point masses, differ enough among some rows to be learned."""
        masses = self.masses_of(columns)
        if masses is None:
            return np.ones(len(columns), dtype=bool)
        apart, _ = masses.split(self.sample[np.ix_(rows, columns)])
        known = np.count_nonzero(~np.isnan(apart), axis=0)
        return np.asarray(np.isnan(masses.values) | (varies(apart) & (known >= _ROWS_PER_COLUMN)))


def _log_uniform(most: int, rng: np.random.RandomState) -> int:
    """Return a whole number from 1 to `most`, small ones more often: its logarithm is uniform before rounding down."""
    return min(most, int(np.exp(rng.uniform(0.0, np.log(most + 1)))))
