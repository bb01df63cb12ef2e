"""What one of several threads does, without threads of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

__all__ = ["has_one_thread", "on_one_thread"]

_alone: ContextVar[bool] = ContextVar("_alone", default=False)


def has_one_thread() -> bool:
    """Return whether what this thread does is one of several tasks that threads do side by side."""
    return _alone.get()


@contextmanager
def on_one_thread() -> Iterator[None]:
    """Use no other threads in what this one does until the context is left: others do the same beside it."""
    before = _alone.set(True)
    try:
        yield
    finally:
        _alone.reset(before)
