"""Scoring in the engines that run inside this process."""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import polars as pl

from mixtura.segments import assign_table
from sql_scoring import *  # noqa: F403
from sql_scoring import engine_of, model_of, quiet, random_mixture

engine = engine_of("datafusion", "duckdb", "polars", "sqlite")


def test_missing_values_are_seen_in_a_parquet_file_whose_statistics_leave_them_out(tmp_path: Path) -> None:
    """DuckDB takes the bounds that other writers give, without NaN, for those of all values."""
    rng, path = np.random.default_rng(0), str(tmp_path / "rows.parquet")
    rows = rng.normal(size=(300, 2))
    rows[::10, 0] = np.nan
    frame = pl.DataFrame({"number": np.arange(300), "x": rows[:, 0], "y": rows[:, 1]})
    frame.write_parquet(path, row_group_size=50)
    model = model_of(random_mixture(rng, 2, 2), ("x", "y"))
    with quiet():
        wanted = assign_table(model, frame, id_column="number")
    with duckdb.connect() as connection:
        connection.execute(f"CREATE VIEW rows_of_file AS SELECT * FROM '{path}'")
        statement = model.to_sql("duckdb", table="rows_of_file", id_column="number")
        found = connection.execute(
            f"SELECT * FROM ({statement.rstrip().rstrip(';')}) ORDER BY number"
        ).fetchnumpy()
    assert found["segment"].tolist() == wanted.columns()["segment"].tolist()
    np.testing.assert_allclose(found["log_density"], wanted.columns()["log_density"], rtol=1e-12)
