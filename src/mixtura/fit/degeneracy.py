"""Components that describe an accident of the rows: a spike, a plane, a handful of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum

import numpy as np

from mixtura._typing import FloatArray, IntArray
from mixtura.core.accumulate import accumulate_given
from mixtura.core.bound import is_constant, sound_covariance
from mixtura.core.covariance import EMPTY, CovarianceFamily
from mixtura.core.mixture import Mixture
from mixtura.core.prior import moments
from mixtura.core.protocols import Block, Blocks, Runner
from mixtura.core.statistics import Statistics
from mixtura.fit.score import evaluate
from mixtura.kernels import Kernel, Layout

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

_MOST_VALUES = 3
"""In how many columns values are told one by one."""


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
    needed : int
        Rows that a covariance of its own takes.
    """

    component: int
    kind: DegeneracyKind
    columns: tuple[int, ...]
    n_rows: int
    rows: IntArray = field(repr=False)
    ranges: FloatArray = field(repr=False)
    needed: int = 0

    @property
    def reason(self) -> str:
        """What is wrong, in plain words."""
        return self.describe()

    def describe(self, names: Sequence[str] | None = None) -> str:
        """Return what is wrong in plain words, with the names of the columns where they are given."""
        rows = "1 row" if self.n_rows == 1 else f"{self.n_rows} rows"
        component = f"component {self.component}"
        if self.kind is DegeneracyKind.EMPTY:
            return f"{component} has no rows"
        if self.kind is DegeneracyKind.FEW_ROWS:
            return f"{component} has {rows}; a covariance of its own takes at least {self.needed}"
        numbers = [str(j) if names is None else repr(names[j]) for j in self.columns]
        columns = f"column{'s' * (len(numbers) > 1)} {_listed(numbers)}"
        if self.kind is DegeneracyKind.FLAT:
            return (
                f"{component} has no width in a combination of {columns}: its {rows} lie in fewer dimensions"
            )
        if self.n_rows == 0:
            return f"{component} has no width in {columns}, and is the most probable of no row"
        spike = self.kind is DegeneracyKind.SPIKE
        if len(numbers) > _MOST_VALUES:
            return f"{component} has no width in {columns}: its {rows} are all {'equal' * spike or 'close'} there"
        if spike:
            values = _listed([repr(low) for low in self.ranges[:, 0].tolist()])
            plural = "s" * (len(numbers) > 1)
            return f"{component} has no width in {columns}: its {rows} all have the value{plural} {values}"
        spans = _listed([f"{low:.9g} to {high:.9g}" for low, high in self.ranges.tolist()])
        return f"{component} has almost no width in {columns}: its {rows} lie from {spans}"


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def find_degeneracies(
    blocks: Blocks, mixture: Mixture, total: Statistics, kernel: Kernel, runner: Runner
) -> tuple[Degeneracy, ...]:
    """Find the components that describe an accident of the rows rather than a cluster.

    The likelihood of a mixture is unbounded: a component that closes in on equal values, on a plane, or on a few rows
    makes it as large as the floor or the prior lets it, and so every criterion that is built on it. A component is
    degenerate if

    - its variance in some direction (of families whose axes are parallel to the columns: in some column; of balls:
      at all) is less than 1e-7 of the data's; or
    - it has a covariance of its own, with a variance below 1e-2 of the data's, in a direction in which its rows have
      less than 1e-7: a ridge or a prior is all the width it has; or
    - it has a covariance of its own and fewer rows than that takes, D + 1 for a matrix and 2 for variances; or no
      rows at all.

    Constant columns are no component's fault and are left out. The rows are read only where a component is narrow.

    Parameters
    ----------
    blocks : Blocks
    mixture : Mixture
    total : Statistics
        Dense one-component statistics of all rows.
    kernel : Kernel
    runner : Runner

    Returns
    -------
    tuple of Degeneracy
        At most one per component, in their order.

    Examples
    --------
    >>> import numpy as np
    >>> from mixtura import GaussianMixture
    >>> from mixtura.data import ArrayBlocks
    >>> from mixtura.fit import describe_rows, find_degeneracies
    >>> from mixtura.kernels import Layout, get_kernel
    >>> from mixtura.run import SerialRunner
    >>> rows = np.random.RandomState(0).standard_normal((200, 2))
    >>> rows[:60, 1] = 0.0
    >>> start = (np.arange(200) >= 60).astype(int)
    >>> found = GaussianMixture(2, init_params=start).fit(rows).mixture_
    >>> blocks, kernel, runner = ArrayBlocks(rows, None), get_kernel("numpy"), SerialRunner()
    >>> total = describe_rows(blocks, kernel, runner, Layout.DENSE)
    >>> for one in find_degeneracies(blocks, found, total, kernel, runner):
    ...     print(one.describe(["age", "debt"]))
    component 0 has no width in column 'debt': its 60 rows all have the value 0.0
    """
    scale = _Scale.of(total)
    widths = [scale.widths(covariance, mixture.family) for covariance in mixture.full_covariances()]
    few = [_is_few(mixture, k, blocks.n_rows) for k in range(mixture.n_components)]
    suspects = [k for k, width in enumerate(widths) if few[k] or width.smallest < _NARROW]
    if not suspects:
        return ()
    labels = np.empty(blocks.n_rows, dtype=np.intp)
    evaluate(blocks, mixture, kernel, runner, labels=labels)
    hard = _assigned(blocks, labels, mixture.means, kernel, runner)
    found = []
    for k in suspects:
        kind, columns = _judge(mixture, k, widths[k], few[k], hard, scale)
        if kind is not None:
            found.append(_told(blocks, labels, k, kind, columns, _needed(mixture)))
    return tuple(found)


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
    root: FloatArray

    @classmethod
    def of(cls, total: Statistics) -> _Scale:
        covariance, means = moments(total)
        varying = np.flatnonzero(~is_constant(covariance, np.abs(means)))
        inner = np.ix_(varying, varying)
        deviations, root = np.ones(0), np.ones((0, 0))
        if varying.size:
            deviations, root = sound_covariance(covariance[inner], np.abs(means[varying]), _SOUND)
        return cls(varying, deviations, root)

    def widths(self, covariance: FloatArray, family: CovarianceFamily) -> _Width:
        own = covariance[np.ix_(self.varying, self.varying)] / self.deviations[:, None] / self.deviations
        per_column = own.diagonal().copy()
        size = per_column.size
        if family.isotropic and size:
            square = self.deviations**2
            ratio = float((own.diagonal() * square).mean() / square.mean())
            return _Width(np.array([ratio]), np.ones((size, 1)), np.full(size, ratio), self.varying)
        if not family.stores_matrices:
            order = np.argsort(per_column)
            return _Width(per_column[order], np.eye(size)[:, order], per_column, self.varying)
        inverse = np.linalg.inv(self.root)
        values, axes = np.linalg.eigh(inverse @ own @ inverse.T)
        return _Width(np.maximum(values, 0.0), inverse.T @ axes, per_column, self.varying)


