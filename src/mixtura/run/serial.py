"""A runner that works on the calling thread, one block after the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from mixtura.core.protocols import Blocks, Pass, RowState
from mixtura.run.blas import limit_blas_threads
from mixtura.run.state import StatesInMemory

__all__ = ["SerialRunner"]

T = TypeVar("T")


class SerialRunner(StatesInMemory):
    """Run everything on the calling thread.

    Parameters
    ----------
    hold_blas : bool, default=False
        Hold BLAS to one thread during a pass: for kernels that use it.
    """

    n_workers = 1

    def __init__(self, *, hold_blas: bool = False) -> None:
        self._hold_blas = hold_blas

    def alone(self) -> SerialRunner:
        return self

    def in_memory(self) -> SerialRunner:
        return self

    def reduce(self, blocks: Blocks, task: Pass[T], *states: RowState) -> T:
        if self._hold_blas:
            with limit_blas_threads():
                return reduce_in_order(blocks, task, *states)
        return reduce_in_order(blocks, task, *states)

    def map(self, tasks: Sequence[Callable[[], T]]) -> list[T]:
        with limit_blas_threads():
            return [task() for task in tasks]


def reduce_in_order(blocks: Blocks, task: Pass[T], *states: RowState) -> T:
    """Return the sum of a pass over all blocks, one after the other."""
    block = blocks.block(0)
    total = task(block, *[state.of(block) for state in states]) if states else task(block)
    for number in range(1, len(blocks)):
        block = blocks.block(number)
        total = task.add(total, task(block, *[state.of(block) for state in states]))
    return total
