"""BLAS held to one thread while workers of our own run."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import lru_cache
from typing import Any

from threadpoolctl import ThreadpoolController

__all__ = ["limit_blas_threads"]


@lru_cache(maxsize=1)
def _controller() -> ThreadpoolController:
    """Constructing one looks through all loaded libraries and takes milliseconds."""
    return ThreadpoolController()


class _Hold:
    """How many hold BLAS at present; the first one limits it, the last one gives it its threads back."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._count = 0
        self._limit: AbstractContextManager[Any] | None = None

    def enter(self) -> None:
        with self._lock:
            if self._count == 0:
                self._limit = _controller().limit(limits=1, user_api="blas")
                self._limit.__enter__()
            self._count += 1

    def leave(self) -> None:
        with self._lock:
            self._count -= 1
            if self._count == 0 and self._limit is not None:
                self._limit.__exit__(None, None, None)


_hold = _Hold()


@contextmanager
def limit_blas_threads() -> Iterator[None]:
    """Hold BLAS to one thread: several workers would crowd each other out, and woken threads wait at full speed.

    It may be held by several threads at a time, and again by one that holds it.
    """
    _hold.enter()
    try:
        yield
    finally:
        _hold.leave()
