"""What runs in a process that works for another one."""

from __future__ import annotations

import gc
import os
import pickle
import sys
import traceback
from contextlib import suppress
from queue import SimpleQueue
from threading import Thread
from typing import Any

__all__ = ["is_at_work", "serve"]

_at_work: list[bool] = []


def is_at_work() -> bool:
    """Return whether this process works for another one."""
    return bool(_at_work)


def serve() -> None:
    """Do what comes on standard input until it ends; what is found goes where standard output went.

    Messages are pickled twice, so that one that cannot be unpacked leaves the next in its place. What comes is a
    function and its arguments, what goes whether it was done, and the result or the error.
    """
    _at_work.append(True)
    results = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what is printed is not a result
    messages: SimpleQueue[bytes | None] = SimpleQueue()
    # Read at once: the process that sends may wait until it can send, and only then takes what is found.
    Thread(target=_read, args=(messages,), daemon=True).start()
    while (message := messages.get()) is not None:
        answer = _packed(*_done(message))
        try:
            pickle.dump(answer, results, protocol=5)
            results.flush()
        except OSError:  # nobody is there any more
            os._exit(1)


def _read(messages: SimpleQueue[bytes | None]) -> None:
    with suppress(EOFError):
        while True:
            messages.put(pickle.load(sys.stdin.buffer))  # noqa: S301 -- packed by the process that started this one
    messages.put(None)


def _done(message: bytes) -> tuple[bool, Any]:
    try:
        gc.disable()  # what is imported here is not garbage
        function, arguments = pickle.loads(message)  # noqa: S301 -- as above
        gc.enable()
        return True, function(*arguments)
    except Exception as error:  # noqa: BLE001 -- whatever it is, it is that of the one who asked
        error.add_note(f"In a process that worked for this one:\n{traceback.format_exc()}")
        return False, error


def _packed(done: bool, found: Any) -> bytes:
    try:
        return pickle.dumps((done, found), protocol=5)
    except Exception as error:  # noqa: BLE001 -- as above
        return pickle.dumps((False, RuntimeError(f"{type(error).__name__}: {error}")), protocol=5)
