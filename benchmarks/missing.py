"""Missing values: what full-information fits recover, and what a pass over them costs.

``python -m benchmarks.missing`` prints three tables; add ``recovery``, ``survey`` or ``speed`` for some of them. The
log-likelihood of a pass is asserted equal to the NumPy kernel's to 1e-9 before it is timed.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import adjusted_rand_score
from threadpoolctl import threadpool_limits

from benchmarks.measure import FloatArray, best_seconds, print_table
from mixtura import GaussianMixture
from mixtura.core.accumulate import EStep
from mixtura.core.mixture import Mixture
from mixtura.engine import as_data
from mixtura.kernels import get_kernel
from mixtura.run import SerialRunner
from mixtura.select import SearchResult, search

__all__ = ["Recovered", "lose", "main", "make_groups", "make_survey", "recover", "search_survey"]

IntArray = npt.NDArray[np.intp]
N_DRAWS = 10


def make_groups(seed: int, n_rows: int = 1000) -> tuple[FloatArray, IntArray, FloatArray]:
    """Return rows (N, 5) of three correlated groups, their groups, and the groups' means (3, 5)."""
    rng = np.random.default_rng([1, seed])
    labels = rng.choice(3, n_rows, p=[0.5, 0.3, 0.2])
    means = 3.0 * np.linalg.qr(rng.normal(size=(5, 5)))[0][:3]
    mixing = [np.linalg.cholesky(0.4 * np.eye(5) + 0.6 * _signs(rng)) for _ in range(3)]
    noise = rng.normal(size=(n_rows, 5))
    rows = means[labels] + np.einsum("nij,nj->ni", np.array(mixing)[labels], noise)
    return rows, labels, means


def _signs(rng: np.random.Generator) -> FloatArray:
    signs = rng.choice([-1.0, 1.0], 5)
    return np.outer(signs, signs)


def lose(rows: FloatArray, share: float, seed: int) -> FloatArray:
    """Return rows that lack this share of their values, for reasons that the first column, always there, explains."""
    rng = np.random.default_rng([2, seed])
    rank = rows[:, 0].argsort().argsort() / len(rows)
    d = rows.shape[1]
    chance = np.minimum(share * d / (d - 1) * 2.0 * rank, 0.95)
    gone = rng.uniform(size=rows.shape) < chance[:, None]
    gone[:, 0] = False
    return np.where(gone, np.nan, rows)


@dataclass(frozen=True)
class Recovered:
    """Agreement with the groups (adjusted Rand index), and the root mean square error of the means."""

    agreement: float
    error: float


def recover(rows: FloatArray, labels: IntArray, means: FloatArray) -> dict[str, Recovered]:
    """Return what each way to treat missing values recovers of three groups; all rows are assigned."""
    complete = ~np.isnan(rows).any(axis=1)
    filled = np.where(np.isnan(rows), np.nanmean(rows, axis=0), rows)
    settings = {"n_components": 3, "n_init": 5, "random_state": 0, "max_iter": 500, "reg_covar": 1e-3}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        fiml = GaussianMixture(**settings, missing="fiml").fit(rows).mixture_
        dropped = GaussianMixture(**settings).fit(rows[complete]).mixture_
        mean = GaussianMixture(**settings).fit(filled).mixture_
    assigned = {"fiml": (fiml, rows), "rows dropped": (dropped, rows), "means filled in": (mean, filled)}
    return {name: _judge(*fitted, labels, means) for name, fitted in assigned.items()}


def _judge(mixture: Mixture, rows: FloatArray, labels: IntArray, means: FloatArray) -> Recovered:
    squares = ((mixture.means[:, None] - means) ** 2).mean(axis=2)
    error = np.sqrt(squares[linear_sum_assignment(squares)].mean())
    return Recovered(float(adjusted_rand_score(labels, mixture.predict(rows))), float(error))


def make_survey(seed: int = 0) -> tuple[FloatArray, IntArray]:
    """Return answers of 1,145 people to 25 items, of which each was asked 12, and which of four groups they are in."""
    rng = np.random.default_rng([3, seed])
    labels = rng.choice(4, 1145, p=[0.4, 0.3, 0.2, 0.1])
    profiles = 3.0 + rng.normal(0.0, 0.8, size=(4, 25))
    answers = profiles[labels] + rng.normal(0.0, 0.9, size=(1145, 25))
    asked = rng.uniform(size=answers.shape).argsort(axis=1).argsort(axis=1) < 12
    return np.where(asked, answers, np.nan), labels


