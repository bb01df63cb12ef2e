"""Outliers: whether noise and t components find what a clean table says, as gross outliers are added.

``python -m benchmarks.outliers 50`` makes 50 draws; without a number there are eight. Of 1,000 rows in three columns, a
share is replaced by outliers, spread evenly over a box 45 deviations wide. For means, covariances (of t components:
scale matrices) and shares of the three groups the table has the root mean square error in units of that of the clean
fit, its sampling error. R's mclust is beside them where Rscript and its packages mclust and prabclus are installed: its
noise starts from the rows that NNclean takes for it, as mclust's help says. *auto* is the best of `search` with
``robust="auto"``, which decides between Gaussian components alone, noise and t components; what it took is printed.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import warnings
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import linear_sum_assignment
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture as Reference

from benchmarks.measure import FloatArray, print_table
from mixtura import GaussianMixture
from mixtura.select import search

__all__ = ["draw", "errors", "main"]

N_DRAWS, N_ROWS = 8, 1000
WEIGHTS = np.array([0.5, 0.3, 0.2])
MEANS = np.array([[0.0, 0.0, 0.0], [5.0, 0.0, 1.0], [0.0, 5.0, -1.0]])
COVARIANCES = np.array(
    [
        [[1.0, 0.5, 0.0], [0.5, 1.0, 0.0], [0.0, 0.0, 1.0]],
        [[1.0, 0.0, 0.0], [0.0, 0.5, 0.2], [0.0, 0.2, 1.5]],
        [[0.6, -0.2, 0.0], [-0.2, 1.2, 0.0], [0.0, 0.0, 0.8]],
    ]
)

R_SCRIPT = """
suppressMessages(library(mclust))
given <- commandArgs(trailingOnly = TRUE)
draws <- as.matrix(read.csv(given[1], header = FALSE))
found <- lapply(split(seq_len(nrow(draws)), draws[, 1]), function(which) {
    rows <- draws[which, -1]
    set.seed(0)
    noise <- prabclus::NNclean(rows, k = 10)$z == 0
    start <- if (any(noise)) list(noise = noise) else NULL
    fitted <- Mclust(rows, G = 3, modelNames = "VVV", initialization = start, verbose = FALSE)$parameters
    c(fitted$pro[1:3], fitted$mean, fitted$variance$sigma)
})
write.table(do.call(rbind, found), given[2], sep = ",", row.names = FALSE, col.names = FALSE)
"""

Fit = Callable[[FloatArray, int], Any]


def draw(seed: int, share: float) -> FloatArray:
    """Return rows (1000, 3), of which a share are outliers."""
    rng = np.random.default_rng([7, seed])
    labels = rng.choice(3, N_ROWS, p=WEIGHTS)
    apart = np.einsum("nij,nj->ni", np.linalg.cholesky(COVARIANCES)[labels], rng.standard_normal((N_ROWS, 3)))
    rows = MEANS[labels] + apart
    n_out = round(share * N_ROWS)
    rows[:n_out] = rng.uniform(-20.0, 25.0, size=(n_out, 3))
    return rows


def errors(model: Any) -> FloatArray:
    """Return root mean square errors of means, covariances and shares, (3,), components matched by their means."""
    apart = np.linalg.norm(np.asarray(model.means_)[None] - MEANS[:, None], axis=2)
    order = linear_sum_assignment(apart)[1]
    covariances = model.covariances_[order]
    shares = model.weights_[order] / model.weights_.sum()
    pairs = ((model.means_[order], MEANS), (covariances, COVARIANCES), (shares, WEIGHTS))
    return np.array([np.sqrt(np.mean((found - true) ** 2)) for found, true in pairs])


def fits() -> dict[str, Fit]:
    """Return what is compared, by name: fits of three components with a seed."""
    how: dict[str, Any] = {"n_components": 3, "tol": 1e-5, "max_iter": 500, "n_init": 3}
    return {
        "scikit-learn": lambda rows, seed: Reference(random_state=seed, **how).fit(rows),
        "mixtura": lambda rows, seed: GaussianMixture(random_state=seed, **how).fit(rows),
        "mixtura, noise": lambda rows, seed: GaussianMixture(random_state=seed, noise=True, **how).fit(rows),
        "mixtura, t": lambda rows, seed: GaussianMixture(random_state=seed, tails="t", **how).fit(rows),
        "mixtura, common t": lambda rows, seed: GaussianMixture(
            random_state=seed, tails="common t", **how
        ).fit(rows),
    }


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """What another program found: shares (3,), means (3, 3) and covariances (3, 3, 3)."""

    weights_: FloatArray
    means_: FloatArray
    covariances_: FloatArray


def auto_fit(rows: FloatArray, taken: Counter[str]) -> Found:
    """Return the best of a search that decides what its models have against outliers, and count what it took."""
    best = search(rows, components=[3], covariance_types="full", n_init=3, robust="auto").best
    taken[best.robust] += 1
    assert best.mixture is not None
    return Found(best.mixture.weights, best.mixture.means, best.mixture.full_covariances())


def mclust_fits(tables: list[FloatArray]) -> list[Found] | None:
    """Return the fit of mclust with noise to each table; None where it is not installed."""
    if shutil.which("Rscript") is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        given, written = Path(folder) / "draws.csv", Path(folder) / "found.csv"
        numbered = [np.column_stack([np.full(len(rows), j), rows]) for j, rows in enumerate(tables)]
        np.savetxt(given, np.vstack(numbered), delimiter=",")
        command = ["Rscript", "-e", R_SCRIPT, str(given), str(written)]
        if subprocess.run(command, capture_output=True, check=False).returncode:
            return None
        lines = np.loadtxt(written, delimiter=",", ndmin=2)
    return [Found(one[:3], one[3:12].reshape(3, 3), one[12:].reshape(3, 3, 3)) for one in lines]


def main(n_draws: int = N_DRAWS) -> None:
    """Print the errors of each fit relative to the sampling error of the clean fit."""
    warnings.simplefilter("ignore", ConvergenceWarning)

    def mean_errors(found: list[Any]) -> FloatArray:
        return np.sqrt(np.mean(np.square([errors(one) for one in found]), axis=0))

    def draws(share: float) -> list[FloatArray]:
        return [draw(seed, share) for seed in range(n_draws)]

    clean = mean_errors([fits()["mixtura"](rows, seed) for seed, rows in enumerate(draws(0.0))])
    table = []
    for share in (0.0, 0.05, 0.2):
        rows_of = draws(share)
        found: dict[str, list[Any] | None] = {
            name: [fit(rows, seed) for seed, rows in enumerate(rows_of)] for name, fit in fits().items()
        }
        taken = Counter[str]()
        found["mixtura, auto"] = [auto_fit(rows, taken) for rows in rows_of]
        print(f"{share:.0%} outliers: auto took", ", ".join(f"{kind} {n}" for kind, n in taken.items()))
        found["mclust, noise"] = mclust_fits(rows_of)
        for name, models in found.items():
            if models is not None:
                table.append([f"{share:.0%}", name, *(f"{one:.2f}" for one in mean_errors(models) / clean)])
    title = f"Root mean square errors in units of those of the clean fit, {n_draws} draws"
    print_table(title, ["outliers", "fit", "means", "covariances", "shares"], table)


if __name__ == "__main__":
    main(*(int(word) for word in sys.argv[1:2]))
