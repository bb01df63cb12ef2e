"""Scoring in databases: seconds for a table of a million rows, beside the library's own.

``python -m benchmarks.sql_scoring`` prints one table for DuckDB and PostgreSQL, the latter with and without its
compilation of expressions. Sums of all probabilities and densities are asserted equal to the library's first. The
servers are those of the tests.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from tests.engines import duckdb_engine, postgresql_engine

from benchmarks.measure import FloatArray, best_seconds, print_table
from mixtura.core.mixture import Mixture
from mixtura.io.export import scorer_of_mixture, scoring_sql

__all__ = ["main", "make_mixture"]

SIZES = ((1_000_000, 5, 5), (100_000, 9, 8))
"""Rows, components and columns."""
ASKED = {"duckdb": 0.2, "postgresql": 2.5}
"""Seconds for 1,000,000 x 5 rows and five components."""


def make_mixture(n_components: int, n_features: int) -> Mixture:
    """Return a mixture of overlapping components of any shape."""
    rng = np.random.default_rng(0)
    roots = rng.normal(size=(n_components, n_features, n_features))
    covariances = roots @ roots.transpose(0, 2, 1) + 0.3 * np.eye(n_features)
    weights = np.full(n_components, 1 / n_components)
    return Mixture.from_parameters(weights, rng.normal(0, 3, (n_components, n_features)), covariances)


def statement(mixture: Mixture, dialect: str, max_missing: int | None) -> str:
    columns = [f"c{i}" for i in range(mixture.n_features)]
    return scoring_sql(
        scorer_of_mixture(mixture, columns), dialect, table="t", id_columns=["id"], max_missing=max_missing
    )


def check(connection: Any, text: str, mixture: Mixture, rows: FloatArray) -> None:
    """Assert that all that a statement returns adds up to what the library says."""
    sums = ", ".join(f"sum(probability_{k})" for k in range(mixture.n_components))
    body = text[text.index("WITH") :]
    found = connection.execute(f"SELECT {sums}, sum(log_density) FROM ({body}) s").fetchone()
    wanted = [*mixture.responsibilities(rows).sum(axis=0), mixture.log_density(rows).sum()]
    np.testing.assert_allclose(np.array(found, dtype=float), wanted, rtol=1e-9)


def fill_postgresql(connection: Any, rows: FloatArray) -> None:
    columns = ", ".join(f"c{i} float8" for i in range(rows.shape[1]))
    connection.execute(f"CREATE TABLE t (id integer, {columns})")
    with connection.cursor().copy("COPY t FROM STDIN") as copy:
        for number, row in enumerate(rows.tolist()):
            copy.write_row([number, *row])
    connection.execute("ANALYZE t")


def fill_duckdb(connection: Any, rows: FloatArray) -> None:
    import polars as pl

    frame = pl.DataFrame({f"c{i}": rows[:, i] for i in range(rows.shape[1])}).with_row_index("id")
    connection.register("frame", frame.to_arrow())
    connection.execute("CREATE TABLE t AS FROM frame")
    connection.execute("SET threads = 2")


def ways(
    dialect: str, connection: Any, mixture: Mixture, rows: FloatArray
) -> dict[str, Callable[[], object]]:
    """Return what is timed, by name: statements with and without missing values, the latter compiled, too."""
    calls: dict[str, Callable[[], object]] = {}
    for most in (0, None):
        text = statement(mixture, dialect, most)
        check(connection, text, mixture, rows)
        name = f"{dialect}, {'complete rows' if most == 0 else 'missing values too'}"
        if dialect == "duckdb":
            calls[name] = lambda text=text: connection.execute(
                f"CREATE OR REPLACE TEMP TABLE found AS {text}"
            )
            continue
        for jit in ("off", "on") if most == 0 else ("off",):
            calls[f"{name}, jit {jit}"] = lambda text=text, jit=jit: (
                connection.execute(f"SET jit = {jit}"),
                connection.execute(f"EXPLAIN (ANALYZE, TIMING OFF) {text}"),
            )
    return calls


def measure(n_rows: int, k: int, d: int) -> list[list[str]]:
    mixture = make_mixture(k, d)
    rows = mixture.sample(n_rows, random_state=0)[0]
    table = []
    for dialect, start, fill in (
        ("duckdb", duckdb_engine, fill_duckdb),
        ("postgresql", postgresql_engine, fill_postgresql),
    ):
        with start() as engine:
            fill(engine.connection, rows)
            calls = ways(dialect, engine.connection, mixture, rows)
            seconds = best_seconds(list(calls.values()), at_least=3, budget=1.0, shortest=0.0)
            asked = f"{ASKED[dialect]:g}" if (n_rows, k, d) == (1_000_000, 5, 5) else ""
            table += [
                [f"{n_rows:,} x {d} x {k}", name, f"{one:.3f}", asked]
                for name, one in zip(calls, seconds, strict=True)
            ]
    own = best_seconds([lambda: (mixture.responsibilities(rows), mixture.log_density(rows))], budget=1.0)[0]
    return [*table, [f"{n_rows:,} x {d} x {k}", "mixtura, from memory", f"{own:.3f}", ""]]


def main() -> None:
    """Print the tables."""
    for size in SIZES:
        header = ("rows x columns x components", "engine", "seconds", "asked")
        print_table("Scoring in databases", header, measure(*size))


if __name__ == "__main__":
    main()
