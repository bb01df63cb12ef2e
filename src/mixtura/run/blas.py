"""BLAS held to one thread while workers of our own run."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import lru_cache
from typing import Any

from threadpoolctl import ThreadpoolController

from mixtura._lazy import when_lapack_comes

__all__ = ["limit_blas_threads"]


_WITH_BLAS = ("scipy.linalg", "scipy.special")
"""Packages that bring a BLAS beside NumPy's, and are imported when they are first used."""


@lru_cache(maxsize=1)
def _libraries(came: tuple[bool, ...]) -> list[Any]:
    """Return what controls each BLAS: looking through all loaded libraries takes milliseconds."""
    return list(ThreadpoolController().select(user_api="blas").lib_controllers)


class _Hold:
    """How many hold BLAS at present; the first one limits it, the last one gives it its threads back."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._count = 0
        self._limits = ExitStack()

    def enter(self) -> None:
        with self._lock:
            if self._count == 0:
                self._limit()
            self._count += 1

    def leave(self) -> None:
        with self._lock:
            self._count -= 1
            if self._count == 0:
                self._limits.close()

    def again(self) -> None:
        """Hold a BLAS that has just been loaded, too."""
        with self._lock:
            if self._count > 0:
                self._limit()

    def _limit(self) -> None:
        for library in _libraries(tuple(name in sys.modules for name in _WITH_BLAS)):
            before = library.num_threads
            if before != 1:
                self._limits.callback(library.set_num_threads, before)
                library.set_num_threads(1)


_hold = _Hold()
when_lapack_comes(_hold.again)


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
