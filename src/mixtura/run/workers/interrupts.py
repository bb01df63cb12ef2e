"""Ctrl-C reaches a process only when it works: one that still imports would say where it was interrupted."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["held_interrupts", "take_interrupts"]

_CAN_HOLD = hasattr(signal, "pthread_sigmask")


@contextmanager
def held_interrupts() -> Iterator[None]:
    """Hold back interrupts from this thread for a moment, and from processes that it starts until they take them.

    Where the system knows no masks of signals nothing is held.
    """
    if not _CAN_HOLD:
        yield
        return
    from multiprocessing.resource_tracker import ensure_running

    ensure_running()  # which takes interrupts again when it starts a process of its own
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def take_interrupts() -> None:
    """Take interrupts from now on, and the one that was held back at once, as `KeyboardInterrupt`."""
    if _CAN_HOLD:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
