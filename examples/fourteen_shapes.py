"""Between `full` and `spherical`: the fourteen shapes of mclust.

A covariance has a volume, a shape and an orientation, and each can be equal in all components (E), vary (V), or be
that of the identity (I). Fourteen combinations make sense. Here two groups have the same shape and orientation, and
differ in volume alone: VEE in mclust's letters. The search tries all fourteen, and the chart shows that the criterion
finds the structure that made the data, which none of scikit-learn's four can describe without parameters to spare.
"""

import sys

import numpy as np

from mixtura.plot import plot_criterion, save_chart
from mixtura.select import search

rng = np.random.default_rng(3)
slanted = np.array([[4.0, 3.0], [3.0, 4.0]])
rows = np.vstack(
    [
        rng.multivariate_normal([0, 0], slanted, 300),
        rng.multivariate_normal([9, 0], 0.1 * slanted, 300),
    ]
)

found = search(rows, components=[1, 2, 3], covariance_types="all")
print(f"{found.best.covariance_type} with {found.best.n_components} components")
save_chart(plot_criterion(found), sys.argv[1], overwrite=True)
