#!/bin/sh
# pomegranate 1.1.2: covariances are mean squares less squared means in float32, whatever the type of the rows.
# Columns with a mean of 3,000 and a standard deviation of 1 (a year of birth, a price in cents) have "variances" of 3 and 4 and
# a covariance of -3, which no data have; at 1,000 a mixture stops with an error of torch.linalg.cholesky. Rows of float64 are
# converted without a word. Center the columns before the fit.
# Seen: [[3, -3], [-3, 4]] for rows whose covariances are [[0.96, 0.05], [0.05, 1.01]].
# Exits 0 as long as this is so, 1 when it changes. Needs the network; not part of the checks.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q pomegranate==1.1.2 torch==2.14.1 numpy==2.4.6 scikit-learn==1.9.1
"$folder/venv/bin/python" - <<'PYTHON'
import importlib.metadata
import sys

import numpy as np
from pomegranate.distributions import Normal

rows = np.random.default_rng(0).standard_normal((200, 2))
true = np.cov(rows.T, bias=True)
near = Normal().fit(rows).covs.detach().numpy()
away = Normal().fit(rows + 3000).covs.detach().numpy()
print("pomegranate", importlib.metadata.version("pomegranate"))
print("true       ", true.tolist())
print("mean 0     ", near.tolist())
print("mean 3000  ", away.tolist())
sys.exit(not (np.abs(near - true).max() < 1e-5 and np.abs(away - true).max() > 1))
PYTHON
