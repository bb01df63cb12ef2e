"""The next batches of a source read while the last ones are worked on."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from queue import Full, Queue
from typing import Generic, TypeVar

__all__ = ["read_ahead"]

T = TypeVar("T")

_PATIENCE = 0.1
"""Seconds after which the reader looks whether anybody still waits for it."""


@contextmanager
def read_ahead(batches: Iterator[T], count: int = 2) -> Iterator[Iterator[T]]:
    """Give what an iterator yields, some of it read ahead on a thread of its own, which ends with the block.

    Parameters
    ----------
    batches : iterator
        An error that it raises is raised where its next batch is asked for.
    count : int, default=2
        Batches that are read ahead, at most.
    """
    waiting = _Waiting[T](count)
    reader = threading.Thread(target=waiting.read, args=(batches,), name="mixtura-reader", daemon=True)
    reader.start()
    try:
        yield iter(waiting)
    finally:
        waiting.given_up.set()
        reader.join()


class _Waiting(Generic[T]):
    """What was read and not asked for yet; at its end None, or the error that ended it."""

    def __init__(self, count: int) -> None:
        self._queue: Queue[T | BaseException | None] = Queue(count)
        self.given_up = threading.Event()

    def read(self, batches: Iterator[T]) -> None:
        end: BaseException | None = None
        try:
            for batch in batches:
                self._put(batch)
                if self.given_up.is_set():
                    return
        except BaseException as error:  # noqa: BLE001 -- raised again where it is waited for
            end = error
        self._put(end)

    def _put(self, one: T | BaseException | None) -> None:
        while not self.given_up.is_set():
            try:
                self._queue.put(one, timeout=_PATIENCE)
            except Full:
                continue
            return

    def __iter__(self) -> Iterator[T]:
        while (one := self._queue.get()) is not None:
            if isinstance(one, BaseException):
                raise one
            yield one
