"""Components that describe an accident of the rows: a spike, a plane, a handful of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import lru_cache

import numpy as np

from mixtura._typing import BoolArray, FloatArray, IntArray
from mixtura.core.covariance import EMPTY, Structure
from mixtura.core.data import Data
from mixtura.core.floor import is_constant, sound_covariance
from mixtura.core.mixture import Mixture
from mixtura.core.moments import DENSE
from mixtura.core.prior import covariance_and_mean
from mixtura.core.protocols import RowState
from mixtura.core.statistics import Statistics
from mixtura.fit.counted_rows import CountRepeats, RowsOf
from mixtura.fit.known_values import of_known_values

__all__ = ["Degeneracy", "DegeneracyKind", "find_degeneracies"]

_NO_WIDTH = 1e-7
"""Variance relative to the data's at which a component counts as without width: a deviation of 1/3,000.

It is ten times the default floor, and ten times less than that of the narrowest clusters seen in practice."""

_NARROW = 1e-2
"""Variance relative to the data's above which a component does not describe what its rows have in common."""

_SOUND = 1e-2
"""Least eigenvalue of the correlations of the data; along others T has too few digits to be relative to."""

_INVOLVED = 0.1
"""Share of the largest coefficient from which a column counts as part of a direction."""

_MOST_ROWS = 1000
"""How many row numbers a finding carries."""

_MOST = 0.5
"""Share of a component's rows that, with one value, make it a spike."""

_MOST_VALUES_READ = 1_000_000
"""Rows of a component that are looked at where it has more: which share of them has one value is known from these."""

_AT_ONCE = 100_000


_MOST_VALUES = 3
"""Columns whose values are reported one by one."""


class DegeneracyKind(Enum):
    """In what way a component is degenerate."""

    EMPTY = "no rows"
    FEW_ROWS = "too few rows"
    SPIKE = "equal values"
    NARROW = "no width"
    FLAT = "no width in a combination of columns"


@dataclass(frozen=True, slots=True, eq=False)
class Degeneracy:
    """A component whose likelihood is bounded by the floor or the prior only, not by the rows.

    Parameters
    ----------
    component : int
    kind : DegeneracyKind
    columns : tuple of int
        Those along which, or along a combination of which, it has no width.
    n_rows : int
        Rows whose most probable component it is.
    rows : ndarray
        Their numbers, the first thousand.
    ranges : ndarray of shape (len(columns), 2)
        Least and largest value of these rows in the columns.
    values : ndarray of shape (len(columns),)
        Their medians: of a spike, the value that most of them have.
    n_equal : int
        Rows that have just these values.
    needed : int
        Rows that a covariance of its own takes.
    """

    component: int
    kind: DegeneracyKind
    columns: tuple[int, ...]
    n_rows: int
    rows: IntArray = field(repr=False)
    ranges: FloatArray = field(repr=False)
    values: FloatArray = field(repr=False)
    n_equal: int = 0
    needed: int = 0

    @property
    def reason(self) -> str:
        """What is wrong, in plain words."""
        return self.describe()

    def describe(self, names: Sequence[str] | None = None, *, first: int = 0) -> str:
        """Return what is wrong in plain words, with the names of the columns where they are given.

        Parameters
        ----------
        names : sequence of str or None, default=None
            Of the columns; None to number them.
        first : int, default=0
            Number of the first component: 1 for readers who count from one.
        """
        rows = "1 row" if self.n_rows == 1 else f"{self.n_rows:,} rows"
        component = f"component {self.component + first}"
        if self.kind is DegeneracyKind.EMPTY:
            return f"{component} has no rows"
        if self.kind is DegeneracyKind.FEW_ROWS:
            return f"{component} has {rows}; a covariance of its own takes at least {self.needed}"
        numbers = [str(j) if names is None else repr(names[j]) for j in self.columns]
        columns = f"column{'s' * (len(numbers) > 1)} {_listed(numbers)}"
        if self.kind is DegeneracyKind.FLAT and self.n_rows > 1:
            return (
                f"{component} has no width in a combination of {columns}: its {rows} lie in fewer dimensions"
            )
        if self.n_rows == 0:
            return f"{component} has no width in {columns}, and is the most probable of no row"
        if self.n_rows == 1:
            return f"{component} has no width in {columns}: it has 1 row"
        spike = self.kind is DegeneracyKind.SPIKE
        if spike:
            who = f"its {rows} all" if self.n_equal == self.n_rows else f"{self.n_equal:,} of its {rows}"
            what = (
                f"have the value{'s' * (len(numbers) > 1)} {_listed([repr(v) for v in self.values.tolist()])}"
            )
            what = what if len(numbers) <= _MOST_VALUES else "have the same values"
            return f"{component} has no width in {columns}: {who} {what}"
        if len(numbers) > _MOST_VALUES:
            return f"{component} has almost no width in {columns}: its {rows} are all close there"
        spans = _listed([f"{low:.9g} to {high:.9g}" for low, high in self.ranges.tolist()])
        return f"{component} has almost no width in {columns}: its {rows} lie from {spans}"


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def find_degeneracies(data: Data, mixture: Mixture) -> tuple[Degeneracy, ...]:
    """Find the components that describe an accident of the rows rather than a cluster.

    The likelihood of a mixture is unbounded: a component that closes in on equal values, on a plane, or on a few rows
    makes it as large as the floor or the prior lets it, and so every criterion that is built on it. A component is
    degenerate if

    - its variance in some direction (of families whose axes are parallel to the columns: in some column; of balls:
      at all) is less than 1e-7 of the data's; or
    - it has a covariance of its own, with a variance below 1e-2 of the data's, and its rows have less than 1e-7, or
      more than half of them one value in a column: a ridge or a prior is all the width it has; or
    - it has a covariance of its own and fewer rows than that takes, D + 1 for a matrix and 2 for variances; or no
      rows at all.

    Constant columns are not caused by a component and are left out. The rows are read only where a component is narrow.

    Parameters
    ----------
    data : Data
    mixture : Mixture

    Returns
    -------
    tuple of Degeneracy
        At most one per component, in their order.

    Examples
    --------
    >>> import numpy as np
    >>> from mixtura import GaussianMixture
    >>> from mixtura.engine import as_data
    >>> from mixtura.fit import find_degeneracies
    >>> rows = np.random.RandomState(0).standard_normal((200, 2))
    >>> rows[:60, 1] = 0.0
    >>> start = (np.arange(200) >= 60).astype(int)
    >>> found = GaussianMixture(2, init_params=start).fit(rows).mixture_
    >>> for one in find_degeneracies(as_data(rows), found):
    ...     print(one.describe(["age", "debt"]))
    component 0 has no width in column 'debt': its 60 rows all have the value 0.0
    """
    if data.n_features == 0:
        return ()
    scale = _Scale.of(data.total)
    counted = _counted_rows(data)
    few = _are_few(mixture, counted)
    if not few.any() and scale.are_wide(mixture.factors.whitening, mixture.family):
        return ()
    widths = scale.widths(mixture.full_covariances(), mixture.family)
    suspects = [k for k, width in enumerate(widths) if few[k] or width.smallest < _NARROW]
    if not suspects:
        return ()
    labels = data.labels(mixture.components())
    hard = data.given(mixture.means, DENSE, labels)
    diagnosis = _Diagnosis(data, mixture, scale, labels, hard)
    found = [diagnosis.diagnose(k, widths[k], few=bool(few[k])) for k in suspects]
    return tuple(one for one in found if one is not None)


