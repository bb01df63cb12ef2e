"""Where the time of a search goes: shares of the processor's time of one core, by samples of the stack.

Samples are taken by the time that the process has used, so that what else runs on the machine matters little. Needs a
signal for it (``SIGPROF``), which Windows does not have.
"""

from __future__ import annotations

import signal
from collections import defaultdict
from collections.abc import Sequence
from time import process_time
from types import FrameType

import mixtura
from benchmarks.measure import print_table
from benchmarks.selection import make_overlapping
from mixtura.select import search

__all__ = ["main"]

_EVERY = 0.004
"""Seconds between samples, as often as Linux takes them."""

_SECONDS = 10.0

_STARTS = (
    "SharedStarts.",
    "_Task.__call__.<locals>.first",
    "_begun",
    "draw_subsamples",
    "join_components",
    "split_components",
)

PARTS = {
    "iterations, several in one call, compiled": ("Stretch._run",),
    "passes, compiled": ("NativeKernel.",),
    "M-steps, trees, small algebra, compiled": ("NativeAlgebra.",),
    "Python of starts": _STARTS,
    "Python of degeneracies and scores": ("find_degeneracies", "score_mixture"),
    "Python of steps, passes and M-steps that are not in such calls": ("EMStep.", "WarmupEM.", "maximize"),
    "Python around several iterations": (
        "StretchedEM.",
        "stretched",
        "StretchStates.",
        "Stretch.",
        "_Contest.",
    ),
    "the loop, races and stopping rules": ("iterate", "take_together", "Racing.", "fit_best_of"),
}
"""By functions, the first of which is found: compiled ones innermost, the others anywhere in the stack."""

_N_COMPILED = 3


def part_of(stack: Sequence[str]) -> str:
    """Return the part that a stack of names of functions, the innermost first, belongs to."""
    for number, (part, names) in enumerate(PARTS.items()):
        looked_at = stack[:1] if number < _N_COMPILED else stack
        if any(one.startswith(name) for one in looked_at for name in names):
            return part
    return "the rest"


class Sampler:
    """Adds up seconds by parts while it is entered: each sample stands for the time since the one before.

    While compiled code runs for long none is taken.
    """

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self._latest = 0.0

    def __enter__(self) -> Sampler:
        self._latest = process_time()
        signal.signal(signal.SIGPROF, self._take)
        signal.setitimer(signal.ITIMER_PROF, _EVERY, _EVERY)
        return self

    def __exit__(self, *error: object) -> None:
        signal.setitimer(signal.ITIMER_PROF, 0)

    def _take(self, number: int, frame: FrameType | None) -> None:
        stack = list[str]()
        while frame is not None:
            if "mixtura" in frame.f_code.co_filename:
                stack.append(frame.f_code.co_qualname)
            frame = frame.f_back
        now = process_time()
        self.seconds[part_of(stack)] += now - self._latest
        self._latest = now


def main() -> None:
    cases = {
        "2,000 x 5, 14 families": ((2_000, 5), "all"),
        "9,000 x 4, 14 families": ((9_000, 4), "all"),
        "100,000 x 5, 4 types": ((100_000, 5), ("full", "tied", "diag", "spherical")),
    }
    columns, seconds = list[dict[str, float]](), list[float]()
    with mixtura.set_threads(1):
        for shape, families in cases.values():
            rows, sampler = make_overlapping(*shape), Sampler()
            search(rows, covariance_types=families)
            begun, n_searches = process_time(), 0
            with sampler:
                while process_time() - begun < _SECONDS:
                    search(rows, covariance_types=families)
                    n_searches += 1
            columns.append(sampler.seconds)
            seconds.append((process_time() - begun) / n_searches)
    table = [
        [part, *(f"{100 * one[part] / sum(one.values()):.0f} %" for one in columns)]
        for part in (*PARTS, "the rest")
    ]
    table.append(["seconds of the processor", *(f"{one:.2f}" for one in seconds)])
    print_table("Shares of the time of a search on one core", ("part", *cases), table)


if __name__ == "__main__":
    main()
