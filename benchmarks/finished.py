"""Time fits until they are finished: within 0.1 nats of the best known total log-likelihood.

Plain EM, accelerated EM and scikit-learn begin at the same mixture. The log-likelihoods of plain EM and scikit-learn
are asserted equal before any time is told, and the accelerated fit must not end below plain EM. scikit-learn is run
until it gets there if that takes no longer than ``--patience`` seconds; else its seconds are those measured for a pass
times the passes that plain EM, which makes the same ones, was measured to need, and the table says so. On well
separated data, where nothing is to be gained, the accelerated fits must not take more passes by a tenth.

    python -m benchmarks.finished --scale 0.1
"""

from __future__ import annotations

import argparse
import warnings
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture as Peer
from threadpoolctl import threadpool_limits

from benchmarks.measure import FloatArray, best_seconds, print_table
from mixtura import Mixture
from mixtura.core.covariance import get_family
from mixtura.core.model import GaussianModel
from mixtura.core.prior import Ridge
from mixtura.engine import as_data
from mixtura.fit import (
    INITIALIZATIONS,
    AcceleratedEMStep,
    EMStep,
    Event,
    PassKind,
    Problem,
    RemainingGain,
    Settings,
    fit_mixture,
)
from mixtura.fit.loop.driver import Step, iterate
from mixtura.fit.loop.state import begin

__all__ = ["CASES", "Case", "main", "make_overlapping"]

WITHIN = 0.1
RIDGE = 1e-6
MAX_ITER = 5000


@dataclass(frozen=True)
class Case:
    """Rows of components: how far their centers lie apart, and how much their axes differ (log scale)."""

    n_rows: int
    n_features: int
    n_components: int
    spread: float
    unlike: float
    seed: int

    @property
    def name(self) -> str:
        return f"{self.n_rows:,} x {self.n_features} x {self.n_components}"


CASES = (Case(400_000, 4, 6, 1.2, 0.4, 0), Case(1_000_000, 10, 10, 0.6, 0.2, 2))


def make_overlapping(case: Case) -> FloatArray:
    """Return shuffled rows of components with different covariances, (N, D)."""
    rng = np.random.default_rng(case.seed)
    centers = case.spread * rng.standard_normal((case.n_components, case.n_features))
    labels = rng.integers(case.n_components, size=case.n_rows)
    rows = rng.standard_normal((case.n_rows, case.n_features))
    for k, center in enumerate(centers):
        axes = np.linalg.qr(rng.standard_normal((case.n_features, case.n_features)))[0]
        shape = axes * np.exp(case.unlike * rng.standard_normal(case.n_features))
        rows[labels == k] = rows[labels == k] @ shape.T + center
    return rows


def problem_of(rows: FloatArray, n_components: int) -> Problem:
    return Problem(as_data(rows), GaussianModel(n_components, get_family("full"), Ridge(RIDGE)))


def start_of(rows: FloatArray, n_components: int) -> Mixture:
    """Return what the best of five K-means on the first 20,000 rows leads to."""
    few = problem_of(np.ascontiguousarray(rows[:20_000]), n_components)
    settings = Settings(RemainingGain(1.0), 1)
    kmeans, seed = INITIALIZATIONS["kmeans"], np.random.RandomState(0)
    return fit_mixture(few, kmeans, settings, n_init=5, random_state=seed).mixture


@dataclass(frozen=True)
class Timed:
    """A run: total log-likelihood at each pass, and the seconds until then."""

    log_likelihoods: FloatArray
    seconds: FloatArray
    n_refused: int

    def until(self, target: float) -> tuple[int, float]:
        """Return passes and seconds until a log-likelihood is reached."""
        position = int(np.argmax(self.log_likelihoods >= target))
        assert self.log_likelihoods[position] >= target, "the target was not reached"
        return position + 1, float(self.seconds[position])


def run(problem: Problem, step: Step[Mixture, Any], start: Mixture, tolerance: float) -> Timed:
    n_rows, times = problem.data.total_weight, list[float]()

    def observe(event: Event, state: object) -> None:
        times.append(perf_counter() - begun)

    begun = perf_counter()
    done = iterate(begin(step, start), step, RemainingGain(n_rows, tolerance), MAX_ITER, observe=observe)
    refused = done.trace.count(PassKind.REJECTED)
    return Timed(np.array(done.trace.objectives) * n_rows, np.array(times), refused)


def peer_of(start: Mixture, n_passes: int) -> Peer:
    return Peer(
        start.n_components,
        weights_init=start.weights,
        means_init=start.means,
        precisions_init=np.linalg.inv(start.full_covariances()),
        init_params="random_from_data",
        reg_covar=RIDGE,
        tol=0,
        max_iter=n_passes,
        warm_start=True,
        random_state=0,
    )


def five_passes(rows: FloatArray, start: Mixture, n_threads: int | None) -> tuple[Peer, float]:
    """Return scikit-learn after five passes, the BLAS held to some threads (None: as it likes), and their seconds."""
    peer = peer_of(start, 5)
    with threadpool_limits(n_threads):
        begun = perf_counter()
        peer.fit(rows)
        return peer, perf_counter() - begun


