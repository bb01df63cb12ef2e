"""Where rows live and where sums run, as far as the algorithms need to know."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from mixtura._typing import FloatArray, IntArray, RowArray

__all__ = ["Block", "Blocks", "Runner"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Block:
    """Some consecutive rows.

    Parameters
    ----------
    rows : ndarray of shape (n, D), float64 or float32, C-contiguous
    sample_weight : ndarray of shape (n,), float64, or None for weights of one
    span : slice
        Where these rows stand among all rows.
    """

    rows: RowArray
    sample_weight: FloatArray | None
    span: slice


class Blocks(Protocol):
    """Rows, wherever they live, cut into blocks by their number alone."""

    @property
    def n_rows(self) -> int: ...

    @property
    def n_features(self) -> int: ...

    @property
    def total_weight(self) -> float:
        """Sum of the sample weights; the number of rows where none were given."""

    def __len__(self) -> int:
        """Return the number of blocks."""

    def block(self, number: int) -> Block:
        """Return one block; may be called from several threads."""

    def take(self, rows: IntArray) -> FloatArray:
        """Return some rows by number, shape (len(rows), D), as float64."""


class Runner(Protocol):
    """Where sums run. The result does not depend on the number of workers, to the last bit."""

    @property
    def n_workers(self) -> int: ...

    def reduce(
        self,
        blocks: Blocks,
        function: Callable[[Block], T],
        add: Callable[[T, T], T],
        *,
        work: float = float("inf"),
    ) -> T:
        """Return ``function(block 0) + function(block 1) + ...``, added in this order.

        Parameters
        ----------
        blocks : Blocks
            At least one block.
        function : callable
            Called once per block, possibly in parallel.
        add : callable
            Takes the sum so far and the next value; may change and return the former.
        work : float
            Estimated floating-point operations of the whole; small work stays on the calling thread.
        """

    def map(self, tasks: Sequence[Callable[[], T]]) -> list[T]:
        """Return the result of each task, in order; the tasks may run in parallel."""
