"""Rows as algorithms see them: blocks, the kernel that evaluates them, and the runner that makes passes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from mixtura._typing import FloatArray, IntArray, RowArray
from mixtura.core.accumulate import AccumulateGiven, CountObserved
from mixtura.core.covariance import count_parameters
from mixtura.core.evaluate import Evaluate, Rows, SmallestHashes, TotalWeight
from mixtura.core.moments import DENSE, DIAGONAL, FIRST, Moments
from mixtura.core.parts.discrete import DiscreteColumns
from mixtura.core.protocols import (
    Block,
    Blocks,
    DerivedBlocks,
    MixedRows,
    Pass,
    RowState,
    RowTable,
    Runner,
    SortableBlocks,
    whole_of,
)
from mixtura.core.statistics import Statistics
from mixtura.kernels import Components, Kernel

__all__ = ["Data"]

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Data:
    """Some rows, and all that an algorithm may ask about them; `mixtura.engine.as_data` makes one.

    Parameters
    ----------
    blocks : Blocks
        The rows and their weights.
    kernel : Kernel
        What evaluates a block.
    runner : Runner
        What makes a pass over all blocks.

    Examples
    --------
    >>> import numpy as np
    >>> from mixtura.engine import as_data
    >>> data = as_data(np.array([[0.0], [2.0], [7.0]]))
    >>> data.n_rows, data.total.means.tolist()
    (3, [[3.0]])
    """

    blocks: Blocks
    kernel: Kernel
    runner: Runner
    # Found once, and shared with `alone`.
    _described: dict[Moments, Statistics] = field(default_factory=dict, init=False, repr=False)
    _means: list[FloatArray] = field(default_factory=list, init=False, repr=False)
    _observed: list[FloatArray] = field(default_factory=list, init=False, repr=False)

    @property
    def n_rows(self) -> int:
        return self.blocks.n_rows

    @property
    def n_features(self) -> int:
        return self.blocks.n_features

    @property
    def total_weight(self) -> float:
        """Sum of the sample weights; the number of rows where none were given."""
        return self.blocks.total_weight

    @property
    def has_missing(self) -> bool:
        """Whether NaN stands for a missing value, and there are some."""
        return self.blocks.has_missing

    @property
    def discrete(self) -> DiscreteColumns | None:
        """What is modeled of the discrete columns beside the others, where there are some."""
        return self.blocks.discrete

    def n_parameters(self, family: str, n_components: int) -> int:
        """Return the number of free parameters of a mixture of these columns, discrete ones included."""
        beside = 0 if self.discrete is None else self.discrete.n_parameters(n_components)
        return count_parameters(family, n_components, self.n_features) + beside

    def reduce(self, task: Pass[T], *states: RowState) -> T:
        """Return the sum of a pass over all blocks, added in their order; see `Runner.reduce`."""
        return self.runner.reduce(self.blocks, task, *states)

    def state(self, dtype: npt.DTypeLike, columns: int = 0, fill: float = 0) -> RowState:
        """Return numbers kept per row, all equal at first; see `Runner.state`."""
        return self.runner.state(self.blocks, dtype, columns, fill)

    def state_of(self, values: npt.NDArray[Any]) -> RowState:
        """Return numbers kept per row that are given, (N,) or (N, columns)."""
        return self.runner.state_of(values)

    def evaluate(
        self,
        components: Components,
        *,
        log_density: RowState | None = None,
        memberships: RowState | None = None,
        labels: RowState | None = None,
        hard: bool = False,
    ) -> None:
        """Fill states with what components say of the rows; see `mixtura.kernels.Outputs`.

        Parameters
        ----------
        components : Components
        log_density : RowState of float64, optional
        memberships : RowState of float64 with K columns, optional
        labels : RowState of intp, optional
        hard : bool, default=False
            Give every row wholly to its most likely component.
        """
        given = {"log_density": log_density, "memberships": memberships, "labels": labels}
        wanted = {name: state for name, state in given.items() if state is not None}
        self.reduce(Evaluate(components, self.kernel, tuple(wanted), hard), *wanted.values())

    def labels(self, components: Components) -> RowState:
        """Return the most likely component of each row, (N,)."""
        labels = self.state(np.intp)
        self.evaluate(components, labels=labels)
        return labels

    def rows(self, numbers: IntArray) -> FloatArray:
        """Return some rows by number, (n, D), as float64; missing values are the means of their columns."""
        return self.rows_and_weights(numbers)[0]

    def rows_and_weights(self, numbers: IntArray) -> tuple[FloatArray, FloatArray]:
        """Return some rows by number, (n, D), as `rows`, and their weights, (n,); one where none were given."""
        rows, weights, _ = self._chosen(numbers)
        counted = np.ones(numbers.size) if weights is None else weights
        if self.has_missing:
            rows = np.where(np.isnan(rows), self.mean, rows)
        return np.ascontiguousarray(rows, dtype=np.float64), counted

    def rows_with_missing(self, numbers: IntArray) -> FloatArray:
        """Return some rows by number, (n, D), as float64; missing values are NaN."""
        return np.ascontiguousarray(self._chosen(numbers)[0], dtype=np.float64)

    def mixed_rows(self, numbers: IntArray) -> FloatArray | MixedRows:
        """Return some rows as `rows_with_missing`, with their levels where there are discrete columns."""
        chosen, _, levels = self._chosen(numbers)
        rows = np.ascontiguousarray(chosen, dtype=np.float64)
        return rows if levels is None or self.discrete is None else MixedRows(rows, levels, self.discrete)

    def _chosen(self, numbers: IntArray) -> tuple[RowArray, FloatArray | None, IntArray | None]:
        if not numbers.size:
            return np.empty((0, self.n_features)), np.empty(0), None
        task = Rows(numbers)
        return task.joined(self.reduce(task))

    def alone(self) -> Data:
        """Return the same rows for one of several tasks side by side: passes stay on its thread."""
        return self._known_of(replace(self, runner=self.runner.alone()))

    def in_memory(self, rows: RowTable, sample_weight: FloatArray | None = None) -> Data:
        """Return other rows, of any width, for the same kernel and runner.

        Parameters
        ----------
        rows : ndarray of shape (n, d), float64 or float32, C-contiguous; or MixedRows
        sample_weight : ndarray of shape (n,), optional
        """
        return Data(self.blocks.in_memory(rows, sample_weight), self.kernel, self.runner.in_memory())

    def select(self, numbers: IntArray) -> Data:
        """Return some rows, in memory, with their weights and in the order of the numbers."""
        rows, weights, levels = self._chosen(numbers)
        if levels is None or self.discrete is None:
            return self.in_memory(rows, weights)
        return self.in_memory(MixedRows(rows, levels, self.discrete), weights)

    def sample(self, n_rows: int, seed: int) -> Data:
        """Return a random sample without replacement: the rows whose numbers have the smallest hashes.

        It depends on the seed and the numbers of the rows alone, so that it is the same wherever the rows live and
        however they are cut into blocks. The rows stand in the order of their hashes: the first m of a sample are the
        sample of m rows.

        Parameters
        ----------
        n_rows : int
            All rows, in another order, where there are no more.
        seed : int
            Not negative.
        """
        numbers, hashes = self.reduce(SmallestHashes(n_rows, seed))
        return self.select(numbers[np.argsort(hashes)])

    def weighted(self, factor: RowState) -> Data:
        """Return the same rows with their weights multiplied by a factor: folds, classes, bootstrap counts.

        No rows are copied; a row of weight zero adds nothing to any sum.

        Parameters
        ----------
        factor : RowState of float64
            Not negative.
        """
        blocks = WeightedBlocks(self.blocks, factor, float("nan"))
        total = self.runner.reduce(blocks, TotalWeight())
        return Data(replace(blocks, total_weight=total), self.kernel, self.runner)

    def near_together(self, components: Components) -> Data:
        """Return the rows in memory copied in the order of their most likely components, those of a file as they are.

        A pass over many components looks at few of them where the rows of a block are near each other.
        """
        if self.has_missing or not isinstance(self.blocks, SortableBlocks):
            return self
        order = np.argsort(self.labels(components).gathered(), kind="stable")
        return self._in_order(self.blocks.sorted_by(order))

    def by_pattern(self) -> Data:
        """Return the rows in memory copied in the order of the columns that they lack; as they are where none does.

        A pass over rows of which many lack the same columns takes these together.
        """
        sort = getattr(self.blocks, "by_pattern", None)  # asking for a protocol takes as long as a short pass
        blocks: Blocks = self.blocks if sort is None else sort()
        return self if blocks is self.blocks else self._in_order(blocks)

    def _in_order(self, blocks: Blocks) -> Data:
        """Return blocks of the same rows in another order, of which is known what is known of these."""
        return self._known_of(replace(self, blocks=blocks))

    def _known_of(self, other: Data) -> Data:
        """Return other data of the same rows, with what has been found of these."""
        vars(other).update(_described=self._described, _means=self._means, _observed=self._observed)
        return other

    def mapped(self, change: Callable[[RowArray], RowArray]) -> Data:
        """Return the rows changed block by block, as they are read; their number and weights stay.

        Parameters
        ----------
        change : callable
            From rows (n, D) to rows (n, D) in C order; pickles.
        """
        return Data(MappedBlocks(self.blocks, change), self.kernel, self.runner)

    def given(
        self, means: FloatArray, moments: Moments, *partition: RowState, weighted: bool = True
    ) -> Statistics:
        """Return the sums of rows whose labels or responsibilities are known.

        Where values are missing the sums are about the means of what each component has, as if missing values were
        distributed as those observed; see `Statistics.complete_available`.

        Parameters
        ----------
        means : ndarray of shape (K, D)
            What the sums are about.
        moments : Moments
            That a pass can gather.
        *partition : RowState, optional
            Labels (N,) or responsibilities (N, K); by default all rows belong to one component.
        weighted : bool, default=True
            Whether rows count with their sample weights.
        """
        if not self.has_missing:
            return self.reduce(AccumulateGiven(means, moments, self.kernel, weighted), *partition)
        observed = self._counted(len(means), partition, weighted)
        rough = self.reduce(AccumulateGiven(means, FIRST, self.kernel, weighted), *partition)
        centers = means + rough.first / np.where(observed > 0, observed, 1.0)
        sums = self.reduce(AccumulateGiven(centers, moments, self.kernel, weighted), *partition)
        return sums.complete_available(observed)

    def _counted(self, n_components: int, partition: tuple[RowState, ...], weighted: bool) -> FloatArray:
        """Return how many values of each column components have, (K, D); of all rows with their weights found once."""
        task = CountObserved(n_components, weighted)
        if partition or not weighted:
            return self.reduce(task, *partition)
        if not self._observed:
            self._observed.append(self.reduce(task))
        return self._observed[0]

    def describe(self, moments: Moments) -> Statistics:
        """Return the one-component statistics of all rows about their mean, so that nothing cancels; found once.

        Raises
        ------
        DataError
            A sum overflows.
        """
        if moments not in self._described:
            found = self.given(self.mean, moments)
            found.require_finite()
            self._described[moments] = found
        return self._described[moments]

    @property
    def mean(self) -> FloatArray:
        """The mean of the rows but for rounding, (1, D), from sums about the first of them."""
        if not self._means:
            whole = whole_of(self.blocks)
            first = self._chosen(np.zeros(1, dtype=np.intp))[0] if whole is None else whole[0].rows[:1]
            first = np.nan_to_num(np.asarray(first, dtype=np.float64))
            rough = self.given(first, FIRST)
            self._means.append(rough.means + rough.first / max(rough.total_weight, np.finfo(np.float64).tiny))
        return self._means[0]

    @property
    def total(self) -> Statistics:
        """Dense moments of all rows about their mean, found once."""
        return self.describe(DENSE)

    @property
    def mean_variance(self) -> float:
        """The variance of the columns, averaged over the columns, in squared units of the data."""
        rows = self.describe(DIAGONAL)
        shift = rows.first[0] / rows.total_weight
        return float((rows.second[0] / rows.total_weight - shift**2).mean())


@dataclass(frozen=True, slots=True, eq=False)
class WeightedBlocks(DerivedBlocks):
    """Blocks whose weights are multiplied by a factor per row.

    Parameters
    ----------
    blocks : Blocks
    factor : RowState of float64
    total_weight : float
    """

    factor: RowState
    total_weight: float

    def block(self, number: int) -> Block:
        return self._weighted(self.blocks.block(number))

    def whole(self) -> tuple[Block, int] | None:
        found = whole_of(self.blocks)
        return None if found is None else (self._weighted(found[0]), found[1])

    def _weighted(self, block: Block) -> Block:
        factor, weight = self.factor.of(block), block.sample_weight
        return replace(block, sample_weight=np.array(factor) if weight is None else weight * factor)


@dataclass(frozen=True, slots=True, eq=False)
class MappedBlocks(DerivedBlocks):
    """Blocks whose rows are changed as they are read.

    Parameters
    ----------
    blocks : Blocks
    change : callable
        From rows (n, D) to rows (n, D).
    """

    change: Callable[[RowArray], RowArray]

    @property
    def total_weight(self) -> float:
        return self.blocks.total_weight

    def block(self, number: int) -> Block:
        block = self.blocks.block(number)
        return replace(block, rows=self.change(block.rows))
