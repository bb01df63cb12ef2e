"""A runner that works on several threads: kernels release the interpreter lock, so that they run side by side."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from mixtura.core.protocols import Blocks, Pass, RowState
from mixtura.run.blas import limit_blas_threads
from mixtura.run.ordered import OrderedSum
from mixtura.run.serial import SerialRunner, reduce_in_order
from mixtura.run.state import StatesInMemory

__all__ = ["ThreadRunner"]

T = TypeVar("T")

_SMALL_WORK = 2e7
"""Floating-point operations that take about a millisecond: handing them to a thread does not pay."""


class _Pools:
    """The pools of this process, by size; started when first used and kept."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Start again: a forked child has none of its parent's threads, and may have its lock held."""
        self._lock = threading.Lock()
        self._by_size: dict[int, ThreadPoolExecutor] = {}

    def get(self, n_workers: int) -> ThreadPoolExecutor:
        with self._lock:
            if n_workers not in self._by_size:
                self._by_size[n_workers] = ThreadPoolExecutor(n_workers, thread_name_prefix="mixtura")
            return self._by_size[n_workers]


_pools = _Pools()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_pools.forget)


class ThreadRunner(StatesInMemory):
    """Run blocks on several threads, the calling one among them.

    Parameters
    ----------
    n_workers : int
        How many threads, at least 1.
    hold_blas : bool, default=False
        Hold BLAS to one thread during a pass: for kernels that use it.
    """

    def __init__(self, n_workers: int, *, hold_blas: bool = False) -> None:
        self.n_workers = n_workers
        self._hold_blas = hold_blas

    def alone(self) -> SerialRunner:
        return SerialRunner(hold_blas=self._hold_blas)

    def in_memory(self) -> ThreadRunner:
        return self

    def reduce(self, blocks: Blocks, task: Pass[T], *states: RowState) -> T:
        if self._hold_blas:
            with limit_blas_threads():
                return self._reduce(blocks, task, *states)
        return self._reduce(blocks, task, *states)

    def _reduce(self, blocks: Blocks, task: Pass[T], *states: RowState) -> T:
        n_blocks = len(blocks)
        n_workers = self.n_workers if self.n_workers < n_blocks else n_blocks
        if n_workers == 1 or task.work(blocks) < _SMALL_WORK:
            return reduce_in_order(blocks, task, *states)
        numbers, total = iter(range(len(blocks))), OrderedSum(task.add)

        def drain() -> None:
            for number in _shared(numbers):
                block = blocks.block(number)
                total.put(number, task(block, *(state.of(block) for state in states)))

        self._side_by_side([drain] * n_workers)
        return total.total

    def map(self, tasks: Sequence[Callable[[], T]]) -> list[T]:
        if self.n_workers == 1 or len(tasks) == 1:
            return self.alone().map(tasks)
        results: dict[int, T] = {}
        numbers = iter(range(len(tasks)))

        def drain() -> None:
            for number in _shared(numbers):
                results[number] = tasks[number]()

        with limit_blas_threads():
            self._side_by_side([drain] * min(self.n_workers, len(tasks)))
        return [results[number] for number in range(len(tasks))]

    @staticmethod
    def _side_by_side(jobs: Sequence[Callable[[], None]]) -> None:
        """Run the last job here and the others on the pool; raise what any of them raised, once all ended."""
        pool = _pools.get(len(jobs) - 1)
        futures: list[Future[None]] = [pool.submit(job) for job in jobs[:-1]]
        try:
            jobs[-1]()
        finally:
            errors = [future.exception() for future in futures]
        for error in errors:
            if error is not None:
                raise error


def _shared(numbers: Iterator[int]) -> Iterator[int]:
    """Yield from one iterator that several threads take from (taking the next of a range is atomic)."""
    yield from iter(lambda: next(numbers, -1), -1)
