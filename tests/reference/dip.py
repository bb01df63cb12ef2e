"""Hartigan's dip from elsewhere; prints the table of `mixtura.segments.advice.evidence.dip_quantiles`.


Needs the PyPI package diptest (0.12.0 was used), which wraps the C code of R's package of the same name (AS 217 as
corrected by Martin Maechler) and holds R's table of quantiles, ``qDiptab``.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

SIZES = (5, 7, 10, 15, 20, 30, 50, 100, 200, 500, 1000, 2000, 5000)
PROBABILITIES = (1.0, 0.9, 0.7, 0.5, 0.3, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001, 0.0001)
SAMPLES = 200_000


def simulate() -> None:
    import diptest

    rng = np.random.default_rng(1985)
    for size in SIZES:
        samples = SAMPLES if size <= 500 else SAMPLES // 4
        dips = np.array([diptest.dipstat(np.sort(rng.random(size)), sort_x=False) for _ in range(samples)])
        quantiles = np.quantile(np.sqrt(size) * dips, 1 - np.array(PROBABILITIES))
        print(f"    ({', '.join(f'{value:.5f}' for value in quantiles)}),  # {size}", flush=True)


def write_dips(folder: Path) -> None:
    import diptest

    with (folder / "dip.csv").open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["n", "kind", "dip"])
        for n in (4, 5, 8, 13, 30, 57, 100, 250):
            for kind, values in samples(n).items():
                writer.writerow([n, kind, repr(float(diptest.dipstat(values, allow_zero=False)))])


def write_quantiles(folder: Path) -> None:
    from diptest.consts import Consts

    with (folder / "dip_quantiles.csv").open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["n", "probability", "dip"])
        for n, row in zip(Consts._SAMPLE_SIZE, Consts._CRIT_VALS, strict=True):
            for alpha, dip in zip(Consts._ALPHA, row, strict=True):
                if 20 <= n <= 5000 and 0.5 <= alpha <= 0.999:
                    writer.writerow([int(n), repr(float(alpha)), repr(float(dip))])


def samples(n: int) -> dict[str, np.ndarray]:
    """Samples that need no random numbers, so that another program can make them."""
    i = np.arange(1, n + 1)
    wave = np.sin(i * 12.9898) * 43758.5453
    spread = wave - np.floor(wave)
    return {
        "spread": spread,
        "squares": spread**2,
        "two": spread + 1.5 * (i % 2),
        "three": 0.3 * spread + i % 3,
        "ties": np.round(4 * spread),
        "even": i / n,
    }


if __name__ == "__main__":
    here = Path(__file__).parent
    write_dips(here)
    write_quantiles(here)
    simulate()
