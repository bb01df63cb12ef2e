"""The processes that work for this one: joblib's, which stay for the next call and do not run the script again."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from concurrent.futures import Executor, Future
from time import monotonic
from typing import Any
from weakref import WeakSet

from mixtura.run.workers.interrupts import held_interrupts, take_interrupts

__all__ = ["get_pool", "note_work", "ready_workers", "start_workers"]

_IDLE = 60
"""Seconds without work after which a process that was started ends; until then the next call finds it there."""

_last: list[tuple[Future[bool], float]] = []
"""What the processes that were started were asked first, and when there was work for them last."""

_owners: set[int] = set()
"""The process that has others. Its copy by `os.fork` has their queues, but nobody who reads them: it would wait."""


_pools: WeakSet[Executor] = WeakSet()
"""Those of `get_pool`."""


def get_pool(n_processes: int) -> Executor | None:
    """Return the other processes; None where there are to be none, none can be started, or others use them."""
    multiprocessing = sys.modules.get("multiprocessing")  # not loaded, it did not start this process
    if n_processes <= 1 or (multiprocessing and multiprocessing.parent_process() is not None):
        return None
    if _owners - {os.getpid()} or _others_work():
        return None
    from joblib.executor import get_memmapping_executor

    try:
        # What `joblib.Parallel` asks for too, so that it knows whose they are; arrays are not mapped into memory.
        pool: Executor = get_memmapping_executor(n_processes - 1, timeout=_IDLE, max_nbytes=None)
    except OSError:
        return None
    _owners.add(os.getpid())
    _pools.add(pool)
    return pool


def _others_work() -> bool:
    """Return whether joblib's processes are at work for somebody else.

    There is one pool; who asks for another kind of it waits until all work is done. A `joblib.Parallel` that returns a
    generator submits tasks while its results are used, and would wait for us.
    """
    loky = sys.modules.get("joblib.externals.loky.reusable_executor")
    pool = getattr(loky, "_executor", None)
    return pool is not None and pool not in _pools and bool(getattr(pool, "_pending_work_items", None))


def start_workers(function: Callable[..., Any], n_processes: int) -> None:
    """Start the processes that `map_processes` will ask to work; nobody waits for them."""
    pool = get_pool(n_processes)
    if pool is not None:
        with held_interrupts():
            begun = [pool.submit(_begin, function) for _ in range(n_processes - 1)]
        _last[:] = [(one, monotonic()) for one in begun]


def note_work() -> None:
    """Note that there was work for the processes until now."""
    _last[:] = [(task, monotonic()) for task, _ in _last]


def ready_workers() -> int:
    """Return how many other processes have been started, are there by now, and have not waited too long for work."""
    return sum(task.done() and monotonic() - used < _IDLE for task, used in _last)


def _begin(function: Callable[..., Any]) -> bool:
    """Do nothing in a process that has imported what the function needs."""
    take_interrupts()
    return callable(function)
