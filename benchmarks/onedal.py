"""Against oneDAL's em_gmm (package daal4py): seconds per EM iteration, two threads each, from the same start.

oneDAL has no call for one iteration, so a run of 11 less a run of 1 is divided by 10. After the same number of
iterations the log-likelihoods are asserted equal to 1e-8: oneDAL regularizes differently, but not where components are
wide.
"""

from __future__ import annotations

import sys
import types
from typing import Any

import numpy as np

from benchmarks.iteration import Case, as_mixture, start_of
from benchmarks.measure import FloatArray, best_seconds, make_rows, print_table
from mixtura.core.covariance import get_family
from mixtura.core.data import Data
from mixtura.core.mixture import Mixture
from mixtura.core.model import GaussianModel
from mixtura.core.prior import Ridge
from mixtura.data import ArrayBlocks
from mixtura.fit import AbsoluteChange, EMStep, Problem
from mixtura.fit.loop.driver import iterate
from mixtura.fit.loop.state import begin
from mixtura.kernels import get_kernel
from mixtura.run import ThreadRunner

__all__ = ["main"]

THREADS = 2
MORE = 10
CASES = (
    Case(10_000, 5, 5, "full", 1),
    Case(100_000, 10, 10, "full", 2),
    Case(1_000_000, 2, 5, "full", 2),
    Case(1_000_000, 10, 10, "full", 2),
    Case(1_000_000, 16, 64, "diag", 2),
    Case(200_000, 50, 20, "full", 1.5),
    Case(20_000, 8, 100, "full", 1),
)


def load_onedal() -> Any:
    """Import daal4py without its scikit-learn patches, which do not load beside every scikit-learn."""
    sys.modules.setdefault("daal4py.sklearn", types.ModuleType("daal4py.sklearn"))
    import daal4py

    daal4py.daalinit(nthreads=THREADS)
    return daal4py


def onedal_fit(onedal: Any, case: Case, rows: FloatArray, start: Mixture, iterations: int) -> Any:
    algorithm = onedal.em_gmm(
        nComponents=case.n_components,
        maxIterations=iterations,
        accuracyThreshold=0.0,
        covarianceStorage="diagonal" if case.covariance_type == "diag" else "full",
    )
    if case.covariance_type == "diag":
        covariances = [row[None] for row in start.covariances]
    else:
        covariances = list(start.covariances)
    return algorithm.compute(rows, start.weights[None], start.means, covariances)


def our_fit(case: Case, rows: FloatArray, start: Mixture, iterations: int) -> Mixture:
    problem = Problem(
        Data(ArrayBlocks(rows), get_kernel("native"), ThreadRunner(THREADS)),
        GaussianModel(case.n_components, get_family(case.covariance_type), Ridge(0.0)),
    )
    return iterate(begin(EMStep(problem), start), EMStep(problem), AbsoluteChange(0.0), iterations).model


def run_case(onedal: Any, case: Case) -> list[str]:
    rows = make_rows(case.n_rows, case.n_features, case.n_components)
    start = as_mixture(start_of(case, rows))
    theirs_after = onedal_fit(onedal, case, rows, start, 3)
    covariances = np.array(theirs_after.covariances)
    peer = Mixture.from_parameters(
        theirs_after.weights[0] / theirs_after.weights.sum(),
        theirs_after.means,
        covariances[:, 0] if case.covariance_type == "diag" else covariances,
        case.covariance_type,
    )
    ours = our_fit(case, rows, start, 3)
    assert np.isclose(peer.log_likelihood(rows), ours.log_likelihood(rows), rtol=1e-8, atol=0), case
    calls = [
        lambda: onedal_fit(onedal, case, rows, start, 1),
        lambda: onedal_fit(onedal, case, rows, start, 1 + MORE),
        lambda: our_fit(case, rows, start, 1),
        lambda: our_fit(case, rows, start, 1 + MORE),
    ]
    one, many, our_one, our_many = best_seconds(calls, at_least=3, budget=8.0)
    theirs_each, ours_each = (many - one) / MORE, (our_many - our_one) / MORE
    return [
        case.name,
        case.covariance_type,
        f"{1e3 * theirs_each:.3g}",
        f"{1e3 * ours_each:.3g}",
        f"{theirs_each / ours_each:.2f}",
        f"{case.asked:g}",
    ]


def main(only: str = "") -> None:
    try:
        onedal = load_onedal()
    except ImportError as error:
        print(f"\noneDAL is not compared: {error}. `pip install daal4py` to compare.")
        return
    header = ("rows x features x components", "type", "oneDAL ms", "mixtura ms", "ratio", "asked")
    table = [run_case(onedal, case) for case in CASES if only in case.name + case.covariance_type]
    print_table(f"One EM iteration, {THREADS} threads each (ratio: oneDAL / mixtura)", header, table)


if __name__ == "__main__":
    main(*sys.argv[1:])
