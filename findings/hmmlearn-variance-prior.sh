#!/bin/sh
# hmmlearn 0.3.3: GaussianHMM.fit adds 0.01 to the sum of squares of every state, so that its variances depend on the unit.
# covars_prior=0.01 is on by default, for every column alike. A column of small numbers (rates per second, returns by
# the minute) gets variances that are a thousand times too large and states that overlap; the same column in other units does
# not, and score, aic and bic follow. GMMHMM with one Gaussian per state has no such constant. Set covars_prior=0.
# Seen: variance 1.0e-05 for 1,000 rows whose variance is 9.5e-09; score 4837, where the normal distribution with mean and
# variance of the rows has 7815. Ten thousand times the rows: 0.95406, and 0.95405 is right.
# Exits 0 as long as this is so, 1 when it changes. Needs the network; not part of the checks.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q hmmlearn==0.3.3 scikit-learn==1.9.1 numpy==2.4.6 scipy==1.17.1
"$folder/venv/bin/python" - <<'PYTHON'
import importlib.metadata
import math
import sys

import numpy as np
from hmmlearn.hmm import GMMHMM, GaussianHMM

rows = np.random.default_rng(0).standard_normal((1000, 1)) * 1e-4
true = float(rows.var())
best = -len(rows) / 2 * (math.log(2 * math.pi * true) + 1)  # the maximum over all means and variances
print("hmmlearn", importlib.metadata.version("hmmlearn"), "variance of the rows", true, "highest log-likelihood", best)
seen = []
for name in ("diag", "full", "spherical", "tied"):
    model = GaussianHMM(1, covariance_type=name, n_iter=100, tol=1e-9, random_state=0).fit(rows)
    variance, score = float(np.ravel(model.covars_)[0]), float(model.score(rows))
    print(name, "variance", variance, "score", score)
    seen.append(variance > 500 * true and score < best - 1000)
scaled = float(np.ravel(GaussianHMM(1, random_state=0).fit(rows * 1e4).covars_)[0])
without = float(np.ravel(GaussianHMM(1, covars_prior=0, random_state=0).fit(rows).covars_)[0])
other = float(np.ravel(GMMHMM(1, 1, covariance_type="diag", random_state=0).fit(rows * 1e4).covars_)[0])
print("rows times 10,000:", scaled, "covars_prior=0:", without, "GMMHMM, rows times 10,000:", other)
sys.exit(not (all(seen) and abs(scaled - 1e8 * true) < 1e-4 and abs(without / true - 1) < 1e-6))
PYTHON
