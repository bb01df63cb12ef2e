"""Tasks that hold the interpreter lock, side by side in worker processes."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor
from functools import lru_cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

from mixtura.run.blas import limit_blas_threads
from mixtura.run.parallelism import set_threads
from mixtura.run.workers.interrupts import take_interrupts
from mixtura.run.workers.kept_pool import get_pool, note_work
from mixtura.run.workers.work_queue import SharedQueue

__all__ = ["map_processes"]

S = TypeVar("S")
A = TypeVar("A")
T = TypeVar("T")

_IN_HAND = 2
"""Tasks that a process is given at a time, so that it need not wait for the next."""


def map_processes(
    function: Callable[[S, A], T],
    shared: S,
    tasks: Sequence[A],
    n_processes: int,
    on_ahead: Callable[[int], object] = lambda count: None,
) -> Iterator[T]:
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
        What all tasks need; it lies in a temporary file, which each process reads once.
    tasks : sequence
    n_processes : int
        At least 1, this one among them.
    on_ahead : callable, optional
        Called before each result is yielded with how many of later tasks others have finished.

    Examples
    --------
    >>> from operator import mul
    >>> from mixtura.run import map_processes
    >>> list(map_processes(mul, 10, [1, 2, 3], 1))
    [10, 20, 30]
    """
    pool = get_pool(n_processes) if len(tasks) > 1 else None
    if pool is None:
        for task in tasks:
            yield _alone(function, shared, task)
        return
    with TemporaryDirectory(prefix="mixtura-") as folder:
        payload = Path(folder) / "shared"
        payload.write_bytes(pickle.dumps(shared))
        others = SharedQueue(pool, partial(_work, function, payload), tasks)
        try:
            others.start(_IN_HAND * (n_processes - 1))
            for number, task in enumerate(tasks):
                try:
                    found = _alone(function, shared, task) if others.claim(number) else others.result(number)
                except BrokenExecutor:
                    found = _alone(function, shared, task)
                on_ahead(others.n_finished_after(number))
                yield found
        finally:
            others.close()
            note_work()


def _alone(function: Callable[[S, A], T], shared: S, task: A) -> T:
    with limit_blas_threads():
        return function(shared, task)


def _work(function: Callable[[Any, A], T], payload: Path, task: A) -> T:
    take_interrupts()
    with set_threads(1), limit_blas_threads():
        return function(_unpacked(payload), task)


@lru_cache(maxsize=1)
def _unpacked(payload: Path) -> Any:
    return pickle.loads(payload.read_bytes())  # noqa: S301 -- packed by the process that started this one
