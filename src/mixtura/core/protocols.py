"""The seams between algorithms and rows: blocks, passes, what is kept per row, and runners."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias, TypeVar, runtime_checkable

import numpy as np
import numpy.typing as npt

from mixtura._typing import Array, BoolArray, FloatArray, IntArray, RowArray
from mixtura.core.parts.discrete import DiscreteColumns

__all__ = [
    "Block",
    "Blocks",
    "DerivedBlocks",
    "DiscreteColumns",
    "MixedRows",
    "Partition",
    "Pass",
    "RowState",
    "RowTable",
    "Runner",
    "SortableBlocks",
    "continuous_rows",
]

T = TypeVar("T")


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Some consecutive rows.

    Parameters
    ----------
    rows : ndarray of shape (n, D), float64 or float32, C-contiguous
    sample_weight : ndarray of shape (n,), float64, or None for weights of one
    start : int
        Number of the first of these rows among all rows.
    number : int
        Number of the block.
    order : ndarray of shape (n,), optional
        Where values are missing, NaN: the rows in an order in which those with the same columns are neighbors.
    levels : ndarray of shape (n, J), int32, optional
        Levels of the discrete columns, as `DiscreteColumns.numbered` has them.
    n_levels : int, default=0
        `DiscreteColumns.size`.
    """

    rows: RowArray
    sample_weight: FloatArray | None
    start: int
    number: int
    order: IntArray | None = None
    levels: IntArray | None = None
    n_levels: int = 0

    def ordered(self, order: IntArray | None) -> Block:
        """Return the same rows, with an order of them."""
        return Block(
            self.rows, self.sample_weight, self.start, self.number, order, self.levels, self.n_levels
        )

    @property
    def n_rows(self) -> int:
        return int(self.rows.shape[0])

    @property
    def span(self) -> slice:
        """Where these rows stand among all rows."""
        return slice(self.start, self.start + self.rows.shape[0])


@dataclass(frozen=True, slots=True, eq=False)
class MixedRows:
    """Rows with continuous and discrete columns, as `mixtura.engine.as_data` takes them.

    Parameters
    ----------
    rows : ndarray of shape (N, D)
        The continuous columns; NaN is missing, or at a point mass.
    levels : ndarray of shape (N, J), int32
        `DiscreteColumns.numbered` levels.
    discrete : DiscreteColumns
    """

    rows: RowArray
    levels: IntArray
    discrete: DiscreteColumns

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the continuous columns."""
        return self.rows.shape

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, chosen: IntArray | BoolArray | slice) -> MixedRows:
        return MixedRows(self.rows[chosen], self.levels[chosen], self.discrete)


RowTable: TypeAlias = RowArray | MixedRows
"""Rows in memory, with or without discrete columns."""


def continuous_rows(table: RowTable) -> FloatArray:
    """Return the continuous columns of rows in memory, (N, D), as float64; not copied if they are."""
    return np.asarray(table.rows if isinstance(table, MixedRows) else table, dtype=np.float64)


class Blocks(Protocol):
    """Rows, wherever they live, cut into blocks by their number alone."""

    @property
    def n_rows(self) -> int: ...

    @property
    def n_features(self) -> int: ...

    @property
    def total_weight(self) -> float:
        """Sum of the sample weights; the number of rows where none were given."""

    @property
    def has_missing(self) -> bool:
        """Whether NaN stands for a missing value; blocks then have an order."""

    @property
    def discrete(self) -> DiscreteColumns | None:
        """What is modeled of the discrete columns; blocks then have levels."""

    def __len__(self) -> int:
        """Return the number of blocks, at least one."""

    def block(self, number: int) -> Block:
        """Return one block; may be called from several threads."""

    def numbers(self, dtype: npt.DTypeLike, columns: int, fill: float) -> Array:
        """Return numbers per row, (N,) or where there are columns (N, columns), where the rows live: memory or disk."""

    def in_memory(self, rows: RowTable, sample_weight: FloatArray | None) -> Blocks:
        """Return blocks of other rows, which are few and in memory: a sample of these, or what was made of one."""


@runtime_checkable
class SortableBlocks(Protocol):
    """Blocks of rows in memory, which can be copied in another order."""

    def sorted_by(self, order: IntArray) -> Blocks:
        """Return blocks of the same rows and weights in this order of their numbers, (N,)."""


@runtime_checkable
class BlocksInMemory(Protocol):
    """Blocks that lie one after the other in memory."""

    def whole(self) -> tuple[Block, int] | None:
        """Return all rows as one block, and how many of them a block has; None where they are not in memory."""


def whole_of(blocks: Blocks) -> tuple[Block, int] | None:
    """Return what `BlocksInMemory.whole` does; None of blocks that are not in memory."""
    whole = getattr(blocks, "whole", None)  # asking for the protocol takes as long as a pass over few rows
    found: tuple[Block, int] | None = None if whole is None else whole()
    return found


@dataclass(frozen=True, slots=True, eq=False)
class DerivedBlocks:
    """Blocks made of others, of the same rows in the same cuts.

    Parameters
    ----------
    blocks : Blocks
    """

    blocks: Blocks

    @property
    def n_rows(self) -> int:
        return self.blocks.n_rows

    @property
    def n_features(self) -> int:
        return self.blocks.n_features

    def __len__(self) -> int:
        return len(self.blocks)

    @property
    def has_missing(self) -> bool:
        return self.blocks.has_missing

    @property
    def discrete(self) -> DiscreteColumns | None:
        return self.blocks.discrete

    def numbers(self, dtype: npt.DTypeLike, columns: int, fill: float) -> Array:
        return self.blocks.numbers(dtype, columns, fill)

    def in_memory(self, rows: RowTable, sample_weight: FloatArray | None) -> Blocks:
        return self.blocks.in_memory(rows, sample_weight)


class RowState(Protocol):
    """Some numbers per row, kept beside the rows: labels, distances, folds, factors of weights, outputs of a pass."""

    def of(self, block: Block) -> Array:
        """Return the numbers of a block's rows, (n,) or (n, columns), to be read and changed in place."""

    def gathered(self) -> Array:
        """Return the numbers of all rows, (N,) or (N, columns), in memory."""


