"""Seconds, memory and outputs of ``mixtura segment`` on large tables, beside another build of mixtura.

``python -m benchmarks.segment_scale --before PYTHON`` runs the whole command, from the start of the process to the last
file, with the mixtura of this interpreter and with that of the interpreter PYTHON, in turns, and compares what the two
have written: labels, probabilities, densities, and every number of ``summary.json``.
"""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from benchmarks.measure import print_table

__all__ = ["compare", "customers", "main"]

_RUN = """
import resource, sys
from mixtura.cli import main
sys.argv = ["mixtura", *sys.argv[1:]]
try:
    main()
finally:
    used = [resource.getrusage(one) for one in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    print("USED", sum(one.ru_maxrss for one in used), sum(one.ru_utime + one.ru_stime for one in used), file=sys.stderr)
"""
"""Runs the command, then prints its peak resident memory with that of its largest child, in KiB, and processor time."""

_TOLERANCE = 1e-9
"""Of all numbers, relative, or absolute where they are below one."""


def customers(n_rows: int, n_columns: int, seed: int = 0) -> pa.Table:
    """Return five overlapping groups of unequal size, spread and direction, with an id column."""
    rng = np.random.default_rng(seed)
    centers = 3.0 * rng.normal(size=(5, n_columns))
    mixing = rng.normal(size=(5, n_columns, n_columns)) / np.sqrt(n_columns)
    mixing += np.eye(n_columns) * rng.uniform(0.3, 1.2, size=(5, 1, 1))
    which = rng.choice(5, n_rows, p=[0.35, 0.25, 0.2, 0.15, 0.05])
    rows = rng.normal(size=(n_rows, n_columns))
    for k in range(5):
        rows[which == k] = rows[which == k] @ mixing[k].T + centers[k]
    ids = pa.array(np.arange(1, n_rows + 1)).cast(pa.string())
    columns = {f"column{d + 1}": rows[:, d] * 10**d + 100 for d in range(n_columns)}
    return pa.table({"customer_id": pa.array([f"C{one}" for one in ids.to_pylist()]), **columns})


@dataclass(frozen=True)
class _Run:
    seconds: float
    memory: float
    processor: float
    folder: Path


def _run(python: str, table: Path, folder: Path, options: Sequence[str]) -> _Run:
    """Segment the table; memory is in GB, the largest child's added to the command's own."""
    command = [python, "-c", _RUN, "segment", str(table), "--quiet", "--overwrite", "--output", str(folder)]
    started = time.perf_counter()
    done = subprocess.run(
        [*command, *options], check=True, cwd=table.parent, stderr=subprocess.PIPE, text=True
    )
    seconds = time.perf_counter() - started
    used = next(line for line in done.stderr.splitlines() if line.startswith("USED")).split()
    return _Run(seconds, int(used[1]) * 1024 / 1e9, float(used[2]), folder)


def _differences(before: Path, after: Path) -> Iterator[str]:
    """Yield where the files of two runs differ in a number or a word."""
    tables = [parquet.read_table(folder / "segments.parquet") for folder in (before, after)]
    for name in tables[0].column_names:
        first, second = (table.column(name).to_numpy() for table in tables)
        if first.dtype.kind == "f":
            same = np.allclose(first, second, rtol=_TOLERANCE, atol=_TOLERANCE, equal_nan=True)
        else:
            same = bool(np.all(first == second))
        if not same:
            yield f"segments.parquet: {name}"
    documents = [json.loads((folder / "summary.json").read_text()) for folder in (before, after)]
    yield from _changed(documents[0], documents[1], "summary.json")


def _changed(before: Any, after: Any, where: str) -> Iterator[str]:
    """Yield the numbers that both have and that differ: words, and what only one of them has, may have changed."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in sorted(before.keys() & after.keys() - {"seconds", "format_version"}):
            yield from _changed(before[key], after[key], f"{where}: {key}")
    elif isinstance(before, list) and isinstance(after, list):
        for number, (first, second) in enumerate(zip(before, after, strict=False)):
            yield from _changed(first, second, f"{where}[{number}]")
    elif isinstance(before, int | float) and isinstance(after, int | float) and not _same(before, after):
        yield f"{where}: {before!r}, now {after!r}"


def _same(before: float, after: float) -> bool:
    return math.isclose(before, after, rel_tol=_TOLERANCE, abs_tol=_TOLERANCE)


def compare(n_rows: int, n_columns: int, before: str | None, options: Sequence[str] = ()) -> list[str]:
    """Return a row of the table that is printed; differences of the outputs are printed at once."""
    with tempfile.TemporaryDirectory() as place:
        table = Path(place) / f"customers{n_rows}.parquet"
        parquet.write_table(customers(n_rows, n_columns), table)
        times = 3 if n_rows <= 10_000 else 1
        runs: dict[str, list[_Run]] = {"before": [], "now": []}
        for _ in range(times):
            for name, python in (("before", before), ("now", sys.executable)):
                if python is not None:
                    runs[name].append(_run(python, table, Path(place) / name, options))
        for name in _differences(Path(place) / "before", Path(place) / "now") if before else ():
            print(f"{n_rows:,} x {n_columns} differs: {name}")
        best = {name: min(held, key=lambda one: one.seconds) for name, held in runs.items() if held}
    now, then = best["now"], best.get("before")
    row = [f"{n_rows:,} x {n_columns}", f"{now.seconds:.1f}", f"{now.processor:.1f}", f"{now.memory:.2f}"]
    if then is None:
        return [*row, "", "", "", "", ""]
    ratio, share = then.seconds / now.seconds, now.memory / then.memory
    row += [f"{then.seconds:.1f}", f"{then.processor:.1f}", f"{then.memory:.2f}"]
    return [*row, f"{ratio:.2f}", f"{share:.2f}"]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[300, 1_000_000])
    parser.add_argument("--columns", type=int, nargs="+", default=[2, 5], help="as many as there are --rows")
    parser.add_argument("--before", help="the interpreter of an environment with another build of mixtura")
    parser.add_argument("options", nargs="*", help="further options of mixtura segment, after --")
    asked = parser.parse_args(arguments)
    sizes = zip(asked.rows, asked.columns, strict=True)
    rows = [compare(*size, asked.before, asked.options) for size in sizes]
    header = (
        "table", "s", "CPU s", "peak GB", "before: s", "CPU s", "peak GB", "times faster", "share of memory",
    )  # fmt: skip
    print_table("mixtura segment, report and all", header, rows)


if __name__ == "__main__":
    main()
