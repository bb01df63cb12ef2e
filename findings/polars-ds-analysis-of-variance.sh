#!/bin/sh
# polars-ds 0.13.0: missing values count as rows in f_test, so that a group with more of them differs from the others.
# The mean of a group is the sum of the values that are there, divided by the number of all its rows; the variances, which
# Polars takes of the values that are there, are multiplied by that number too. Two groups with the same values are then
# different as soon as one of them has missing ones. ttest_ind of the same package drops them and is right, and so
# is f_test after drop_nulls.
# Seen: F 10.68 and p 0.0018 for two groups of 20 equal values each, one of them with 20 missing ones besides; F 0.0 and
# p 1.0 by scipy, by f_test without the missing rows, and by ttest_ind with them.
# Exits 0 as long as this is so, 1 when it changes. Needs the network; not part of the checks.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q polars-ds==0.13.0 polars==2.1.0 scipy==1.17.1 numpy==2.4.6
"$folder/venv/bin/python" - <<'PYTHON'
import importlib.metadata
import sys

import polars as pl
import polars_ds as pds
from scipy.stats import f_oneway

values = [float(value) for value in range(1, 21)]
table = pl.DataFrame({"group": [0] * 20 + [1] * 40, "x": values + values + [None] * 20})
print("polars-ds", importlib.metadata.version("polars-ds"), " polars", pl.__version__)
stated = table.select(pds.f_test("x", group="group")).item()
dropped = table.drop_nulls().select(pds.f_test("x", group="group")).item()
groups = [pl.col("x").filter(pl.col("group") == k) for k in (0, 1)]
student = table.select(pds.ttest_ind(*groups, equal_var=True)).item()
expected = f_oneway(values, values)
# The same by hand, with means and sums of squares of 20 and 40 rows, of which 20 have no value.
total = sum(values)
means, rows, overall = (total / 20, total / 40), (20, 40), 2 * total / 60
between = sum(n * (mean - overall) ** 2 for n, mean in zip(rows, means, strict=True))
variance = sum((value - total / 20) ** 2 for value in values) / 20
by_hand = between / (60 * variance / (60 - 2))
print("f_test:", stated, " by hand with all rows counted:", by_hand)
print("f_test without the missing rows:", dropped, " scipy:", expected)
print("ttest_ind with the missing rows:", student)
right = all(one["pvalue"] > 0.999 for one in (dropped, student)) and expected.pvalue > 0.999
sys.exit(not (right and stated["pvalue"] < 0.01 and abs(stated["statistic"] - by_hand) < 1e-9))
PYTHON
