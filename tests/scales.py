"""Tables on which digits get lost: columns of very mixed scale, outliers, heaped values, repeated and few rows.

Each is made from a seed alone. What is drawn, and how often: the scale of each column from 1e-9 to 1e8 (a third), one
row multiplied by 1e3 to 1e12 (half), two fifths of a column set to zero (a fifth), values rounded to a step (a
quarter), a row repeated (a sixth), a column that is the sum of two others but for rounding (a sixth).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["HardTable", "hard_table"]


@dataclass(frozen=True)
class HardTable:
    """Rows, and how they are to be fitted."""

    rows: Any
    n_components: int
    covariance_type: str
    init_params: str

    @property
    def settings(self) -> dict[str, Any]:
        names = {"n_components": self.n_components, "covariance_type": self.covariance_type}
        return names | {"init_params": self.init_params, "random_state": 0, "max_iter": 50}


def hard_table(
    seed: int, *, small: bool = False, covariance_types: tuple[str, ...] = ("full", "tied")
) -> HardTable:
    """Return a table and what is fitted to it; the small ones have at most 40 rows of 5 columns."""
    rng = np.random.default_rng(seed)
    n = int(rng.choice([10, 40] if small else [10, 40, 120, 300]))
    d = int(rng.choice([2, 3, 5] if small else [2, 3, 5, 8, 20]))
    x = rng.normal(size=(n, d)) + rng.integers(0, 4, size=(n, 1)) * rng.choice([0, 1, 5, 50])
    if rng.random() < 1 / 4:
        x = np.round(x * 2) / 2
    if rng.random() < 1 / 6:
        x[rng.random(n) < 0.5] = x[0]
    if d > 2 and rng.random() < 1 / 6:
        x[:, -1] = np.round(x[:, 0] + x[:, 1], 3)
    if rng.random() < 1 / 5:
        x[rng.random(n) < 0.4, rng.integers(d)] = 0
    if rng.random() < 1 / 3:
        x = x * 10.0 ** rng.integers(-9, 9, size=d)
    if rng.random() < 1 / 2:
        x[rng.integers(n)] *= 10.0 ** rng.integers(3, 13)
    start = str(rng.choice(["kmeans", "random", "random_from_data"]))
    return HardTable(x, int(rng.integers(1, 4 if small else 7)), str(rng.choice(covariance_types)), start)
