"""Outlier detection beside scikit-learn's detectors, and how often thresholds raise false alarms.

``python -m benchmarks.anomaly`` prints a table of AUROC and average precision (%), and the calibration of ``flag``;
``python -m benchmarks.anomaly novelty`` the same table for detectors that learn from half of the normal rows and judge
the other half and the anomalies, the mean over seeds.
Labelled sets are read from ``shared/data/anomaly`` beside the checkout, where it is there. Others are made of tables
with classes as ODDS (Rayana 2016) makes them, from scikit-learn, and from R's packages MASS, mclust, mlbench and
kernlab where they are installed: some classes are anomalies, drawn down to a few where there are many. The rest is
generated.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import numpy as np
from sklearn.covariance import MinCovDet
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_wine
from sklearn.ensemble import IsolationForest
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.neighbors import NearestNeighbors

from benchmarks.measure import FloatArray, print_table
from mixtura import GaussianMixtureOutlierDetector
from mixtura._typing import BoolArray

__all__ = ["calibration", "compare", "labelled", "main", "novelty"]

_SHARED = Path(__file__).resolve().parents[2] / "shared" / "data" / "anomaly"


@dataclass(frozen=True)
class _Classes:
    """How a set is made of a table with classes.

    Parameters
    ----------
    source : str
        An expression of R whose value is the table.
    column : str
        Of the classes; all other columns of numbers are used.
    strange : tuple of str
        Classes that are anomalies.
    count : int or None
        How many of them are drawn; None for all.
    left_out : str
        A class that is not used.
    """

    source: str
    column: str
    strange: tuple[str, ...]
    count: int | None = None
    left_out: str = ""


_ODDS = {
    "breastw": _Classes("na.omit(MASS::biopsy)[, -1]", "class", ("malignant",)),
    "glass": _Classes("{data(Glass, package='mlbench'); Glass}", "Type", ("6",)),
    "ionosphere": _Classes("{data(Ionosphere, package='mlbench'); Ionosphere}", "Class", ("bad",)),
    "pima": _Classes(
        "{data(PimaIndiansDiabetes, package='mlbench'); PimaIndiansDiabetes}", "diabetes", ("pos",)
    ),
    "satellite": _Classes(
        "{data(Satellite, package='mlbench'); Satellite}",
        "classes",
        ("cotton crop", "damp grey soil", "vegetation stubble"),
    ),
    "satimage-2": _Classes(
        "{data(Satellite, package='mlbench'); Satellite}", "classes", ("cotton crop",), 71
    ),
    "shuttle": _Classes(
        "{data(Shuttle, package='mlbench'); Shuttle}",
        "Class",
        ("Fpv.Close", "Fpv.Open", "Bypass", "Bpv.Close", "Bpv.Open"),
        left_out="High",
    ),
    "spambase": _Classes("{data(spam, package='kernlab'); spam}", "type", ("spam",)),
    "wdbc": _Classes("{data(wdbc, package='mclust'); wdbc[, -1]}", "Diagnosis", ("M",), 10),
}
"""Sets of ODDS and ADBench whose tables R's packages have."""

_MOST_ROWS = 10_000
_KINDS = ("global", "local", "cluster", "dependency", "sparse")


