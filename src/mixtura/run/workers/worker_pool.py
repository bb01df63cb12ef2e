"""Processes that work for this one: they are started when there is work, and end when there has been none for a while.

The standard library's would run the script of the user once more. joblib's do not, but each imports joblib, and another
one looks after them: the first is there twice as late as one that imports what it is asked for alone.
"""

from __future__ import annotations

import atexit
import os
import pickle
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Executor, Future
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Lock, current_thread
from typing import Any, TypeVar

from mixtura.run.workers.worker_thread import Waiting, WorkerThread, fail

__all__ = ["WorkerPool"]

T = TypeVar("T")


class WorkerPool(Executor):
    """Up to a number of processes, each with a thread here.

    A process that ends before its time breaks the pool: what has not been done fails with `BrokenExecutor`.

    Parameters
    ----------
    n_workers : int
    """

    def __init__(self, n_workers: int) -> None:
        self.n_workers, self._is_broken = n_workers, False
        self._owner, self._lock = os.getpid(), Lock()
        self._waiting: Waiting = SimpleQueue()
        self._threads: list[WorkerThread] = []
        atexit.register(self.shutdown)

    @property
    def is_usable(self) -> bool:
        """Whether it takes work: not once it is broken, nor in a child of a fork."""
        return not self._is_broken and self._owner == os.getpid()

    @property
    def n_ready(self) -> int:
        """How many processes have answered, and are there."""
        return sum(thread.is_ready for thread in self._threads)

    def submit(self, function: Callable[..., T], /, *arguments: Any, **_: Any) -> Future[T]:
        """Have a function of a module called by one of the processes.

        Raises
        ------
        BrokenExecutor
            The pool is broken, or shut down.
        """
        future, message = Future[T](), pickle.dumps((function, arguments), protocol=5)
        with self._lock:
            if not self.is_usable:
                raise BrokenExecutor("the processes have ended")
            self._waiting.put((future, message))
            if len(self._threads) < self.n_workers:
                self._threads.append(WorkerThread(self._waiting, self._leave, self._break))
                self._threads[-1].start()
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End all processes; what they have not done fails."""
        atexit.unregister(self.shutdown)
        if self._owner != os.getpid():
            return
        self._break()
        for thread in list(self._threads):
            thread.kill()
            if wait:
                thread.join()

    def _leave(self) -> bool:
        """Let the thread that calls go, if nothing is waiting."""
        with self._lock:
            if self._waiting.empty():
                self._threads = [one for one in self._threads if one is not current_thread()]
                return True
        return False

    def _break(self) -> None:
        """Take no more work, say of what is waiting that it has not been done, and have all threads end."""
        left = []
        with self._lock:
            self._is_broken = True
            with suppress(Empty):
                while True:
                    left.append(self._waiting.get_nowait())
            for _ in self._threads:
                self._waiting.put(None)
        for item in left:
            if item is not None and item[0].set_running_or_notify_cancel():
                fail(item[0])
