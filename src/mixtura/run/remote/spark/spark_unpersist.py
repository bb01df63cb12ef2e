"""Dataframes that Spark keeps are let go with what uses them."""

from __future__ import annotations

import threading
import weakref
from contextlib import suppress
from functools import cache
from queue import SimpleQueue
from typing import Any

__all__ = ["unpersist_with"]


def unpersist_with(holder: object, frame: Any) -> weakref.finalize[..., object]:
    """Have Spark let a dataframe go when `holder` is no longer in use, or when the result is called.

    Python may collect an object while the same thread waits for an answer of Spark. Another call would then be
    given that answer, as a thread has one connection; so a thread of its own makes these calls.
    """
    noted = weakref.finalize(holder, _frames_to_unpersist().put, frame)
    noted.atexit = False  # Spark may be over by then
    return noted


@cache
def _frames_to_unpersist() -> SimpleQueue[Any]:
    """Return a queue whose dataframes are unpersisted; a `SimpleQueue` may be put to wherever objects are collected."""
    frames: SimpleQueue[Any] = SimpleQueue()

    def unpersist() -> None:
        while True:
            with suppress(Exception):  # a session that has ended keeps nothing
                frames.get().unpersist()

    threading.Thread(target=unpersist, name="mixtura-unpersist", daemon=True).start()
    return frames
