"""Statistics are a monoid: merging is associative with a zero; sums about other means are the same sums."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mixtura.core.accumulate import AccumulateGiven
from mixtura.core.protocols import Block
from mixtura.core.statistics import Statistics, pack_lower, unpack_lower
from mixtura.exceptions import DataError, ParameterError
from mixtura.kernels import Layout, get_kernel
from naive import naive_accumulate_given

K, D, N = 3, 2, 90


@pytest.fixture(params=list(Layout))
def layout(request: pytest.FixtureRequest) -> Layout:
    found: Layout = request.param
    return found


def whole_numbers() -> tuple[Any, Any, Any, Any]:
    """Rows, weights, shares and means whose sums are exact, so that equal means equal to the last bit."""
    rng = np.random.RandomState(0)
    rows = rng.randint(-50, 50, size=(N, D)).astype(float)
    weight = rng.randint(1, 9, size=N).astype(float)
    shares = rng.randint(0, 9, size=(N, K)) / 8.0
    return rows, weight, shares, rng.randint(-5, 5, size=(K, D)).astype(float)


def sums(layout: Layout, span: slice, means: Any = None, factor: float = 1.0) -> Statistics:
    rows, weight, shares, about = whole_numbers()
    block = Block(rows[span], factor * weight[span], span.start, 0)
    task = AccumulateGiven(about if means is None else means, layout, get_kernel("numpy"))
    return task(block, shares[span])


def test_merging_is_associative_commutative_and_has_a_zero(layout: Layout) -> None:
    a, b, c = (sums(layout, slice(*span)) for span in ((0, 20), (20, 55), (55, N)))
    zero = Statistics.zero(layout, a.means)
    whole = sums(layout, slice(0, N)).sums
    np.testing.assert_array_equal(((a + b) + c).sums, whole)
    np.testing.assert_array_equal((a + (b + c)).sums, whole)
    np.testing.assert_array_equal((c + a + b).sums, whole)
    np.testing.assert_array_equal((a + zero).sums, a.sums)
    np.testing.assert_array_equal((zero + a).sums, a.sums)


def test_adding_in_place_is_adding(layout: Layout) -> None:
    a, b = sums(layout, slice(0, 40)), sums(layout, slice(40, N))
    wanted = (a + b).sums
    a += b
    np.testing.assert_array_equal(a.sums, wanted)


def test_the_sums_are_what_a_loop_adds_up(layout: Layout) -> None:
    rows, weight, shares, means = whole_numbers()
    found = sums(layout, slice(0, N))
    np.testing.assert_array_equal(
        found.sums, naive_accumulate_given(rows, weight, shares, means, layout.value)
    )
    assert found.total_weight == weight.sum()
    assert found.log_likelihood == 0.0
    np.testing.assert_array_equal(found.counts, weight @ shares)


def test_scaling_is_scaling_the_weights(layout: Layout) -> None:
    scaled = sums(layout, slice(0, N)).scale(4.0)
    np.testing.assert_array_equal(scaled.sums, sums(layout, slice(0, N), factor=4.0).sums)
    again = Statistics(scaled.layout, scaled.means, scaled.sums, total=scaled).scale(0.5)
    assert again.total is not None
    np.testing.assert_array_equal(again.total.sums, 0.5 * scaled.sums)


def test_rebasing_gives_the_sums_about_the_other_means(layout: Layout) -> None:
    rows, weight, shares, means = whole_numbers()
    other = means + np.random.RandomState(1).randint(-9, 9, size=(K, D))
    rebased = sums(layout, slice(0, N)).rebase(other)
    np.testing.assert_array_equal(
        rebased.sums, naive_accumulate_given(rows, weight, shares, other, layout.value)
    )
    np.testing.assert_array_equal(rebased.rebase(means).sums, sums(layout, slice(0, N)).sums)
    left, right = sums(layout, slice(0, 30)), sums(layout, slice(30, N), other)
    np.testing.assert_array_equal((left.rebase(other) + right).sums, rebased.sums)


def test_sums_about_different_means_or_of_different_layouts_are_not_added(layout: Layout) -> None:
    a = sums(layout, slice(0, N))
    with pytest.raises(ParameterError, match=r"different means.*rebase\(means\) first"):
        a + sums(layout, slice(0, N), a.means + 1)
    other = Layout.SHARED if layout is not Layout.SHARED else Layout.DENSE
    with pytest.raises(ParameterError, match="both must have one layout"):
        a += Statistics.zero(other, a.means)
    with pytest.raises(ParameterError, match="Give one mean per component"):
        a.rebase(np.zeros((K + 1, D)))


def test_an_overflowing_sum_is_an_error(layout: Layout) -> None:
    a = sums(layout, slice(0, N))
    a.require_finite()
    a.first[0, 0] = np.inf
    with pytest.raises(DataError, match="not finite numbers"):
        a.require_finite()


@pytest.mark.parametrize("d", [1, 2, 5])
def test_packing_keeps_symmetric_matrices(d: int) -> None:
    half = np.random.RandomState(d).standard_normal((K, d, d))
    matrices = half + half.transpose(0, 2, 1)
    packed = pack_lower(matrices)
    assert packed.shape == (K, d * (d + 1) // 2)
    np.testing.assert_array_equal(unpack_lower(packed, d), matrices)
