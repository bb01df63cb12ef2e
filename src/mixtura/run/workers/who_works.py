"""Who does some tasks side by side."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["ALONE", "Workers"]


@dataclass(frozen=True, slots=True)
class Workers:
    """Threads of this process, or processes.

    Parameters
    ----------
    count : int
        At least 1, this thread or process among them.
    are_processes : bool, default=False
        Processes do not share the interpreter lock, but take about half a second to start.
    """

    count: int
    are_processes: bool = False


ALONE = Workers(1)
"""The calling thread, which may have others in passes."""
