"""A spike of zeros: why customers who bought nothing need a look first.

Two thirds of these customers spent money, a third spent exactly nothing. A Gaussian component that sits on the zeros
can become as narrow as it likes, and its likelihood as large: it describes the spike, not a segment. Without a floor
under its width it would be a line. Better: treat "bought nothing" as a group of its own, and learn the mixture
from those who bought, on a logarithmic scale.
"""

import sys

import numpy as np

from mixtura import GaussianMixture
from mixtura.plot import plot_marginals, save_chart, side_by_side

rng = np.random.default_rng(2)
spending = np.exp(np.concatenate([rng.normal(3, 0.5, 250), rng.normal(5.5, 0.5, 150)]))
all_customers = np.log1p(np.concatenate([np.zeros(200), spending]))[:, None]
buyers = np.log1p(spending)[:, None]

charts = []
for rows, n_components in ((all_customers, 3), (buyers, 2)):
    model = GaussianMixture(n_components, reg_covar=1e-3, n_init=5, random_state=0).fit(rows)
    charts.append(plot_marginals(model, rows, columns=["log(1 + spending)"], legend=False))

titles = ["all customers: one component is a spike", "customers who bought"]
save_chart(side_by_side(charts, titles=titles), sys.argv[1], overwrite=True)
