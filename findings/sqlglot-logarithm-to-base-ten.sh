#!/bin/sh
# sqlglot 30.29.0: LOG(x) to base ten of DuckDB, PostgreSQL and SQLite becomes a natural logarithm elsewhere, without a warning.
# It stays LOG(x) for ClickHouse, Spark, MySQL and BigQuery, where this is the natural logarithm, and becomes LN(x) for Snowflake;
# the other way round LOG of MySQL or Spark rightly becomes LN. With unsupported_level=RAISE nothing is raised.
# A score with a transformed column is off by a factor of 2.3026. Write LOG10 or LN.
# Seen: the same statement gives 2.0 in DuckDB and, translated, 4.605 in ClickHouse (chdb).
# Exits 0 as long as this is so, 1 when it changes. Needs the network; not part of the checks.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q sqlglot==30.29.0 duckdb==2.0.1 chdb==4.4.0
"$folder/venv/bin/python" - <<'PYTHON'
import importlib.metadata
import sys

import chdb
import duckdb
import sqlglot

statement = "SELECT LOG(100.0) AS y"
(translated,) = sqlglot.transpile(statement, read="duckdb", write="clickhouse", unsupported_level=sqlglot.ErrorLevel.RAISE)
before = float(duckdb.sql(statement).fetchall()[0][0])
after = float(str(chdb.query(translated, "CSV")).strip())
print("sqlglot", importlib.metadata.version("sqlglot"))
print("DuckDB    ", statement, "->", before)
print("ClickHouse", translated, "->", after)
others = {name: sqlglot.transpile("SELECT LOG(x)", read="postgres", write=name)[0] for name in ("spark", "mysql", "snowflake")}
print("from PostgreSQL:", others)
sys.exit(not (before == 2.0 and abs(after - 4.605170185988092) < 1e-9))
PYTHON
