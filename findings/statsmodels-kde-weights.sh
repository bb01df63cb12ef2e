#!/bin/sh
# statsmodels 0.15.0: the weights of KDEUnivariate reach its density, but neither its bandwidth nor its quantiles.
# "normal_reference" and the other rules measure the spread of all rows: rows of weight 0 that lie far away make the kernel 45
# times too wide, and the density of what is left flat. icdf holds quantiles of the rows as if unweighted, while cdf
# of the same object is weighted, so that cdf(icdf(1/2)) is not 1/2.
# Seen: bandwidth 18.40 for 100 rows beside 100 of weight 0, 0.41 for the rows alone; with 90 % of the weight around 0 and
# 10 % around 10 the median by icdf is 5.0, by cdf 0.12, and by icdf of the repeated rows 0.10.
# Exits 0 as long as this is so, 1 when it changes. Needs the network; not part of the checks.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q statsmodels==0.15.0 numpy==2.4.6 scipy==1.17.1 pandas==3.1.1
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import numpy as np
import statsmodels
from statsmodels.nonparametric.kde import KDEUnivariate


def density(rows, weights, **options):
    found = KDEUnivariate(rows)
    found.fit(weights=weights, fft=weights is None, **options)
    return found


rows = np.random.default_rng(0).standard_normal(100)
alone = density(rows, None).bw
beside = density(np.append(rows, rows + 100), np.repeat([1.0, 0.0], 100)).bw
two = np.append(np.linspace(-1, 1, 50), 10 + np.linspace(-1, 1, 50))
weights = np.repeat([9, 1], 50)
weighted = density(two, weights.astype(float), bw=0.5, gridsize=1001)
repeated = density(np.repeat(two, weights), None, bw=0.5, gridsize=1001)
middle = len(weighted.icdf) // 2
by_cdf = float(np.interp(0.5, weighted.cdf, weighted.support))
print("statsmodels", statsmodels.__version__)
print("bandwidth: rows alone", alone, "beside rows of weight 0", beside)
print("median: weighted icdf", weighted.icdf[middle], "weighted cdf", by_cdf, "repeated rows, icdf", repeated.icdf[middle])
wrong = beside > 10 * alone and weighted.icdf[middle] > 3
sys.exit(not (wrong and abs(by_cdf) < 0.5 and abs(repeated.icdf[middle]) < 0.5))
PYTHON
