#!/bin/sh
# ruptures 1.1.10: with the cost "normal" Pelt cuts noise of three columns and more into pieces of two or three rows.
# The covariance of a piece with no more rows than columns is singular. The cost adds 1e-6 to its variances, so that each
# direction without spread counts log(1e-6) = -13.8 for every row; yet min_size, which the cost sets itself, is 2 for any number of
# columns, where one row more than columns is the least that has a determinant. From three columns on such a piece gains more than
# a change costs by BIC. It depends on the unit too: the same noise in thousandths has no change. Set min_size to five times the
# columns.
# Seen, for 200 rows of standard normal noise with the penalty of BIC: 0, 0, 95 and 65 changes in 1, 2, 3 and 5 columns; none of them
# with min_size 15 and 25, and none for the rows divided by 1,000.
# Exits 0 as long as this is so, 1 when it changes. Needs the network; not part of the checks.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q ruptures==1.1.10 numpy==2.4.6 scipy==1.17.1
"$folder/venv/bin/python" - <<'PYTHON'
import importlib.metadata
import sys
import warnings

import numpy as np
import ruptures

warnings.simplefilter("ignore")
print("ruptures", importlib.metadata.version("ruptures"))
found = {}
for n_columns in (1, 2, 3, 5):
    signal = np.random.default_rng(0).normal(size=(200, n_columns))
    # BIC: half a log(n) for the mean, the covariance and the place of the change; the cost is twice the negative log-likelihood.
    penalty = (n_columns + n_columns * (n_columns + 1) / 2 + 1) * np.log(200)

    def changes(rows, penalty=penalty, **options):
        """The number of changes that are found."""
        return len(ruptures.Pelt(model="normal", jump=1, **options).fit(rows).predict(pen=penalty)) - 1

    cost = ruptures.costs.CostNormal().fit(signal)
    # Two rows differ in one direction. The divisor of its variance is 1, and 2 where there is one column.
    variance = np.sum((signal[0] - signal[1]) ** 2) / (2 if n_columns > 1 else 4)
    by_hand = 2 * (np.log(variance + 1e-6) + (n_columns - 1) * np.log(1e-6))
    assert np.isclose(cost.error(0, 2), by_hand, rtol=1e-5) and cost.min_size == 2
    found[n_columns] = changes(signal), changes(signal, min_size=5 * n_columns), changes(signal / 1_000)
    print(f"columns {n_columns}: penalty {penalty:.0f}, cost of the first two rows {by_hand:.0f}; changes {found[n_columns][0]},", end=" ")
    print(f"with min_size {5 * n_columns} {found[n_columns][1]}, of thousandths {found[n_columns][2]}")
few, many = (found[1], found[2]), (found[3], found[5])
sys.exit(not (all(one == (0, 0, 0) for one in few) and all(one[0] > 50 and one[1:] == (0, 0) for one in many)))
PYTHON