def _needed(mixture: Mixture) -> int:
    return mixture.n_features + 1 if mixture.family.stores_matrices else 2


def _is_few(mixture: Mixture, component: int, n_rows: int) -> bool:
    """Return whether a component has fewer rows than its covariance takes, half a row of overlap aside."""
    weight = float(mixture.weights[component])
    if weight <= EMPTY:
        return True
    return not mixture.family.coupled and weight * n_rows < _needed(mixture) - 0.5


def _assigned(
    blocks: Blocks, labels: IntArray, means: FloatArray, kernel: Kernel, runner: Runner
) -> Statistics:
    """Return dense statistics of the rows by their most probable component."""

    def one(block: Block) -> Statistics:
        unweighted = Block(block.rows, None, block.span)
        return accumulate_given(unweighted, labels[block.span], means, Layout.DENSE, kernel)

    return runner.reduce(blocks, one, Statistics.__iadd__)


def _judge(
    mixture: Mixture, component: int, width: _Width, few: bool, hard: Statistics, scale: _Scale
) -> tuple[DegeneracyKind | None, tuple[int, ...]]:
    """Return the kind of degeneracy, if any, and the columns that cause it."""
    if few:
        empty = mixture.weights[component] <= EMPTY
        return (DegeneracyKind.EMPTY if empty else DegeneracyKind.FEW_ROWS), ()
    flat = width.smallest < _NO_WIDTH
    if not flat and not mixture.family.coupled and hard.counts[component] >= _needed(mixture):
        centers = hard.means + hard.first / np.maximum(hard.counts, 1.0)[:, None]
        scatter = hard.rebase(centers).second_matrices()[component] / hard.counts[component]
        width = scale.widths(scatter, mixture.family)
        flat = width.smallest < _NO_WIDTH
    if not flat:
        return None, ()
    alone, columns = width.columns_below(_NO_WIDTH)
    return (DegeneracyKind.NARROW if alone else DegeneracyKind.FLAT), columns


def _told(
    blocks: Blocks,
    labels: IntArray,
    component: int,
    kind: DegeneracyKind,
    columns: tuple[int, ...],
    needed: int,
) -> Degeneracy:
    """Return the finding with its rows; one without width is a spike where all their values are equal."""
    rows = np.flatnonzero(labels == component)
    chosen = list(columns)
    ranges = np.empty((len(chosen), 2))
    if rows.size and chosen:
        ranges[:] = np.array([np.inf, -np.inf])
        for begin in range(0, rows.size, _MOST_ROWS):
            values = blocks.take(rows[begin : begin + _MOST_ROWS])[:, chosen]
            ranges[:, 0] = np.minimum(ranges[:, 0], values.min(axis=0))
            ranges[:, 1] = np.maximum(ranges[:, 1], values.max(axis=0))
        if kind is DegeneracyKind.NARROW and (ranges[:, 0] == ranges[:, 1]).all():
            kind = DegeneracyKind.SPIKE
    return Degeneracy(component, kind, columns, int(rows.size), rows[:_MOST_ROWS], ranges, needed)
