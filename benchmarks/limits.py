"""What this machine can do at best, measured in the same run: multiply-adds and exponentials per second, one thread."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks.measure import best_seconds

__all__ = ["Limits", "measure_limits"]


@dataclass(frozen=True)
class Limits:
    """Rates of one thread.

    Parameters
    ----------
    matrix_rate : float
        Floating-point operations per second of a float64 matrix product (NumPy's BLAS).
    exp_rate : float
        float64 exponentials per second (NumPy's vector exp).
    """

    matrix_rate: float
    exp_rate: float

    def seconds(self, operations: float, exponentials: float) -> float:
        """Return how long the arithmetic of a pass takes at these rates."""
        return operations / self.matrix_rate + exponentials / self.exp_rate

    def describe(self) -> str:
        return (
            f"Limits of one thread: {self.matrix_rate / 1e9:.1f} GFLOP/s in matrix products (BLAS), "
            f"{1e9 / self.exp_rate:.2f} ns per exponential (NumPy)"
        )


def measure_limits() -> Limits:
    rng = np.random.RandomState(0)
    matrix, values = rng.rand(1200, 1200), -rng.rand(20_000)
    product, exponentials = np.empty_like(matrix), np.empty_like(values)
    with threadpool_limits(1):
        calls = [lambda: np.matmul(matrix, matrix, out=product), lambda: np.exp(values, out=exponentials)]
        multiply, exponentiate = best_seconds(calls, at_least=20, budget=3.0)
    return Limits(2 * 1200**3 / multiply, values.size / exponentiate)
