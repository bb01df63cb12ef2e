"""Overlapping components and merging: one cluster may need two Gaussians.

The left group is L-shaped, made of two strips. BIC rightly asks for a component per strip, since density is what it
judges, but nobody would call these two clusters. Merging joins, step by step, the components that overlap most, and the
entropy of the memberships falls fast as long as parts of one cluster are joined. Where the line bends, the number of
clusters is reached: fewer than components.
"""

import sys

import numpy as np

from mixtura import GaussianMixture
from mixtura.plot import plot_entropy, save_chart
from mixtura.select import merge_components

rng = np.random.default_rng(5)
rows = np.vstack(
    [
        rng.normal([0, 4], [0.5, 2.5], (250, 2)),
        rng.normal([3, 0], [2.5, 0.5], (250, 2)),
        rng.normal([12, 6], [1.0, 1.0], (250, 2)),
        rng.normal([12, -6], [1.0, 1.0], (250, 2)),
    ]
)

model = GaussianMixture(4, n_init=10, random_state=0).fit(rows)
merged = merge_components(model.predict_proba(rows))
print(f"{merged.n_components} components, {merged.elbow('clusters')} clusters")
save_chart(plot_entropy(merged), sys.argv[1], overwrite=True)
