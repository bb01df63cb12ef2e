#!/bin/sh
# scikit-learn 1.9.1: GaussianMixture gives rows of integer type other log densities than the same rows as floats.
# With covariance_type "full" and "tied" the squared distances are stored in an array of the type of X, and so are cut to
# whole numbers: score_samples is off by up to half a nat, and score, bic, aic, predict_proba follow.
# Seen: [3.88631622 3.38631622 ...] for integers, [3.88631622 3.1363165 ...] for floats.
# Exits 0 as long as this is so, 1 when it changes. Needs the network; not part of the checks.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q scikit-learn==1.9.1 numpy==2.4.6
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import numpy as np
import sklearn
from sklearn.mixture import GaussianMixture

rows = np.array([[1, 2], [1, 4], [1, 0], [10, 2], [10, 4], [10, 0]])
model = GaussianMixture(2, random_state=0).fit(rows)
whole, floats = model.score_samples(rows), model.score_samples(rows.astype(float))
print("scikit-learn", sklearn.__version__)
print("integers", whole)
print("floats  ", floats)
print("largest difference", np.abs(whole - floats).max(), "nats")
sys.exit(bool(np.abs(whole - floats).max() < 0.1))
PYTHON
