"""Where sums run: each module reduces over blocks in one way."""

from mixtura.run.processes import get_ready, spread
from mixtura.run.serial import SerialRunner
from mixtura.run.threads import ThreadRunner
from mixtura.run.workers import get_runner, get_threads, hold_blas, set_threads, with_jobs

__all__ = [
    "SerialRunner",
    "ThreadRunner",
    "get_ready",
    "get_runner",
    "get_threads",
    "hold_blas",
    "set_threads",
    "spread",
    "with_jobs",
]
