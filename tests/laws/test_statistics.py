"""Statistics are a monoid: merging is associative with a zero; sums about other means are the same sums."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mixtura.core.accumulate import AccumulateGiven
from mixtura.core.moments import DENSE, DIAGONAL, FIRST, POOLED, Moments
from mixtura.core.packed import pack_lower, unpack_lower
from mixtura.core.protocols import Block
from mixtura.core.statistics import Statistics
from mixtura.exceptions import DataError, ParameterError
from mixtura.kernels import get_kernel
from naive import naive_accumulate_given

K, D, N = 3, 2, 90


@pytest.fixture(params=[DENSE, DIAGONAL, POOLED, FIRST], ids=repr)
def moments(request: pytest.FixtureRequest) -> Moments:
    found: Moments = request.param
    return found


def whole_numbers() -> tuple[Any, Any, Any, Any]:
    """Rows, weights, shares and means whose sums are exact, so that equal means equal to the last bit."""
    rng = np.random.RandomState(0)
    rows = rng.randint(-50, 50, size=(N, D)).astype(float)
    weight = rng.randint(1, 9, size=N).astype(float)
    shares = rng.randint(0, 9, size=(N, K)) / 8.0
    return rows, weight, shares, rng.randint(-5, 5, size=(K, D)).astype(float)


def sums(moments: Moments, span: slice, means: Any = None, factor: float = 1.0) -> Statistics:
    rows, weight, shares, about = whole_numbers()
    block = Block(rows[span], factor * weight[span], span.start, 0)
    gathered = DENSE if moments is POOLED else moments
    task = AccumulateGiven(about if means is None else means, gathered, get_kernel("numpy"))
    found = task(block, shares[span])
    return found.pooled() if moments is POOLED else found


def naive_sums(moments: Moments, means: Any) -> Any:
    rows, weight, shares, _ = whole_numbers()
    layout = "dense" if moments is POOLED else moments.layout.value
    found = np.array(naive_accumulate_given(rows, weight, shares, means, layout))
    if moments is not POOLED:
        return found
    start = 2 + K * (1 + D)
    second = unpack_lower(found[start:].reshape(K, -1).sum(axis=0), D)
    return np.concatenate([found[:start], second.ravel()])


def test_merging_is_associative_commutative_and_has_a_zero(moments: Moments) -> None:
    a, b, c = (sums(moments, slice(*span)) for span in ((0, 20), (20, 55), (55, N)))
    zero = Statistics.zero(moments, a.means)
    whole = sums(moments, slice(0, N)).sums
    np.testing.assert_array_equal(((a + b) + c).sums, whole)
    np.testing.assert_array_equal((a + (b + c)).sums, whole)
    np.testing.assert_array_equal((c + a + b).sums, whole)
    np.testing.assert_array_equal((a + zero).sums, a.sums)
    np.testing.assert_array_equal((zero + a).sums, a.sums)


def test_adding_in_place_is_adding(moments: Moments) -> None:
    a, b = sums(moments, slice(0, 40)), sums(moments, slice(40, N))
    wanted = (a + b).sums
    a += b
    np.testing.assert_array_equal(a.sums, wanted)


def test_the_sums_are_what_a_loop_adds_up(moments: Moments) -> None:
    _, weight, shares, means = whole_numbers()
    found = sums(moments, slice(0, N))
    np.testing.assert_array_equal(found.sums, naive_sums(moments, means))
    assert found.total_weight == weight.sum()
    assert found.log_likelihood == 0.0
    np.testing.assert_array_equal(found.counts, weight @ shares)


def test_scaling_is_scaling_the_weights(moments: Moments) -> None:
    scaled = sums(moments, slice(0, N)).scale(4.0)
    np.testing.assert_array_equal(scaled.sums, sums(moments, slice(0, N), factor=4.0).sums)


def test_rebasing_gives_the_sums_about_the_other_means(moments: Moments) -> None:
    means = whole_numbers()[3]
    other = means + np.random.RandomState(1).randint(-9, 9, size=(K, D))
    rebased = sums(moments, slice(0, N)).rebase(other)
    np.testing.assert_array_equal(rebased.sums, naive_sums(moments, other))
    np.testing.assert_array_equal(rebased.rebase(means).sums, sums(moments, slice(0, N)).sums)
    left, right = sums(moments, slice(0, 30)), sums(moments, slice(30, N), other)
    np.testing.assert_array_equal((left.rebase(other) + right).sums, rebased.sums)


@pytest.mark.parametrize("far", [0.0, 1e3])
def test_the_scatter_within_components_follows_from_the_total(far: float) -> None:
    """Where the shares of each row add up to one: the same as adding up the scatter itself."""
    rows, weight, shares, means = whole_numbers()
    shares = shares / 8.0
    shares[:, -1] += 1.0 - shares.sum(axis=1)
    rows, means = rows + far, means + far
    block, kernel = Block(rows, weight, 0, 0), get_kernel("numpy")
    for about in (rows.mean(axis=0), np.full(D, far)):
        total = AccumulateGiven(about[None], DENSE, kernel)(block)
        itself = AccumulateGiven(means, DENSE, kernel)(block, shares)
        for whole in (total, total.pooled()):
            found = AccumulateGiven(means, FIRST, kernel)(block, shares).complete(whole)
            assert found.moments is POOLED
            np.testing.assert_array_equal(found.gathered().sums, itself.sums[: 2 + K * (1 + D)])
            np.testing.assert_allclose(found.second, itself.pooled().second, rtol=1e-10)


def test_sums_about_different_means_or_of_different_moments_are_not_added(moments: Moments) -> None:
    a = sums(moments, slice(0, N))
    with pytest.raises(ParameterError, match=r"different means.*rebase\(means\) first"):
        a + sums(moments, slice(0, N), a.means + 1)
    other = FIRST if moments is not FIRST else DENSE
    with pytest.raises(ParameterError, match="both must have the same"):
        a += Statistics.zero(other, a.means)
    with pytest.raises(ParameterError, match="Give one mean per component"):
        a.rebase(np.zeros((K + 1, D)))


def test_an_overflowing_sum_is_an_error(moments: Moments) -> None:
    a = sums(moments, slice(0, N))
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
