"""A work queue: the caller takes tasks from the front, worker processes from the back."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future
from functools import partial
from typing import Generic, TypeVar

from mixtura.run.workers.interrupts import held_interrupts

__all__ = ["SharedQueue"]

A = TypeVar("A")
T = TypeVar("T")


class SharedQueue(Generic[A, T]):
    """What others do of some tasks: the last of those left, one after the other.

    Parameters
    ----------
    pool : Executor
    work : callable
        Does a task.
    tasks : sequence
    """

    def __init__(self, pool: Executor, work: Callable[[A], T], tasks: Sequence[A]) -> None:
        self._pool, self._work, self._tasks = pool, work, tasks
        # Taken from by several threads, one task at a time.
        self._left = deque(range(len(tasks)))
        self._results: list[Future[T]] = [Future() for _ in tasks]

    def start(self, count: int) -> None:
        """Hand out this many tasks; each that is done asks for another one."""
        for _ in range(count):
            self._hand_out()

    def claim(self, number: int) -> bool:
        """Claim a task, the first that is left, for the caller; return False where others have it already."""
        try:
            # As others take the last, the first left is this one or none.
            return self._left.popleft() == number
        except IndexError:
            return False

    def result(self, number: int) -> T:
        return self._results[number].result()

    def n_finished_after(self, number: int) -> int:
        """Return how many tasks with higher numbers others have finished."""
        return sum(one.done() for one in self._results[number + 1 :])

    def close(self) -> None:
        """Hand out no more."""
        self._left.clear()

    def _hand_out(self) -> None:
        try:
            number = self._left.pop()
        except IndexError:
            return
        try:
            with held_interrupts():
                handed = self._pool.submit(self._work, self._tasks[number])
            handed.add_done_callback(partial(self._take, number))
        except (OSError, RuntimeError) as error:
            self._results[number].set_exception(BrokenExecutor(str(error)))

    def _take(self, number: int, done: Future[T]) -> None:
        error = BrokenExecutor("called off") if done.cancelled() else done.exception()
        if error is None:
            self._results[number].set_result(done.result())
        else:
            self._results[number].set_exception(error)
        self._hand_out()
