"""Count how often the family and the number of components that made the rows are given back.

``python -m benchmarks.recovery 100`` makes 100 draws of each family; without a number there are eight.

For each of the 14 families, mixtures of it are drawn with clear separation (seeded), 500 rows of each, and the search
over all families with 1 to 6 components chooses by BIC. Right is a draw where the number of components is the one drawn
from and the shape is the family drawn from, or a neighbor of it (one that differs in one letter) within 2 BIC units.
"""

from __future__ import annotations

import sys

import numpy as np

from benchmarks.measure import FloatArray, print_table
from mixtura.core.covariance import MCLUST_NAMES
from mixtura.select import SearchResult, search

__all__ = ["draw", "main"]

N_DRAWS = 8
N_ROWS = 500
NAMES = {"full": "VVV", "tied": "EEE", "diag": "VVI", "spherical": "VII"}


def rotation(rng: np.random.Generator) -> FloatArray:
    return np.linalg.qr(rng.normal(size=(3, 3)))[0]


def draw(family: str, seed: int) -> FloatArray:
    """Return rows (500, 3) of three components of a family, their means at least 12 deviations apart."""
    rng = np.random.default_rng([seed, MCLUST_NAMES.index(family)])
    volumes = np.array([1.0, 3.0, 0.4]) if family[0] == "V" else np.ones(3)
    shapes = {
        "I": np.ones((3, 3)),
        "E": np.tile([4.0, 1.0, 0.25], (3, 1)),
        "V": np.array([[4.0, 1.0, 0.25], [0.2, 1.0, 5.0], [1.0, 8.0, 0.125]]),
    }[family[1]]
    turns = {
        "I": [np.eye(3)] * 3,
        "E": [rotation(rng)] * 3,
        "V": [rotation(rng) for _ in range(3)],
    }[family[2]]
    means = 15 * rotation(rng)
    labels = rng.choice(3, N_ROWS, p=[0.4, 0.35, 0.25])
    rows = np.empty((N_ROWS, 3))
    for k in range(3):
        own = labels == k
        rows[own] = (
            means[k] + (rng.normal(size=(own.sum(), 3)) * np.sqrt(volumes[k] * shapes[k])) @ turns[k].T
        )
    return rows


def is_right(found: SearchResult, family: str) -> tuple[bool, bool]:
    """Return whether the number of components is right, and whether family and number are."""
    best = found.best
    if best.n_components != 3:
        return False, False
    name = NAMES.get(best.covariance_type, best.covariance_type)
    if name == family:
        return True, True
    own = [
        one.bic
        for one in found.candidates
        if NAMES.get(one.covariance_type, one.covariance_type) == family and one.n_components == 3
    ]
    near = sum(a != b for a, b in zip(name, family, strict=True)) == 1
    return True, near and own[0] - best.bic <= 2


def main(n_draws: int = N_DRAWS) -> None:
    table, total = [], 0
    for family in MCLUST_NAMES:
        right = [
            is_right(search(draw(family, seed), components=range(1, 7), covariance_types="all"), family)
            for seed in range(n_draws)
        ]
        numbers, both = sum(number for number, _ in right), sum(whole for _, whole in right)
        total += both
        table.append([family, str(n_draws), str(numbers), str(both)])
    table.append(
        ["all", str(n_draws * len(MCLUST_NAMES)), "", f"{100 * total / n_draws / len(MCLUST_NAMES):.1f} %"]
    )
    header = ("drawn from", "draws", "right number", "right number and shape")
    print_table(
        "Recovery of family and number of components, 500 x 3 rows of three components", header, table
    )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
