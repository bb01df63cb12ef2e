"""Known rows: how much a few labels help to divide the others.

``python -m benchmarks.known_rows 20`` makes 20 draws of each share of labels; without a number there are five. Of real
tables with known groups a share of the rows of each group is labeled, at least two. For the other rows the table has
the mean adjusted Rand index with their groups: of a mixture that has no labels, of one that has them, both with as many
components as groups and the covariance type by BIC, and of linear discriminant analysis of the labeled rows alone.
"""

from __future__ import annotations

import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from sklearn.datasets import load_iris, load_wine
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.metrics import adjusted_rand_score

from benchmarks.measure import FloatArray, print_table
from mixtura import GaussianMixtureIC

__all__ = ["agreements", "main", "tables"]

N_DRAWS = 5
SHARES = (0.02, 0.05, 0.1, 0.3)
FAMILIES = ["EII", "VII", "EEI", "VVI", "EEE", "VVV"]
DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
FILES = {"thyroid_gland": "Diagnosis", "swiss_banknote": "Status", "penguins": "species"}


def tables() -> dict[str, tuple[FloatArray, Any]]:
    """Return standardized rows and groups by the name of the table; those of files only where they are there."""
    found = {"iris": load_iris(return_X_y=True), "wine": load_wine(return_X_y=True)}
    for name, column in FILES.items():
        if (DATA / f"{name}.csv").exists():
            read = pl.read_csv(DATA / f"{name}.csv", null_values="NA")
            numbers = read.select(pl.col(pl.Float64, pl.Int64)).drop("year", strict=False)
            whole = numbers.drop_nulls().height == numbers.height
            kept = read if whole else read.filter(~pl.any_horizontal(numbers.select(pl.all().is_null())))
            rows = kept.select(numbers.columns).to_numpy().astype(np.float64)
            found[name] = rows, np.unique(kept[column].to_numpy().astype(str), return_inverse=True)[1]
    return {
        name: ((rows - rows.mean(axis=0)) / rows.std(axis=0), groups)
        for name, (rows, groups) in found.items()
    }


def agreements(rows: FloatArray, groups: Any, share: float, seed: int) -> FloatArray:
    """Return adjusted Rand indices of the rows without a label: no labels, labels, labels alone, (3,)."""
    rng, k = np.random.default_rng([11, seed]), int(groups.max()) + 1
    known = np.full(len(groups), -1)
    for group in range(k):
        own = np.flatnonzero(groups == group)
        known[rng.choice(own, max(2, round(share * len(own))), replace=False)] = group
    free = known < 0
    model = GaussianMixtureIC([k], covariance_type=FAMILIES, random_state=seed)
    alone, helped = model.fit_predict(rows), model.fit_predict(rows, known=known)
    labels = LinearDiscriminantAnalysis().fit(rows[~free], known[~free]).predict(rows)
    return np.array([adjusted_rand_score(groups[free], one[free]) for one in (alone, helped, labels)])


def main(n_draws: int = N_DRAWS) -> None:
    """Print the table."""
    lines = []
    for name, (rows, groups) in tables().items():
        for share in SHARES:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                found = np.mean([agreements(rows, groups, share, seed) for seed in range(n_draws)], axis=0)
            lines.append((name, f"{share:.0%}", *(f"{one:.3f}" for one in found)))
    print_table(
        "Adjusted Rand index of the rows without a label",
        ("table", "labeled", "no labels", "labels", "labels alone (LDA)"),
        lines,
    )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
