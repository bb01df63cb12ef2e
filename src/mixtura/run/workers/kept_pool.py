"""The processes of this one, which stay for the next call."""

from __future__ import annotations

import sys

from mixtura.run.workers.worker_pool import WorkerPool
from mixtura.run.workers.worker_process import is_at_work

__all__ = ["get_pool", "ready_workers"]

_pools: list[WorkerPool] = []


def get_pool(n_processes: int) -> WorkerPool | None:
    """Return the other processes, this one among as many as there are to be; None where there are no others.

    One that works for another one has none, lest there be more than cores.
    """
    multiprocessing = sys.modules.get("multiprocessing")  # not loaded, it did not start this process
    works_for_another = is_at_work() or (multiprocessing and multiprocessing.parent_process() is not None)
    if n_processes <= 1 or works_for_another or getattr(sys, "frozen", False):
        return None
    pool = _pools[0] if _pools else None
    if pool is not None and pool.is_usable and pool.n_workers < n_processes:
        pool.n_workers = n_processes - 1
        return pool
    if pool is not None:
        pool.shutdown(wait=False)
    _pools[:] = [WorkerPool(n_processes - 1)]
    return _pools[0]


def ready_workers() -> int:
    """Return how many other processes are there already, from an earlier call."""
    return sum(pool.n_ready for pool in _pools if pool.is_usable)
