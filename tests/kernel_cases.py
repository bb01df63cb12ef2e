"""Rows and components for tests of kernels, and what they say in plain NumPy."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mixtura.kernels import Components, Layout


@dataclass(frozen=True)
class Case:
    rows: Any
    weight: Any
    components: Components

    def in_order(self, order: Any) -> Case:
        """The same rows in another order."""
        weight = None if self.weight is None else self.weight[order]
        return Case(np.ascontiguousarray(self.rows[order]), weight, self.components)


def normalization(c: Components) -> Any:
    """``log |L| - D/2 log 2 pi`` of each component, (K,): what offsets hold besides ``log w``."""
    k, d = c.means.shape
    diagonals = c.factors if c.layout is Layout.DIAGONAL else np.diagonal(c.factors, axis1=-2, axis2=-1)
    return np.log(np.broadcast_to(diagonals, (k, d))).sum(axis=1) - 0.5 * d * math.log(2.0 * math.pi)


def make_case(
    layout: Layout, *, n: int = 70, d: int = 3, k: int = 4, share: float = 0.3, weighted: bool = False,
    shift: float = 0.0, scale: float = 1.0, empty_rows: int = 2, seed: int = 0,
) -> Case:  # fmt: skip
    rng = np.random.default_rng([seed, n, d, k])
    means = shift + scale * 2.0 * rng.normal(size=(k, d))
    rows = means[rng.integers(0, k, n)] + scale * rng.normal(size=(n, d))
    rows[rng.uniform(size=(n, d)) < share] = np.nan
    if share > 0:
        rows[rng.permutation(n)[:empty_rows]] = np.nan
    factor = np.tril(rng.normal(size=(k, d, d)) * 0.3, -1) + np.eye(d) * rng.uniform(0.5, 1.5, size=(k, 1, d))
    factors = {
        Layout.DENSE: factor / scale,
        Layout.DIAGONAL: np.diagonal(factor, axis1=1, axis2=2) / scale,
        Layout.SHARED: factor[0] / scale,
    }[layout]
    weight = rng.integers(0, 3, n) * rng.uniform(0.5, 2.0, n) if weighted else None
    components = Components(layout, means, np.ascontiguousarray(factors), np.zeros(k))
    return Case(
        rows,
        weight,
        replace(components, offsets=rng.uniform(-1.0, 1.5, k) + normalization(components)),
    )


def full_covariances(c: Components) -> Any:
    """Covariances (K, D, D): inverses of ``L^T L``."""
    k, d = c.means.shape
    if c.layout is Layout.DIAGONAL:
        return np.array([np.diag(1.0 / one**2) for one in c.factors])
    factors = np.broadcast_to(c.factors, (k, d, d))
    return np.array([np.linalg.inv(one.T @ one) for one in factors])
