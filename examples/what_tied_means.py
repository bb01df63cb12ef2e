"""What `tied` means: four kinds of covariances on one table.

Three groups of customers lie in the same direction, each with a shape of its own. `full` gives every component an
ellipse of its own; `tied` one ellipse for all, moved to each center; `diag` ellipses whose axes are parallel to those
of the picture; `spherical` circles. The more freedom, the more parameters: 17 for `full`, 11 for `tied` and
`spherical`, 14 for `diag`. BIC, in the titles, charges for them: smaller is better.
"""

import sys

import numpy as np

from mixtura import GaussianMixture
from mixtura.plot import plot_scatter, save_chart, side_by_side

rng = np.random.default_rng(0)
slanted = np.array([[9.0, 6.0], [6.0, 6.0]])
rows = np.vstack(
    [
        rng.multivariate_normal([0, 0], slanted, 150),
        rng.multivariate_normal([10, -2], slanted, 100),
        rng.multivariate_normal([4, 9], 0.4 * slanted, 100),
    ]
)

charts, titles = [], []
for covariance_type in ("full", "tied", "diag", "spherical"):
    model = GaussianMixture(3, covariance_type=covariance_type, n_init=5, random_state=0).fit(rows)
    charts.append(plot_scatter(model, rows, columns=["income", "spending"], legend=False))
    titles.append(f"{covariance_type}: BIC {model.bic(rows):,.0f}")

save_chart(side_by_side(charts, titles=titles), sys.argv[1], overwrite=True)
