#!/bin/sh
# tdigest 0.5.2.2: the low percentiles of a column with many equal smallest values lie below all of its values.
# The rows of the first centroid are taken to lie evenly around its mean, half of them below it, and where there is no centroid
# below to interpolate with, percentile draws the line through the first two on. Amounts of which 40 % are 0 have negative
# percentiles up to the 20th and positive ones from there to the 40th, where all are 0. percentile(0) is right, so that
# percentiles fall before they rise; cdf is above 0 below all values, and half of what it is at the smallest.
# Seen, for 400 zeros and 600 amounts from 100 to 60,000: percentiles 0, 1, 10, 20 and 30 of 0.0, -94.8, -49.9, 0.0 and 49.9, all
# of which are 0; cdf(-1) 0.196 and cdf(0) 0.2, which are 0 and 0.4.
# Exits 0 as long as this is so, 1 when it changes. Needs the network; not part of the checks.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q tdigest==0.5.2.2 accumulation-tree==0.6.4 pyudorandom==1.0.0 numpy==2.4.6
"$folder/venv/bin/python" - <<'PYTHON'
import importlib.metadata
import sys

import numpy as np
from tdigest import TDigest

amounts = np.concatenate([np.zeros(400), 100.0 * np.arange(1, 601)])
digest = TDigest()
digest.batch_update(amounts)
first, second = digest.centroids_to_list()[:2]
asked = (0, 1, 10, 20, 30, 50, 90)
stated = [digest.percentile(percent) for percent in asked]
# The line through the first two centroids, at the middle of whose rows their means are put.
distance = (first["c"] + second["c"]) / 2
line = [(percent / 100 * 1000 - first["c"] / 2) / distance * second["m"] for percent in asked]
print("tdigest", importlib.metadata.version("tdigest"), " first centroids", first, second)
print("percentiles      ", asked)
print("  stated         ", np.round(stated, 1))
print("  by numpy       ", np.percentile(amounts, asked))
print("  line, by hand  ", np.round(line[1:5], 1))
print("cdf below and at 0:", digest.cdf(-1.0), digest.cdf(0.0), " by counting:", 0.0, np.mean(amounts <= 0))
far = all(abs(one / other - 1) < 0.02 for one, other in zip(stated[5:], np.percentile(amounts, asked[5:]), strict=True))
below = first == {"m": 0.0, "c": 400.0} and max(stated[1:3]) < 0 == stated[0] and np.allclose(stated[1:5], line[1:5])
sys.exit(not (far and below and digest.cdf(0.0) < 0.25 and digest.cdf(-1.0) > 0.1))
PYTHON
