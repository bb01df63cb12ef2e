"""How long is one EM iteration, against scikit-learn's? Same start, one process, both on one thread.

The log-likelihoods of the start and of the next mixture are asserted equal to 1e-9 before any time is told.
"""

from __future__ import annotations

import sys
import warnings
from dataclasses import dataclass

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture as Peer
from threadpoolctl import threadpool_limits

from benchmarks.limits import Limits, measure_limits
from benchmarks.measure import FloatArray, best_seconds, make_rows, print_table
from mixtura.core.covariance import get_family
from mixtura.core.data import Data
from mixtura.core.mixture import Mixture
from mixtura.core.model import GaussianModel
from mixtura.core.prior import Ridge
from mixtura.data import ArrayBlocks
from mixtura.fit import EMStep, Problem
from mixtura.kernels import Kernel, get_kernel
from mixtura.run import SerialRunner, ThreadRunner

__all__ = ["CASES", "Case", "main"]


@dataclass(frozen=True)
class Case:
    """One size, and the ratio to scikit-learn that was asked for."""

    n_rows: int
    n_features: int
    n_components: int
    covariance_type: str
    asked: float

    @property
    def name(self) -> str:
        return f"{self.n_rows:,} x {self.n_features} x {self.n_components}"

    @property
    def operations(self) -> float:
        """Floating-point operations of a pass, exponentials aside."""
        n, d, k = self.n_rows, self.n_features, self.n_components
        return {
            "full": 2.0 * n * k * d * d,
            "diag": 8.0 * n * k * d,
            "spherical": 8.0 * n * k * d,
            "tied": 5.0 * n * k * d + n * d * d,
        }[self.covariance_type]


CASES = (
    Case(300, 2, 3, "full", 4),
    Case(10_000, 5, 5, "full", 14),
    Case(200_000, 10, 10, "full", 12),
    Case(1_000_000, 2, 5, "full", 28),
    Case(20_000, 50, 20, "full", 4.5),
    Case(5_000, 200, 10, "full", 1.8),
    Case(20_000, 8, 100, "full", 13),
    Case(1_000_000, 16, 64, "diag", 8),
    Case(1_000_000, 10, 10, "tied", 22),
    Case(1_000_000, 10, 10, "spherical", 12),
)


WIDTH = 0.5
"""Added to the variances of the start, so that no component is degenerate and all libraries can go on from it."""


def start_of(case: Case, rows: FloatArray) -> Peer:
    """Return a mixture that scikit-learn fitted to some of the rows: what all then iterate from."""
    rng = np.random.RandomState(0)
    sample = rows[rng.choice(case.n_rows, min(case.n_rows, 20_000), replace=False)]
    peer = Peer(
        case.n_components,
        covariance_type=case.covariance_type,
        init_params="k-means++",
        max_iter=5,
        tol=0,
        reg_covar=WIDTH,
        random_state=0,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return peer.fit(sample).set_params(reg_covar=Ridge().ridge)


def as_mixture(peer: Peer) -> Mixture:
    return Mixture.from_parameters(peer.weights_, peer.means_, peer.covariances_, peer.covariance_type)


def peer_step(peer: Peer, rows: FloatArray) -> float:
    log_likelihood, log_resp = peer._e_step(rows)
    peer._m_step(rows, log_resp)
    return float(log_likelihood)


def our_step(case: Case, rows: FloatArray, kernel: Kernel, threads: int) -> EMStep:
    runner = SerialRunner() if threads == 1 else ThreadRunner(threads)
    family = get_family(case.covariance_type)
    return EMStep(
        Problem(Data(ArrayBlocks(rows), kernel, runner), GaussianModel(case.n_components, family, Ridge()))
    )


def require_equal(case: Case, rows: FloatArray, peer: Peer, steps: list[EMStep]) -> None:
    """Stop unless two iterations have the same log-likelihoods."""
    first = as_mixture(peer)
    expected = [peer_step(peer, rows), peer_step(peer, rows)]
    for step in steps:
        state, move = step(step.init(first))
        found = [move.objective, step(state)[1].objective]
        assert np.allclose(found, expected, rtol=1e-9, atol=0), (case, found, expected)


def run_case(case: Case, limits: Limits) -> list[str]:
    rows = make_rows(case.n_rows, case.n_features, case.n_components)
    peer = start_of(case, rows)
    native, twin = get_kernel("native"), get_kernel("numpy")
    steps = [our_step(case, rows, native, 1), our_step(case, rows, native, 2), our_step(case, rows, twin, 1)]
    mixture = as_mixture(peer)
    with threadpool_limits(1):
        require_equal(case, rows, start_of(case, rows), steps)
        calls = [
            lambda: peer_step(peer, rows),
            *[lambda step=step: step(step.init(mixture)) for step in steps],
        ]
        theirs, one, two, numpy_twin = best_seconds(calls)
    least = limits.seconds(case.operations, case.n_rows * case.n_components)
    return [
        case.name,
        case.covariance_type,
        f"{1e3 * theirs:.3g}",
        f"{1e3 * one:.3g}",
        f"{theirs / one:.1f}",
        f"{case.asked:g}",
        f"{one / two:.2f}",
        f"{theirs / numpy_twin:.1f}",
        f"{100 * least / one:.0f} %",
    ]


def main(only: str = "") -> None:
    limits = measure_limits()
    print(limits.describe())
    header = (
        "rows x features x components",
        "type",
        "scikit-learn ms",
        "mixtura ms",
        "ratio",
        "asked",
        "2 threads",
        "NumPy twin ratio",
        "of the limit",
    )
    table = [run_case(case, limits) for case in CASES if only in case.name + case.covariance_type]
    print_table("One EM iteration, one thread (ratio: scikit-learn / mixtura)", header, table)


if __name__ == "__main__":
    main(*sys.argv[1:])
