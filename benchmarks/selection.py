"""Time whole searches: beside R's mclust, beside a loop over scikit-learn, and of a table of a million rows.

Beside mclust both fit all 14 families with 1 to 9 components to the same rows; R's time is that of ``mclustBIC`` alone,
without R's start, and ours that of ``search`` alone, the first in its Python, which has no other processes yet, and the
second, which finds them there. mclust stops when the log-likelihood changes by less than 1e-5 of itself, mixtura when
less than 0.01 nats are still to be gained: asserted is that mixtura's winner is no worse, and told is in how many cells
its log-likelihood is at least mclust's, and by how much the sums differ. Beside scikit-learn both fit four types with 1
to 10 components, scikit-learn at its default ``tol``. Skipped, with a word, where there is no R.
"""

from __future__ import annotations

import csv
import shutil
import subprocess
import sys
import tempfile
import warnings
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from time import perf_counter

import numpy as np
import sklearn.mixture

from benchmarks.measure import FloatArray, print_table
from mixtura.core.covariance import choose_families, get_family, mclust_name
from mixtura.core.model import GaussianModel
from mixtura.core.prior import Floor
from mixtura.engine import as_data
from mixtura.fit import Outcome, Problem, Settings, SharedStarts, fit_mixture
from mixtura.fit.loop.stopping import Progress
from mixtura.select import SearchResult, search

__all__ = ["main", "make_overlapping"]

SKLEARN_TYPES = ("full", "tied", "diag", "spherical")

R_SCRIPT = """
suppressMessages(library(mclust))
arguments <- commandArgs(TRUE)
rows <- as.matrix(read.csv(arguments[1], header = FALSE))
seconds <- system.time(bic <- mclustBIC(rows, G = 1:9, verbose = FALSE))[["elapsed"]]
out <- data.frame(seconds = seconds, family = rep(colnames(bic), each = 9), components = 1:9, bic = as.vector(bic))
write.csv(out, arguments[2], row.names = FALSE)
"""


def make_overlapping(n_rows: int, n_features: int, seed: int = 1) -> FloatArray:
    """Return rows of five overlapping components, each of its own volume, shape and orientation."""
    rng = np.random.default_rng(seed)
    means = 1.5 * rng.normal(size=(5, n_features))
    maps = np.eye(n_features) + 0.4 * rng.normal(size=(5, n_features, n_features))
    labels = rng.choice(5, n_rows, p=[0.3, 0.25, 0.2, 0.15, 0.1])
    rows = rng.normal(size=(n_rows, n_features))
    for k in range(5):
        rows[labels == k] = rows[labels == k] @ maps[k].T + means[k]
    return rows


def mclust_search(rows: FloatArray) -> tuple[float, dict[tuple[str, int], float]]:
    """Return R's seconds, and mclust's BIC (smaller is better) of each family and number of components."""
    with tempfile.TemporaryDirectory() as folder:
        table, out = Path(folder) / "rows.csv", Path(folder) / "bic.csv"
        np.savetxt(table, rows, delimiter=",", fmt="%.17g")
        subprocess.run(["Rscript", "-e", R_SCRIPT, str(table), str(out)], check=True, capture_output=True)
        with out.open(encoding="ascii") as file:
            cells = list(csv.DictReader(file))
    found = {(one["family"], int(one["components"])): one["bic"] for one in cells}
    return float(cells[0]["seconds"]), {cell: -float(bic) for cell, bic in found.items() if bic != "NA"}


SEARCHES = """
import sys
from time import perf_counter
from benchmarks.selection import load_libraries, make_overlapping
from mixtura.select import search
load_libraries()
rows = make_overlapping(int(sys.argv[1]), int(sys.argv[2]))
for _ in range(2):
    start = perf_counter()
    search(rows, covariance_types="all")
    print(perf_counter() - start)
"""


def load_libraries() -> None:
    """Load what a search needs, as R has its library before the clock runs; processes of a search are not started."""
    search(make_overlapping(60, 2), components=[1, 2], covariance_types="all")


def first_and_second(n_rows: int, n_features: int) -> tuple[float, float]:
    """Return the seconds of two searches of the same rows in a Python of their own."""
    call = [sys.executable, "-c", SEARCHES, str(n_rows), str(n_features)]
    first, second = subprocess.run(call, check=True, capture_output=True, text=True).stdout.split()
    return float(first), float(second)


@dataclass(frozen=True)
class RelativeChange:
    """mclust's rule: the log-likelihood changed by less than 1e-5 of itself."""

    n_rows: int

    def __call__(self, progress: Progress) -> Outcome | None:
        if not progress.changes:
            return None
        change, size = self.n_rows * progress.changes[0], 1.0 + self.n_rows * abs(progress.objective)
        return progress.satisfied(abs(change) < 1e-5 * size)


def like_mclust(rows: FloatArray) -> tuple[float, int, dict[tuple[str, int], float]]:
    """Do what mclust does, plain EM from one start until its rule is satisfied; return seconds, passes, and BIC."""
    n_rows, n_features = rows.shape
    begun, n_passes, found = perf_counter(), 0, {}
    data = as_data(rows)
    shared, prior = SharedStarts(data, np.random.RandomState(0)), Floor.of(data.total)
    for family, k in product(choose_families("all", n_features), range(1, 10)):
        problem = Problem(data, GaussianModel(k, get_family(family), prior))
        settings = Settings(RelativeChange(n_rows), 10_000)
        fit = fit_mixture(problem, shared.starts(k)[0], settings, random_state=np.random.RandomState(0))
        n_passes += fit.n_iter
        parameters = problem.model.n_parameters(n_features)
        found[mclust_name(family), k] = parameters * np.log(n_rows) - 2 * n_rows * fit.lower_bound
    return perf_counter() - begun, n_passes, found


