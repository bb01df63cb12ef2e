"""Time callables side by side: interleaved, best of several, so that what else the machine does hits all alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import perf_counter

import numpy as np
import numpy.typing as npt
from sklearn.datasets import make_blobs

FloatArray = npt.NDArray[np.float64]

__all__ = ["FloatArray", "best_seconds", "make_rows", "print_table"]


def best_seconds(
    calls: Sequence[Callable[[], object]],
    *,
    at_least: int = 3,
    budget: float = 6.0,
    shortest: float = 0.02,
) -> list[float]:
    """Return the best time of each call in seconds, the calls taking turns.

    Parameters
    ----------
    calls : sequence of callables
    at_least : int
        Rounds that are always run.
    budget : float
        Further rounds run until this many seconds are spent, 200 at the most.
    shortest : float
        Seconds that a call is repeated for in each of its turns, at the least.
    """
    numbers = [_repeats(call, shortest) for call in calls]
    best = [np.inf] * len(calls)
    begun, rounds = perf_counter(), 0
    while rounds < at_least or (perf_counter() - begun < budget and rounds < 200):
        for position, (call, number) in enumerate(zip(calls, numbers, strict=True)):
            start = perf_counter()
            for _ in range(number):
                call()
            best[position] = min(best[position], (perf_counter() - start) / number)
        rounds += 1
    return best


def _repeats(call: Callable[[], object], shortest: float) -> int:
    """Return how often to repeat a call in a row so that it takes long enough to be timed warm, as in a loop."""
    call()
    start = perf_counter()
    call()
    return max(1, int(np.ceil(shortest / max(perf_counter() - start, 1e-7))))


def make_rows(n_rows: int, n_features: int, n_components: int, seed: int = 0) -> FloatArray:
    """Return rows of overlapping round components, (N, D)."""
    rows, _ = make_blobs(n_rows, n_features, centers=n_components, cluster_std=3.0, random_state=seed)
    return np.ascontiguousarray(rows)


def print_table(title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a Markdown table."""
    widths = [max(len(row[j]) for row in [header, *rows]) for j in range(len(header))]

    def line(cells: Sequence[str]) -> str:
        return "| " + " | ".join(cell.rjust(width) for cell, width in zip(cells, widths, strict=True)) + " |"

    print(f"\n{title}\n\n{line(header)}\n|{'|'.join('-' * (width + 2) for width in widths)}|")
    for row in rows:
        print(line(row), flush=True)