def search_survey(rows: FloatArray) -> SearchResult:
    """Return the models of one to six components that are fitted to a survey."""
    families = ["EII", "VII", "EEI", "VVI", "EEE"]
    return search(rows, components=range(1, 7), covariance_types=families, missing="fiml", random_state=0)


def print_recovery(n_draws: int = N_DRAWS) -> None:
    """Print what is recovered at 10, 30 and 50 % missing, the mean over several draws."""
    table = []
    for share in (0.1, 0.3, 0.5):
        found = []
        for seed in range(n_draws):
            rows, labels, means = make_groups(seed)
            found.append(recover(lose(rows, share, seed), labels, means))
        for name in found[0]:
            agreement = np.mean([one[name].agreement for one in found])
            error = np.mean([one[name].error for one in found])
            table.append([f"{share:.0%}", name, f"{agreement:.3f}", f"{error:.3f}"])
    header = ("missing", "treated by", "adjusted Rand index", "error of the means")
    print_table(f"Three groups in 1,000 x 5 rows, means of {n_draws} draws", header, table)


def print_survey(n_draws: int = 3) -> None:
    """Print the groups that are found in surveys without a complete row."""
    table = []
    for seed in range(n_draws):
        rows, labels = make_survey(seed)
        best = search_survey(rows).best
        agreement = adjusted_rand_score(labels, best.mixture.predict(rows))
        table.append([str(seed), best.covariance_type, str(best.n_components), f"{agreement:.3f}"])
    header = ("draw", "covariance type", "groups found, of 4", "adjusted Rand index")
    print_table("A survey: 1,145 people, each asked 12 of 25 items", header, table)


@dataclass(frozen=True)
class Case:
    """Rows of one size that lack values, and the ratio to the complete pass that was asked for, if any."""

    n_rows: int
    n_features: int
    share: float
    asked: float | None


CASES = (
    Case(100_000, 10, 0.1, 2.5),
    Case(100_000, 10, 0.3, 6.0),
    Case(20_000, 25, 0.3, 10.0),
    Case(20_000, 25, 13 / 25, None),
)
N_COMPONENTS = 5


def make_overlapping(case: Case) -> tuple[FloatArray, FloatArray, Mixture]:
    """Return complete rows, the same with values missing, and a mixture whose components overlap."""
    rng = np.random.default_rng(0)
    d = case.n_features
    means = rng.normal(size=(N_COMPONENTS, d))
    rows = means[rng.integers(0, N_COMPONENTS, case.n_rows)] + rng.normal(size=(case.n_rows, d))
    holed = np.where(rng.uniform(size=rows.shape) < case.share, np.nan, rows)
    covariances = np.array([np.eye(d) + 0.1] * N_COMPONENTS)
    mixture = Mixture.from_parameters(np.full(N_COMPONENTS, 1 / N_COMPONENTS), means, covariances)
    return rows, holed, mixture


def one_pass(rows: FloatArray, mixture: Mixture, kernel: str = "native") -> Callable[[], float]:
    """Return an E-step with sums on one thread."""
    blocks = as_data(rows).blocks
    task = EStep(mixture.components(), get_kernel(kernel))
    return lambda: float(SerialRunner().reduce(blocks, task).log_likelihood)


def print_speed() -> None:
    """Print how long a pass over rows that lack values takes against one over complete rows."""
    table = []
    for case in CASES:
        rows, holed, mixture = make_overlapping(case)
        with threadpool_limits(1):
            assert np.isclose(one_pass(holed, mixture)(), one_pass(holed, mixture, "numpy")(), rtol=1e-9)
            complete, missing = best_seconds([one_pass(rows, mixture), one_pass(holed, mixture)])
        n_patterns = len(np.unique(np.packbits(np.isnan(holed), axis=1), axis=0))
        size = f"{case.n_rows:,} x {case.n_features}"
        times = [f"{1e3 * one:.1f} ms" for one in (complete, missing)]
        asked = "-" if case.asked is None else f"{case.asked:g} x"
        table.append(
            [size, f"{case.share:.0%}", f"{n_patterns:,}", *times, f"{missing / complete:.1f} x", asked]
        )
    header = ("rows", "missing", "patterns", "complete", "with missing values", "ratio", "asked")
    print_table("One pass, K = 5, full, one thread", header, table)


PARTS = {"recovery": print_recovery, "survey": print_survey, "speed": print_speed}


def main(*parts: str) -> None:
    for part in parts or PARTS:
        PARTS[part]()


if __name__ == "__main__":
    main(*sys.argv[1:])
