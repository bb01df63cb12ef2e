"""Passes over many components, which look at those near to a group of rows alone, against passes that look at all."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mixtura.exceptions import ParameterError
from mixtura.kernels import Components, Kernel, Layout, get_kernel
from mixtura.kernels.native import supported_instruction_sets
from partial_passes import TWIN, Case, assert_pass, hardness, run

layouts = pytest.mark.parametrize("layout", list(Layout))


@pytest.fixture(params=supported_instruction_sets())
def kernel(request) -> Kernel:
    return get_kernel("native", instruction_set=request.param)


def make_case(layout, *, n=1500, d=3, k=70, spread=20.0, shift=0.0, seed=0) -> Case:
    """Rows of components that lie `spread` of their widths apart."""
    rng = np.random.default_rng([seed, d, k])
    means = shift + spread * rng.normal(size=(k, d))
    rows = means[rng.integers(0, k, n)] + rng.normal(size=(n, d))
    factor = np.tril(rng.normal(size=(k, d, d)) * 0.3) + np.eye(d) * rng.uniform(0.5, 2.5, size=(k, 1, d))
    shaped = {
        Layout.DENSE: factor,
        Layout.DIAGONAL: np.diagonal(factor, axis1=1, axis2=2),
        Layout.SHARED: factor[0],
    }[layout]
    return Case(rows, Components(layout, means, np.ascontiguousarray(shaped), rng.normal(size=k)))


def assert_equals_the_twin(kernel, case, *, hard=False):
    found, twin = run(kernel, case, hard=hard), run(TWIN, case, hard=hard)
    assert_pass(found, twin, case)
    assert_pass(run(kernel, case, hard=hard, negligible=0.0), twin, case)


@pytest.mark.sampled(4)
@layouts
@hardness
@pytest.mark.parametrize("d", [1, 2, 5, 8, 13])
@pytest.mark.parametrize("spread", [20.0, 3.0, 0.1], ids=["apart", "near", "together"])
def test_components_left_out_change_no_digit(kernel, layout, hard, d, spread):
    assert_equals_the_twin(kernel, make_case(layout, d=d, spread=spread), hard=hard)


@layouts
@hardness
def test_components_far_apart_in_size(kernel, layout, hard):
    """Wide components reach over narrow ones, and one of weight zero reaches nothing."""
    case = make_case(layout, d=4, k=90, spread=10.0)
    c, rng = case.components, np.random.default_rng(5)
    size = 10.0 ** rng.uniform(-2, 1, 90)
    offsets = c.offsets + 4 * np.log(size)
    offsets[7] = -np.inf
    factors = (
        c.factors if layout is Layout.SHARED else c.factors * size.reshape(-1, *[1] * (c.factors.ndim - 1))
    )
    assert_equals_the_twin(
        kernel, replace(case, components=replace(c, factors=factors, offsets=offsets)), hard=hard
    )


@layouts
@hardness
def test_weights_zero_weights_and_a_background(kernel, layout, hard):
    case, rng = make_case(layout, spread=6.0), np.random.default_rng(6)
    case.weight = rng.integers(0, 3, len(case.rows)) * rng.uniform(0.5, 2.0, len(case.rows))
    case.background = rng.normal(-4, 3, len(case.rows))
    case.background[::5] = -np.inf
    case.rows[case.weight == 0] = np.where(
        rng.uniform(size=(int((case.weight == 0).sum()), 1)) < 0.5, np.nan, 1e9
    )
    found, twin = run(kernel, case, hard=hard), run(TWIN, case, hard=hard)
    assert np.isfinite(found[0]).all()
    assert_pass(found, twin, case)


@layouts
@hardness
@pytest.mark.parametrize("shift", [0.0, 1e6])
def test_float32_rows_outliers_and_rows_far_from_zero(kernel, layout, hard, shift):
    case = make_case(layout, spread=15.0, shift=shift)
    case.rows[3:1000:100] += 1e5 * np.random.default_rng(7).normal(size=(10, 3))
    if shift == 0.0:
        case.rows = case.rows.astype(np.float32)
    found, plain = run(kernel, case, hard=hard), run(kernel, case, hard=hard, negligible=0.0)
    assert_pass(found, plain, case)


@layouts
@hardness
def test_rows_that_are_all_equal_and_components_that_are(kernel, layout, hard):
    case = make_case(layout, spread=15.0)
    case.rows[:] = case.rows[0]
    assert_equals_the_twin(kernel, case, hard=hard)
    same = replace(case.components, means=np.zeros_like(case.components.means), offsets=np.zeros(70))
    one = same.factors if layout is Layout.SHARED else np.repeat(same.factors[:1], 70, axis=0)
    assert_equals_the_twin(kernel, Case(case.rows, replace(same, factors=one)), hard=hard)


@layouts
@hardness
@pytest.mark.parametrize("value", [np.nan, np.inf, 1e300])
def test_a_row_that_is_not_a_number_or_infinitely_far(kernel, layout, hard, value):
    case = make_case(layout, spread=15.0)
    case.rows[[5, 900], 1] = value
    found, plain = run(kernel, case, hard=hard), run(kernel, case, hard=hard, negligible=0.0)
    for a, e in zip(found, plain, strict=True):
        np.testing.assert_allclose(
            a, e, rtol=1e-9, atol=1e-9 * np.nanmax(np.abs(np.where(np.isfinite(e), e, 0.0)))
        )


@layouts
@pytest.mark.parametrize("negligible", [0.3, 1e-3, 1e-6])
def test_what_is_left_out_of_a_row_is_at_most_what_is_negligible(kernel, layout, negligible):
    case = make_case(layout, d=4, k=100, spread=4.0)
    exact, found = run(kernel, case, negligible=0.0), run(kernel, case, negligible=negligible)
    gap = exact[1] - found[1]
    assert gap.max() > 0  # it does leave out some
    assert gap.min() > -1e-12
    assert gap.max() <= -np.log1p(-negligible)
    np.testing.assert_allclose(found[2].sum(axis=1), 1.0, rtol=1e-12)
    np.testing.assert_array_equal(found[3], exact[3])


@layouts
def test_rows_in_another_order_have_the_same_sums(kernel, layout):
    case = make_case(layout, d=4, spread=5.0)
    order = np.random.default_rng(8).permutation(len(case.rows))
    other = Case(np.ascontiguousarray(case.rows[order]), case.components)
    for a, e in zip(run(kernel, case)[1:4], run(kernel, other)[1:4], strict=True):
        np.testing.assert_allclose(a[order], e, rtol=1e-10, atol=1e-12)
    np.testing.assert_array_equal(run(kernel, case)[0], run(kernel, case)[0])


@pytest.mark.parametrize("negligible", [-0.1, 1.0, np.nan])
def test_a_share_that_is_none_is_refused(kernel, negligible):
    with pytest.raises(ParameterError, match="`negligible` must be from 0 to less than 1"):
        run(kernel, make_case(Layout.DENSE), negligible=negligible)
    with pytest.raises(ParameterError, match="`negligible` must be from 0 to less than 1"):
        run(TWIN, make_case(Layout.DENSE), negligible=negligible)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("weighted", [False, True], ids=["unweighted", "weighted"])
@pytest.mark.parametrize(("d", "t"), [(1, 1), (3, 8), (8, 10), (13, 3)])
def test_masses_with_candidates_equal_the_loops(kernel, dtype, weighted, d, t):
    rng = np.random.default_rng([d, t])
    rows, candidates = rng.normal(size=(203, d)).astype(dtype), rng.normal(size=(t, d))
    distances = np.where(rng.uniform(size=203) < 0.1, np.inf, d * rng.uniform(0, 3, 203))
    weight = rng.integers(0, 3, 203).astype(float) if weighted else None
    if weight is not None:
        rows[weight == 0] = np.nan
    counted = range(203) if weight is None else np.flatnonzero(weight)
    expected = [
        sum(
            (1.0 if weight is None else weight[n])
            * min(distances[n], sum((float(rows[n, j]) - candidate[j]) ** 2 for j in range(d)))
            for n in counted
        )
        for candidate in candidates
    ]
    for one in (kernel, TWIN):
        masses = np.full(t, 2.0)
        one.add_masses(rows, weight, distances, candidates, masses)
        np.testing.assert_allclose(masses, 2.0 + np.array(expected), rtol=1e-12)
    with pytest.raises(ParameterError, match="`rows` has shape"):
        kernel.add_masses(rows, weight, distances, candidates[:, :0], np.zeros(t))


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize(("n", "d", "s"), [(1, 1, 1), (7, 3, 2), (203, 13, 1), (64, 8, 5)])
def test_lowered_distances_equal_the_loops(kernel, dtype, n, d, s):
    rng = np.random.default_rng([n, d, s])
    rows, seeds = rng.normal(size=(n, d)).astype(dtype), rng.normal(size=(s, d))
    before = np.where(rng.uniform(size=n) < 0.1, np.inf, d * rng.uniform(0, 3, n))
    expected = [
        min(before[i], *(sum((float(rows[i, j]) - seed[j]) ** 2 for j in range(d)) for seed in seeds))
        for i in range(n)
    ]
    for one in (kernel, TWIN):
        distances = before.copy()
        one.lower_distances(rows, seeds, distances)
        np.testing.assert_allclose(distances, expected, rtol=1e-12)
        distances.flags.writeable = False
        with pytest.raises(ParameterError, match="`distances`"):
            one.lower_distances(rows, seeds, distances)
    unaligned = np.frombuffer(bytearray(b"0" + rows.tobytes()), dtype, offset=1).reshape(rows.shape)
    distances = before.copy()
    kernel.lower_distances(unaligned, seeds, distances)
    np.testing.assert_allclose(distances, expected, rtol=1e-12)
