"""Selection of columns: planted noise, what it costs, Italian wine, and the time beside a plain search.

``python -m benchmarks.column_selection`` prints all tables; add ``planted`` or ``wine`` for some of them, and a number
for as many seeds of each planted design. With the name of a CSV file the wine is what is in it, all columns but
``wine``, which has the cultivar. The R package sn has the 27 measurements that Forina et al. (1986) made of the wines::

    Rscript -e 'data(wines, package = "sn"); write.csv(wines, "wines.csv", row.names = FALSE)'

The design: 5 columns build 4 components of shares 0.25 (standard normal around means that are normal with a standard
deviation of 1.6, at least 3 apart), 2 redundant columns are a random weighted sum of them plus standard normal noise,
and 30 columns are noise: normal, skewed (gamma of shape 2), uniform, t with 4 degrees of freedom, or normal with one
common factor (correlations of 0.5). All columns are standardized. A noise column is named if its role is noise, or
redundant; a builder is kept if it builds. The adjusted Rand index is that of the best mixture by BIC, of 1 to 9
components and four covariance types, with the partition that made the rows.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter

import numpy as np
import numpy.typing as npt
import polars as pl
from sklearn.datasets import load_wine
from sklearn.metrics import adjusted_rand_score

from benchmarks.measure import FloatArray, print_table
from mixtura.segments import segment_table
from mixtura.select import ColumnSelection, search, select_columns

__all__ = ["NOISE", "Planted", "main", "make_planted"]

IntArray = npt.NDArray[np.intp]
Draw = Callable[[np.random.Generator, int, int], FloatArray]

N_BUILDERS, N_REDUNDANT, N_NOISE, N_COMPONENTS = 5, 2, 30, 4
_LEAST_DISTANCE, _SPREAD = 3.0, 1.6

MCLUST = ("VVI", "EEE", "VVE", "EVE")
"""Families of mclust that suit wine, beside the four of scikit-learn."""


def _common_factor(rng: np.random.Generator, n: int, d: int) -> FloatArray:
    return rng.normal(size=(n, d)) + rng.normal(size=(n, 1))


NOISE: dict[str, Draw] = {
    "normal": lambda rng, n, d: rng.normal(size=(n, d)),
    "skewed": lambda rng, n, d: rng.gamma(2.0, size=(n, d)),
    "uniform": lambda rng, n, d: rng.uniform(size=(n, d)),
    "t": lambda rng, n, d: rng.standard_t(4, size=(n, d)),
    "correlated": _common_factor,
}


@dataclass(frozen=True, slots=True, eq=False)
class Planted:
    """Rows whose first columns build, the next are redundant, and the others noise; and their components."""

    rows: FloatArray
    labels: IntArray

    @property
    def builders(self) -> FloatArray:
        return np.ascontiguousarray(self.rows[:, :N_BUILDERS])


def make_planted(kind: str, n_rows: int, seed: int, n_noise: int = N_NOISE) -> Planted:
    """Return a table of the design above."""
    rng = np.random.default_rng([list(NOISE).index(kind), n_rows, seed])
    labels = rng.integers(N_COMPONENTS, size=n_rows)
    means = _means(rng)
    builders = rng.normal(size=(n_rows, N_BUILDERS)) + means[labels]
    slopes = rng.normal(size=(N_BUILDERS, N_REDUNDANT)) / 2.0
    redundant = builders @ slopes + rng.normal(size=(n_rows, N_REDUNDANT))
    rows = np.hstack([builders, redundant, NOISE[kind](rng, n_rows, n_noise)])
    return Planted((rows - rows.mean(axis=0)) / rows.std(axis=0), labels)


def _means(rng: np.random.Generator) -> FloatArray:
    while True:
        means = rng.normal(scale=_SPREAD, size=(N_COMPONENTS, N_BUILDERS))
        apart = np.linalg.norm(means[:, None] - means[None], axis=2)[np.triu_indices(N_COMPONENTS, 1)]
        if apart.min() >= _LEAST_DISTANCE:
            return means


def _agreement(rows: FloatArray, labels: IntArray, **options: object) -> tuple[float, float]:
    """Return the adjusted Rand index of the best mixture with the labels, and the seconds of the search."""
    begun = perf_counter()
    best = search(rows, **options).best
    seconds = perf_counter() - begun
    assert best.mixture is not None
    return float(adjusted_rand_score(labels, best.mixture.predict(rows))), seconds


def _selected(rows: FloatArray, found: ColumnSelection) -> FloatArray:
    return np.ascontiguousarray(rows[:, list(found.indices)]) if found.building else rows


def planted(n_seeds: int = 5) -> None:
    """Print how many planted columns are named, and what selection does to the agreement."""
    lines, named_of_all = [], []
    for kind in NOISE:
        for n_rows in (300, 1_000):
            results = np.array([_of_one(make_planted(kind, n_rows, seed)) for seed in range(n_seeds)])
            named, kept, selected, builders, every, took, plain = results.mean(axis=0)
            named_of_all.append(named)
            lines.append(
                (
                    kind,
                    f"{n_rows:,}",
                    f"{100 * named:.1f} %",
                    f"{100 * kept:.0f} %",
                    f"{builders:.3f}",
                    f"{selected:.3f}",
                    f"{every:.3f}",
                    f"{took:.1f}",
                    f"{plain:.1f}",
                )
            )
    named = ("noise", "rows", "noise named", "builders kept")
    header = (*named, "ARI builders", "ARI selected", "ARI all", "s select", "s plain")
    print_table(
        f"Planted: 5 builders, 2 redundant, 30 noise columns; means of {n_seeds} seeds", header, lines
    )
    print(f"noise columns named in all: {100 * np.mean(named_of_all):.1f} %")


def _of_one(made: Planted) -> tuple[float, ...]:
    begun = perf_counter()
    found = select_columns(made.rows, n_bootstraps=0)
    took = perf_counter() - begun
    builds = np.isin(np.arange(made.rows.shape[1]), found.indices)
    named = 1.0 - builds[N_BUILDERS + N_REDUNDANT :].mean()
    kept = builds[:N_BUILDERS].mean()
    selected, _ = _agreement(_selected(made.rows, found), made.labels)
    builders, _ = _agreement(made.builders, made.labels)
    every, plain = _agreement(made.rows, made.labels)
    return named, kept, selected, builders, every, took, plain


def _wine(path: str | None) -> tuple[pl.DataFrame, IntArray]:
    """Return the measurements and the cultivars, scikit-learn's where there is no file."""
    if path is None:
        data = load_wine()
        return pl.DataFrame(data.data, schema=data.feature_names), data.target
    table = pl.read_csv(path)
    return table.drop("wine"), np.unique(table["wine"].to_numpy(), return_inverse=True)[1]


