"""Passes on clusters: Dask and Spark on this machine, beside passes in memory and Spark ML's own mixture.

``python -m benchmarks.cluster`` prints all of it for 1,000,000 x 5 rows; ``dask``, ``spark`` or ``beyond`` one part,
and ``full`` for the sizes of the targets: 5,000,000 x 5 with five components, 1,000,000 x 10 with ten. Before anything
is timed answers are compared. What is compared takes turns; times are the best of the turns, and the load of the
machine stands beside them. Seconds of cores, of all processes together, say what is needed where nobody else works.
``beyond`` computes what larger tables cost on larger clusters, from figures that a run printed.

A pass of Spark ML is the difference between fits of three iterations and of one, over two: its start is left out.
Log-likelihoods are those after three iterations from each program's own start.
"""

from __future__ import annotations

import os
import pickle
import sys
import warnings
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from tempfile import mkdtemp
from time import perf_counter
from typing import Any

import numpy as np
import psutil

from benchmarks.measure import FloatArray, make_rows, print_table
from mixtura import Mixture, set_threads
from mixtura.core.accumulate import EStep
from mixtura.core.data import Data
from mixtura.engine import as_data
from mixtura.run import SerialRunner
from mixtura.run.remote.job import Job, step_of

__all__ = ["beyond", "compare_dask", "compare_spark", "main"]

_ROUNDS = 7

_SIZES = {False: ((1_000_000, 5, 5), (200_000, 10, 10)), True: ((5_000_000, 5, 5), (1_000_000, 10, 10))}


def first_mixture(rows: FloatArray, n_components: int) -> Mixture:
    """A mixture to start from: rows as means, the covariance of all."""
    covariance = np.cov(rows[:10_000].T)
    shares = np.full(n_components, 1.0 / n_components)
    return Mixture.from_parameters(shares, rows[:n_components], [covariance] * n_components, "full")


def pass_of(data: Data, mixture: Mixture) -> Callable[[], float]:
    """An E-step over all rows; the total log-likelihood."""
    task = EStep(mixture.components(), data.kernel)
    return lambda: data.reduce(task).log_likelihood


def moved(data: Data, mixture: Mixture) -> tuple[int, int]:
    """Bytes of a pass as it is sent to each part, and of the sums that come back from each."""
    task = EStep(mixture.components(), data.kernel)
    _, step = step_of(data.blocks, task, ())
    return len(pickle.dumps(Job(SerialRunner(), step))), len(pickle.dumps(data.reduce(task)))


@dataclass(slots=True)
class Spent:
    """The best of some turns: seconds, and seconds of cores that all processes took together."""

    seconds: float = np.inf
    cores: float = np.inf


