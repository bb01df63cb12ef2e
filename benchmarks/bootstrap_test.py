"""Time the bootstrap likelihood-ratio test beside R's mclust: 500 x 3, full covariances, up to 4 components.

``mclustBootstrapLRT`` begins the fits to a sample at the components of the rows, as ``starts="warm"`` does; the default
also starts from splits, which finds what mclust misses. Asserted is that what more components gain on the rows, added
up, is no less than with mclust, and that samples on all cores have the statistics of those on one. mclust works on one
core; seconds are those of the clock and, on one core, as others may use the machine, of the processor. Skipped, with a
word, where there is no R.
"""

from __future__ import annotations

import csv
import shutil
import subprocess
import sys
import tempfile
from itertools import product
from pathlib import Path
from time import perf_counter, process_time

import numpy as np

from benchmarks.measure import FloatArray, print_table
from mixtura import get_threads, set_threads
from mixtura.select import BootstrapTest, bootstrap_lrt

__all__ = ["main"]

R_SCRIPT = """
suppressMessages(library(mclust))
arguments <- commandArgs(TRUE)
rows <- as.matrix(read.csv(arguments[1], header = FALSE))
set.seed(1)
seconds <- system.time(test <- mclustBootstrapLRT(rows, modelName = "VVV", nboot = as.integer(arguments[3]), maxG = 3,
                                                  verbose = FALSE))
out <- data.frame(clock = seconds[["elapsed"]], processor = seconds[["user.self"]] + seconds[["sys.self"]],
                  statistic = test$obs, p_value = test$p.value)
write.csv(out, arguments[2], row.names = FALSE)
"""


def make_rows() -> FloatArray:
    """Return 500 rows of three groups that overlap a little."""
    rng = np.random.default_rng(3)
    first, second, third = (rng.normal(size=(size, 3)) for size in (200, 170, 130))
    return np.vstack([first, second * [1.0, 0.6, 1.4] + [3.0, 0.0, 1.0], third * 0.8 + [0.0, 3.5, -1.0]])


def mclust_test(rows: FloatArray, n_boot: int) -> list[dict[str, float]]:
    """Return R's seconds, statistic and p-value of each test."""
    with tempfile.TemporaryDirectory() as folder:
        table, out = Path(folder) / "rows.csv", Path(folder) / "tests.csv"
        np.savetxt(table, rows, delimiter=",", fmt="%.17g")
        subprocess.run(
            ["Rscript", "-e", R_SCRIPT, str(table), str(out), str(n_boot)], check=True, capture_output=True
        )
        with out.open(encoding="ascii") as file:
            return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]


def our_test(rows: FloatArray, n_boot: int, starts: str, cores: int) -> tuple[BootstrapTest, float, float]:
    """Return the test, and its seconds by the clock and of the processor."""
    begun, used = perf_counter(), process_time()
    with set_threads(cores):
        test = bootstrap_lrt(rows, max_components=4, n_boot=n_boot, starts=starts)
    return test, perf_counter() - begun, process_time() - used


def main(n_boot: int = 999) -> None:
    if shutil.which("Rscript") is None:
        print("\nThe bootstrap test beside R's mclust: skipped, Rscript is not installed.")
        return
    rows = make_rows()
    bootstrap_lrt(rows[:60], max_components=2, n_boot=19)
    theirs = mclust_test(rows, n_boot)
    clock, processor = theirs[0]["clock"], theirs[0]["processor"]
    table, found = [], dict[str, BootstrapTest]()
    for cores, starts in product(dict.fromkeys((1, get_threads())), ("warm", "splits")):
        test, seconds, used = our_test(rows, n_boot, starts, cores)
        gained = np.cumsum([one.statistic for one in test.tests])
        theirs_gained = np.cumsum([one["statistic"] for one in theirs])[: len(gained)]
        assert (gained[: len(theirs_gained)] >= theirs_gained - 0.1).all(), (gained, theirs_gained)
        for one, other in zip(test.tests, found.setdefault(starts, test).tests, strict=True):
            np.testing.assert_array_equal(one.replicates, other.replicates)
        values = ", ".join(f"{one.p_value:.3f}" for one in test.tests)
        of_a_core = [f"{processor:.2f}", f"{used:.2f}", f"{processor / used:.1f}"] if cores == 1 else [""] * 3
        table.append([
            starts, str(cores), f"{clock:.2f}", f"{seconds:.2f}", f"{clock / seconds:.1f}", *of_a_core,
            ", ".join(f"{one['p_value']:.3f}" for one in theirs), values,
        ])  # fmt: skip
    header = (
        "starts", "cores", "mclust s", "mixtura s", "ratio", "mclust s of a core", "mixtura s of a core", "ratio",
        "mclust's p-values", "mixtura's",
    )  # fmt: skip
    print_table(f"Bootstrap likelihood-ratio tests of 500 x 3, {n_boot} samples each", header, table)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
