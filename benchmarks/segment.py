"""How long does ``mixtura segment`` take, report and all? Process start included."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.measure import print_table

__all__ = ["main"]

_TIMES = 3


def customers(n_rows: int, n_columns: int) -> np.ndarray:
    """Five groups of customers of unequal size and spread."""
    rng = np.random.default_rng(0)
    centers = rng.normal(size=(5, n_columns)) * 4
    which = rng.choice(5, n_rows, p=[0.35, 0.25, 0.2, 0.15, 0.05])
    spread = rng.uniform(0.6, 1.4, size=(5, n_columns))
    return centers[which] + spread[which] * rng.normal(size=(n_rows, n_columns))


def seconds(table: Path, n_rows: int) -> float:
    """Segment the table, see that the report is about all of its rows, and return how long it took."""
    started = time.perf_counter()
    command = ["-m", "mixtura", "segment", str(table), "--overwrite", "--quiet"]
    # As for a user: Python keeps what it has compiled.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    subprocess.run([sys.executable, *command], check=True, cwd=table.parent, env=environment)
    taken = time.perf_counter() - started
    page = (table.parent / f"{table.stem}-segments" / "report.html").read_text(encoding="utf-8")
    assert f"among {n_rows:,} customers" in page
    assert len(page.encode()) < 5_000_000
    return taken


def main() -> None:
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for n_rows, n_columns, most in ((300, 2, 4), (100_000, 6, 60)):
            table = Path(folder) / f"customers{n_rows}.csv"
            header = ",".join(f"column{d + 1}" for d in range(n_columns))
            np.savetxt(table, customers(n_rows, n_columns), delimiter=",", header=header, comments="")
            taken = min(seconds(table, n_rows) for _ in range(_TIMES if n_rows < 10_000 else 1))
            rows.append([f"{n_rows:,} x {n_columns}", f"{taken:.1f}", str(most)])
    print_table("Seconds of mixtura segment with its report", ("table", "s", "should be below"), rows)


if __name__ == "__main__":
    main()
