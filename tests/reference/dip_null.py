"""Quantiles of Hartigan's dip under the uniform distribution, simulated; writes the table of `dip_quantiles.py`.

Needs the PyPI package diptest (0.12 was used), which wraps the C code of R's package of the same name.
"""

from __future__ import annotations

import diptest
import numpy as np

SIZES = (5, 7, 10, 15, 20, 30, 50, 100, 200, 500, 1000, 2000, 5000)
PROBABILITIES = (1.0, 0.9, 0.7, 0.5, 0.3, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001, 0.0001)
SAMPLES = 200_000

if __name__ == "__main__":
    rng = np.random.default_rng(1985)
    for size in SIZES:
        samples = SAMPLES if size <= 500 else SAMPLES // 4
        dips = np.array([diptest.dipstat(np.sort(rng.random(size)), sort_x=False) for _ in range(samples)])
        quantiles = np.quantile(np.sqrt(size) * dips, 1 - np.array(PROBABILITIES))
        print(f"    ({', '.join(f'{value:.5f}' for value in quantiles)}),  # {size}", flush=True)
