#!/bin/sh
# astropy 8.0.2: with weights the tests of uniformity on the circle take the number of groups for the number of observations.
# rayleightest and vtest document weights as those of grouped data, whose sum is the number of observations. The mean direction
# and length follow them, n does not: it stays the length of the array. A day by hours has 24 observations then, whether 24 or
# a million rows were counted, and hardly anything is found; where most groups are empty it is the other way round. Cutting every
# group in two changes the answer, multiplying all counts by ten does not. Repeat the angles, or take exp(-n * length**2) yourself.
# Seen, for 2,400 arrivals by hour, of which 105 fall in the fullest hour and 95 in the emptiest: Rayleigh p 0.985 and V test p 0.43
# with weights, 0.22 and 0.042 with the angles repeated. Two angles and 9,998 of weight 0: p 0.0, where it is 0.15 for the two alone.
# Exits 0 as long as this is so, 1 when it changes. Needs the network; not part of the checks.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q astropy==8.0.2 pyerfa==2.0.1.5 numpy==2.4.6 scipy==1.17.1
"$folder/venv/bin/python" - <<'PYTHON'
import importlib.metadata
import sys

import numpy as np
from astropy.stats import circmean, rayleightest, vtest
from scipy.stats import norm

hours = np.arange(24) * 2 * np.pi / 24
counts = np.rint(100 + 5 * np.cos(hours - 1)).astype(int)
rows = np.repeat(hours, counts)
n = counts.sum()
# Both tests by their limits for many observations: n R^2 is exponential, and sqrt(2 n) R cos(mean - mu) is normal.
resultant = np.sum(counts * np.exp(1j * hours)) / n
by_hand = np.exp(-n * abs(resultant) ** 2), norm.sf(np.sqrt(2 * n) * (resultant * np.exp(-1j)).real)


def tested(angles, weights=None):
    """The p-values of both tests, of the second one for the direction 1."""
    return np.array([rayleightest(angles, weights=weights), vtest(angles, mu=1.0, weights=weights)])


print("astropy", importlib.metadata.version("astropy"), f" {len(hours)} groups of {n} observations, {min(counts)} to {max(counts)}")
repeated, weighted = tested(rows), tested(hours, counts)
tenfold, halves = tested(hours, 10 * counts), tested(np.repeat(hours, 2), np.repeat(counts / 2, 2))
print("angles repeated:", repeated, " by hand:", np.array(by_hand))
print("with weights:   ", weighted, " all counts times ten:", tenfold, " every group cut in two:", halves)
grid = np.arange(10_000) * 2 * np.pi / 10_000
two = np.array([0, 600])
sparse = np.isin(np.arange(10_000), two).astype(float)
alone, among_empty = rayleightest(grid[two]), rayleightest(grid, weights=sparse)
print("two angles:", alone, " and 9,998 empty groups:", among_empty)
assert np.isclose(circmean(hours, weights=counts), circmean(rows)), "the mean direction heeds the weights"
right = np.allclose(repeated, by_hand, rtol=0.02) and repeated[1] < 0.05
wrong = weighted[0] > 0.9 and weighted[1] > 0.4 and np.allclose(tenfold, weighted) and np.all(halves < weighted)
sys.exit(not (right and wrong and alone > 0.1 and among_empty < 1e-9))
PYTHON
