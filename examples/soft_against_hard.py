"""Soft against hard: what K-means hides and a mixture says.

Both methods find two groups. K-means puts every customer into exactly one of them, and cuts halfway between the
centers, however wide the groups are. The mixture gives each customer a probability of belonging to either: a point's
color mixes those of its components. The narrow group is no longer robbed of the wide group's customers, and those in
between are marked as such instead of being counted as certain.
"""

import sys

import numpy as np

from mixtura import GaussianMixture, KMeans
from mixtura.plot import plot_scatter, save_chart, side_by_side

rng = np.random.default_rng(1)
rows = np.vstack([rng.normal([0, 0], [3.0, 3.0], (250, 2)), rng.normal([6, 0], [0.8, 0.8], (150, 2))])

model = GaussianMixture(2, random_state=0).fit(rows)
clusters = KMeans(2, random_state=0).fit(rows).labels_
# The clusters get the colors of the components they match.
if np.mean(clusters == model.predict(rows)) < 0.5:
    clusters = 1 - clusters

certainty = model.predict_proba(rows).max(axis=1)
print(f"{np.mean(certainty < 0.9):.0%} of the customers are less than 90 % certain")
charts = [plot_scatter(model, rows, labels=clusters), plot_scatter(model, rows, legend=False)]
save_chart(side_by_side(charts, titles=["K-means: hard", "mixture: soft"]), sys.argv[1], overwrite=True)