@lru_cache(maxsize=8)
def _counted_rows(data: Data) -> int:
    """Return how many rows there are, each as often as its weight counts; those of weight zero are none."""
    return data.n_rows if data.total_weight == data.n_rows else data.reduce(CountRepeats())


@dataclass(frozen=True, slots=True, eq=False)
class _Width:
    """How wide a covariance is relative to the data's: values in ascending order, and what they are along."""

    values: FloatArray
    directions: FloatArray  # (D, number of values), coefficients of standardized columns
    per_column: FloatArray
    varying: IntArray

    @property
    def smallest(self) -> float:
        return float(self.values[0]) if self.values.size else np.inf

    def columns_below(self, limit: float) -> tuple[bool, tuple[int, ...]]:
        """Return whether single columns are that narrow (or only a combination is), and which."""
        alone = np.flatnonzero(self.per_column < limit)
        if alone.size:
            return True, tuple(self.varying[alone].tolist())
        narrow = np.abs(self.directions[:, self.values < limit])
        involved = (narrow >= _INVOLVED * narrow.max(axis=0)).any(axis=1)
        return False, tuple(self.varying[involved].tolist())


@dataclass(frozen=True, slots=True, eq=False)
class _Scale:
    """The data's covariance, in the columns that vary."""

    varying: IntArray
    deviations: FloatArray
    inverse: FloatArray  # of the lower root of its correlations
    root: FloatArray  # that of the covariance, (D, D); empty where some columns do not vary

    @classmethod
    @lru_cache(maxsize=8)
    def of(cls, total: Statistics) -> _Scale:
        covariance, means = covariance_and_mean(total)
        varying = np.flatnonzero(~is_constant(covariance, np.abs(means)))
        inner = np.ix_(varying, varying)
        deviations, root = np.ones(0), np.ones((0, 0))
        if varying.size:
            deviations, root = sound_covariance(covariance[inner], np.abs(means[varying]), _SOUND)
        whole = deviations[:, None] * root if varying.size == len(covariance) else np.ones((0, 0))
        return cls(varying, deviations, np.asarray(np.linalg.inv(root), dtype=np.float64), whole)

    def are_wide(self, whitening: FloatArray, family: Structure) -> bool:
        """Return whether surely none is narrow: ``sum_i 1 / v_i``, over its widths, is at least 1 over the least."""
        if not self.root.size:
            return False
        if not family.stores_matrices:
            return bool((whitening * self.deviations).max() ** 2 <= 1 / _NARROW)
        scaled = whitening @ self.root
        return bool(np.einsum("...ij,...ij->...", scaled, scaled).max() <= 1 / _NARROW)

    def widths(self, covariances: FloatArray, family: Structure) -> list[_Width]:
        """Return the widths of covariances (K, D, D) of a family."""
        units = self.deviations[:, None] * self.deviations
        own = covariances[:, self.varying[:, None], self.varying] / units
        per_column = own.diagonal(axis1=1, axis2=2)
        size = per_column.shape[1]
        if family.isotropic and size:
            values = per_column @ units.diagonal()[:, None] / units.trace()
            directions, per_column = np.ones((len(own), size, 1)), np.repeat(values, size, axis=1)
        elif family.stores_matrices:
            values, axes = np.linalg.eigh(self.inverse @ own @ self.inverse.T)
            values, directions = np.maximum(values, 0.0), self.inverse.T @ axes
        else:
            order = np.argsort(per_column, axis=1)
            values = np.take_along_axis(per_column, order, axis=1)
            directions = np.eye(size)[order].transpose(0, 2, 1)
        parts = zip(values, directions, per_column, strict=True)
        return [_Width(*part, self.varying) for part in parts]


