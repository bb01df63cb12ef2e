"""New customers scored by a model that was saved.

A segmentation is learned once and kept as a JSON file. Months later new customers arrive: each gets the segment it
most probably belongs to, the probability, and a flag if the model expects hardly any customer like it. The newcomers
here are drawn from the same market, but for three who differ from all others: they lie left of the threshold.
"""

import sys
import tempfile
from pathlib import Path

import pandas as pd

from mixtura import Segmentation
from mixtura.datasets import customer_columns, make_customers
from mixtura.plot import plot_anomalies, save_chart

columns = list(customer_columns())
known = pd.DataFrame(make_customers(), columns=columns)
with tempfile.TemporaryDirectory() as folder:
    model_file = Path(folder) / "model.json"
    Segmentation.fit(known, components=[3]).save(model_file)
    segmentation = Segmentation.load(model_file)

newcomers = pd.DataFrame(make_customers(120, random_state=9), columns=columns)
strange = pd.DataFrame([[150.0, 20.0], [20.0, 20.0], [100.0, 150.0]], columns=columns)
newcomers = pd.concat([newcomers, strange], ignore_index=True)
assigned = segmentation.assign(newcomers)
print(assigned.tail(4).to_string(index=False))

mixture = segmentation.model.in_user_units()
threshold = segmentation.model.anomaly_threshold
chart = plot_anomalies(mixture, newcomers, names=segmentation.names, threshold=threshold, most=6)
save_chart(chart, sys.argv[1], overwrite=True)
