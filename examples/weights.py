"""Weights: a survey that asked too many of the young.

Of 600 people asked, 450 are young, but in the market old and young are equally many. Weights say how many people of the
market each answer stands for. Fitted without them, the mixture gives the young three quarters; with them, each group
gets its half, and the histogram shows the market and not the sample.
"""

import sys

import numpy as np

from mixtura import GaussianMixture
from mixtura.plot import plot_marginals, save_chart, side_by_side

rng = np.random.default_rng(6)
age = np.concatenate([rng.normal(28, 4, 450), rng.normal(62, 6, 150)])[:, None]
weight = np.where(age[:, 0] < 45, 1 / 450, 1 / 150) * 300

plain = GaussianMixture(2, random_state=0).fit(age)
weighted = GaussianMixture(2, random_state=0).fit(age, sample_weight=weight)
print("without weights:", np.sort(plain.weights_).round(2).tolist())
print("with weights:   ", np.sort(weighted.weights_).round(2).tolist())

# Rows drawn in proportion to their weights show what the weighted mixture describes.
drawn = age[rng.choice(len(age), len(age), p=weight / weight.sum())]
charts = [plot_marginals(plain, age, columns=["age"], legend=False),
          plot_marginals(weighted, drawn, columns=["age"], legend=False)]  # fmt: skip
save_chart(side_by_side(charts, titles=["the sample", "the market"]), sys.argv[1], overwrite=True)
