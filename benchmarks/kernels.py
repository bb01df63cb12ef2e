"""How long is one pass, by each kernel and instruction set? One thread, chunks as the runners cut them.

The sums of every kernel are asserted equal to the numpy kernel's to 1e-9 before any time is told.
The share is what the arithmetic of the pass would take at the rates measured in the same run (BLAS matrix
products, NumPy's exponential) over what the pass took. It may exceed one: the native core does only the lower
halves, and its multiply-adds keep up with the processor where NumPy's BLAS was not built for it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks.limits import Limits, measure_limits
from benchmarks.measure import FloatArray, best_seconds, make_rows, print_table
from mixtura.kernels import Components, Kernel, Layout, Outputs, get_kernel, sums_size
from mixtura.kernels.native import supported_instruction_sets

__all__ = ["CASES", "Case", "main"]

CHUNK = 8192


@dataclass(frozen=True)
class Case:
    """One pass to time; `hard` gives rows wholly to a component, as K-means does."""

    n_rows: int
    n_features: int
    n_components: int
    layout: Layout
    hard: bool = False

    @property
    def name(self) -> str:
        shape = f"{self.n_rows:,} x {self.n_features} x {self.n_components} {self.layout}"
        return shape + (" hard" if self.hard else "")

    @property
    def operations(self) -> float:
        """Multiply-adds that cannot be left out, counted twice: densities and sums."""
        d, k = self.n_features, self.n_components
        triangle = d * (d + 1) / 2
        each = {
            Layout.DENSE: k * (2 * triangle + 2 * d),
            Layout.DIAGONAL: k * 4 * d,
            Layout.SHARED: triangle + k * (d if self.hard else 2 * d),
        }
        return 2.0 * self.n_rows * each[self.layout]

    @property
    def exponentials(self) -> float:
        return 0.0 if self.hard else float(self.n_rows * self.n_components)


CASES = (
    Case(300, 2, 3, Layout.DENSE),
    Case(10_000, 5, 5, Layout.DENSE),
    Case(200_000, 10, 10, Layout.DENSE),
    Case(1_000_000, 2, 5, Layout.DENSE),
    Case(20_000, 50, 20, Layout.DENSE),
    Case(5_000, 200, 10, Layout.DENSE),
    Case(20_000, 8, 100, Layout.DENSE),
    Case(200_000, 16, 64, Layout.DIAGONAL),
    Case(1_000_000, 10, 10, Layout.DIAGONAL),
    Case(1_000_000, 10, 10, Layout.SHARED),
    Case(1_000_000, 10, 10, Layout.SHARED, hard=True),
)


def components_of(case: Case, rows: FloatArray) -> Components:
    """Means at rows, factors near the rows' own scale."""
    rng = np.random.RandomState(1)
    k, d = case.n_components, case.n_features
    means = np.ascontiguousarray(rows[rng.choice(len(rows), k, replace=False)])
    factors = (np.tril(0.1 * rng.randn(k, d, d), -1) + np.eye(d)) / rows.std()
    shaped = {
        Layout.DENSE: factors,
        Layout.DIAGONAL: np.diagonal(factors, axis1=1, axis2=2),
        Layout.SHARED: factors[0],
    }[case.layout]
    return Components(case.layout, means, np.ascontiguousarray(shaped), np.zeros(k))


def one_pass(kernel: Kernel, case: Case, rows: FloatArray, components: Components) -> FloatArray:
    sums = np.zeros(sums_size(case.layout, case.n_components, case.n_features))
    outputs = Outputs()
    for start in range(0, len(rows), CHUNK):
        kernel.accumulate(rows[start : start + CHUNK], None, components, sums, outputs, hard=case.hard)
    return sums


def run_case(case: Case, kernels: list[Kernel], limits: Limits) -> list[list[str]]:
    rows = make_rows(case.n_rows, case.n_features, case.n_components)
    components = components_of(case, rows)
    truth = one_pass(get_kernel("numpy"), case, rows, components)
    calls: list[Callable[[], object]] = []
    for kernel in kernels:
        sums = one_pass(kernel, case, rows, components)
        assert np.allclose(sums, truth, rtol=1e-9, atol=1e-9 * np.abs(truth[1:]).max()), (case, kernel)
        calls.append(lambda kernel=kernel: one_pass(kernel, case, rows, components))
    lines = []
    for kernel, seconds in zip(kernels, best_seconds(calls, budget=4.0), strict=True):
        lines.append(
            [
                case.name,
                f"{kernel.name} {kernel.instruction_set}",
                f"{1e3 * seconds:.3f}",
                f"{1e9 * seconds / (case.n_rows * case.n_components):.2f}",
                f"{case.operations / seconds / 1e9:.1f}",
                f"{limits.seconds(case.operations, case.exponentials) / seconds:.0%}",
            ]
        )
    return lines


def main(only: str = "") -> None:
    kernels = [get_kernel("native", instruction_set=name) for name in supported_instruction_sets()]
    kernels.append(get_kernel("numpy"))
    limits = measure_limits()
    header = ("rows x features x components", "kernel", "ms", "ns/row/comp.", "GFLOP/s", "share of limit")
    with threadpool_limits(1):
        table = [line for case in CASES if only in case.name for line in run_case(case, kernels, limits)]
    print(limits.describe())
    print_table("One pass, one thread", header, table)


if __name__ == "__main__":
    main(*sys.argv[1:])
