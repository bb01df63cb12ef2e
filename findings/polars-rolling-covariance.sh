#!/bin/sh
# Polars 2.1.0: rolling_cov and rolling_corr lose everything where means are large beside deviations; rolling_var does not.
# They take the mean product less the product of means. With values around 1e9 that differ by 1 (seconds since 1970, account
# numbers) the covariance and the correlation come out as 0.0, not as missing, while pl.cov, pl.corr and rolling_var
# of the same rows are right. Subtract a constant from each column first: neither depends on it.
# Seen: rolling_cov 0.0 and rolling_corr 0.0; cov 1.0138, corr 0.7126, rolling_var 0.9550.
# Exits 0 as long as this is so, 1 when it changes. Needs the network; not part of the checks.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q polars==2.1.0 numpy==2.4.6
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import numpy as np
import polars as pl

rng = np.random.default_rng(0)
x = rng.standard_normal(1000)
frame = pl.DataFrame({"x": 1e9 + x, "y": 1e9 + x + rng.standard_normal(1000)})
found = frame.select(
    rolling_cov=pl.rolling_cov("x", "y", window_size=1000).last(),
    rolling_corr=pl.rolling_corr("x", "y", window_size=1000).last(),
    rolling_var=pl.col("x").rolling_var(1000).last(),
    cov=pl.cov("x", "y"),
    corr=pl.corr("x", "y"),
    var=pl.col("x").var(),
).row(0, named=True)
print("polars", pl.__version__, found)
wrong = abs(found["rolling_cov"] - found["cov"]) > 0.1 and abs(found["rolling_corr"] - found["corr"]) > 0.1
sys.exit(not (wrong and abs(found["rolling_var"] - found["var"]) < 1e-3 and abs(found["cov"] - 1) < 0.2))
PYTHON
