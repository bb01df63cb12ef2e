"""Merging: how often ``merge="auto"`` gives the number of groups that a table was made of.

``python -m benchmarks.merging`` makes 72 tables, each segmented as by default: Gaussian groups close together,
crescents beside each other and beside round groups, rings around a core, skewed (lognormal) groups, groups with heavy
tails, squares, and single groups that are not Gaussian; two to eight columns, 200 to 20,000 rows.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import numpy as np
import polars as pl

from benchmarks.measure import FloatArray, print_table
from mixtura.segments import segment_table

__all__ = ["KINDS", "main", "tables"]

Made = tuple[FloatArray, int]
"""Rows, and the number of groups that they were made of."""

SIZES = ((2, 200), (2, 1000), (3, 600), (4, 2000), (6, 1500), (8, 5000), (2, 5000), (2, 20000), (4, 400))
"""Columns and rows."""


def centers(rng: np.random.Generator, n_groups: int, n_columns: int, apart: float) -> FloatArray:
    """Return centers of which each two nearest are that far apart, shape (K, D)."""
    found = np.zeros((1, n_columns))
    while len(found) < n_groups:
        step = rng.standard_normal(n_columns)
        here = found[rng.integers(len(found))] + apart * step / np.linalg.norm(step)
        if np.linalg.norm(found - here, axis=1).min() > 0.999 * apart:
            found = np.vstack([found, here])
    return found


def around(rng: np.random.Generator, n_columns: int, n_rows: int, apart: float, shape: str) -> Made:
    """Return two to five groups of unit variance around centers that are `apart` standard deviations apart."""
    n_groups = int(rng.integers(2, 6))
    labels = rng.integers(n_groups, size=n_rows)
    draws = {
        "normal": lambda: rng.standard_normal((n_rows, n_columns)),
        "skewed": lambda: (rng.lognormal(0, 0.6, (n_rows, n_columns)) - 1.197) / 0.788,
        "heavy": lambda: rng.standard_t(4, (n_rows, n_columns)) / np.sqrt(2),
        "square": lambda: rng.uniform(-1.732, 1.732, (n_rows, n_columns)),
    }
    return centers(rng, n_groups, n_columns, apart)[labels] + draws[shape](), n_groups


def bows(rng: np.random.Generator, n_rows: int, width: float) -> FloatArray:
    angle = rng.uniform(0.1, np.pi - 0.1, n_rows)
    return np.column_stack([8 * np.cos(angle), 8 * np.sin(angle)]) + rng.standard_normal((n_rows, 2)) * width


def crescents(rng: np.random.Generator, n_columns: int, n_rows: int) -> Made:
    """Return two crescents that reach into each other, or one and two round groups; other columns are noise."""
    if rng.uniform() < 0.5:
        other = bows(rng, n_rows - n_rows // 2, 0.8) * [1, -1] + [8, 3]
        found, number = np.vstack([bows(rng, n_rows // 2, 0.8), other]), 2
    else:
        sides = [rng.normal([side, -9], 1.0, (n_rows // 4, 2)) for side in (-12, 12)]
        found, number = np.vstack([bows(rng, n_rows // 2, 0.8), *sides]), 3
    return np.column_stack([found, rng.standard_normal((len(found), n_columns - 2))]), number


def rings(rng: np.random.Generator, n_columns: int, n_rows: int) -> Made:
    """Return a ring around a core; other columns are noise."""
    angle = rng.uniform(0, 2 * np.pi, n_rows * 2 // 3)
    ring = np.column_stack([np.cos(angle), np.sin(angle)]) * 8 + rng.standard_normal((len(angle), 2)) * 0.8
    found = np.vstack([ring, rng.standard_normal((n_rows // 3, 2))])
    return np.column_stack([found, rng.standard_normal((len(found), n_columns - 2))]), 2


def single(rng: np.random.Generator, n_columns: int, n_rows: int) -> Made:
    """Return one group that is not Gaussian: skewed, heavy-tailed, flat or bent."""
    draws: list[Callable[[], FloatArray]] = [
        lambda: np.exp(0.6 * rng.standard_normal((n_rows, n_columns))) - 3,
        lambda: rng.standard_t(4, (n_rows, n_columns)),
        lambda: rng.uniform(size=(n_rows, n_columns)),
        lambda: np.column_stack([bows(rng, n_rows, 0.8), rng.standard_normal((n_rows, n_columns - 2))]),
    ]
    return draws[int(rng.integers(4))](), 1


KINDS: dict[str, Callable[[np.random.Generator, int, int], Made]] = {
    "Gaussian groups 4 deviations apart": lambda rng, d, n: around(rng, d, n, 4.0, "normal"),
    "Gaussian groups 5 deviations apart": lambda rng, d, n: around(rng, d, n, 5.0, "normal"),
    "skewed groups": lambda rng, d, n: around(rng, d, n, 6.0, "skewed"),
    "groups with heavy tails": lambda rng, d, n: around(rng, d, n, 6.0, "heavy"),
    "squares": lambda rng, d, n: around(rng, d, n, 5.0, "square"),
    "crescents": crescents,
    "rings": rings,
    "single groups that are not Gaussian": single,
}
"""What is made of a random generator, the number of columns and of rows."""


def tables() -> Iterator[tuple[str, pl.DataFrame, int]]:
    """Yield the kind, the table and the number of groups."""
    for (row, kind), (n_columns, n_rows) in itertools.product(enumerate(KINDS), SIZES):
        rows, number = KINDS[kind](np.random.default_rng([11, row, n_columns, n_rows]), n_columns, n_rows)
        yield kind, pl.DataFrame(rows, schema=[f"c{j}" for j in range(n_columns)]), number


def main() -> None:
    counts = {kind: [0, 0, 0, 0, 0] for kind in KINDS}
    for kind, frame, number in tables():
        result = segment_table(frame)
        before, after = result.model.n_segments, result.segment_merging.suggested
        found = counts[kind]
        for position, holds in enumerate(
            (True, before == number, after == number, after < number, after > number)
        ):
            found[position] += holds
    print_table(
        "Numbers of groups",
        ("made of", "tables", "without", "auto", "too few", "too many"),
        [(kind, *map(str, found)) for kind, found in counts.items()]
        + [("all", *(str(sum(column)) for column in zip(*counts.values(), strict=True)))],
    )


if __name__ == "__main__":
    main()
