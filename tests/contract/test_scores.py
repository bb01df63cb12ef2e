"""Log-likelihood and entropies that a pass adds up: every kernel against plain loops over memberships."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import naive
from kernel_cases import make_case
from mixtura.exceptions import ParameterError
from mixtura.kernels import Kernel, Layout, Outputs, get_kernel, sums_size
from mixtura.kernels.native import NativeKernel, supported_instruction_sets
from mixtura.kernels.patterns import order_by_pattern
from mixtura.kernels.reference import NumpyKernel

TWINS = {"numpy-centered": NumpyKernel(expand_from=10**9), "numpy-expanded": NumpyKernel(expand_from=0)}
KERNELS = [*TWINS, *supported_instruction_sets()]

layouts = pytest.mark.parametrize("layout", list(Layout))


@pytest.fixture(params=KERNELS)
def kernel(request: Any) -> Kernel:
    return TWINS.get(request.param) or get_kernel("native", instruction_set=request.param)


def noise_of(n: int) -> np.ndarray:
    background = np.random.default_rng(n).normal(-6.0, 3.0, n)
    background[::7] = -np.inf
    background[3::11] = 5.0
    return background


def loops(memberships: np.ndarray, log_density: np.ndarray, weight: np.ndarray | None) -> list[float]:
    """What the contract says, by loops; a last column of memberships is the background's."""
    weights = np.ones(len(log_density)) if weight is None else weight
    return [float(weights @ log_density), *naive.naive_entropies(memberships, weights)]


@pytest.mark.sampled(4)
@layouts
@pytest.mark.parametrize(("n", "d", "k"), [(1, 1, 1), (70, 3, 4), (150, 14, 3), (600, 2, 9)])
@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
@pytest.mark.parametrize("noisy", [False, True], ids=["components", "background"])
def test_scores_are_sums_over_rows(
    kernel: Kernel, layout: Layout, n: int, d: int, k: int, weighted: bool, noisy: bool
) -> None:
    case, background = (
        make_case(layout, n=n, d=d, k=k, share=0.0, weighted=weighted),
        noise_of(n) if noisy else None,
    )
    c = case.components
    _, log_density, shares, _ = naive.naive_accumulate(
        case.rows, case.weight, str(layout), c.means, c.factors, c.offsets, False, background
    )
    if background is not None:
        shares = np.column_stack([shares, np.exp(background - log_density)])
    found = np.array([1.0, 2.0, 3.0])
    kernel.accumulate(case.rows, case.weight, c, None, Outputs(scores=found), background=background)
    np.testing.assert_allclose(
        found - [1.0, 2.0, 3.0], loops(shares, log_density, case.weight), rtol=1e-9, atol=1e-9
    )


@layouts
def test_scores_beside_everything_else_are_the_same(kernel: Kernel, layout: Layout) -> None:
    case = make_case(layout, n=300, d=4, k=5, share=0.0, weighted=True)
    c, n = case.components, len(case.rows)
    alone, beside = np.zeros(3), np.zeros(3)
    kernel.accumulate(case.rows, case.weight, c, None, Outputs(scores=alone))
    sums = np.zeros(sums_size(layout, 5, 4))
    outputs = Outputs(np.empty(n), np.empty((n, 5)), np.empty(n, dtype=np.intp), beside)
    kernel.accumulate(case.rows, case.weight, c, sums, outputs)
    np.testing.assert_allclose(beside, alone, rtol=1e-12)
    assert sums[0] == pytest.approx(alone[0], rel=1e-12)


@layouts
def test_scores_of_rows_with_missing_values(kernel: Kernel, layout: Layout) -> None:
    case = make_case(layout, n=200, d=3, k=4, share=0.3, weighted=True)
    n, order = len(case.rows), order_by_pattern(case.rows)
    outputs = Outputs(np.empty(n), np.empty((n, 4)), None, np.zeros(3))
    kernel.accumulate(case.rows, case.weight, case.components, None, outputs, order=order)
    assert outputs.log_density is not None
    assert outputs.memberships is not None
    assert np.isnan(case.rows).any()
    wanted = loops(outputs.memberships, outputs.log_density, case.weight)
    np.testing.assert_allclose(outputs.scores, wanted, rtol=1e-9)


@layouts
@pytest.mark.parametrize("spread", [1.0, 15.0], ids=["overlapping", "apart"])
def test_scores_of_many_components(kernel: Kernel, layout: Layout, spread: float) -> None:
    case = make_case(layout, n=1500, d=3, k=70, share=0.0)
    c = case.components
    c.means[...] *= spread
    rows = np.ascontiguousarray(case.rows * spread)
    outputs, background = Outputs(np.empty(1500), np.empty((1500, 70)), None, np.zeros(3)), noise_of(1500)
    kernel.accumulate(rows, None, c, None, outputs, background=background)
    assert outputs.log_density is not None
    assert outputs.memberships is not None
    shares = np.column_stack([outputs.memberships, np.exp(background - outputs.log_density)])
    np.testing.assert_allclose(outputs.scores, loops(shares, outputs.log_density, None), rtol=1e-8)


@layouts
def test_a_hard_assignment_is_certain(kernel: Kernel, layout: Layout) -> None:
    case = make_case(layout, n=80, d=2, k=3, share=0.0)
    log_density, scores = np.empty(80), np.zeros(3)
    kernel.accumulate(case.rows, None, case.components, None, Outputs(log_density, scores=scores), hard=True)
    np.testing.assert_allclose(scores, [log_density.sum(), 0.0, 0.0], rtol=1e-12)


@layouts
def test_rows_of_weight_zero_add_nothing_and_others_what_they_hold(kernel: Kernel, layout: Layout) -> None:
    case = make_case(layout, n=40, d=2, k=3, share=0.0)
    rows, weight = case.rows.copy(), np.ones(40)
    wanted, found, spoiled = np.zeros(3), np.zeros(3), np.zeros(3)
    kernel.accumulate(rows[1:].copy(), None, case.components, None, Outputs(scores=wanted))
    rows[0], weight[0] = np.nan, 0.0
    kernel.accumulate(rows, weight, case.components, None, Outputs(scores=found))
    np.testing.assert_allclose(found, wanted, rtol=1e-12)
    kernel.accumulate(rows, None, case.components, None, Outputs(scores=spoiled))
    assert np.isnan(spoiled).all()


def test_they_have_room_for_three_sums(kernel: Kernel) -> None:
    case = make_case(Layout.DENSE, n=10, d=2, k=3, share=0.0)
    with pytest.raises(ParameterError, match=r"`scores` has shape \(2,\)"):
        kernel.accumulate(case.rows, None, case.components, None, Outputs(scores=np.zeros(2)))


def test_with_a_core_of_an_older_version_they_follow_from_memberships() -> None:
    case, found, wanted = make_case(Layout.DENSE, n=50, share=0.0, weighted=True), np.zeros(3), np.zeros(3)
    older = NativeKernel()
    older._adds_scores = False
    older.accumulate(case.rows, case.weight, case.components, None, Outputs(scores=found))
    TWINS["numpy-centered"].accumulate(case.rows, case.weight, case.components, None, Outputs(scores=wanted))
    np.testing.assert_allclose(found, wanted, rtol=1e-12)