def labelled() -> Iterator[tuple[str, FloatArray, FloatArray]]:
    """Yield names, rows and labels (1: anomaly), rows in random order: the labelled sets, then generated ones."""
    rng = np.random.default_rng(0)
    for path in sorted(_SHARED.glob("*.parquet")):
        import pandas as pd

        table = pd.read_parquet(path)
        yield _shuffled(
            path.stem, table.drop(columns="label").to_numpy(float), table["label"].to_numpy(), rng
        )
    yield from _from_classes(rng)
    bases = {"wine": load_wine, "breast cancer": load_breast_cancer, "diabetes": load_diabetes}
    for name, load in bases.items():
        for kind in _KINDS:
            normal = load().data
            normal = (normal - normal.mean(axis=0)) / normal.std(axis=0)
            strange = _inject(normal, kind, max(8, len(normal) // 20), rng)
            labels = np.r_[np.zeros(len(normal)), np.ones(len(strange))]
            yield _shuffled(f"{name}, {kind}", np.vstack([normal, strange]), labels, rng)


def _from_classes(rng: np.random.Generator) -> Iterator[tuple[str, FloatArray, FloatArray]]:
    """Yield the sets that are made of tables with classes."""
    wine, digits = load_wine(), load_digits()
    yield _drawn("wine", wine.data, wine.target == 0, 10, rng)
    yield _drawn("digits", digits.data, digits.target == 0, 50, rng)
    with tempfile.TemporaryDirectory() as folder:
        for name, made in _ODDS.items():
            table = _read_from_r(made.source, Path(folder, f"{name}.csv"))
            if table is None:
                print(
                    f"{name} is left out: Rscript, or one of its packages, is not installed", file=sys.stderr
                )
                continue
            used = table[table[made.column].astype(str) != made.left_out]
            strange = used[made.column].astype(str).isin(made.strange).to_numpy()
            rows = used.drop(columns=made.column).select_dtypes("number").to_numpy(float)
            yield _drawn(name, rows, strange, made.count, rng)


def _read_from_r(source: str, path: Path):  # type: ignore[no-untyped-def]
    """Return a data frame, or None where R does not have it."""
    import pandas as pd

    if shutil.which("Rscript") is None:
        return None
    script = f"write.csv({{{source}}}, {str(path)!r}, row.names = FALSE)"
    done = subprocess.run(["Rscript", "-e", script], capture_output=True, text=True, check=False)
    return pd.read_csv(path) if done.returncode == 0 else None


def _drawn(
    name: str, rows: FloatArray, strange: BoolArray, count: int | None, rng: np.random.Generator
) -> tuple[str, FloatArray, FloatArray]:
    """Return a set with as many of the anomalies as are asked for, and at most 10,000 rows."""
    anomalies = rng.permutation(np.flatnonzero(strange))[:count]
    chosen = rng.permutation(np.r_[np.flatnonzero(~strange), anomalies])[:_MOST_ROWS]
    found = rows[chosen]
    return _shuffled(name, found[:, found.std(axis=0) > 0], strange[chosen].astype(float), rng)


def _shuffled(
    name: str, rows: FloatArray, labels: FloatArray, rng: np.random.Generator
) -> tuple[str, FloatArray, FloatArray]:
    order = rng.permutation(len(rows))
    return name, rows[order], labels[order]


def _inject(rows: FloatArray, kind: str, count: int, rng: np.random.Generator) -> FloatArray:
    """Return anomalies of a kind (Han et al. 2022, ADBench), from standardized normal rows."""
    n, d = rows.shape
    chosen = rows[rng.choice(n, count, replace=False)]
    if kind == "global":
        return rng.uniform(1.1 * rows.min(axis=0), 1.1 * rows.max(axis=0), size=(count, d))
    if kind == "local":
        return 2.0 * rng.multivariate_normal(np.zeros(d), np.cov(rows.T), size=count)
    if kind == "cluster":
        return rng.normal(size=d) * 2.0 + 0.3 * rng.normal(size=(count, d))
    if kind == "dependency":
        return np.column_stack([rng.permutation(column)[:count] for column in rows.T])
    moved = rng.uniform(size=(count, d)) < 0.2
    return chosen + moved * rng.choice([-1.0, 1.0], size=(count, d)) * rng.uniform(2, 4, size=(count, d))


def _scores(rows: FloatArray) -> dict[str, FloatArray]:
    """Return the strangeness of every row to each detector, which has learned from all of them."""
    (standard,) = _standardized(rows)
    return {
        "mixtura": -GaussianMixtureOutlierDetector(random_state=0).fit(rows).scores_,
        "forest": -IsolationForest(random_state=0).fit(rows).score_samples(rows),
        "MCD": MinCovDet(random_state=0).fit(standard).mahalanobis(standard),
        "kNN": NearestNeighbors(n_neighbors=5).fit(standard).kneighbors()[0][:, -1],
    }


def _novelty_scores(normal: FloatArray, rows: FloatArray) -> dict[str, FloatArray]:
    """Return the strangeness of rows to each detector, which has learned from normal rows."""
    learned, judged = _standardized(normal, rows)
    detector = GaussianMixtureOutlierDetector(novelty=True, random_state=0).fit(normal)
    return {
        "mixtura": -detector.score_samples(rows),
        "forest": -IsolationForest(random_state=0).fit(normal).score_samples(rows),
        "MCD": MinCovDet(random_state=0).fit(learned).mahalanobis(judged),
        "kNN": NearestNeighbors(n_neighbors=5).fit(learned).kneighbors(judged)[0][:, -1],
    }


def _standardized(rows: FloatArray, *others: FloatArray) -> list[FloatArray]:
    """Return tables in standard deviations of the first from its means, without columns in which it is constant."""
    center, scale = rows.mean(axis=0), rows.std(axis=0)
    varies = scale > 0
    return [(table - center)[:, varies] / scale[varies] for table in (rows, *others)]


def _figures(labels: FloatArray, scores: dict[str, FloatArray]) -> list[float]:
    """Return AUROC of every detector, then its average precision, in percent."""
    ways = (roc_auc_score, average_precision_score)
    return [100 * float(way(labels, score)) for way in ways for score in scores.values()]


def compare() -> None:
    """Print AUROC and average precision of every detector on every set, and their means."""
    found = [(name, _figures(labels, _scores(rows))) for name, rows, labels in labelled()]
    _print_figures("Outlier detection, AUROC and average precision (%)", found)


def novelty(n_seeds: int = 5) -> None:
    """Print the same for detectors that learn from half of the normal rows, the mean over seeds that draw the half."""
    found = []
    for name, rows, labels in labelled():
        of_seeds = []
        for seed in range(n_seeds):
            normal = np.random.default_rng(seed).permutation(np.flatnonzero(labels == 0))
            learned, others = np.split(normal, [len(normal) // 2])
            judged = np.r_[others, np.flatnonzero(labels == 1)]
            of_seeds.append(_figures(labels[judged], _novelty_scores(rows[learned], rows[judged])))
        found.append((name, list(np.mean(of_seeds, axis=0))))
    _print_figures(f"Novelty detection, AUROC and average precision (%), mean of {n_seeds} seeds", found)


def _print_figures(title: str, found: list[tuple[str, list[float]]]) -> None:
    """Print the figures of every set, and the means of labelled and of generated ones."""
    lines = [(name, *(f"{figure:.1f}" for figure in figures)) for name, figures in found]
    for said, generated in (("mean, labelled", False), ("mean, generated", True)):
        means = np.mean([figures for name, figures in found if (", " in name) == generated], axis=0)
        lines.append((said, *(f"{figure:.1f}" for figure in means)))
    detectors = ("mixtura", "forest", "MCD", "kNN")
    print_table(title, ("set", *detectors, *(f"{name} AP" for name in detectors)), lines)


def calibration(n_draws: int = 200, n_rows: int = 1000) -> None:
    """Print how often clean draws of two Gaussians raise any alarm, and the realized rate of false discoveries."""
    lines = []
    for share in (0.0, 0.02, 0.05, 0.1):
        false, alarms, power = [], 0, []
        for seed in range(n_draws):
            rng = np.random.default_rng(seed)
            rows = rng.normal(size=(n_rows, 4)) + 5.0 * (rng.uniform(size=(n_rows, 1)) < 0.4)
            strange = np.arange(n_rows) < share * n_rows
            rows[strange] += rng.normal(0, 6, size=(int(strange.sum()), 4))
            flagged = GaussianMixtureOutlierDetector(10, random_state=0).fit(rows).flag(rows, fdr=0.1)
            alarms += int(flagged.any())
            false.append((flagged & ~strange).sum() / max(flagged.sum(), 1))
            power.append((flagged & strange).sum() / max(strange.sum(), 1))
        lines.append(
            (f"{share:.0%}", f"{alarms / n_draws:.1%}", f"{np.mean(false):.1%}", f"{np.mean(power):.1%}")
        )
    print_table(
        "Calibration of flag",
        ("anomalies", "draws with alarms", "false discoveries (asked: 10 %)", "found"),
        lines,
    )


def main() -> None:
    """Print the parts that are named, or all, and the time for 10,000 rows of 20 columns."""
    parts = sys.argv[1:]
    if not parts or "compare" in parts:
        compare()
    if not parts or "novelty" in parts:
        novelty()
    if not parts or "calibration" in parts:
        calibration()
    rows = np.random.default_rng(0).normal(size=(10_000, 20))
    begun = perf_counter()
    GaussianMixtureOutlierDetector(random_state=0).fit(rows)
    print(f"10,000 x 20: {perf_counter() - begun:.2f} s")


if __name__ == "__main__":
    main()
