"""How long is a pass over many components, against one that looks at all of them? Side by side, on all threads.

Rows are of micro-segments: 20 segments, in each of which components overlap; of components apart, spheres in a box; and
of components that overlap so much that none can be left out, where a pass must not take longer than one that looks at
all. *All* is a pass of one EM step that evaluates every component of every row; *near* looks at those near to groups of
rows, *sorted* does with rows in the order of their components, as `fit` puts them before it iterates; the sums of both
are asserted equal to 1e-10 first. *1e-6* leaves out that much of a row besides, as ``GaussianMixture(negligible=1e-6)``
does on the way: *gap* is how far its log-likelihood is too small, in nats per row. *Ends apart*: five iterations with
1e-6 and with all, the log-likelihoods then compared, every component counted, in relation to themselves.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from benchmarks.measure import FloatArray, best_seconds, print_table
from mixtura.core.accumulate import EStep
from mixtura.core.covariance import get_family
from mixtura.core.mixture import Mixture
from mixtura.core.model import GaussianModel
from mixtura.core.prior import Ridge
from mixtura.engine import as_data
from mixtura.fit import EMStep, Problem

__all__ = ["CASES", "Case", "main"]


@dataclass(frozen=True)
class Case:
    """Rows of one kind, and the mixture that they come from."""

    kind: str
    covariance_type: str
    n_components: int
    n_rows: int = 1_000_000
    n_features: int = 8

    @property
    def name(self) -> str:
        return f"{self.kind} {self.covariance_type} {self.n_rows:,} x {self.n_features} x {self.n_components}"


CASES = tuple(
    Case(kind, covariance_type, k, 1_000_000 if k < 2000 else 250_000)
    for k in (100, 500, 2000)
    for covariance_type in ("full", "diag")
    for kind in ("segments", "apart", "overlapping")
    if k == 500 or kind == "segments"
)


def make_case(case: Case) -> tuple[FloatArray, Mixture]:
    """Return the rows and the mixture from which they are drawn."""
    rng = np.random.default_rng(0)
    k, d = case.n_components, case.n_features
    if case.kind == "segments":
        means = rng.normal(0, 4, (20, d))[rng.integers(0, 20, k)] + rng.normal(0, 1.2, (k, d))
        widths = rng.uniform(0.3, 0.8, (k, d))
    else:
        means, widths = rng.uniform(-10, 10, (k, d)), np.full((k, d), 1.0 if case.kind == "apart" else 3.0)
    labels = rng.integers(0, k, case.n_rows)
    rows = rng.normal(size=(case.n_rows, d)) * widths[labels]
    covariances = np.square(widths)
    if case.covariance_type == "full":
        axes = np.linalg.qr(rng.normal(size=(k, d, d)))[0]
        covariances = axes @ (covariances[:, :, None] * axes.transpose(0, 2, 1))
        for one in range(k):
            rows[labels == one] = rows[labels == one] @ axes[one].T
    rows += means[labels]
    return rows, Mixture.from_parameters(np.full(k, 1 / k), means, covariances, case.covariance_type)


def run_case(case: Case) -> list[str]:
    rows, mixture = make_case(case)
    data, model = as_data(rows), GaussianModel(case.n_components, get_family(case.covariance_type), Ridge())
    components = mixture.components(model.moments[0])
    ways = [(data, 0.0), (data, 1e-12)]
    ways += [(data.near_together(components), share) for share in (1e-12, 1e-6)]
    tasks = [(on, EStep(replace(components, negligible=share), on.kernel)) for on, share in ways]
    whole, near, sorted_, rough = (on.reduce(task).sums for on, task in tasks)
    for sums in (near, sorted_):
        assert np.allclose(sums, whole, rtol=1e-10, atol=1e-10 * np.abs(whole[2:]).max()), case
    calls: list[Callable[[], object]] = [lambda on=on, task=task: on.reduce(task) for on, task in tasks]
    seconds = best_seconds(calls, budget=0.0)
    ends = [run_steps(Problem(data, model), share, mixture) for share in (0.0, 1e-6)]
    return [
        case.name,
        *(f"{1e3 * one:.0f}" for one in seconds),
        *(f"{seconds[0] / one:.1f}" for one in seconds[1:]),
        f"{(whole[0] - rough[0]) / case.n_rows:.0e}",
        f"{abs(ends[1] / ends[0] - 1):.0e}",
    ]


def run_steps(problem: Problem, negligible: float, mixture: Mixture, n_steps: int = 5) -> float:
    """Return the mean log-likelihood after some iterations, every component counted in the last pass."""
    step, last = EMStep(problem, negligible), EMStep(problem, 0.0)
    state = step.init(mixture)
    for _ in range(n_steps):
        state, _ = step(state)
    return last(state)[1].objective


def main(only: str = "") -> None:
    times, ratios = ("all, ms", "near", "sorted", "1e-6"), ("near, ratio", "sorted", "1e-6")
    header = ("rows x columns x components", *times, *ratios, "gap", "ends apart")
    print_table(
        "One pass over many components", header, [run_case(case) for case in CASES if only in case.name]
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
