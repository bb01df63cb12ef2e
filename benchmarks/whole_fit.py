"""Time a whole default fit, start included, and the memory it takes beyond its input.

Each fit runs in a process of its own, so that one library's memory and thread pools do not show in the other's. Both
use all cores. The log-likelihoods of what both found, computed alike in float64, are compared before any ratio
is told: for float64 rows ours must be equal (to 1e-6) or better. With float32 rows scikit-learn adds up in float32, so
that its k-means starts elsewhere; both log-likelihoods are shown.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable
from pathlib import Path
from time import perf_counter, sleep

import numpy as np

from benchmarks.measure import make_rows, print_table
from mixtura import Mixture

__all__ = ["main"]

SIZES = ((100_000, 10, 10, "float64"), (1_000_000, 10, 10, "float64"), (1_000_000, 10, 10, "float32"))


def resident() -> int:
    """Return the bytes of memory this process holds (Linux)."""
    with Path("/proc/self/statm").open(encoding="ascii") as file:
        return int(file.read().split()[1]) * 4096


def peak_of(call: Callable[[], object]) -> tuple[float, int]:
    """Return the seconds a call takes, and the most memory it held beyond what was held before, in bytes."""
    before = peak = resident()
    done = threading.Event()

    def watch() -> None:
        nonlocal peak
        while not done.is_set():
            peak = max(peak, resident())
            sleep(0.001)

    watcher = threading.Thread(target=watch)
    watcher.start()
    start = perf_counter()
    call()
    seconds = perf_counter() - start
    done.set()
    watcher.join()
    return seconds, peak - before


def fit(library: str, n_rows: int, n_features: int, n_components: int, dtype: str) -> dict[str, float]:
    """Fit once in this process; return seconds, log-likelihood, iterations, and memory over the input's size."""
    warnings.simplefilter("ignore")
    if library == "mixtura":
        from mixtura import GaussianMixture
    else:
        from sklearn.mixture import GaussianMixture
    rows = np.ascontiguousarray(make_rows(n_rows, n_features, n_components), dtype=dtype)
    GaussianMixture(n_components, max_iter=2, random_state=0).fit(rows[:3000])
    model = GaussianMixture(n_components, random_state=0)
    seconds, memory = peak_of(lambda: model.fit(rows))
    symmetric = (model.covariances_ + model.covariances_.transpose(0, 2, 1)) / 2
    found = Mixture.from_parameters(
        model.weights_ / model.weights_.sum(dtype=np.float64), model.means_, symmetric
    )
    return {
        "seconds": seconds,
        "log_likelihood": float(found.log_density(rows.astype(np.float64)).mean()),
        "n_iter": model.n_iter_,
        "memory": memory / rows.nbytes,
    }


def in_a_process(library: str, *size: object) -> dict[str, float]:
    arguments = [library, *map(str, size)]
    command = [sys.executable, "-m", "benchmarks.whole_fit", *arguments]
    out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found: dict[str, float] = json.loads(out)
    return found


def main() -> None:
    table = []
    for n_rows, n_features, n_components, dtype in SIZES:
        ours = in_a_process("mixtura", n_rows, n_features, n_components, dtype)
        theirs = in_a_process("sklearn", n_rows, n_features, n_components, dtype)
        least = theirs["log_likelihood"] - 1e-6 * abs(theirs["log_likelihood"])
        assert dtype == "float32" or ours["log_likelihood"] >= least, (ours, theirs)
        table.append(
            [
                f"{n_rows:,} x {n_features} x {n_components}",
                dtype,
                f"{theirs['seconds']:.2f}",
                f"{ours['seconds']:.2f}",
                f"{theirs['seconds'] / ours['seconds']:.1f}",
                f"{theirs['n_iter']:.0f} / {ours['n_iter']:.0f}",
                f"{theirs['log_likelihood']:.4f} / {ours['log_likelihood']:.4f}",
                f"{theirs['memory']:.2f}",
                f"{ours['memory']:.2f}",
            ]
        )
    header = (
        "rows x features x components",
        "rows are",
        "scikit-learn s",
        "mixtura s",
        "ratio",
        "iterations",
        "log-likelihood per row",
        "scikit-learn memory / input",
        "mixtura memory / input",
    )
    print_table("A whole default fit, start included, all cores", header, table)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        library, rows, features, components, kind = sys.argv[1:]
        print(json.dumps(fit(library, int(rows), int(features), int(components), kind)))
    else:
        main()
