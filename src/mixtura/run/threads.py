"""A pool of threads over blocks. Kernels release the interpreter lock, so threads run side by side."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from mixtura.core.protocols import Block, Blocks
from mixtura.run.ordered import OrderedSum
from mixtura.run.serial import SerialRunner

__all__ = ["ThreadRunner"]

T = TypeVar("T")

_SMALL_WORK = 2e7
"""Floating-point operations that take about a millisecond: handing them to a thread does not pay."""


class _Pools:
    """The pools of this process, by size; started when first used and kept."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Begin anew: a forked child has none of its parent's threads, and may have its lock held."""
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


class ThreadRunner:
    """Run blocks on several threads, the calling one among them.

    Parameters
    ----------
    n_workers : int
        How many threads, at least 1.
    """

    def __init__(self, n_workers: int) -> None:
        self.n_workers = n_workers

    def reduce(
        self,
        blocks: Blocks,
        function: Callable[[Block], T],
        add: Callable[[T, T], T],
        *,
        work: float = float("inf"),
    ) -> T:
        n_workers = min(self.n_workers, len(blocks))
        if n_workers == 1 or work < _SMALL_WORK:
            return SerialRunner().reduce(blocks, function, add)
        numbers = iter(range(len(blocks)))
        total = OrderedSum(add)

        def drain() -> None:
            for number in _shared(numbers):
                total.put(number, function(blocks.block(number)))

        self._side_by_side([drain] * n_workers)
        return total.total

    def map(self, tasks: Sequence[Callable[[], T]]) -> list[T]:
        if self.n_workers == 1 or len(tasks) == 1:
            return SerialRunner().map(tasks)
        results: dict[int, T] = {}
        numbers = iter(range(len(tasks)))

        def drain() -> None:
            for number in _shared(numbers):
                results[number] = tasks[number]()

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
