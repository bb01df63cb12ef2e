#!/bin/sh
# scikit-learn 1.9.1: ScoringMonitor(scoring=None), documented as the estimator's own score, raises in every fit with labels.
# Seen: TypeError: 'float' object is not iterable, from `scores.update(scorer(...))`, with LogisticRegression as with others.
# A callable that returns a number, documented too, does the same; strings, and callables that return a dict, work.
# Exits 0 as long as this is so, 1 when it changes. Needs the network; not part of the checks.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q scikit-learn==1.9.1 numpy==2.4.6
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import sklearn
from sklearn.callback import ScoringMonitor
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

print("scikit-learn", sklearn.__version__)
X, y = load_iris(return_X_y=True)
raised = []
for scoring in (None, lambda estimator, X, y: estimator.score(X, y), "accuracy"):
    try:
        LogisticRegression(max_iter=1000).set_callbacks(ScoringMonitor(scoring=scoring)).fit(X, y)
        raised.append(False)
    except TypeError as error:
        raised.append(True)
        print(scoring, "TypeError:", error)
sys.exit(raised != [True, True, False])
PYTHON
