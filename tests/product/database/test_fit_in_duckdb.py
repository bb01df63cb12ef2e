"""Fitting inside DuckDB, and what is refused."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest

from database_fitting import *  # noqa: F403
from database_fitting import COLUMNS, fixtures_of
from mixtura import DatabaseTable, GaussianMixture, GaussianMixtureIC, KMeans
from mixtura.core.accumulate import EStep
from mixtura.core.mixture import Mixture
from mixtura.exceptions import ColumnError, DataError, ParameterError, TableError, TooFewRowsError
from mixtura.expressions.dialects import get_dialect
from mixtura.expressions.sql_aggregates import aggregate_statement
from mixtura.expressions.sql_text import Step
from mixtura.kernels import get_kernel

engine, tables = fixtures_of("duckdb", aggregate=[True, False])


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"noise": True}, "`noise` must be False"),
        ({"tails": "t"}, "`tails` must be 'gaussian'"),
        ({"missing": "fiml"}, "`missing` must be 'error'"),
        ({"checkpoint": "fit.checkpoint"}, "`checkpoint` must be None"),
        ({"init_params": np.zeros(5)}, "`init_params` must be a name"),
    ],
)
def test_what_a_database_does_not_add_up_is_refused_before_work(
    tables: Any, parameters: dict[str, Any], message: str
) -> None:
    with pytest.raises(ParameterError, match=message):
        GaussianMixture(2, **parameters).fit(tables("customers", columns=COLUMNS))


def test_what_needs_rows_says_so(tables: Any) -> None:
    table = tables("customers", columns=COLUMNS)
    with pytest.raises(DataError, match="whose rows stay there"):
        KMeans(2).fit(table)
    with pytest.raises(DataError, match="whose rows stay there"):
        GaussianMixtureIC(n_components=[1]).fit(table)
    with pytest.raises(DataError, match="whose rows stay there"):
        GaussianMixture(2).fit_predict(table)
    with pytest.raises(TooFewRowsError):
        GaussianMixture(4_000).fit(table)


def test_weights_are_a_column(tables: Any) -> None:
    table = tables("customers", columns=COLUMNS)
    with pytest.raises(DataError, match="`sample_weight` must be the name of a column of 'customers'"):
        GaussianMixture(2).fit(table, sample_weight=np.ones(3))
    with pytest.raises(ColumnError, match="'word' must hold numbers"):
        GaussianMixture(2).fit(table, sample_weight="word")
    with pytest.raises(
        DataError, match=r"must be finite and not negative; of the [\d,]+ values in 'income' "
    ):
        GaussianMixture(2).fit(tables("customers", columns=["spending in $"]), sample_weight="income")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            "CASE WHEN a = 0 THEN -1 WHEN a < 3 THEN NULL ELSE a END",
            "of the 9 values in 'w' 1 negative, 2 missing.",
        ),
        ("CASE WHEN a = 0 THEN 'NaN'::DOUBLE ELSE a END", "of the 9 values in 'w' 1 infinite, NaN or huge."),
        ("0", "must be positive for some row; 'w' is zero in all 9."),
    ],
)
def test_what_is_wrong_with_weights_is_said(tmp_path: Path, values: str, message: str) -> None:
    path = tmp_path / "crm.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute(f"CREATE TABLE t AS SELECT a::DOUBLE AS a, {values} AS w FROM range(9) r(a)")
    with DatabaseTable(path, "t", columns=["a"]) as table, pytest.raises(DataError, match=re.escape(message)):
        GaussianMixture(1).fit(table, sample_weight="w")


def test_a_file_is_opened_to_be_read_and_closed(tmp_path: Path) -> None:
    path = tmp_path / "crm.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE SCHEMA sales")
        connection.execute("CREATE TABLE sales.t AS SELECT (i % 2) * 9 + i % 5 AS x FROM range(1000) r(i)")
    with DatabaseTable(path, "sales.t") as table:
        assert table.types == {"x": "BIGINT"}
        found = GaussianMixture(2, random_state=0).fit(table)
        np.testing.assert_allclose(np.sort(found.means_.ravel()), [2.0, 11.0], atol=1e-3)
    with pytest.raises(TableError, match=r"refuses a query.*closed"):
        found.fit(table)


def test_a_table_or_a_query_of_a_database_that_is_known(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="`table` or `sql` must be given, one of them; got both"):
        DatabaseTable(duckdb.connect(), "t", sql="SELECT 1")
    with pytest.raises(ParameterError, match="must be of DuckDB or PostgreSQL; got one of builtins"):
        DatabaseTable(object(), "t")
    with pytest.raises(ParameterError, match="`aggregate` must be True for postgresql"):
        DatabaseTable(duckdb.connect(), "t", dialect="postgresql", aggregate=False)
    pytest.importorskip("adbc_driver_sqlite")
    sqlite3.connect(tmp_path / "crm.sqlite").execute("CREATE TABLE t (x)").connection.close()
    with pytest.raises(ParameterError, match="must be of DuckDB or PostgreSQL; got one of sqlite"):
        DatabaseTable(tmp_path / "crm.sqlite", "t")
    with pytest.raises(TableError, match="There is no database"):
        DatabaseTable("nowhere.duckdb", "t")


def test_more_sums_than_a_select_has_columns_are_refused() -> None:
    k, d = 20, 30
    mixture = Mixture.from_parameters(np.full(k, 1 / k), np.zeros((k, d)), np.tile(np.eye(d), (k, 1, 1)))
    query = EStep(mixture.components(), get_kernel(n_features=d)).query(weighted=False)
    with pytest.raises(ParameterError, match="at most 1,664 columns; a pass of this model needs 9,923"):
        aggregate_statement(query, Step({}), "t", get_dialect("postgresql"))