class Pass(Protocol[T]):
    """What one pass over the rows computes of a block, and how results are added.

    A pass is a frozen value that pickles by its fields, so that it may run wherever the rows live. It is called once
    per block, possibly from several threads; all that it changes are the states it is given. One that changes them has
    a method ``after(earlier: Pass) -> Pass | None``: the pass that leaves in the states what the earlier one and then
    this one leave. It is this pass itself where it does not matter what they held before, and None where it takes both.
    """

    def __call__(self, block: Block, /, *states: Any) -> T:
        """Return the result of one block, given what the states hold of its rows."""

    def add(self, total: T, more: T) -> T:
        """Return the sum of the results so far and the next one; may change and return the former."""

    def work(self, blocks: Blocks) -> float:
        """Estimate the floating-point operations of the whole pass; small work stays on the calling thread."""


class Partition(Protocol):
    """Some of the rows that a cluster holds, in the memory of the worker that has them."""

    def blocks(self, start: int, number: int) -> Blocks:
        """Return its blocks, given the number of its first row among all rows, and of its first block among all."""

    def column(self, name: str) -> Array:
        """Return the numbers of a column that it holds beside its rows, (n,)."""


class Runner(Protocol):
    """Where passes run. The result does not depend on the number of workers, to the last bit."""

    @property
    def n_workers(self) -> int:
        """How many tasks of `map` run side by side."""

    def in_memory(self) -> Runner:
        """Return the runner for rows in the memory of this process."""

    def alone(self) -> Runner:
        """Return the runner that does everything on the calling thread: for one of several tasks side by side."""

    def state(self, blocks: Blocks, dtype: npt.DTypeLike, columns: int = 0, fill: float = 0) -> RowState:
        """Return a state of these rows, filled with one number.

        Parameters
        ----------
        blocks : Blocks
        dtype : data type
        columns : int, default=0
            How many numbers a row has; 0 for one, in an array of one axis.
        fill : float, default=0
        """

    def state_of(self, values: Array) -> RowState:
        """Return a state that holds given numbers, (N,) or (N, columns); in memory the array itself."""

    def reduce(self, blocks: Blocks, task: Pass[T], *states: RowState) -> T:
        """Return ``task(block 0) + task(block 1) + ...``, added in this order.

        Parameters
        ----------
        blocks : Blocks
            At least one block.
        task : Pass
        *states : RowState
            Handed to the pass for each block, in this order.
        """

    def map(self, tasks: Sequence[Callable[[], T]]) -> list[T]:
        """Return the result of each task, in order; the tasks may run in parallel."""
