"""Passes inside a database, beside the same passes over rows in memory.

``python -m benchmarks.in_database`` prints seconds per pass in DuckDB, by batches and by aggregate queries, and their
ratio to those of the library, side by side on as many threads; ``--postgresql`` also those of a server that the tests
start, of fewer rows. Sums are asserted equal first.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from time import process_time
from typing import Any

import numpy as np
from tests.engines import postgresql_engine

from benchmarks.measure import FloatArray, best_seconds, print_table
from benchmarks.sql_scoring import make_mixture
from mixtura import DatabaseTable, get_threads
from mixtura.core.accumulate import EStep
from mixtura.core.mixture import Mixture
from mixtura.engine import as_data

__all__ = ["main"]

SIZES = ((10_000_000, 5, 5), (1_000_000, 5, 5), (1_000_000, 10, 8))
"""Rows, columns and components."""


def filled(rows: FloatArray) -> Any:
    """Return a connection of DuckDB with the rows in a table."""
    import duckdb
    import pyarrow as pa

    connection = duckdb.connect()
    connection.register("frame", pa.table({f"c{i}": column for i, column in enumerate(rows.T)}))
    connection.execute(f"SET threads = {get_threads()}")
    connection.execute("CREATE TABLE t AS FROM frame")
    return connection


def measured(
    name: str, connection: Any, rows: FloatArray, mixture: Mixture, *, aggregate: bool = True
) -> list[str]:
    """Return a line of the table: seconds per pass in a database and in memory, and their ratios."""
    there, here = as_data(DatabaseTable(connection, "t", aggregate=aggregate)), as_data(rows)
    components = mixture.components()
    passes = [(data, EStep(components, data.kernel)) for data in (there, here)]
    found, wanted = (data.reduce(task).sums for data, task in passes)
    np.testing.assert_allclose(found, wanted, rtol=1e-9, atol=1e-9 * np.abs(wanted).max())
    calls = [lambda data=data, task=task: data.reduce(task) for data, task in passes]
    inside, outside = best_seconds(calls, at_least=2, budget=1.0, shortest=0.0)
    cores = [seconds_of_cores(call) for call in calls]
    size = f"{len(rows):,} x {rows.shape[1]}, K = {mixture.n_components}"
    times = f"{cores[0] / cores[1]:.1f}" if name.startswith("duckdb") else ""
    return [size, name, f"{inside:.3f}", f"{outside:.3f}", f"{inside / outside:.1f}", times]


def seconds_of_cores(call: Callable[[], object]) -> float:
    """Return the least seconds that all threads of this process compute in a call: what others do hits them little."""
    found = []
    for _ in range(3):
        start = process_time()
        call()
        found.append(process_time() - start)
    return min(found)


def in_postgresql(rows: FloatArray, mixture: Mixture) -> list[str]:
    with postgresql_engine() as engine:
        connection = engine.connection  # type: ignore[attr-defined]
        listed = ", ".join(f"c{i} float8" for i in range(rows.shape[1]))
        connection.execute(f"CREATE TABLE t ({listed})")
        with connection.cursor().copy("COPY t FROM STDIN") as copy:
            for row in rows.tolist():
                copy.write_row(row)
        connection.commit()
        connection.execute("ANALYZE t")
        return measured("postgresql, aggregates", connection, rows, mixture)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--postgresql", action="store_true")
    asked = parser.parse_args(arguments)
    table = []
    for n_rows, d, k in SIZES:
        mixture = make_mixture(k, d)
        rows = np.ascontiguousarray(mixture.sample(n_rows, random_state=0)[0])
        connection = filled(rows)
        table.append(measured("duckdb, batches", connection, rows, mixture, aggregate=False))
        table.append(measured("duckdb, aggregates", connection, rows, mixture))
        if asked.postgresql and n_rows <= 1_000_000:
            table.append(in_postgresql(rows, mixture))
    header = (
        "rows x columns, components",
        "database",
        "seconds",
        "in memory",
        "times",
        "times by seconds of cores",
    )
    print_table(f"One pass inside a database, {get_threads()} threads", header, table)


if __name__ == "__main__":
    main()