def wine(path: str | None = None) -> None:
    """Print the agreement with the three cultivars of the wine data, with all columns and those selected."""
    table, labels = _wine(path)
    rows = table.to_numpy()
    rows = np.ascontiguousarray((rows - rows.mean(axis=0)) / rows.std(axis=0))
    lines = [_segmented(table, labels)]
    for families in (("full", "tied", "diag", "spherical"), MCLUST):
        for components in (range(1, 10), [3]):
            begun = perf_counter()
            numbers = [one for one in components if one > 1]
            found = select_columns(
                rows, names=table.columns, components=numbers, covariance_types=families, n_bootstraps=0
            )
            took = perf_counter() - begun
            options = {"components": components, "covariance_types": families}
            selected, _ = _agreement(_selected(rows, found), labels, **options)
            every, plain = _agreement(rows, labels, **options)
            asked = "3" if len(numbers) == 1 else "1 to 9"
            lines.append(
                (
                    ", ".join(families),
                    asked,
                    str(len(found.building)),
                    f"{selected:.3f}",
                    f"{every:.3f}",
                    f"{took:.1f}",
                    f"{plain:.1f}",
                )
            )
    header = ("families", "components", "columns kept", "ARI selected", "ARI all", "s select", "s plain")
    print_table(f"Wine, {len(rows)} rows, {rows.shape[1]} columns, three cultivars", header, lines)


def _segmented(table: pl.DataFrame, labels: IntArray) -> tuple[str, ...]:
    """Return the line of `segment_table`, which goes by the stability, too."""
    agreements, seconds, numbers, kept = [], [], [], 0
    for select in (True, False):
        begun = perf_counter()
        result = segment_table(table, select_columns=select)
        seconds.append(f"{perf_counter() - begun:.1f}")
        agreements.append(f"{adjusted_rand_score(labels, result.assignment.labels):.3f}")
        numbers.append(str(result.model.n_segments))
        if result.selection is not None:
            kept = sum(one.role.value == "building" for one in result.selection.columns)
    return "as segment does", f"1 to 9: {' and '.join(numbers)}", str(kept), *agreements, *seconds


def main() -> None:
    words = sys.argv[1:] if sys.argv[0].endswith("column_selection.py") else []
    seeds = next((int(word) for word in words if word.isdecimal()), 5)
    if "wine" not in words:
        planted(seeds)
    if "planted" not in words:
        wine(next((word for word in words if word.endswith(".csv")), None))


if __name__ == "__main__":
    main()
