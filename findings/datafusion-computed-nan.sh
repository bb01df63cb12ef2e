#!/bin/sh
# DataFusion 55.0.0: a NaN that a query computes is less than every number, one that is read from a column greater.
# 0.0 / 0.0 sets the sign bit on x86-64, and numbers are compared by IEEE 754's total order: in one query x / x < 0 holds
# and n < 0 does not, ORDER BY puts one NaN first and the other last, MAX ignores one and returns the other, and GREATEST
# does likewise. PostgreSQL, DuckDB, Polars and Spark have one NaN, above all numbers.
# Seen: computed below 0: True, read below 0: False; max of computed: 1.0, max of read: nan.
# Exits 0 as long as this is so, 1 when it changes. Needs the network; not part of the checks.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q datafusion==55.0.0 pyarrow==26.0.1
"$folder/venv/bin/python" - <<'PYTHON'
import math
import sys

import datafusion
import pyarrow as pa

context = datafusion.SessionContext()
table = pa.table({"x": [0.0, 1.0], "n": [float("nan"), 1.0]})
context.register_record_batches("t", [table.to_batches()])
below = context.sql("SELECT x / x < 0e0 AS computed, n < 0e0 AS read FROM t WHERE x = 0e0").to_pylist()[0]
largest = context.sql("SELECT max(x / x) AS computed, max(n) AS read FROM t").to_pylist()[0]
print("datafusion", datafusion.__version__)
print("below zero      ", below)
print("largest of two  ", largest)
seen = below == {"computed": True, "read": False}
seen = seen and largest["computed"] == 1.0 and math.isnan(largest["read"])
sys.exit(not seen)
PYTHON
