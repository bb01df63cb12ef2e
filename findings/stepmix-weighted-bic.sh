#!/bin/sh
# StepMix 3.0.0: a model can be fitted with weights, its bic and aic cannot be computed with them.
# fit and score take sample_weight; bic(X), aic(X) and the criteria of report() do not: they take the plain mean of the rows'
# log-likelihoods and the number of rows, so that the number of classes of a weighted survey is chosen on the unweighted one.
# Seen: bic 1506 for 200 rows with whole weights, 3080 for the same answers with each row repeated as often as its weight says;
# parameters and score of the two fits are equal.
# Exits 0 as long as this is so, 1 when it changes. Needs the network; not part of the checks.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q stepmix==3.0.0 numpy==2.4.6 scikit-learn==1.9.1
"$folder/venv/bin/python" - <<'PYTHON'
import importlib.metadata
import inspect
import sys

import numpy as np
from stepmix.stepmix import StepMix

rng = np.random.default_rng(0)
answers = rng.integers(0, 3, (200, 4))
answers[:100] = np.where(rng.random((100, 4)) < 0.8, 0, answers[:100])
weights = rng.integers(1, 4, 200)
repeated = np.repeat(answers, weights, axis=0)


def model():
    return StepMix(n_components=2, measurement="categorical", n_init=5, random_state=0, progress_bar=0, verbose=0)


one, other = model().fit(answers, sample_weight=weights.astype(float)), model().fit(repeated)
scores = one.score(answers, sample_weight=weights), other.score(repeated)
criteria = one.bic(answers), other.bic(repeated)
print("stepmix", importlib.metadata.version("stepmix"))
print("score, weighted and repeated:", *scores)
print("bic, weighted and repeated:  ", *criteria)
no_weight = "sample_weight" not in inspect.signature(one.bic).parameters
sys.exit(not (no_weight and abs(scores[0] - scores[1]) < 1e-6 and abs(criteria[0] - criteria[1]) > 1000))
PYTHON
