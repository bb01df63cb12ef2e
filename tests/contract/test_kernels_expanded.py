"""The twin's two ways of a pass: with each mean subtracted, and expanded about the center of the means."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mixtura.kernels import Components, Layout, Outputs, sums_size
from mixtura.kernels.expanded import Expansion
from mixtura.kernels.reference import NumpyKernel
from naive import naive_accumulate

TOLERANCE = 1e-10  # what mixtura.kernels.contract promises
CENTERED, EXPANDED = NumpyKernel(expand_from=10**9), NumpyKernel(expand_from=0)
layouts = pytest.mark.parametrize("layout", [Layout.DENSE, Layout.DIAGONAL])


@pytest.fixture
def expansions(monkeypatch):
    """What each call handed back from an expansion: moments, or None where the centered pass had to do it."""
    handed = []
    moments = Expansion.moments

    def recorded(self):
        handed.append(moments(self))
        return handed[-1]

    monkeypatch.setattr(Expansion, "moments", recorded)
    return handed


def make_components(layout, d, k, *, apart=2.0, shift=0.0, seed=0):
    """Components of unequal widths and means ``apart`` widths from their center; and their Cholesky factors."""
    rng = np.random.default_rng([seed, d, k])
    lower = np.tril(rng.normal(size=(k, d, d)) / (1 + d), -1) + np.eye(d) * rng.uniform(
        0.5, 2.0, size=(k, 1, d)
    )
    if layout is Layout.DIAGONAL:
        lower = lower * np.eye(d)
    directions = rng.normal(size=(k, d))
    directions /= np.linalg.norm(directions, axis=1)[:, None]
    means = shift + apart * (lower @ directions[:, :, None])[:, :, 0]
    factors = np.tril(np.linalg.inv(lower))
    shaped = factors if layout is Layout.DENSE else np.diagonal(factors, axis1=1, axis2=2)
    return Components(layout, means, np.ascontiguousarray(shaped), rng.normal(size=k)), lower


def make_rows(components, lower, n, seed=1):
    rng = np.random.default_rng(seed)
    owner = rng.integers(0, components.n_components, n)
    noise = rng.normal(size=(n, components.n_features, 1))
    return components.means[owner] + (lower[owner] @ noise)[:, :, 0]


def run(kernel, rows, components, weight=None):
    """Sums, log density, memberships and labels of one pass."""
    n, k = len(rows), components.n_components
    sums = np.zeros(sums_size(components.layout, k, components.n_features))
    outputs = Outputs(np.empty(n), np.empty((n, k)), np.empty(n, dtype=np.intp))
    kernel.accumulate(rows, weight, components, sums, outputs)
    return sums, outputs.log_density, outputs.memberships, outputs.labels


def assert_same(actual, expected, components):
    """Equal to the contract's tolerance, sums in relation to the largest of their kind."""
    k, d = components.n_components, components.n_features
    ends = [1, 2, 2 + k, 2 + k + k * d]
    for a, e in zip(np.split(actual[0], ends), np.split(expected[0], ends), strict=True):
        np.testing.assert_allclose(a, e, rtol=TOLERANCE, atol=TOLERANCE * np.abs(e).max())
    np.testing.assert_allclose(actual[1], expected[1], rtol=TOLERANCE, atol=TOLERANCE)
    np.testing.assert_allclose(actual[2], expected[2], rtol=TOLERANCE, atol=TOLERANCE)
    np.testing.assert_array_equal(actual[3], expected[3])


def naive(rows, components, weight=None):
    c = components
    return naive_accumulate(rows, weight, c.layout, c.means, c.factors, c.offsets)


@layouts
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("weighted", [False, True], ids=["unweighted", "weighted"])
@pytest.mark.parametrize("shift", [0.0, 1e8], ids=["near", "shifted"])
@pytest.mark.parametrize(("d", "k"), [(1, 1), (1, 4), (3, 5), (8, 3)])
def test_both_ways_equal_the_loops(expansions, layout, dtype, weighted, shift, d, k):
    components, lower = make_components(layout, d, k, shift=shift)
    rows = make_rows(components, lower, 90)
    if dtype is np.float32 and shift:
        rows = shift + 8.0 * np.round(rows - shift)  # what float32 can tell apart so far out
    rows = rows.astype(dtype)
    weight = np.random.default_rng(2).integers(0, 3, 90) * 0.7 if weighted else None
    expected = naive(rows, components, weight)
    assert_same(run(CENTERED, rows, components, weight), expected, components)
    assert not expansions
    assert_same(run(EXPANDED, rows, components, weight), expected, components)
    assert len(expansions) == 1
    assert expansions[0] is not None


