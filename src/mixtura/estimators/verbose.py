"""What ``verbose`` prints, in scikit-learn's words."""

from __future__ import annotations

from time import perf_counter

from mixtura.fit import Event, FitResult

__all__ = ["Narrator"]


class Narrator:
    """Print starts and iterations as they happen.

    Parameters
    ----------
    level : int
        1 prints starts and iterations, 2 also times and changes.
    interval : int
        Print every this many iterations.
    """

    def __init__(self, level: int, interval: int) -> None:
        self._level, self._interval = level, interval
        self._n_starts = 0
        self._last = perf_counter()

    def __call__(self, event: Event, state: object) -> None:
        if event.iteration == 1:
            print(f"Initialization {self._n_starts}")
            self._n_starts += 1
        if event.iteration % self._interval:
            return
        line = f"  Iteration {event.iteration}"
        if self._level > 1:
            now = perf_counter()
            line += f"\t time lapse {now - self._last:.5f}s\t ll change {event.change:.5f}"
            self._last = now
        print(line)

    @staticmethod
    def summarize(result: FitResult) -> None:
        """Print how each start ended."""
        for number, trace in enumerate(result.traces):
            print(f"Initialization {number} {'converged' if trace.converged else 'did not converge'}.")
            if trace.gap is not None:
                print(
                    f"  Components left out: the bound was {trace.gap:.1e} nats below the log-likelihood of a row."
                )
