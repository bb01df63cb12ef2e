#!/bin/sh
# copulas 0.14.1: GaussianMultivariate.probability_density is not the density of the rows that it is asked about.
# It is that of their normal scores, neither divided by the normal densities of the scores nor multiplied by the densities of the
# columns. It does not change with the unit of a column, it integrates to anything, and it orders rows by another distribution:
# of two independent uniform columns, where all rows are equally likely, those in the middle are a hundred times as
# likely as those in a corner. The univariate densities of the package, the product of which it should be there, are right.
# Seen: 0.1592 in the middle and 0.0009 near a corner for two uniform columns from 0 to 100, where it is 0.0001 in both; the
# integral is 795.2, and 0.0795 for the same rows divided by 100.
# Exits 0 as long as this is so, 1 when it changes. Needs the network; not part of the checks.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q copulas==0.14.1 numpy==2.4.6 scipy==1.17.1 pandas==2.3.3
"$folder/venv/bin/python" - <<'PYTHON'
import importlib.metadata
import sys

import numpy as np
import pandas as pd
from copulas.multivariate import GaussianMultivariate
from copulas.univariate import UniformUnivariate
from scipy.stats import multivariate_normal, norm

rng = np.random.default_rng(0)
rows = pd.DataFrame(rng.uniform(0, 100, (5000, 2)), columns=["a", "b"])
steps = (np.arange(200) + 0.5) / 200
grid = pd.DataFrame(np.stack(np.meshgrid(steps, steps), axis=-1).reshape(-1, 2), columns=["a", "b"])


def densities(width):
    """What is stated, and the density by Sklar's theorem, at a grid over the range of the rows, with the area of a cell."""
    data = rows * width / 100
    model = GaussianMultivariate(distribution=UniformUnivariate)
    model.fit(data)
    points = data.min() + grid * (data.max() - data.min())
    columns = [(one, points[name].to_numpy()) for name, one in zip(model.columns, model.univariates, strict=True)]
    scores = norm.ppf(np.column_stack([one.cumulative_distribution(values) for one, values in columns]))
    margins = np.prod([one.probability_density(values) for one, values in columns], axis=0)
    copula = multivariate_normal.pdf(scores, cov=model.correlation) / norm.pdf(scores).prod(axis=1)
    return model.probability_density(points), copula * margins, (data.max() - data.min()).prod() / len(grid)


print("copulas", importlib.metadata.version("copulas"))
integrals = {}
for width in (100, 1):
    stated, right, cell = densities(width)
    integrals[width] = stated.sum() * cell, right.sum() * cell
    middle, corner = 100 * 200 + 100, 2 * 200 + 2
    print(f"columns from 0 to {width}: {stated[middle]:.5f} in the middle, {stated[corner]:.5f} near a corner;", end=" ")
    print(f"by the definition {right[middle]:.5f}, {right[corner]:.5f}")
    print(f"  integrals {integrals[width][0]:.4f} and {integrals[width][1]:.4f}")
unit = all(abs(right - 1) < 0.02 for _, right in integrals.values())
# The integral of the squared normal density is 1 / (2 sqrt(pi)).
expected = {width: width**2 / (4 * np.pi) for width in integrals}
sys.exit(not (unit and all(abs(integrals[width][0] / expected[width] - 1) < 0.02 for width in integrals)))
PYTHON
