"""Mixed tables: how well segments are found again, beside other programs, and how long a search takes.

``python -m benchmarks.mixed_tables`` prints both; add ``agreement`` or ``speed`` for one of them, and a number for as
many seeds. StepMix and k-prototypes are compared where they are installed (``pip install stepmix kmodes``). R's
VarSelLCM, which is on CRAN alone, is not among them.

The design: 600 rows with four numeric and four categorical columns (2, 3, 4 and 5 levels), 3 to 6 segments with shares
from a Dirichlet distribution of concentration 8. Overlap has three steps, which scale the means of the segments
(standard normal, times 1.8, 1.2 or 0.8) and sharpen the level probabilities (Dirichlet of concentration 0.5, 1 or 2).
Without dependence columns are independent within a segment; the standard deviations of numeric ones are between 0.6 and
1.4. With dependence, numeric columns are correlated within each segment by an own random matrix (half a Wishart matrix
of six degrees of freedom, half the identity), and the third and the fourth categorical column repeat the first and the
second, level for level, in 30 % of the rows. The agreement with the true segments of the model that made the rows is
printed as the best possible.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from time import perf_counter, process_time
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score

from benchmarks.measure import FloatArray, print_table
from mixtura import set_threads
from mixtura.segments import segment_table, select_table

__all__ = ["OVERLAPS", "Made", "main", "make_large", "make_mixed"]

IntArray = npt.NDArray[np.intp]

OVERLAPS = {"low": (1.8, 0.5), "medium": (1.2, 1.0), "high": (0.8, 2.0)}
"""Scale of the means, and concentration of the level probabilities."""

_LEVELS = (2, 3, 4, 5)
_COPIED = 0.3
_N_INIT = 10

_SAID = {f"c{j}": "category" for j in range(len(_LEVELS))}
"""That all four categories build, as in the other programs; by the rule some that go with little only describe."""


@dataclass(frozen=True, slots=True, eq=False)
class Made:
    """A table that was made: numeric columns (N, 4), levels (N, 4), segments (N,), and those of the true model."""

    numbers: FloatArray
    levels: IntArray
    labels: IntArray
    best: IntArray

    @property
    def table(self) -> pl.DataFrame:
        numbers = {f"x{j}": column for j, column in enumerate(self.numbers.T)}
        words = {f"c{j}": [f"level {one}" for one in column] for j, column in enumerate(self.levels.T)}
        return pl.DataFrame(numbers | words)


def make_mixed(k: int, overlap: str, dependent: bool, seed: int, n_rows: int = 600) -> Made:
    """Return a table of the design above."""
    rng = np.random.default_rng([k, list(OVERLAPS).index(overlap), dependent, seed])
    scale, concentration = OVERLAPS[overlap]
    shares = rng.dirichlet(np.full(k, 8.0))
    labels = rng.choice(k, n_rows, p=shares)
    means = scale * rng.normal(size=(k, 4))
    spread = rng.uniform(0.6, 1.4, size=(k, 4))
    correlation = np.array([_correlation(rng) if dependent else np.eye(4) for _ in range(k)])
    roots = spread[:, :, None] * np.linalg.cholesky(correlation)
    numbers = means[labels] + np.einsum("nij,nj->ni", roots[labels], rng.normal(size=(n_rows, 4)))
    tables = [rng.dirichlet(np.full(size, concentration), size=k) for size in _LEVELS]
    drawn = (rng.uniform(size=(n_rows, 1)) > np.cumsum(one, axis=1)[labels] for one in tables)
    levels = np.column_stack([np.minimum(one.sum(axis=1), one.shape[1] - 1) for one in drawn])
    if dependent:
        copied = rng.uniform(size=(n_rows, 2)) < _COPIED
        levels[:, 2:] = np.where(copied, levels[:, :2], levels[:, 2:])
    logs = np.log(shares) + _log_normal(numbers, means, roots) + _log_levels(levels, tables, dependent)
    return Made(numbers, levels, labels, logs.argmax(axis=1))


def _correlation(rng: np.random.Generator) -> FloatArray:
    rows = rng.normal(size=(6, 4))
    matrix = rows.T @ rows
    sides = np.sqrt(np.diag(matrix))
    return np.asarray(0.5 * matrix / np.outer(sides, sides) + 0.5 * np.eye(4))


def _log_normal(numbers: FloatArray, means: FloatArray, roots: FloatArray) -> FloatArray:
    inverse = np.linalg.inv(roots)
    apart = np.einsum("kij,nkj->nki", inverse, numbers[:, None] - means)
    return np.asarray(-0.5 * (apart**2).sum(axis=2) + np.linalg.slogdet(inverse)[1])


def _log_levels(levels: IntArray, tables: list[FloatArray], dependent: bool) -> FloatArray:
    own = [table[:, column].T for table, column in zip(tables, levels.T, strict=True)]
    if dependent:
        for j in (2, 3):
            same = (levels[:, j] == levels[:, j - 2])[:, None]
            own[j] = (1.0 - _COPIED) * own[j] + _COPIED * same
    with np.errstate(divide="ignore"):
        return np.asarray(sum(np.log(one) for one in own))


def _ours(made: Made, components: list[int], **options: Any) -> IntArray:
    return segment_table(made.table, components=components, **options).assignment.labels


def _searched(made: Made, k: int, seed: int) -> IntArray:
    return _ours(made, list(range(1, 10)), kinds="auto")


def _given(made: Made, k: int, seed: int) -> IntArray:
    return _ours(made, [k], kinds=_SAID)


def _given_by_rule(made: Made, k: int, seed: int) -> IntArray:
    return _ours(made, [k], kinds="auto")


def _given_own(made: Made, k: int, seed: int) -> IntArray:
    return _ours(made, [k], kinds=_SAID, covariance_types=["full", "diag"])


def _kmeans(made: Made, k: int, seed: int) -> IntArray:
    """One-hot K-means: standardized numbers beside an indicator for each level."""
    standard = (made.numbers - made.numbers.mean(axis=0)) / made.numbers.std(axis=0)
    levels = [np.eye(size)[column] for size, column in zip(_LEVELS, made.levels.T, strict=True)]
    rows = np.hstack([standard, *levels])
    return np.asarray(KMeans(k, n_init=_N_INIT, random_state=seed).fit_predict(rows))


def _prototypes(made: Made, k: int, seed: int) -> IntArray:
    from kmodes.kprototypes import KPrototypes

    standard = (made.numbers - made.numbers.mean(axis=0)) / made.numbers.std(axis=0)
    rows = np.hstack([standard.astype(object), made.levels.astype(object)])
    fitted = KPrototypes(k, n_init=_N_INIT, random_state=seed)
    return np.asarray(fitted.fit_predict(rows, categorical=[4, 5, 6, 7]))


def _stepmix(
    made: Made, k: int, seed: int, types: tuple[str, ...] = ("gaussian_diag", "gaussian_full")
) -> IntArray:
    """The better by BIC of diagonal and full covariances, or of others."""
    import pandas as pd
    from stepmix.stepmix import StepMix
    from stepmix.utils import get_mixed_descriptor

    numbers = {f"x{j}": column for j, column in enumerate(made.numbers.T)}
    frame = pd.DataFrame(numbers | {f"c{j}": column for j, column in enumerate(made.levels.T)})
    found = []
    for covariances in types:
        columns: dict[str, Any] = {covariances: list(numbers), "categorical": [f"c{j}" for j in range(4)]}
        data, descriptor = get_mixed_descriptor(frame, **columns)
        model = StepMix(
            k, measurement=descriptor, n_init=_N_INIT, random_state=seed, progress_bar=0, abs_tol=1e-7
        )
        labels = model.fit(data).predict(data)
        found.append((float(model.bic(data)), np.asarray(labels)))
    return min(found, key=lambda one: one[0])[1]


def _stepmix_with_tied(made: Made, k: int, seed: int) -> IntArray:
    """The best by BIC of diagonal, full and tied covariances, those that mixtura tries."""
    return _stepmix(made, k, seed, ("gaussian_diag", "gaussian_full", "gaussian_tied"))


Method = Callable[[Made, int, int], IntArray]

_OURS: dict[str, Method] = {
    "mixtura, K searched": _searched,
    "mixtura, K given": _given,
    "mixtura, full and diag": _given_own,
    "mixtura, kinds by rule": _given_by_rule,
}
_PEERS: dict[str, tuple[str, Method]] = {
    "StepMix": ("stepmix", _stepmix),
    "StepMix, tied too": ("stepmix", _stepmix_with_tied),
    "k-prototypes": ("kmodes", _prototypes),
    "one-hot K-means": ("sklearn", _kmeans),
}


def _methods() -> dict[str, Method]:
    found = dict(_OURS)
    for name, (module, method) in _PEERS.items():
        if find_spec(module) is None:
            print(f"{name} is left out: {module} is not installed.")
        else:
            found[name] = method
    return found


def agreement(n_seeds: int = 6) -> None:
    """Print the mean adjusted Rand index of every program in every cell of the design; the best peer is marked."""
    methods = _methods()
    rows, seconds = [], dict.fromkeys(methods, 0.0)
    for dependent in (False, True):
        for overlap in OVERLAPS:
            for k in (3, 4, 5, 6):
                scores = {name: list[float]() for name in ("best possible", *methods)}
                for seed in range(n_seeds):
                    made = make_mixed(k, overlap, dependent, seed)
                    scores["best possible"].append(adjusted_rand_score(made.labels, made.best))
                    for name, method in methods.items():
                        begun = perf_counter()
                        labels = method(made, k, seed)
                        seconds[name] += perf_counter() - begun
                        scores[name].append(adjusted_rand_score(made.labels, labels))
                means = [float(np.mean(one)) for one in scores.values()]
                peers = means[1 + len(_OURS) :]
                lost = f"{means[2] - max(peers):+.3f}" if peers else ""
                cell = [overlap, "yes" if dependent else "no", str(k)]
                rows.append([*cell, *(f"{one:.3f}" for one in means), lost])
                print(rows[-1], file=sys.stderr, flush=True)
    header = ["overlap", "dependence", "K", "best possible", *methods, "given less best peer"]
    rows.append(["seconds a table", "", "", ""])
    rows[-1] += [f"{one / (24 * n_seeds):.2f}" for one in seconds.values()] + [""]
    print_table(f"Adjusted Rand index, means of {n_seeds} tables", header, rows)


def make_large(n_rows: int = 100_000, seed: int = 0) -> pl.DataFrame:
    """Return a table with 15 numeric columns and 15 categories of 2 to 8 levels, in five segments."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(5, size=n_rows)
    numbers = rng.normal(size=(5, 15))[labels] + rng.normal(size=(n_rows, 15))
    table = {f"x{j}": column for j, column in enumerate(numbers.T)}
    words: dict[str, Any] = {}
    for j in range(15):
        size = 2 + j % 7
        upper = np.cumsum(rng.dirichlet(np.ones(size), size=5), axis=1)
        levels = np.minimum((rng.uniform(size=(n_rows, 1)) > upper[labels]).sum(axis=1), size - 1)
        words[f"c{j}"] = np.array([f"level {one}" for one in range(size)])[levels]
    return pl.DataFrame(table | words)


def speed(n_rows: int = 100_000) -> None:
    """Print the seconds of a whole search, K 1 to 9, of a large table; CPU seconds without those of other processes."""
    table = make_large(n_rows)
    with set_threads(2):
        begun, worked = perf_counter(), process_time()
        found = select_table(table, kinds="auto", components=range(1, 10)).found.best
        seconds, cpu = perf_counter() - begun, process_time() - worked
    header = ["rows", "columns", "K found", "type", "seconds", "CPU seconds, this process"]
    row = [
        f"{n_rows:,}",
        "30",
        str(found.n_components),
        found.covariance_type,
        f"{seconds:.1f}",
        f"{cpu:.1f}",
    ]
    print_table("A whole search, K 1 to 9, on two threads (asked: 60 s)", header, [row])


def main(*arguments: str) -> None:
    numbers = [int(one) for one in arguments if one.isdigit()]
    wanted = [one for one in arguments if not one.isdigit()]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if not wanted or "agreement" in wanted:
            agreement(*numbers)
        if not wanted or "speed" in wanted:
            speed()


if __name__ == "__main__":
    main(*sys.argv[1:])
