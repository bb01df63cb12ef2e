#!/bin/sh
# ClickHouse 26.9 (chdb 4.4.0): the confidence interval of studentTTest is not that of its test, and contradicts its p-value.
# Statistic and p-value assume equal variances, as documented. The interval takes the two variances apart, as Welch does, yet with
# the degrees of freedom of the pooled one: it belongs to neither test. Where the smaller group (a pilot, a new variant) varies
# more, differences are significant whose interval holds 0; where it varies less, intervals without 0 come with large p-values.
# With groups of one size the two agree. The p-value and the interval of welchTTest are right: take that test.
# Seen, for 8 and 80 rows: p 0.006 with the interval -0.07 to 5.07 where it is 0.74 to 4.26, and p 0.067 with 0.52 to 2.48
# where it is -0.11 to 3.11.
# Exits 0 as long as this is so, 1 when it changes. Needs the network; not part of the checks.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q chdb==4.4.0 chdb-core==26.9.0 numpy==2.4.6 scipy==1.17.1
"$folder/venv/bin/python" - <<'PYTHON'
import importlib.metadata
import sys

import chdb
import numpy as np
from scipy import stats

few, many = np.array([-3.0, -1.0, 1.0, 3.0] * 2), np.array([-3.0, -1.0, 1.0, 3.0] * 20)


def answer(test, first, second):
    """Statistic, p-value and both ends of the interval for 95 %."""
    values = [f"({value}, {group})" for group, rows in enumerate((first, second)) for value in rows]
    text = chdb.query(f"SELECT untuple({test}(0.95)(v, g)) FROM VALUES('v Float64, g UInt8', {', '.join(values)})", "CSV")
    return np.array([float(value) for value in str(text).strip().split(",")])


def of_neither(first, second):
    """The interval with a standard error by Welch and the degrees of freedom of Student."""
    error = np.sqrt(first.var(ddof=1) / len(first) + second.var(ddof=1) / len(second))
    half = stats.t.ppf(0.975, len(first) + len(second) - 2) * error
    return first.mean() - second.mean() + np.array([-half, half])


print("chdb", importlib.metadata.version("chdb"))
found = []
for first, second in ((1.5 * few + 2.5, many), (0.5 * few + 1.5, many), (few + 2.0, few)):
    student, welch = (stats.ttest_ind(first, second, equal_var=equal) for equal in (True, False))
    stated, of_welch = answer("studentTTest", first, second), answer("welchTTest", first, second)
    due = np.array(student.confidence_interval())
    print(f"{len(first)} and {len(second)} rows: p {stated[1]:.4f}, interval {stated[2:].round(3)}; by scipy", end=" ")
    print(f"{student.pvalue:.4f}, {due.round(3)}; of neither test {of_neither(first, second).round(3)}")
    assert np.allclose(stated[:2], [student.statistic, student.pvalue]), "the test itself is right"
    assert np.allclose(of_welch, [welch.statistic, welch.pvalue, *welch.confidence_interval()], atol=1e-6)
    assert np.allclose(stated[2:], of_neither(first, second), atol=1e-6)
    found.append((stated[1], *stated[2:], np.allclose(stated[2:], due, atol=1e-6)))
(p, low, high, right), (other_p, other_low, other_high, other_right), (*_, equal_right) = found
sys.exit(not (p < 0.05 and low < 0 < high and other_p > 0.05 and 0 < other_low and equal_right and not (right or other_right)))
PYTHON
