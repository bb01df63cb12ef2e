"""A pool of threads over blocks. Kernels release the interpreter lock, so threads run side by side."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

from mixtura.core.protocols import Block, Blocks
from mixtura.run.serial import SerialRunner

__all__ = ["ThreadRunner"]

T = TypeVar("T")

_SMALL_WORK = 2e7
"""Floating-point operations that take about a millisecond: handing them to a thread does not pay."""

_pools: dict[int, ThreadPoolExecutor] = {}
_pools_lock = threading.Lock()


def _pool(n_workers: int) -> ThreadPoolExecutor:
    with _pools_lock:
        if n_workers not in _pools:
            _pools[n_workers] = ThreadPoolExecutor(n_workers, thread_name_prefix="mixtura")
        return _pools[n_workers]


def _forget_pools() -> None:
    """A forked child has no threads: let it start its own."""
    global _pools_lock
    _pools_lock = threading.Lock()
    _pools.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_pools)


class _OrderedSum(Generic[T]):
    """Values that arrive in any order, added in the order of their numbers."""

    def __init__(self, add: Callable[[T, T], T]) -> None:
        self._add = add
        self._waiting: dict[int, T] = {}
        self._total: list[T] = []
        self._next = 0
        self._lock = threading.Lock()

    def put(self, number: int, value: T) -> None:
        with self._lock:
            self._waiting[number] = value
            while self._next in self._waiting:
                ready = self._waiting.pop(self._next)
                self._total[:] = [self._add(self._total[0], ready)] if self._total else [ready]
                self._next += 1

    @property
    def total(self) -> T:
        return self._total[0]


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
        total = _OrderedSum(add)

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
        pool = _pool(len(jobs) - 1)
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
