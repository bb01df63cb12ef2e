#!/bin/sh
# POT 0.9.7.post1: the distance of weighted samples on the circle to the uniform distribution depends on the order of the samples.
# semidiscrete_wasserstein2_unif_circle sorts the values and leaves their weights where they are, so that values are weighted by
# each other's. Without weights, or in rising order, it is the closed form that the documentation states. On the sphere
# sliced_wasserstein_sphere_unif passes weights on to it, where no order of the rows helps: each projection has its own. Sort by
# the angle, with the weights, before the call on the circle; on the sphere repeat rows instead.
# Seen, for three points with weights 0.7, 0.2 and 0.1: 0.0358 in one order and 0.0315 in the rising one, which is also what
# the points repeated 7, 2 and 1 times have, the linear program against 5,000 equal points, and the formula of Bonet et al. (2023);
# on the sphere 0.193 for weights 9 and 1, and 0.182 for the rows repeated as often.
# Exits 0 as long as this is so, 1 when it changes. Needs the network; not part of the checks.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q POT==0.9.7.post1 numpy==2.4.6 scipy==1.17.1
"$folder/venv/bin/python" - <<'PYTHON'
import importlib.metadata
import sys

import numpy as np
import ot

points, weights = np.array([0.6, 0.1, 0.35]), np.array([0.7, 0.2, 0.1])
order = np.argsort(points)


def by_formula(x, a):
    """The closed form of the documentation; its samples are numbered in rising order."""
    before = np.cumsum(a) - a
    return a @ x**2 - (a @ x) ** 2 + a @ (x * (1 - a - 2 * before)) + 1 / 12


grid = (np.arange(5000) + 0.5) / 5000
apart = np.abs(points[:, None] - grid)
stated = ot.semidiscrete_wasserstein2_unif_circle
found = {
    "as given": stated(points, weights),
    "rising": stated(points[order], weights[order]),
    "repeated": stated(np.repeat(points, [7, 2, 1])),
    "formula": by_formula(points[order], weights[order]),
    "linear program": ot.emd2(weights, np.full(5000, 1 / 5000), np.minimum(apart, 1 - apart) ** 2, numItermax=10**7),
}
found = {name: np.asarray(value).item() for name, value in found.items()}
print("POT", importlib.metadata.version("POT"))
print({name: round(value, 6) for name, value in found.items()})

rows = np.random.default_rng(0).normal(size=(6, 3))
rows /= np.linalg.norm(rows, axis=1, keepdims=True)
counts = np.array([9, 1, 1, 1, 1, 1])
sphere = {
    "with weights": ot.sliced_wasserstein_sphere_unif(rows, counts / counts.sum(), n_projections=500, seed=0),
    "repeated": ot.sliced_wasserstein_sphere_unif(np.repeat(rows, counts, axis=0), n_projections=500, seed=0),
}
print("on the sphere", {name: round(float(value), 4) for name, value in sphere.items()})
given = found.pop("as given")
agree = max(found.values()) - min(found.values()) < 1e-6
sys.exit(not (agree and abs(given / found["formula"] - 1) > 0.1 and abs(sphere["with weights"] / sphere["repeated"] - 1) > 0.02))
PYTHON
