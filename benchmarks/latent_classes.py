"""Latent class analysis: categories alone, beside StepMix where it is installed (``pip install stepmix``).

``python -m benchmarks.latent_classes 10`` makes 10 draws of each design; without a number there are three. Rows have
levels of J columns; in each of K classes one level of every column is favored. The table has the log-likelihood at the
parameters that were found, the adjusted Rand index with the classes, and seconds, each the mean. mixtura maximizes a
posterior density, with one row like the whole table more in each class, StepMix the likelihood.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec
from time import perf_counter

import numpy as np
from sklearn.metrics import adjusted_rand_score

from benchmarks.measure import print_table
from mixtura._typing import IntArray
from mixtura.core.parts.discrete import DiscreteColumns
from mixtura.core.parts.level_models import CATEGORICAL
from mixtura.core.protocols import MixedRows
from mixtura.select import search

__all__ = ["draw", "main"]

N_DRAWS = 3
DESIGNS = ((500, 8, 2, 3, 0.8), (2000, 10, 3, 4, 0.65), (5000, 12, 4, 5, 0.6))
"""Rows, columns, levels of each, classes, and the probability of a favored level."""


def draw(design: tuple[int, int, int, int, float], seed: int) -> tuple[IntArray, IntArray]:
    """Return levels, (N, J), and classes, (N,)."""
    n, n_columns, n_levels, k, favored = design
    rng = np.random.default_rng([13, seed])
    classes = rng.integers(k, size=n)
    columns = []
    for _ in range(n_columns):
        probabilities = np.full((k, n_levels), (1.0 - favored) / (n_levels - 1))
        probabilities[np.arange(k), rng.integers(n_levels, size=k)] = favored
        upper = np.cumsum(probabilities, axis=1)[classes]
        columns.append((rng.uniform(size=(n, 1)) > upper).sum(axis=1))
    return np.minimum(np.stack(columns, axis=1), n_levels - 1), classes


def _mixtura(levels: IntArray, k: int, seed: int) -> tuple[float, IntArray]:
    shares = tuple(np.bincount(column) / len(column) for column in levels.T)
    discrete = DiscreteColumns((CATEGORICAL,) * levels.shape[1], shares)
    rows = MixedRows(np.empty((len(levels), 0)), discrete.numbered(levels), discrete)
    best = search(rows, components=[k], random_state=seed).best
    assert best.mixture is not None, "a search without any mixture has raised"
    return best.log_likelihood, best.mixture.predict(rows)


def _stepmix(levels: IntArray, k: int, seed: int) -> tuple[float, IntArray]:
    from stepmix.stepmix import StepMix

    model = StepMix(k, measurement="categorical", n_init=10, random_state=seed, abs_tol=1e-7, progress_bar=0)
    model.fit(levels)
    return float(model.score(levels)) * len(levels), np.asarray(model.predict(levels))


def main(n_draws: int = N_DRAWS) -> None:
    """Print the table."""
    methods = {"mixtura": _mixtura} | ({"StepMix": _stepmix} if find_spec("stepmix") else {})
    lines = []
    for design in DESIGNS:
        drawn = [draw(design, seed) for seed in range(n_draws)]
        for name, method in methods.items():
            found = []
            for seed, (levels, classes) in enumerate(drawn):
                begun = perf_counter()
                likelihood, labels = method(levels, design[3], seed)
                found.append((likelihood, adjusted_rand_score(classes, labels), perf_counter() - begun))
            means = np.mean(found, axis=0)
            sizes = map(str, design[:4])
            lines.append((*sizes, name, f"{means[0]:.2f}", f"{means[1]:.3f}", f"{means[2]:.1f}"))
    header = ("rows", "columns", "levels", "classes", "", "log-likelihood", "adjusted Rand", "seconds")
    print_table("Categories alone, the number of classes given", header, lines)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
