"""Sums whose terms arrive in any order and are added in one."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

__all__ = ["OrderedSum"]

T = TypeVar("T")


class OrderedSum(Generic[T]):
    """Values that arrive in any order, added in the order of their numbers.

    What waits for an earlier value is all that is held.

    Parameters
    ----------
    add : callable
        Takes the sum so far and the next value; may change and return the former.
    """

    def __init__(self, add: Callable[[T, T], T]) -> None:
        self._add = add
        self._waiting: dict[int, T] = {}
        self._total: list[T] = []
        self._next = 0
        self._lock = threading.Lock()

    def put(self, number: int, value: T) -> None:
        with self._lock:
            self._waiting[number] = value
            while self._next in self._waiting:
                ready = self._waiting.pop(self._next)
                self._total[:] = [self._add(self._total[0], ready)] if self._total else [ready]
                self._next += 1

    @property
    def total(self) -> T:
        return self._total[0]
