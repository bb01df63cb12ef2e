"""How often a bootstrap test rejects a number of components that is right, for each way to start.

Tables of 100 rows are drawn from two components, far apart; the test of two against three should reject at a level of
0.1 in a tenth of them, and at 0.2 in a fifth. The default has to, within three standard errors of the share. ("warm",
the fit of three components to the table itself as the only start, is mclust's way.)
"""

from __future__ import annotations

import math

import numpy as np

from benchmarks.measure import print_table
from mixtura import Mixture
from mixtura.select import bootstrap_lrt

__all__ = ["main"]

TABLES, LEVELS = 80, (0.1, 0.2)


def p_value(starts: str, seed: int) -> float:
    """Return that of two components against three, for a table drawn from two."""
    truth = Mixture.from_parameters([0.5, 0.5], [[0.0, 0.0], [7.0, 0.0]], [np.eye(2)] * 2)
    rows, _ = truth.sample(100, random_state=seed)
    options = {"covariance_type": "EEE", "max_components": 3, "n_boot": 19, "level": 0.5}
    return bootstrap_lrt(rows, starts=starts, random_state=seed, **options).tests[1].p_value


def main() -> None:
    """Print the share of tables rejected, and raise if that of the default is not the level."""
    found = {
        starts: np.array([p_value(starts, seed) for seed in range(TABLES)]) for starts in ("splits", "warm")
    }
    shares = {
        starts: [float(np.mean(values <= level)) for level in LEVELS] for starts, values in found.items()
    }
    rows = [[starts, *(f"{share:.2f}" for share in values)] for starts, values in shares.items()]
    print_table(
        f"{TABLES} tables of two components, two tested against three",
        ["starts", *(f"rejected at {level}" for level in LEVELS)],
        rows,
    )
    for level, share in zip(LEVELS, shares["splits"], strict=True):
        error = math.sqrt(level * (1 - level) / TABLES)
        if abs(share - level) > 3 * error:
            raise AssertionError(f"A level of {level} rejects {share:.2f} of the tables.")


if __name__ == "__main__":
    main()
