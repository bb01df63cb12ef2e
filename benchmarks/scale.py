"""Tables larger than memory: `mixtura segment` and `mixtura assign` beside what Arrow alone takes to read and write.

Run with ``python -m benchmarks.scale``, or ``make bench-scale``; ``--rows 1e6 1e7 1e8`` says how large the tables are.
Data are made in a temporary folder and removed. Each command is a process of its own: its time from start to last file,
the processor's, and its largest memory. Beside it stand the machine's own limits: Arrow reading the columns that are
used, and writing the table of results that the command wrote. Where others use the machine, compare processor seconds.

Before anything is timed, a small table is segmented in parts, and every row is compared with the model applied to the
table in memory.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import parquet

__all__ = ["main", "make_table"]

COLUMNS = tuple(f"x{j}" for j in range(5))
GROUP = 131_072
_CHECKED = 300_000


@dataclass(frozen=True)
class Taken:
    """What a process took: seconds of the clock and of the processor, and its largest memory in megabytes."""

    wall: float
    cpu: float
    memory: float

    def __str__(self) -> str:
        return f"{self.wall:8.1f} s {self.cpu:8.1f} s {self.memory:7.0f} MB"


def make_table(path: Path, n_rows: int, seed: int = 0) -> None:
    """Write four overlapping groups of customers in five columns, and their ids."""
    rng = np.random.default_rng(seed)
    means = rng.normal(0, 3, (4, 5))
    mixing = rng.normal(size=(4, 5, 5))
    roots = np.linalg.cholesky(mixing @ mixing.transpose(0, 2, 1) / 5 + 0.3 * np.eye(5))
    schema = pa.schema([("id", pa.int64()), *((name, pa.float64()) for name in COLUMNS)])
    with parquet.ParquetWriter(path, schema, use_dictionary=False, compression="zstd") as writer:
        for start in range(0, n_rows, GROUP):
            count = min(GROUP, n_rows - start)
            group = rng.choice(4, size=count, p=[0.4, 0.3, 0.2, 0.1])
            noise = rng.standard_normal((count, 5))
            rows = np.empty((count, 5))
            for k in range(4):
                members = group == k
                rows[members] = means[k] + noise[members] @ roots[k].T
            rows = rows.round(4)
            ids = pa.array(np.arange(start, start + count) + 1000)
            writer.write_table(pa.table([ids, *(pa.array(column) for column in rows.T)], schema=schema))


def run(*arguments: str | Path) -> Taken:
    """Run a command of mixtura in a process of its own."""
    begun = time.perf_counter()
    command = [sys.executable, "-m", "mixtura", *map(str, arguments), "--quiet"]
    with subprocess.Popen(command) as process:
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} failed")
    return Taken(time.perf_counter() - begun, used.ru_utime + used.ru_stime, used.ru_maxrss / 1000)


def arrow(code: str, *arguments: Path) -> Taken:
    """Run some lines of Arrow in a process of its own."""
    begun = time.perf_counter()
    with subprocess.Popen([sys.executable, "-c", code, *map(str, arguments)]) as process:
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit("Arrow failed")
    return Taken(time.perf_counter() - begun, used.ru_utime + used.ru_stime, used.ru_maxrss / 1000)


READ = f"""
import sys
from pyarrow import parquet
for _ in parquet.ParquetFile(sys.argv[1]).iter_batches({GROUP}, columns={["id", *COLUMNS]!r}):
    pass
"""

WRITE = f"""
import sys
from pyarrow import parquet
whole = parquet.ParquetFile(sys.argv[1])
first = whole.read_row_group(0)
with parquet.ParquetWriter(sys.argv[2], first.schema, use_dictionary=["segment_name"]) as writer:
    for start in range(0, whole.metadata.num_rows, {GROUP}):
        writer.write_table(first.slice(0, whole.metadata.num_rows - start))
"""


def check(folder: Path) -> None:
    """Compare a table that is worked on in parts with the same table in memory."""
    import polars as pl

    from mixtura.segments import SegmentModel, assign_table

    table, out = folder / "check.parquet", folder / "check"
    make_table(table, _CHECKED)
    run(
        "segment",
        table,
        "--components",
        "3-4",
        "--covariance-type",
        "full",
        "--resamples",
        "0",
        "--output",
        out,
    )
    model, found = SegmentModel.load(out / "model.json"), pl.read_parquet(out / "segments.parquet")
    expected = assign_table(model, pl.read_parquet(table))
    summary = json.loads((out / "summary.json").read_text())
    np.testing.assert_array_equal(found["segment"].to_numpy(), expected.labels + 1)
    np.testing.assert_allclose(found["log_density"].to_numpy(), expected.log_density, rtol=1e-9)
    assert found["anomaly"].sum() == expected.n_anomalies == summary["anomalies"]["count"]
    assert [one["count"] for one in summary["segments"]] == expected.counts.tolist()
    run("assign", out / "model.json", table, "--output", folder / "checked.parquet")
    assert pl.read_parquet(folder / "checked.parquet").equals(found)
    print(
        f"Compared: {_CHECKED:,} rows in parts and in memory have the same segments, densities and anomalies.\n"
    )


def measure(folder: Path, n_rows: int) -> None:
    """Print what the commands, and Arrow alone, take for a table."""
    table, out, assigned = folder / "table.parquet", folder / "out", folder / "assigned.parquet"
    make_table(table, n_rows)
    segment = run("segment", table, "--output", out)
    assign = run("assign", out / "model.json", table, "--output", assigned)
    read, write = arrow(READ, table), arrow(WRITE, assigned, folder / "again.parquet")
    limit = read.cpu + write.cpu
    size = (table.stat().st_size + assigned.stat().st_size) / 1e9
    print(f"{n_rows:,} x 5 ({size:.2f} GB of files)         clock  processor   memory")
    print(
        f"  mixtura segment, K 1-9 x 4 types     {segment}   {1e6 * segment.cpu / n_rows:6.2f} us of processor a row"
    )
    print(
        f"  mixtura assign                       {assign}   {n_rows / assign.wall / 1e6:6.2f} million rows a second"
    )
    print(f"  Arrow alone: read the columns        {read}")
    print(f"  Arrow alone: write the same table    {write}")
    times = f"segment takes {segment.cpu / limit:.1f} times, assign {assign.cpu / limit:.1f} times"
    print(f"  {times} Arrow's processor time\n")
    for path in folder.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def main(arguments: Sequence[str] | None = None) -> None:
    """Print all of it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rows", nargs="*", type=float, default=[1e6, 1e7], help="1e8 takes 12 GB of disk")
    parser.add_argument(
        "--folder", help="where data are made; the system's folder of temporary files by default"
    )
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="mixtura-scale-", dir=asked.folder) as name:
        folder = Path(name)
        check(folder)
        for n_rows in asked.rows:
            measure(folder, int(n_rows))
    print(f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f} when it ended")


if __name__ == "__main__":
    main()