def time_peer(rows: FloatArray, start: Mixture, plain: Timed, target: float, patience: float) -> str:
    """Return scikit-learn's seconds as text: measured, or marked as seconds of a pass times passes of plain EM.

    It runs with as many threads for its BLAS as it is quicker with, one or all.
    """
    warnings.simplefilter("ignore", ConvergenceWarning)
    tried = {n_threads: five_passes(rows, start, n_threads) for n_threads in (1, None)}
    n_threads = min(tried, key=lambda number: tried[number][1])
    peer, spent = tried[n_threads]
    expected = plain.log_likelihoods[4]
    assert abs(peer.lower_bound_ * len(rows) - expected) < 1e-9 * abs(expected), (peer.lower_bound_, expected)
    needed, each = plain.until(target)[0], spent / 5
    if each * needed > patience:
        return f"{each * needed:,.1f} (not run: {each:.3g} s a pass, measured over 5, x {needed})"
    peer.max_iter = max(5, needed // 10)
    with threadpool_limits(n_threads):
        while peer.lower_bound_ * len(rows) < target:
            begun = perf_counter()
            peer.fit(rows)
            spent += perf_counter() - begun
    return f"{spent:,.1f} (run)"


def compare(case: Case, patience: float) -> list[str]:
    rows = make_overlapping(case)
    start = start_of(rows, case.n_components)
    problem = problem_of(rows, case.n_components)
    accelerated = run(problem, AcceleratedEMStep(problem, 1e-3), start, 1e-3)
    plain = run(problem, EMStep(problem), start, 1e-2)
    assert accelerated.log_likelihoods[-1] >= plain.log_likelihoods[-1] - 0.01, (
        "the accelerated fit ended lower"
    )
    target = max(run.log_likelihoods.max() for run in (accelerated, plain)) - WITHIN
    reached = plain.log_likelihoods[-1] >= target
    own = target if reached else plain.log_likelihoods[-1] - WITHIN
    slow, fast = plain.until(own), accelerated.until(own)
    theirs = time_peer(rows, start, plain, own, patience)
    ratio = float(theirs.partition(" ")[0].replace(",", "")) / fast[1]
    return [
        case.name,
        f"{slow[0]:,}",
        f"{slow[1]:.2f}",
        f"{fast[0]:,} ({accelerated.n_refused} refused in all)",
        f"{fast[1]:.2f}",
        theirs,
        f"{ratio:.1f}",
        f"{own + WITHIN:,.2f}" + ("" if reached else f" (accelerated goes on to {target + WITHIN:,.2f})"),
    ]


def compare_separated(n_rows: int, n_seeds: int) -> list[list[str]]:
    """Return passes and seconds of plain and accelerated fits of well separated components, on one thread."""
    table, totals = list[list[str]](), np.zeros(4)
    for seed in range(n_seeds):
        rows = make_overlapping(Case(n_rows, 4, 6, 6.0, 0.4, seed))
        start, problem = start_of(rows, 6), replace(problem_of(rows, 6), data=as_data(rows).alone())
        plain = run(problem, EMStep(problem), start, 1e-2)
        fast = run(problem, AcceleratedEMStep(problem), start, 1e-2)
        passes = len(plain.seconds), len(fast.seconds)
        seconds = best_seconds(
            [
                lambda p=problem, s=start: run(p, EMStep(p), s, 1e-2),
                lambda p=problem, s=start: run(p, AcceleratedEMStep(p), s, 1e-2),
            ],
            budget=0.5,
        )
        totals += (*passes, *seconds)
        table.append(_separated_row(str(seed), *passes, *seconds))
    table.append(_separated_row("all", *totals))
    assert totals[1] <= 1.1 * totals[0], "acceleration made well separated data slower"
    return table


def _separated_row(name: str, plain: float, fast: float, plain_s: float, fast_s: float) -> list[str]:
    passes = [f"{plain:.0f}", f"{fast:.0f}", f"{fast / plain:.2f}"]
    return [name, *passes, f"{1e3 * plain_s:.1f}", f"{1e3 * fast_s:.1f}", f"{fast_s / plain_s:.2f}"]


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--scale", type=float, default=1.0, help="share of the rows")
    parser.add_argument(
        "--patience", type=float, default=60.0, help="seconds that scikit-learn may take at most"
    )
    parser.add_argument("--seeds", type=int, default=20, help="seeds of well separated data")
    given = parser.parse_args(arguments)
    table = []
    for case in CASES:
        smaller = replace(case, n_rows=int(case.n_rows * given.scale))
        table.append(compare(smaller, given.patience))
    header = (
        "rows x features x components",
        "plain passes",
        "s",
        "accelerated passes",
        "s",
        "scikit-learn s",
        "scikit-learn / accelerated",
        "best known log-likelihood",
    )
    print_table(
        f"Until within {WITHIN} nats of the best known total log-likelihood, all cores", header, table
    )
    header = ("seed", "plain passes", "accelerated", "ratio", "plain ms", "accelerated ms", "ratio")
    n_rows = int(20_000 * min(1.0, given.scale * 5))
    title = f"Well separated: {n_rows:,} x 4 x 6, until 0.01 nats are left by the stopping rule, one thread"
    print_table(title, header, compare_separated(n_rows, given.seeds))


if __name__ == "__main__":
    main()