def _needed(mixture: Mixture) -> int:
    return mixture.n_features + 1 if mixture.family.stores_matrices else 2


def _are_few(mixture: Mixture, n_rows: int) -> BoolArray:
    """Return which components have fewer rows than their covariances take, half a row of overlap aside, (K,)."""
    fewest = 0.0 if mixture.family.coupled else _needed(mixture) - 0.5
    return (mixture.weights <= EMPTY) | (mixture.weights * n_rows < fewest)


@dataclass(frozen=True, slots=True, eq=False)
class _Diagnosis:
    """What the rows of narrow components say."""

    data: Data
    mixture: Mixture
    scale: _Scale
    labels: RowState
    hard: Statistics

    def diagnose(self, component: int, width: _Width, *, few: bool) -> Degeneracy | None:
        """Return what is wrong with a component, if anything."""
        rows = self.data.reduce(RowsOf(component), self.labels)
        if few:
            empty = self.mixture.weights[component] <= EMPTY
            return self._finding(
                component, DegeneracyKind.EMPTY if empty else DegeneracyKind.FEW_ROWS, rows, ()
            )
        own = not self.mixture.family.coupled and rows.size >= _needed(self.mixture)
        narrow = width.columns_below(_NARROW)
        if own and width.smallest >= _NO_WIDTH:
            width = self.scale.widths(self._scatter(component)[None], self.mixture.family)[0]
        if width.smallest < _NO_WIDTH:
            alone, columns = width.columns_below(_NO_WIDTH)
            kind = DegeneracyKind.NARROW if alone else DegeneracyKind.FLAT
            return self._finding(component, kind, rows, columns)
        alone, columns = narrow
        if not (own and alone):
            return None
        values = self._values(rows, columns)
        spikes = (values == of_known_values(values, np.median)).sum(axis=0) > _MOST * np.isfinite(values).sum(
            axis=0
        )
        if not spikes.any() or (self.mixture.family.isotropic and not spikes.all()):
            return None
        return self._finding(
            component, DegeneracyKind.NARROW, rows, tuple(np.array(columns)[spikes].tolist())
        )

    def _scatter(self, component: int) -> FloatArray:
        """Return the covariance (D, D) of a component's rows."""
        hard = self.hard
        count = hard.counts[component]
        centers = hard.means + hard.first / np.where(hard.counts > 0, hard.counts, 1.0)[:, None]
        return np.asarray(hard.rebase(centers).second_matrices()[component] / count)

    def _values(self, rows: IntArray, columns: tuple[int, ...]) -> FloatArray:
        """Return some columns of some rows; of very many some, evenly spaced."""
        rows = rows[:: -(-rows.size // _MOST_VALUES_READ)] if rows.size else rows
        parts = [rows[begin : begin + _AT_ONCE] for begin in range(0, rows.size, _AT_ONCE)]
        return np.concatenate([self.data.rows_with_missing(part)[:, list(columns)] for part in parts])

    def _finding(
        self, component: int, kind: DegeneracyKind, rows: IntArray, columns: tuple[int, ...]
    ) -> Degeneracy:
        """Return the finding; without width it is a spike where most rows have the same values."""
        rows = np.unique(rows)
        ranges, middle, n_equal = np.empty((len(columns), 2)), np.empty(len(columns)), 0
        if rows.size and columns:
            values = self._values(rows, columns)
            ranges, middle = (
                np.stack([np.fmin.reduce(values), np.fmax.reduce(values)], axis=1),
                of_known_values(values, np.median),
            )
            share = (values == middle).all(axis=1).mean()
            n_equal = round(float(share) * rows.size)
        if kind is DegeneracyKind.NARROW and n_equal > _MOST * rows.size:
            kind = DegeneracyKind.SPIKE
        needed = _needed(self.mixture)
        return Degeneracy(
            component, kind, columns, rows.size, rows[:_MOST_ROWS], ranges, middle, n_equal, needed
        )
