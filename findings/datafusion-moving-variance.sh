#!/bin/sh
# DataFusion 55.0.0: the variance over a moving window can be negative, long after a large value has left the window.
# Rows are taken out of running sums, so that what one value of 1e9 rounded away stays lost for every later row of the partition.
# Means are right, a standard deviation is NaN. The same window in DuckDB and in numpy is right.
# Seen: -32.0 for five values of 2, -32.0 for five with a variance of 1.7; fifteen rows lie between them and the large value.
# Exits 0 as long as this is so, 1 when it changes. Needs the network; not part of the checks.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q datafusion==55.0.0 pyarrow==26.0.1 duckdb==2.0.1 numpy==2.4.6
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import datafusion
import duckdb
import numpy as np
import pyarrow as pa

tables = {"constant": np.append(1e9, np.full(20, 2.0)), "steps": np.append(1e9, np.arange(20) % 4 + 0.5)}
query = """
    SELECT var_samp(z) OVER w AS variance, avg(z) OVER w AS mean FROM rows
    WINDOW w AS (ORDER BY i ROWS BETWEEN 4 PRECEDING AND CURRENT ROW) ORDER BY i DESC LIMIT 1
"""
seen = []
for name, values in tables.items():
    rows = pa.table({"i": np.arange(21), "z": values})
    context = datafusion.SessionContext()
    context.register_record_batches("rows", [rows.to_batches()])
    (found,) = context.sql(query).to_pylist()
    beside = duckdb.sql(query).fetchall()[0]
    true = values[-5:].var(ddof=1), values[-5:].mean()
    print(name, "datafusion", datafusion.__version__, found, "duckdb", duckdb.__version__, beside, "numpy", *true)
    seen.append(found["variance"] < -1 and np.allclose(beside, true) and abs(found["mean"] - true[1]) < 1e-9)
sys.exit(not all(seen))
PYTHON
