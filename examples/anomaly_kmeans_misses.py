"""An anomaly that K-means cannot see.

Customers who visit more spend more: a long narrow cloud. One customer visits often and spends little. To K-means the
point is close to a center, closer than half of all customers, because distance counts alike in all directions. The
mixture has learned the direction of the cloud: across it the point is eight standard deviations away. The
list below the histogram shows which columns make each row an anomaly.
"""

import sys

import numpy as np

from mixtura import GaussianMixture, KMeans
from mixtura.plot import plot_anomalies, save_chart

rng = np.random.default_rng(7)
visits = rng.uniform(5, 60, 299)
spending = 20 * visits + rng.normal(0, 20, 299)
rows = np.vstack([np.column_stack([visits, spending]), [[45.0, 740.0]]])
odd = len(rows) - 1

scaled = (rows - rows.mean(axis=0)) / rows.std(axis=0)
distances = KMeans(2, random_state=0).fit(scaled).transform(scaled).min(axis=1)
model = GaussianMixture(2, random_state=0).fit(rows)
density = model.score_samples(rows)

print(f"K-means: {np.mean(distances > distances[odd]):.0%} of all customers are farther from a center")
print(f"mixture: {np.mean(density < density[odd]):.0%} of all customers are less expected")
chart = plot_anomalies(model, rows, columns=["visits", "spending"], percentile=1.0, most=5)
save_chart(chart, sys.argv[1], overwrite=True)
