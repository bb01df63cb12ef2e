#!/bin/sh
# permetrics 2.1.0: with more clusters than classes the homogeneity takes the last clusters for pure, whatever they hold.
# The conditional entropy of the classes is summed over the labels of y_true where those of y_pred are meant. With fewer clusters
# completeness does the same, and V is too high in both cases. With equal numbers of labels all three are right, so that of
# two clusterings the one with more clusters wins.
# Seen: homogeneity 0.5 for clusters that are independent of the classes, where it is 0; 1.0 and V 0.5 for a third cluster
# that holds half of each class, where by hand they are 1/2 and 2/5.
# Exits 0 as long as this is so, 1 when it changes. Needs the network; not part of the checks.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q permetrics==2.1.0 numpy==2.4.6 scipy==1.17.1
"$folder/venv/bin/python" - <<'PYTHON'
import importlib.metadata
import sys

import numpy as np
from permetrics import ClusteringMetric

# Every cluster has one row of each class: knowing the cluster says nothing of the class.
classes = np.array([0, 1] * 4)
clusters = np.repeat([0, 1, 2, 3], 2)
more = ClusteringMetric(y_true=classes, y_pred=clusters)
fewer = ClusteringMetric(y_true=clusters, y_pred=classes)
# Two pure clusters, and a third with half of each class: a half of the rows have an entropy of one bit, of one bit in all.
half = ClusteringMetric(y_true=np.repeat([0, 1], 10), y_pred=np.repeat([0, 2, 1, 2], 5))
equal = ClusteringMetric(y_true=classes, y_pred=np.repeat([0, 1], 4))
print("permetrics", importlib.metadata.version("permetrics"))
named = (("4 clusters, 2 classes", more), ("2 clusters, 4 classes", fewer), ("third mixed", half), ("2 clusters, 2 classes", equal))
for name, metric in named:
    print(name, metric.homogeneity_score(), metric.completeness_score(), metric.v_measure_score(), metric.mutual_info_score())
right = np.allclose([equal.homogeneity_score(), equal.v_measure_score(), more.mutual_info_score()], 0, atol=1e-12)
wrong = more.homogeneity_score() > 0.4 and fewer.completeness_score() > 0.4
wrong = wrong and half.homogeneity_score() > 0.9 and half.v_measure_score() > 0.45
sys.exit(not (right and wrong))
PYTHON
