"""When not to use a mixture: crescents, rings and nested groups.

Components are ellipses. Two crescents, or a ring around a blob, are not, and two components cut them where no gap
is. More components would follow the density, but then a component is no longer a group. For shapes such as these use
a method that follows neighbors, such as HDBSCAN. Concentric groups of different width are another matter: the mixture
separates them, where K-means cuts through the middle.
"""

import sys

import numpy as np
from sklearn.datasets import make_circles, make_moons

from mixtura import GaussianMixture
from mixtura.plot import plot_scatter, save_chart, side_by_side

rng = np.random.default_rng(0)
crescents, which_crescent = make_moons(400, noise=0.07, random_state=0)
rings, which_ring = make_circles(400, factor=0.4, noise=0.07, random_state=0)
nested = np.vstack([rng.normal(0, 0.15, (150, 2)), rng.normal(0, 1.5, (250, 2))])
which_nested = np.repeat([0, 1], [150, 250])

charts, titles = [], []
for name, rows, truth in (
    ("crescents", crescents, which_crescent),
    ("rings", rings, which_ring),
    ("nested", nested, which_nested),
):
    model = GaussianMixture(2, n_init=10, random_state=0).fit(rows)
    agreement = np.mean(model.predict(rows) == truth)
    charts.append(plot_scatter(model, rows, legend=False))
    titles.append(f"{name}: {max(agreement, 1 - agreement):.0%} as they were made")

save_chart(side_by_side(charts, titles=titles, columns=3), sys.argv[1], overwrite=True)
