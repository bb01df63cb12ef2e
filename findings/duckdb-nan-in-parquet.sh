#!/bin/sh
# DuckDB 2.0.1: WHERE isnan(x) finds no row of a Parquet file from Arrow or Polars, and WHERE x < 5 keeps rows that are NaN.
# The statistics of Parquet leave NaN out, as its specification says; DuckDB takes them for bounds of all values, so that a row group
# with numbers from 1 to 3 "has" no NaN and lies below 5 as a whole. nullif(x, 'nan') leaves NaN in place. The same rows in a
# table, or in a file that DuckDB wrote itself, are answered rightly. Rows with missing values are so neither counted
# nor dropped. Write NULL, or read the file through Arrow.
# Seen: 0 rows by isnan, 4 by x < 5 and 8 by nullif from the file; 1, 3 and 7 from the table.
# Exits 0 as long as this is so, 1 when it changes. Needs the network; not part of the checks.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q duckdb==2.0.1 pyarrow==26.0.1 polars==2.1.0
"$folder/venv/bin/python" - "$folder" <<'PYTHON'
import math
import sys

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

folder = sys.argv[1]
rows = pa.table({"x": [1.0, 2.0, 3.0, math.nan, 7.0, 8.0, 9.0, 6.0]})
pq.write_table(rows, f"{folder}/arrow.parquet", row_group_size=4)
pl.from_arrow(rows).write_parquet(f"{folder}/polars.parquet", row_group_size=4)
duckdb.sql("CREATE TABLE rows_ AS SELECT * FROM rows")
duckdb.sql(f"COPY rows_ TO '{folder}/duckdb.parquet' (ROW_GROUP_SIZE 4)")
asked = "count(*) FILTER (isnan(x)), count(nullif(x, 'nan'::DOUBLE)), max(x)"
print("duckdb", duckdb.__version__, asked)


def answers(source):
    (first,) = duckdb.sql(f"SELECT {asked} FROM {source}").fetchall()
    found = [duckdb.sql(f"SELECT count(*) FROM {source} WHERE {test}").fetchall()[0][0] for test in ("isnan(x)", "x < 5", "x > 5")]
    print(source.replace(folder, ""), *first, "WHERE isnan, x < 5, x > 5:", *found)
    return *first[:2], str(first[2]), *found


table = answers("rows_")
written = [answers(f"'{folder}/{name}.parquet'") for name in ("arrow", "polars", "duckdb")]
seen = table[1:2] + table[3:] == written[2][1:2] + written[2][3:] == (7, 1, 3, 5)
sys.exit(not (seen and written[0][1:2] + written[0][3:] == (8, 0, 4, 4) and written[1][3] == 0))
PYTHON
