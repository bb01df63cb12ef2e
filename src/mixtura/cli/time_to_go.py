"""How long work still takes, from how fast it went so far; nothing is said before that is known."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

__all__ = ["TimeToGo", "rounded_time"]

_FEWEST_SECONDS, _LEAST_SHARE = 2.0, 0.04
"""Of work that was watched before its speed is known."""

_NEXT_TO_NOTHING = 2.0
"""Seconds that are not worth a word."""

_BETWEEN = 0.1
"""Seconds between two times that are remembered."""

_EVEN = 1.25
"""How much the latest speed may differ from the average for one number to be said."""

_RECENT = 2 / 3
"""Where the latest part of what was watched begins, of which the latest speed is taken."""


class TimeToGo:
    """The time that work of a known size still takes.

    Two estimates are made, from the speed of all that was watched and from that of its latest third. Where they
    differ, as models of many components take longer than those of few, both are said.

    Parameters
    ----------
    now : callable, default=time.monotonic
        A clock, in seconds.

    Examples
    --------
    >>> from mixtura.cli.time_to_go import TimeToGo
    >>> clock = iter([0.0, 10.0, 20.0])
    >>> watched = TimeToGo(lambda: next(clock))
    >>> [watched.at(done, 100) for done in (0, 10, 20)]
    ['', 'about 90 s to go', 'about 80 s to go']
    """

    def __init__(self, now: Callable[[], float] = monotonic) -> None:
        self._now = now
        self._marks: list[tuple[float, float]] = []

    def at(self, done: float, total: float | None) -> str:
        """Return what is to be said where this much is done; nothing while that is not known."""
        if not total:
            self._marks.clear()
            return ""
        share, time = min(done / total, 1.0), self._now()
        if self._marks and share < self._marks[-1][1]:
            self._marks.clear()  # other work has begun
        if not self._marks or time - self._marks[-1][0] >= _BETWEEN or share >= 1.0:
            self._marks.append((time, share))
        (begun, first) = self._marks[0]
        if time - begun < _FEWEST_SECONDS or share - first < _LEAST_SHARE or share >= 1.0:
            return ""
        estimates = [(1.0 - share) * (time - begun) / (share - first)]
        latest = [one for one in self._marks if first + _RECENT * (share - first) <= one[1] < share]
        if latest:
            since, before = latest[0]
            estimates.append((1.0 - share) * (time - since) / (share - before))
        low, high = min(estimates), max(estimates)
        if high < _NEXT_TO_NOTHING:
            return ""
        if high <= _EVEN * low or rounded_time(low) == rounded_time(high):
            return f"about {rounded_time(0.5 * (low + high))} to go"
        return f"about {rounded_time(low)} to {rounded_time(high)} to go"


def rounded_time(seconds: float) -> str:
    """Return a time as one says it, no more exact than it is known.

    Examples
    --------
    >>> from mixtura.cli.time_to_go import rounded_time
    >>> [rounded_time(one) for one in (3.2, 42.0, 200.0, 9000.0)]
    ['3 s', '40 s', '3 min', '2.5 h']
    """
    if seconds < 10:
        return f"{max(1, round(seconds))} s"
    if seconds < 95:
        return f"{5 * round(seconds / 5)} s"
    return f"{round(seconds / 60)} min" if seconds < 5_400 else f"{seconds / 3_600:.1f} h"
