"""Tasks side by side: in threads, or where they take longer than processes need to start, in processes."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, ThreadPoolExecutor
from contextlib import ExitStack
from functools import lru_cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

from mixtura.run.blas import limit_blas_threads
from mixtura.run.parallelism import set_threads
from mixtura.run.workers.interrupts import take_interrupts
from mixtura.run.workers.kept_pool import get_pool, note_work
from mixtura.run.workers.one_thread import on_one_thread
from mixtura.run.workers.who_works import Workers
from mixtura.run.workers.work_queue import SharedQueue

__all__ = ["map_tasks"]

S = TypeVar("S")
A = TypeVar("A")
T = TypeVar("T")

_IN_HAND = 2
"""Tasks that a process is given at a time, so that it need not wait for the next."""


def map_tasks(
    function: Callable[[S, A], T],
    shared: S,
    tasks: Sequence[A],
    workers: Workers,
    on_ahead: Callable[[int], object] = lambda count: None,
) -> Iterator[T]:
    """Yield ``function(shared, task)`` for each task, in order, this thread being one of several workers.

    It takes the tasks from the first on, the others from the last on, until they meet: nobody waits for a process that
    is still starting. The results are the same for any workers, as long as those of a task do not depend on the other
    tasks. Where no process can be started, threads take its place; where one ends before its time, this thread does
    what is left. A worker uses one thread, and has no workers of its own.

    Parameters
    ----------
    function : callable
        Of a module, so that another process finds it by name.
    shared : object
        What all tasks need; for processes it lies in a temporary file, which each reads once.
    tasks : sequence
    workers : Workers
    on_ahead : callable, optional
        Called before each result is yielded with how many of later tasks others have finished.

    Examples
    --------
    >>> from operator import mul
    >>> from mixtura.run import Workers, map_tasks
    >>> list(map_tasks(mul, 10, [1, 2, 3], Workers(2)))
    [10, 20, 30]
    """
    if workers.count <= 1 or len(tasks) <= 1:
        for task in tasks:
            with limit_blas_threads():
                found = function(shared, task)
            yield found
        return
    here = partial(_on_one_thread, function, shared)
    with ExitStack() as stack:
        others = _others(function, shared, tasks, workers, stack)
        for number, task in enumerate(tasks):
            try:
                found = here(task) if others.claim(number) else others.result(number)
            except BrokenExecutor:
                found = here(task)
            on_ahead(others.n_finished_after(number))
            yield found


def _others(
    function: Callable[[S, A], T], shared: S, tasks: Sequence[A], workers: Workers, stack: ExitStack
) -> SharedQueue[A, T]:
    """Return what other workers do of the tasks, begun; the stack ends it."""
    pool, n_others = get_pool(workers.count) if workers.are_processes else None, workers.count - 1
    if pool is None:
        threads = stack.enter_context(ThreadPoolExecutor(n_others, thread_name_prefix="mixtura"))
        queue = SharedQueue(threads, partial(_on_one_thread, function, shared), tasks)
    else:
        folder = stack.enter_context(TemporaryDirectory(prefix="mixtura-"))
        payload = Path(folder) / "shared"
        payload.write_bytes(pickle.dumps(shared))
        stack.callback(note_work)
        queue = SharedQueue(pool, partial(_work, function, payload), tasks)
    stack.callback(queue.close)
    queue.start(n_others if pool is None else _IN_HAND * n_others)
    return queue


def _on_one_thread(function: Callable[[S, A], T], shared: S, task: A) -> T:
    with on_one_thread(), limit_blas_threads():
        return function(shared, task)


def _work(function: Callable[[Any, A], T], payload: Path, task: A) -> T:
    take_interrupts()
    with set_threads(1), limit_blas_threads():
        return function(_unpacked(payload), task)


@lru_cache(maxsize=1)
def _unpacked(payload: Path) -> Any:
    return pickle.loads(payload.read_bytes())  # noqa: S301 -- packed by the process that started this one
