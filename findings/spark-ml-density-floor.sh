#!/bin/sh
# Spark 4.3.0 (pyspark.ml): the densities of a Gaussian mixture have a floor of 2**-52, within the fit and after it.
# A row of two columns far from everything is given equal probabilities and segment 0, though one component is much nearer:
# (-40, -40) and (40, 40) get the same answer. In 30 columns nearly all densities of standardized rows lie
# below the floor: the fit ends with equal components, and the log-likelihood it states is about n log(K 2**-52), above that of the true mixture.
# Seen: probability [0.5, 0.5] for both rows; -14136.9 in 30 columns, where 400 log(2 2**-52) is -14140.2 and the true mixture
# has -17294.7.
# Exits 0 as long as this is so, 1 when it changes. Needs the network and Java 17 or later; not part of the checks.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q pyspark==4.3.0 numpy==2.4.6
"$folder/venv/bin/python" - <<'PYTHON'
import math
import sys

import numpy as np
import pyspark
from pyspark.ml.clustering import GaussianMixture
from pyspark.ml.linalg import Vectors
from pyspark.sql import SparkSession

session = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").getOrCreate()
session.sparkContext.setLogLevel("ERROR")


def table(rows):
    return session.createDataFrame([(Vectors.dense(row),) for row in rows], ["features"]).coalesce(1)


def two_groups(n_columns, apart):
    rows = np.random.default_rng(0).standard_normal((400, n_columns))
    rows[200:] += apart
    return rows


def true_log_likelihood(rows, apart):
    first, second = (-0.5 * ((rows - mean) ** 2).sum(axis=1) for mean in (0, apart))
    return float(np.logaddexp(first, second).sum() - len(rows) * (math.log(2) + rows.shape[1] / 2 * math.log(2 * math.pi)))


narrow, wide = two_groups(2, 6), two_groups(30, 3)
model = GaussianMixture(k=2, seed=0, maxIter=100, tol=1e-4).fit(table(narrow))
far = [list(map(float, row.probability)) for row in model.transform(table([[-40.0, -40.0], [40.0, 40.0]])).collect()]
stated = GaussianMixture(k=2, seed=0, maxIter=100, tol=1e-4).fit(table(wide)).summary.logLikelihood
session.stop()
print("pyspark", pyspark.__version__)
print("probabilities of (-40, -40) and (40, 40):", far)
print("30 columns: stated", stated, "true mixture", true_log_likelihood(wide, 3), "floor", 400 * math.log(2 * 2**-52))
sys.exit(not (far == [[0.5, 0.5], [0.5, 0.5]] and stated > true_log_likelihood(wide, 3) + 1000))
PYTHON
