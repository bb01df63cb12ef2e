"""Tasks that hold the interpreter lock, side by side in processes of their own."""

from __future__ import annotations

import multiprocessing
import pickle
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, Future
from functools import lru_cache, partial
from itertools import zip_longest
from typing import Any, TypeVar

from mixtura.run.workers import hold_blas, set_threads

__all__ = ["get_ready", "spread"]

S = TypeVar("S")
A = TypeVar("A")
T = TypeVar("T")

_IDLE = 60
"""Seconds without work after which a process that was started ends; until then the next call finds it there."""


def spread(function: Callable[[S, A], T], shared: S, tasks: Sequence[A], n_processes: int) -> Iterator[T]:
    """Yield ``function(shared, task)`` for each task, in order, this process being one of several that work.

    It takes the tasks from the first on, the others from the last on, until they meet: nobody waits for a process that
    is still starting, which takes about half a second. The results are the same for any number of processes, as long
    as those of a task do not depend on the other tasks. Where no process can be started, or one ends before its time,
    this one does what is left. A process that works for another one starts none.

    Parameters
    ----------
    function : callable
        Of a module, so that another process finds it by name.
    shared : object
        What all tasks need; it is sent with each, and unpacked once.
    tasks : sequence
    n_processes : int
        At least 1, this one among them.

    Examples
    --------
    >>> from operator import mul
    >>> from mixtura.run import spread
    >>> list(spread(mul, 10, [1, 2, 3], 1))
    [10, 20, 30]
    """
    futures: list[Future[T]] = []
    if len(tasks) > 1 and not _is_alone(n_processes):
        parcel = pickle.dumps(shared)
        calls = [partial(_work, function, parcel, task) for task in reversed(tasks)]
        futures = _submitted(calls, n_processes)[::-1]
    try:
        for task, future in zip_longest(tasks, futures):
            # What can be called off nobody has begun.
            begun = future is not None and not future.cancel()
            yield _result_of(future, function, shared, task) if begun else function(shared, task)
    finally:
        for future in futures:
            future.cancel()


def get_ready(function: Callable[[S, A], T], n_processes: int) -> None:
    """Start the processes that `spread` will ask to work; nobody waits for them."""
    if not _is_alone(n_processes):
        _submitted([partial(callable, function)] * (n_processes - 1), n_processes)


def _is_alone(n_processes: int) -> bool:
    return n_processes <= 1 or multiprocessing.parent_process() is not None


def _submitted(calls: Sequence[Callable[[], T]], n_processes: int) -> list[Future[T]]:
    """Return the futures of calls in other processes; none where no process can be started."""
    from joblib.externals.loky import get_reusable_executor

    try:
        pool = get_reusable_executor(max_workers=n_processes - 1, timeout=_IDLE)
        return [pool.submit(call) for call in calls]
    except (OSError, BrokenExecutor):
        return []


def _result_of(future: Future[T], function: Callable[[S, A], T], shared: S, task: A) -> T:
    try:
        return future.result()
    except BrokenExecutor:
        return function(shared, task)


def _work(function: Callable[[Any, A], T], parcel: bytes, task: A) -> T:
    with set_threads(1), hold_blas():
        return function(_unpacked(parcel), task)


@lru_cache(maxsize=1)
def _unpacked(parcel: bytes) -> Any:
    return pickle.loads(parcel)  # noqa: S301 -- packed by the process that started this one
