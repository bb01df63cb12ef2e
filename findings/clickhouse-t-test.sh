#!/bin/sh
# ClickHouse 26.9 (chdb 4.4.0): tests of means, regression and kurtosis lose everything where means are large beside deviations.
# They are made of plain sums of powers. The documentation says so of varPop, covarPop and corr, which have a Stable twin, not of
# these, which have none. studentTTest and welchTTest then return (nan, 0): a p-value of 0, which passes every filter p < 0.05 as
# the surest difference of all. Amounts in cents, account numbers and times in seconds are such values: subtract a constant.
# Seen, for the same values plus 0, 1e7 and 1.7e9: p 0.259, 0 and 0; kurtosis 1.75, 3.7e14 and nan; slope 0.00696, 0.00325 and
# nan. By scipy p 0.259, kurtosis 1.75 and slope 0.00696 in all three.
# Exits 0 as long as this is so, 1 when it changes. Needs the network; not part of the checks.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q chdb==4.4.0 chdb-core==26.9.0 numpy==2.4.6 scipy==1.17.1
"$folder/venv/bin/python" - <<'PYTHON'
import importlib.metadata
import math
import sys

import chdb
import numpy as np
from scipy import stats

rows = """(SELECT toFloat64({0}) + number % 7 / 4 + if(number >= 500, 0.03125, 0) AS v, number >= 500 AS g,
    toFloat64({0}) + number / 128 AS t FROM numbers(1000))"""
asked = "studentTTest(v, g).2, welchTTest(v, g).2, kurtPop(v), simpleLinearRegression(t, v).1"
number = np.arange(1000)
shift, t = number % 7 / 4 + np.where(number >= 500, 0.03125, 0), number / 128
print("chdb", importlib.metadata.version("chdb"), asked)
found = {}
for offset in (0.0, 1e7, 1.7e9):
    answer = str(chdb.query(f"SELECT {asked} FROM {rows.format(offset)}", "CSV")).strip()
    found[offset] = [float(value) for value in answer.split(",")]
    assert np.array_equal((offset + shift) - offset, shift), "the sums are exact: nothing is lost in the rows"
    print(offset, found[offset])
true = [
    stats.ttest_ind(shift[:500], shift[500:]).pvalue,
    stats.ttest_ind(shift[:500], shift[500:], equal_var=False).pvalue,
    stats.kurtosis(shift, fisher=False),
    stats.linregress(t, shift).slope,
]
print("true", [float(value) for value in true])
right = np.allclose(found[0.0], true)
wrong = found[1e7][0] == found[1e7][1] == found[1.7e9][0] == found[1.7e9][1] == 0
kurtosis = all(math.isnan(found[offset][2]) or not 1 <= found[offset][2] < 100 for offset in (1e7, 1.7e9))
sys.exit(not (right and wrong and kurtosis))
PYTHON