def best_of(calls: dict[str, Callable[[], object]], rounds: int = _ROUNDS) -> dict[str, Spent]:
    """The best of each call, the calls taking turns."""
    best = {name: Spent() for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            begun, before = perf_counter(), _core_seconds()
            call()
            best[name].seconds = min(best[name].seconds, perf_counter() - begun)
            best[name].cores = min(best[name].cores, _core_seconds() - before)
    return best


def _core_seconds() -> float:
    """Seconds of cores that this process and all that it started have taken so far."""
    total = 0.0
    for one in (psutil.Process(), *psutil.Process().children(recursive=True)):
        with suppress(psutil.NoSuchProcess):
            times = one.cpu_times()
            total += times.user + times.system
    return total


def load() -> str:
    """What else the machine does: the mean number of processes that wanted a core in the last minute."""
    return f"{os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"


def compare_dask(full: bool) -> None:
    """Passes on one and on two workers of one thread each, beside one and two threads in memory."""
    from distributed import Client, LocalCluster

    n_rows, n_features, k = _SIZES[full][0]
    rows = make_rows(n_rows, n_features, k)
    mixture, calls, sent, idle = first_mixture(rows, k), dict[str, Callable[[], object]](), (0, 0), 0.0
    clusters = {n: LocalCluster(n_workers=n, threads_per_worker=1, dashboard_address=None) for n in (1, 2)}
    held: list[Any] = []
    path = f"{mkdtemp(prefix='mixtura-benchmark-')}/rows.npy"
    np.save(path, rows)
    for n, cluster in clusters.items():
        client = Client(cluster)
        with client.as_current():
            data, few = as_data(_from_file(path, rows.shape)), as_data(_from_file(path, (8, n_features)))
        held.append((client, data, few))
        calls[f"Dask, {n} worker{'s' * (n > 1)}"] = pass_of(data, mixture)
        calls[f"Dask, {n} worker{'s' * (n > 1)}, hardly any rows"] = pass_of(few, mixture)
        sent = moved(data, mixture)
    for n in (1, 2):
        with set_threads(n):
            calls[f"in memory, {n} thread{'s' * (n > 1)}"] = pass_of(as_data(rows), mixture)
    totals = {name: call() for name, call in calls.items() if "hardly" not in name}
    assert np.ptp(list(totals.values())) < 1e-9 * abs(min(totals.values())), totals
    before, best = load(), best_of(calls)
    for client, *_ in held:
        client.close()
    for cluster in clusters.values():
        cluster.close()
    idle = best["Dask, 2 workers, hardly any rows"].seconds
    print_table(
        f"Dask: a pass over {n_rows:,} x {n_features} rows, {k} components (load {before})",
        ["where", "ms a pass", "ms of cores", "million rows a second"],
        [
            [
                name,
                f"{one.seconds * 1e3:.0f}",
                f"{one.cores * 1e3:.0f}",
                "" if "hardly" in name else f"{n_rows / one.seconds / 1e6:.1f}",
            ]
            for name, one in best.items()
        ],
    )
    ratio = best["Dask, 1 worker"].seconds / best["Dask, 2 workers"].seconds
    beside = best["Dask, 2 workers"].seconds / best["in memory, 2 threads"].seconds
    print(
        f"\nTwo workers against one: {ratio:.2f} times. Two workers against two threads in memory: {beside:.2f} "
        f"times the time. A pass takes {idle * 1e3:.0f} ms without work. It sends {sent[0]:,} bytes to each part of "
        f"the rows, and {sent[1]:,} come back."
    )


def _from_file(path: str, shape: tuple[int, int]) -> Any:
    """Eight partitions of a file of rows, which workers read."""
    import dask.array
    from dask import delayed

    cuts = [shape[0] * part // 8 for part in range(9)]
    parts = [
        dask.array.from_delayed(delayed(_slice)(path, first, last), (last - first, shape[1]), np.float64)
        for first, last in pairwise(cuts)
    ]
    return dask.array.concatenate(parts)


def _slice(path: str, first: int, last: int) -> FloatArray:
    return np.array(np.load(path, mmap_mode="r")[first:last])


def compare_spark(full: bool) -> None:
    """Passes in a local session of two threads, ours and those of Spark ML's own mixture."""
    warnings.filterwarnings("ignore", "PySpark does not yet fully", FutureWarning)
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    from pyspark.sql import SparkSession

    settings = {
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.driver.memory": "6g",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.log.level": "ERROR",
    }
    builder = SparkSession.builder.master("local[2]").appName("benchmark")
    for name, value in settings.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    lines, before = [], load()
    for n_rows, n_features, k in _SIZES[full]:
        lines.append(_beside_spark_ml(session, n_rows, n_features, k))
    print_table(
        f"Spark: a pass in one local session of two threads (load {before})",
        [
            "rows",
            "components",
            "ours, s",
            "without rows, s",
            "Spark ML, s",
            "times",
            "times by seconds of cores",
            "log-likelihood of a row, ours",
            "Spark ML's",
        ],
        lines,
    )
    session.stop()


def _beside_spark_ml(session: Any, n_rows: int, n_features: int, k: int) -> list[str]:
    from pyspark.ml.clustering import GaussianMixture as SparkMixture
    from pyspark.ml.feature import VectorAssembler

    from mixtura import GaussianMixture

    rows = make_rows(n_rows, n_features, k)
    frame = _frame_of(session, rows)
    names = frame.columns
    vectors = (
        VectorAssembler(inputCols=names, outputCol="features").transform(frame).select("features").persist()
    )
    vectors.count()
    data, few = as_data(frame), as_data(frame.limit(100).coalesce(2))
    mixture = first_mixture(rows, k)
    ours, idle, here = pass_of(data, mixture), pass_of(few, mixture), pass_of(as_data(rows), mixture)
    assert abs(ours() - here()) < 1e-9 * abs(here())

    def theirs(max_iter: int) -> float:
        fitted = SparkMixture(k=k, maxIter=max_iter, tol=0.0, seed=1).fit(vectors)
        return float(fitted.summary.logLikelihood) / n_rows

    best = best_of({"ours": ours, "idle": idle}, 3)
    turns = best_of({"three": lambda: theirs(3), "one": lambda: theirs(1), "ours": ours, "idle": idle}, 2)
    seconds, cores = (
        (getattr(turns["three"], one) - getattr(turns["one"], one)) / 2 for one in ("seconds", "cores")
    )
    own = min(best["ours"].seconds, turns["ours"].seconds)
    own_cores = min(best["ours"].cores, turns["ours"].cores)
    likely, found = GaussianMixture(k, max_iter=3, tol=0.0, random_state=0).fit(rows).lower_bound_, theirs(3)
    data = few = None
    frame.unpersist()
    vectors.unpersist()
    return [
        f"{n_rows:,} x {n_features}",
        str(k),
        f"{own:.2f}",
        f"{min(best['idle'].seconds, turns['idle'].seconds):.2f}",
        f"{seconds:.2f}",
        f"{seconds / own:.1f}",
        f"{cores / own_cores:.1f}",
        f"{likely:.4f}",
        f"{found:.4f}",
    ]


def _frame_of(session: Any, rows: FloatArray) -> Any:
    """The rows as a dataframe of two partitions that Spark keeps: read from a Parquet file, as tables are."""
    import pyarrow as pa
    import pyarrow.parquet

    path = f"{mkdtemp(prefix='mixtura-benchmark-')}/rows.parquet"
    columns = {f"x{j}": column for j, column in enumerate(rows.T)}
    pyarrow.parquet.write_table(pa.table(columns), path, row_group_size=len(rows) // 8)
    frame = session.read.parquet(path).repartition(2).persist()
    frame.count()
    return frame


MEASURED = {"rows": 1e6 / 0.37, "part": 0.32 / 128, "sent": 34_228, "returned": 20_401, "passes": 60}
"""For 20 columns, 10 components, full covariances: rows a second of one core; seconds of cores, client, scheduler and
worker together, that a part of the rows takes in a pass (128 parts without work); bytes of a pass sent to a part, and
of the sums that it returns; and as many passes as a fit is taken to make, 40 of them iterations."""


def beyond() -> None:
    """Print what 1e9 and 1e10 rows of 20 columns cost on 10 to 1,000 workers of one thread: arithmetic."""
    lines = []
    for n_rows in (1e9, 1e10):
        for workers in (10, 100, 1000):
            parts = workers
            rows, tasks = n_rows / MEASURED["rows"] / workers, parts * MEASURED["part"]
            megabytes = parts * (MEASURED["sent"] + MEASURED["returned"]) / 1e6
            gigabytes, minutes = n_rows * 160 / workers / 1e9, MEASURED["passes"] * (rows + tasks) / 60
            figures = f"{gigabytes:,.1f} {rows:.1f} {tasks:.1f} {megabytes:.1f} {minutes:,.0f}".split()
            lines.append([f"{n_rows:,.0f}", str(workers), *figures])
    print_table(
        "Arithmetic from measured figures: 20 columns, 10 components, full covariances, 60 passes",
        ["rows", "workers", "GB a worker", "rows, s a pass", "tasks, s a pass", "MB moved a pass", "minutes"],
        lines,
    )
    most = [f"{(n_rows / MEASURED['rows'] / MEASURED['part']) ** 0.5:,.0f}" for n_rows in (1e9, 1e10)]
    print(f"\nTasks take as long as rows at {most[0]} workers for 1e9 rows, at {most[1]} for 1e10.")


def main(arguments: list[str]) -> None:
    """Print what was asked for, by default all."""
    full, asked = "full" in arguments, [one for one in arguments if one != "full"]
    for name, run in {"dask": compare_dask, "spark": compare_spark}.items():
        if not asked or name in asked:
            run(full)
    if not asked or "beyond" in asked:
        beyond()


if __name__ == "__main__":
    main(sys.argv[1:])
