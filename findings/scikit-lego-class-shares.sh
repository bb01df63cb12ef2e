#!/bin/sh
# scikit-lego 0.9.10: the probabilities of GMMClassifier are those of classes that are all equally frequent, whatever the rows.
# A mixture is fitted to each class and the densities are divided by their sum: the shares of the classes, which scikit-learn's
# GaussianNB and QuadraticDiscriminantAnalysis multiply them with, are left out, and there is no parameter for them.
# BayesianGMMClassifier does the same. Of rows with 10 % of a rare class, 37 % are given to it.
# Seen: half way between the classes 0.528 for the rare class, and 0.111 by the same two Gaussians with their shares.
# Exits 0 as long as this is so, 1 when it changes. Needs the network; not part of the checks.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q scikit-lego==0.9.10 scikit-learn==1.9.1 numpy==2.4.6
"$folder/venv/bin/python" - <<'PYTHON'
import importlib.metadata
import math
import sys

import numpy as np
from sklearn.discriminant_analysis import QuadraticDiscriminantAnalysis
from sklego.mixture import BayesianGMMClassifier, GMMClassifier

rng = np.random.default_rng(0)
rows = np.append(rng.normal(0, 1, 900), rng.normal(1, 1, 100))[:, None]
rare = np.repeat([0, 1], [900, 100])
point = np.array([[0.5]])


def by_hand(shares):
    found = []
    for share, group in zip(shares, (rows[rare == 0], rows[rare == 1]), strict=True):
        variance = float(group.var())
        found.append(share * math.exp(-((0.5 - float(group.mean())) ** 2) / (2 * variance)) / math.sqrt(variance))
    return found[1] / sum(found)


model = GMMClassifier().fit(rows, rare)
found = float(model.predict_proba(point)[0, 1])
bayesian = float(BayesianGMMClassifier().fit(rows, rare).predict_proba(point)[0, 1])
quadratic = float(QuadraticDiscriminantAnalysis().fit(rows, rare).predict_proba(point)[0, 1])
print("scikit-lego", importlib.metadata.version("scikit-lego"))
print("rare class at 0.5: GMMClassifier", found, "BayesianGMMClassifier", bayesian, "quadratic", quadratic)
print("by hand, equal shares", by_hand((0.5, 0.5)), "shares of the rows", by_hand((0.9, 0.1)))
print("given to the rare class:", float(model.predict(rows).mean()), "of the rows, where", rare.mean(), "are in it")
equal, weighted = by_hand((0.5, 0.5)), by_hand((0.9, 0.1))
sys.exit(not (abs(found - equal) < 1e-4 and abs(bayesian - equal) < 0.05 and abs(quadratic - weighted) < 0.01))
PYTHON
