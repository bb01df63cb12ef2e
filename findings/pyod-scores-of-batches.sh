#!/bin/sh
# pyod 3.6.7: the score that ECOD and COPOD give a row depends on which rows are scored with it, and many alike hide each other.
# decision_function, documented as the score "using the fitted detector", puts the rows that it is given among those of the fit
# and takes the tails of all together, while threshold_ stays that of the fit. A row that is far outside is an anomaly alone, and
# hardly any of 1,000 like it is one: what arrives in one batch (a fault, a wave of fraud) is missed. Scores of a stream and of the same
# rows at night differ. Call decision_function for one row at a time, which differs by one row in the tails.
# Seen, for rows ten deviations above 1,000 standard normal ones with 3 columns: ECOD 20.7 alone and 3.1 among 1,000, threshold_
# 7.5; COPOD 20.7 and 2.2, threshold_ 6.0. predict finds 95 and none of the 1,000 together, and all of the first 100 alone. By the tails
# of the fit the score is 20.7 for each of them, alone and together.
# Exits 0 as long as this is so, 1 when it changes. Needs the network; not part of the checks.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q pyod==3.6.7 numpy==1.26.4 scipy==1.17.1 scikit-learn==1.9.1
"$folder/venv/bin/python" - <<'PYTHON'
import importlib.metadata
import sys

import numpy as np
from pyod.models.copod import COPOD
from pyod.models.ecod import ECOD

rng = np.random.default_rng(0)
rows = rng.normal(size=(1000, 3))
strange = 10 + rng.normal(size=(1000, 3)) / 100


def by_tails_of_the_fit(row):
    """The sum over the columns of -log P(X >= x), where all columns of the row are above those of the fit."""
    return -np.log((1 + (rows >= row).sum(axis=0)) / (1 + len(rows))).sum()


print("pyod", importlib.metadata.version("pyod"))
print("by the tails of the fit", round(by_tails_of_the_fit(strange[0]), 2), "for each of the rows")
hidden = []
for detector in (ECOD(), COPOD()):
    detector.fit(rows)
    alone, together = detector.decision_function(strange[:1])[0], detector.decision_function(strange)
    n_found = detector.predict(strange).sum(), sum(detector.predict(strange[k : k + 1])[0] for k in range(100))
    print(type(detector).__name__, f"threshold {detector.threshold_:.2f}: alone {alone:.2f}, with others {together[0]:.2f};", end=" ")
    print(f"outliers {n_found[0]} of 1,000 together, {n_found[1]} of the first 100 alone")
    hidden.append(alone > detector.threshold_ > together[0] and n_found[0] < 300 and n_found[1] == 100)
    assert np.isclose(alone, by_tails_of_the_fit(strange[0]), rtol=1e-6), "alone it is the definition's"
sys.exit(not all(hidden))
PYTHON
