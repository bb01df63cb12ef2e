"""Passes that look at some components alone, run beside passes that look at all, and compared with these."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from mixtura.kernels import Components, Outputs, moment_size, sums_size
from mixtura.kernels.reference import NumpyKernel

__all__ = ["TOLERANCE", "TWIN", "Case", "assert_pass", "hardness", "run"]

TOLERANCE = 1e-10  # what mixtura.kernels.contract promises
TWIN = NumpyKernel(expand_from=10**9)
hardness = pytest.mark.parametrize("hard", [False, True], ids=["soft", "hard"])


@dataclass
class Case:
    rows: np.ndarray
    components: Components
    weight: np.ndarray | None = None
    background: np.ndarray | None = None


def run(kernel, case, *, hard=False, negligible=None, summed=True):
    """Sums, log density, memberships, labels and scores of one pass."""
    components = case.components
    if negligible is not None:
        components = replace(components, negligible=negligible)
    k, d, n = components.n_components, components.n_features, len(case.rows)
    sums = np.zeros(sums_size(components.layout, k, d)) if summed else None
    labels, scores = np.full(n, 7, dtype=np.intp), np.zeros(3)
    outputs = Outputs(np.full(n, 7.0), np.full((n, k), 7.0), labels, scores)
    kernel.accumulate(
        case.rows, case.weight, components, sums, outputs, hard=hard, background=case.background
    )
    return sums, outputs.log_density, outputs.memberships, labels, scores


def assert_pass(actual, expected, case):
    k, d = case.components.n_components, case.components.n_features
    ends = np.cumsum([1, 1, k, k * d, k * moment_size(case.components.layout, d)])
    for a, e in zip(np.split(actual[0], ends[:-1]), np.split(expected[0], ends[:-1]), strict=True):
        finite = np.abs(e[np.isfinite(e)])
        atol = TOLERANCE * (finite.max() if finite.size else 0.0)
        np.testing.assert_allclose(a, e, rtol=TOLERANCE, atol=atol)
    np.testing.assert_allclose(actual[1], expected[1], rtol=TOLERANCE, atol=TOLERANCE)
    np.testing.assert_allclose(actual[2], expected[2], rtol=TOLERANCE, atol=TOLERANCE)
    np.testing.assert_array_equal(actual[3], expected[3])
    n = len(case.rows)
    np.testing.assert_allclose(actual[4], expected[4], rtol=TOLERANCE, atol=TOLERANCE * n)