def the_same_work() -> None:
    if shutil.which("Rscript") is None:
        return
    rows = make_overlapping(2_000, 5)
    theirs_seconds, theirs = mclust_search(rows)
    seconds, n_passes, ours = like_mclust(rows)
    gains = np.array([0.5 * (theirs[cell] - ours[cell]) for cell in theirs])
    print_table(
        "The same from one start, to mclust's tolerance, on one core",
        ("rows x features", "mclust s", "mixtura s", "passes", "at least mclust's", "within a nat"),
        [
            [
                "2,000 x 5",
                f"{theirs_seconds:.2f}",
                f"{seconds:.2f}",
                f"{n_passes:,}",
                f"{int((gains >= -0.01).sum())} of {gains.size}",
                f"{int((gains >= -1.0).sum())}",
            ]
        ],
    )


def beside_mclust() -> None:
    if shutil.which("Rscript") is None:
        print("\nBeside R's mclust: skipped, Rscript is not installed.")
        return
    table = []
    for n_rows, n_features in ((2_000, 5), (9_000, 4)):
        rows = make_overlapping(n_rows, n_features)
        theirs_seconds, theirs = mclust_search(rows)
        first, second = first_and_second(n_rows, n_features)
        ours = search(rows, covariance_types="all")
        assert ours.best.bic <= min(theirs.values()) + 0.02, (ours.best.bic, min(theirs.values()))
        bics = {(mclust_name(one.covariance_type), one.n_components): one.bic for one in ours.candidates}
        gains = np.array([0.5 * (theirs[cell] - bics[cell]) for cell in theirs])
        table.append(
            [
                f"{n_rows:,} x {n_features}",
                f"{theirs_seconds:.2f}",
                f"{first:.2f}, {second:.2f}",
                f"{theirs_seconds / first:.1f}, {theirs_seconds / second:.1f}",
                f"{min(theirs.values()):,.2f}",
                f"{ours.best.bic:,.2f}",
                f"{int((gains >= -0.01).sum())} of {gains.size}",
                f"{np.median(gains):.2f}",
                f"{gains.min():.2f}",
            ]
        )
    header = (
        "rows x features",
        "mclust s",
        "mixtura s, first and second",
        "ratios",
        "mclust's best BIC",
        "mixtura's",
        "log-likelihood at least mclust's",
        "median gain, nats",
        "smallest",
    )
    print_table("All 14 families with 1 to 9 components, beside R's mclust", header, table)


def sklearn_search(rows: FloatArray) -> dict[tuple[str, int], float]:
    """Return scikit-learn's BIC of each type and number of components, at its default tolerance."""
    found = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in SKLEARN_TYPES:
            for k in range(1, 11):
                model = sklearn.mixture.GaussianMixture(k, covariance_type=name, random_state=0).fit(rows)
                found[name, k] = model.bic(rows)
    return found


def beside_sklearn() -> None:
    rows = make_overlapping(100_000, 5)
    start = perf_counter()
    ours = search(rows, components=range(1, 11), covariance_types=SKLEARN_TYPES)
    middle = perf_counter()
    theirs = sklearn_search(rows)
    seconds, theirs_seconds = middle - start, perf_counter() - middle
    assert ours.best.bic <= min(theirs.values()), (ours.best.bic, min(theirs.values()))
    gains = [0.5 * (theirs[one.covariance_type, one.n_components] - one.bic) for one in ours.candidates]
    cells = [
        "100,000 x 5",
        f"{theirs_seconds:.1f}",
        f"{seconds:.2f}",
        f"{theirs_seconds / seconds:.1f}",
        f"{min(theirs.values()):,.1f}",
        f"{ours.best.bic:,.1f}",
        f"{sum(gain >= -0.01 for gain in gains)} of {len(gains)}",
        f"{np.median(gains):.1f}",
        f"{min(gains):.1f}",
    ]
    header = (
        "rows x features",
        "scikit-learn s",
        "mixtura s",
        "ratio",
        "scikit-learn's best BIC",
        "mixtura's",
        "log-likelihood at least scikit-learn's",
        "median gain, nats",
        "smallest",
    )
    print_table(
        "Four covariance types with 1 to 10 components, beside a loop over scikit-learn", header, [cells]
    )


def a_million_rows() -> None:
    rows = make_overlapping(1_000_000, 5)
    start = perf_counter()
    found: SearchResult = search(rows, covariance_types="all")
    seconds = perf_counter() - start
    best = found.best
    ends = [one.outcome.value for one in found.ranking[:5] if one.outcome is not None]
    cells = [
        "1,000,000 x 5",
        str(len(found.candidates)),
        f"{seconds:.1f}",
        f"{best.covariance_type}, {best.n_components}",
        f"{best.bic:,.1f}",
        ", ".join(ends),
    ]
    header = ("rows x features", "models", "mixtura s", "best", "BIC", "how the best five ended")
    print_table("All 14 families with 1 to 9 components on a million rows", header, [cells])


def main() -> None:
    load_libraries()
    beside_mclust()
    the_same_work()
    beside_sklearn()
    a_million_rows()


if __name__ == "__main__":
    main()
