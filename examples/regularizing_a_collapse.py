"""Regularizing a collapse: three identical rows are not a segment.

Three customers are entered with exactly the same numbers. A component that shrinks onto them is infinitely likely, so
maximum likelihood alone would choose it: in the left picture a component is a speck. `reg_covar` adds a small
variance to every component; as large as the measurements are exact, it makes the speck worthless, and the
component describes customers again.
"""

import sys

import numpy as np

from mixtura import GaussianMixture
from mixtura.plot import plot_scatter, save_chart, side_by_side

rng = np.random.default_rng(8)
rows = np.vstack(
    [rng.normal([0, 0], 1.0, (60, 2)), rng.normal([5, 1], 1.0, (60, 2)), np.full((3, 2), [2.5, 4.0])]
)
means = [[0.0, 0.0], [5.0, 1.0], [2.5, 4.0]]

charts, titles = [], []
for reg_covar in (1e-6, 0.3):
    model = GaussianMixture(3, reg_covar=reg_covar, means_init=means, random_state=0).fit(rows)
    smallest = np.linalg.eigvalsh(model.covariances_).min() ** 0.5
    charts.append(plot_scatter(model, rows, legend=False))
    titles.append(f"reg_covar={reg_covar:g}: narrowest axis {smallest:.3f}")

save_chart(side_by_side(charts, titles=titles), sys.argv[1], overwrite=True)