@layouts
@pytest.mark.parametrize(("apart", "expands"), [(50.0, True), (5000.0, False)])
@pytest.mark.parametrize(("d", "k"), [(1, 2), (2, 7), (6, 4)])
def test_components_far_apart(expansions, layout, apart, expands, d, k):
    components, lower = make_components(layout, d, k, apart=apart)
    if d == 1:
        components.means[:] = [[-apart / 2], [apart / 2]]
    components = replace(components, means=components.means - components.means.mean(axis=0))
    rows = make_rows(components, lower, 300)
    actual = run(EXPANDED, rows, components)
    assert_same(actual, naive(rows, components), components)
    assert_same(actual, run(CENTERED, rows, components), components)
    assert bool(expansions) is (expands and Expansion.near(components) is not None)
    if not expands:
        assert Expansion.near(components) is None


@layouts
@pytest.mark.parametrize(("d", "k"), [(1, 2), (2, 3), (6, 2), (6, 20), (20, 5)])
def test_at_the_edge_of_what_is_expanded(expansions, layout, d, k):
    near, far = 0.0, 1e3
    for _ in range(50):
        middle = (near + far) / 2
        expands = Expansion.near(make_components(layout, d, k, apart=middle)[0]) is not None
        near, far = (middle, far) if expands else (near, middle)
    assert near > 10.0
    components, lower = make_components(layout, d, k, apart=near)
    rows = make_rows(components, lower, 3000)
    expected = run(CENTERED, rows, components)
    actual = run(EXPANDED, rows, components)
    assert expansions[0] is not None
    assert_same(actual, expected, components)
    assert not np.array_equal(actual[0], expected[0])


@layouts
def test_rows_much_closer_to_their_means_than_the_widths(expansions, layout):
    components, lower = make_components(layout, 3, 4, apart=10.0)
    rows = make_rows(components, 1e-4 * lower, 200)
    assert_same(run(EXPANDED, rows, components), naive(rows, components), components)
    assert expansions == [None]


@layouts
@pytest.mark.parametrize("value", [np.nan, np.inf, -1e200, 1e5])
def test_one_row_beyond_reach_leaves_the_chunk_to_the_centered_pass(expansions, layout, value):
    components, lower = make_components(layout, 3, 4)
    rows = make_rows(components, lower, 700)
    rows[650, 1] = value
    for actual, expected in zip(
        run(EXPANDED, rows, components), run(CENTERED, rows, components), strict=True
    ):
        np.testing.assert_array_equal(actual, expected)
    assert not expansions


@layouts
def test_equal_components_expanded_still_have_the_lowest_label(expansions, layout):
    components, lower = make_components(layout, 3, 2, apart=3.0)
    order = [0, 1, 0, 1, 0, 0, 1]
    repeated = Components(
        layout,
        *(np.ascontiguousarray(a[order]) for a in (components.means, components.factors, components.offsets)),
    )
    rows = make_rows(components, lower, 2000)
    labels = run(EXPANDED, rows, repeated)[3]
    assert expansions[0] is not None
    assert set(labels) == {0, 1}
    np.testing.assert_array_equal(labels, run(CENTERED, rows, components)[3])


@layouts
def test_a_feature_in_which_all_is_equal_is_still_expanded(expansions, layout):
    components, lower = make_components(layout, 3, 4)
    rows = make_rows(components, lower, 200)
    components.means[:, 1] = rows[:, 1] = 0.1
    assert_same(run(EXPANDED, rows, components), naive(rows, components), components)
    assert expansions[0] is not None


def test_factors_that_are_singular_or_ill_conditioned_are_left_to_the_centered_pass():
    components, _ = make_components(Layout.DENSE, 2, 1)
    for spoiled in ([[1.0, 0.0], [1.0, 0.0]], [[1.0, 0.0], [1e3, 1.0]], [[np.nan, 0.0], [0.0, 1.0]]):
        assert Expansion.near(replace(components, factors=np.array([spoiled]))) is None
