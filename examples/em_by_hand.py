"""Stepping EM by hand: two formulas, repeated.

The E-step asks how much of each row belongs to each component, given the parameters. The M-step takes weighted means
and covariances, given these memberships. Each round makes the data more likely, never less, which the printed
numbers show. The start is poor on purpose: three wide components at random places. After 60 rounds two of them share
the lower group, an optimum that is only local: this is why fits start several times (`n_init`) and from K-means.
"""

import sys

import numpy as np

from mixtura import Mixture
from mixtura.datasets import make_customers
from mixtura.plot import plot_scatter, save_chart, side_by_side

rows = make_customers()
center, spread = rows.mean(axis=0), np.cov(rows.T)
starts = center + 0.8 * np.random.default_rng(0).normal(size=(3, 2)) * rows.std(axis=0)
mixture = Mixture.from_parameters(np.full(3, 1 / 3), starts, np.stack([spread] * 3))

charts, titles, last = [], [], -np.inf
for iteration in range(61):
    if iteration in {0, 3, 15, 60}:
        charts.append(plot_scatter(mixture, rows, columns=["income", "spending"], legend=False))
        titles.append(f"after {iteration} rounds: log-likelihood {mixture.log_density(rows).mean():.4f}")
    memberships = mixture.responsibilities(rows)  # E-step, (N, K)
    counts = memberships.sum(axis=0)  # M-step from here on
    means = memberships.T @ rows / counts[:, None]
    covariances = []
    for k in range(3):
        centered = rows - means[k]
        covariances.append((memberships[:, k, None] * centered).T @ centered / counts[k])
    mixture = Mixture.from_parameters(counts / len(rows), means, np.stack(covariances))
    likelihood = mixture.log_density(rows).mean()
    assert likelihood >= last - 1e-12, "EM never makes the data less likely"
    last = likelihood

print("\n".join(titles))
save_chart(side_by_side(charts, titles=titles), sys.argv[1], overwrite=True)
