"""A thread that gives a process work and takes what it found."""

from __future__ import annotations

import pickle
from collections import deque
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Future
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any, TypeAlias

from mixtura.run.workers.started_process import StartedProcess

__all__ = ["Waiting", "WorkerThread", "fail"]

Waiting: TypeAlias = SimpleQueue[tuple[Future[Any], bytes] | None]
"""What is to be done, and the function and its arguments, pickled; None says that nothing more is."""

_IDLE = 60.0
"""Seconds without work after which a process ends; until then the next call finds it there."""

_IN_HAND = 2
"""What a process is given at a time, so that it need not wait for the next until this one's threads have a moment."""


class WorkerThread(Thread):
    """Starts a process and has it do what is waiting, until nothing has been for a while.

    Parameters
    ----------
    waiting : SimpleQueue
    is_over : callable
        Asked when nothing has been waiting for a while: whether to end.
    broke : callable
        Called where the process cannot be started, or ended before its time. What it has in hand fails.
    """

    def __init__(self, waiting: Waiting, is_over: Callable[[], bool], broke: Callable[[], None]) -> None:
        super().__init__(name="mixtura-worker", daemon=True)
        self.is_ready = False
        self._waiting, self._is_over, self._broke = waiting, is_over, broke
        self._process: StartedProcess | None = None
        self._in_hand = deque[Future[Any]]()

    def run(self) -> None:
        try:
            self._process = process = StartedProcess()
            while self._gives(process):
                done, found = process.receive()
                self.is_ready, future = True, self._in_hand.popleft()
                if done:
                    future.set_result(found)
                else:
                    future.set_exception(found)
        except (OSError, EOFError, pickle.UnpicklingError):
            self._broke()
        finally:
            self.is_ready = False
            if self._process is not None:
                self._process.close()
            for future in self._in_hand:
                fail(future)

    def kill(self) -> None:
        """End the process at once."""
        if self._process is not None:
            self._process.kill()

    def _gives(self, process: StartedProcess) -> bool:
        """Give the process as much as it may have in hand, if there is as much; return False if it is to end."""
        while len(self._in_hand) < _IN_HAND:
            try:
                item = self._waiting.get(not self._in_hand, _IDLE)
            except Empty:
                if self._in_hand:
                    return True
                if self._is_over():
                    return False
                continue
            if item is None:
                return False
            if item[0].set_running_or_notify_cancel():
                self._in_hand.append(item[0])
                process.send(item[1])
        return True


def fail(future: Future[Any]) -> None:
    """Say of something that it has not been done."""
    future.set_exception(BrokenExecutor("a process ended before its time"))
