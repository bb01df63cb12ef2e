"""Passes over many columns, which take rows by the component that seems nearest, against passes that look at all."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mixtura.kernels import Components, Kernel, Layout, get_kernel
from mixtura.kernels.native import supported_instruction_sets
from partial_passes import TOLERANCE, TWIN, Case, assert_pass, hardness, run


@pytest.fixture(params=supported_instruction_sets())
def kernel(request) -> Kernel:
    return get_kernel("native", instruction_set=request.param)


def make_case(*, n=900, d=29, k=7, spread=2.0, shift=0.0, seed=0) -> Case:
    """Rows of components that lie `spread` of their widths apart in each column."""
    rng = np.random.default_rng([seed, d, k])
    means = shift + spread * rng.normal(size=(k, d))
    rows = means[rng.integers(0, k, n)] + rng.normal(size=(n, d))
    factors = np.tril(rng.normal(size=(k, d, d)) * 0.1, -1) + np.eye(d) * rng.uniform(
        0.7, 1.4, size=(k, 1, d)
    )
    return Case(rows, Components(Layout.DENSE, means, factors, rng.normal(size=k)))


@pytest.mark.sampled(4)
@hardness
@pytest.mark.parametrize(("d", "k"), [(13, 30), (29, 7), (38, 3)])
@pytest.mark.parametrize("spread", [4.0, 1.0, 0.3, 0.0], ids=["apart", "near", "touching", "together"])
def test_components_left_out_change_no_digit(kernel, hard, d, k, spread):
    case = make_case(d=d, k=k, spread=spread)
    twin = run(TWIN, case, hard=hard)
    assert_pass(run(kernel, case, hard=hard), twin, case)
    assert_pass(run(kernel, case, hard=hard, negligible=0.0), twin, case)
    for a, e in zip(run(kernel, case, hard=hard, summed=False)[1:], twin[1:], strict=True):
        np.testing.assert_allclose(a, e, rtol=TOLERANCE, atol=TOLERANCE * len(case.rows))


@hardness
def test_components_that_only_their_widths_tell_apart(kernel, hard):
    """All means are equal: what seems nearest says nothing, and narrow ones lie within wide ones."""
    case, rng = make_case(d=31, k=6, spread=0.0), np.random.default_rng(3)
    size = 3.0 ** np.arange(6)
    case.rows = rng.normal(size=case.rows.shape) / size[rng.integers(0, 6, len(case.rows)), None]
    factors = case.components.factors * size[:, None, None]
    offsets = 31 * np.log(size)
    offsets[2] = -np.inf
    case.components = replace(case.components, factors=factors, offsets=offsets)
    assert_pass(run(kernel, case, hard=hard), run(TWIN, case, hard=hard), case)


@hardness
def test_weights_zero_weights_and_a_background(kernel, hard):
    case, rng = make_case(), np.random.default_rng(6)
    case.weight = rng.integers(0, 3, len(case.rows)) * 10.0 ** rng.uniform(-15, 2, len(case.rows))
    case.background = rng.normal(-20, 30, len(case.rows))
    case.background[::5] = -np.inf
    case.rows[case.weight == 0] = np.where(
        rng.uniform(size=(int((case.weight == 0).sum()), 1)) < 0.5, np.nan, 1e9
    )
    found, twin = run(kernel, case, hard=hard), run(TWIN, case, hard=hard)
    assert np.isfinite(found[0]).all()
    assert_pass(found, twin, case)


@hardness
@pytest.mark.parametrize("shift", [0.0, 1e6])
def test_float32_rows_outliers_and_rows_far_from_zero(kernel, hard, shift):
    case = make_case(shift=shift)
    case.rows[3:900:100] += 1e5 * np.random.default_rng(7).normal(size=(9, 29))
    if shift == 0.0:
        case.rows = case.rows.astype(np.float32)
    found, plain = run(kernel, case, hard=hard), run(kernel, case, hard=hard, negligible=0.0)
    assert_pass(found, plain, case)


@hardness
@pytest.mark.parametrize("value", [np.nan, np.inf, 1e300])
def test_a_row_that_is_not_a_number_or_infinitely_far(kernel, hard, value):
    case = make_case()
    case.rows[[5, 700], 1] = value
    found, plain = run(kernel, case, hard=hard), run(kernel, case, hard=hard, negligible=0.0)
    for a, e in zip(found, plain, strict=True):
        largest = np.nanmax(np.abs(np.where(np.isfinite(e), e, 0.0)))
        np.testing.assert_allclose(a, e, rtol=1e-9, atol=1e-9 * largest)


@pytest.mark.parametrize("negligible", [0.3, 1e-3, 1e-6])
def test_what_is_left_out_of_a_row_is_at_most_what_is_negligible(kernel, negligible):
    case = make_case(n=2000, spread=1.1)
    exact, found = run(kernel, case, negligible=0.0), run(kernel, case, negligible=negligible)
    gap = exact[1] - found[1]
    assert gap.max() > 0  # it does leave out some
    assert gap.min() > -1e-12
    assert gap.max() <= -np.log1p(-negligible)
    np.testing.assert_allclose(found[2].sum(axis=1), 1.0, rtol=1e-12)
    np.testing.assert_array_equal(found[3], exact[3])
    np.testing.assert_allclose(found[0][2:9].sum(), len(case.rows), rtol=negligible)


def test_most_components_are_left_out_where_they_are_apart(kernel):
    """Memberships are exactly zero where a pass did not finish a component; its twin finds more than nothing there."""
    case = make_case(spread=1.5)
    found, exact = run(kernel, case), run(kernel, case, negligible=0.0)
    assert (found[2] == 0.0).mean() > 0.5
    assert (exact[2] == 0.0).mean() < 0.2


def test_rows_in_another_order_have_the_same_densities(kernel):
    case = make_case(spread=1.0)
    order = np.random.default_rng(8).permutation(len(case.rows))
    other = Case(np.ascontiguousarray(case.rows[order]), case.components)
    for a, e in zip(run(kernel, case)[1:4], run(kernel, other)[1:4], strict=True):
        np.testing.assert_allclose(a[order], e, rtol=1e-10, atol=1e-12)
    np.testing.assert_array_equal(run(kernel, case)[0], run(kernel, case)[0])
