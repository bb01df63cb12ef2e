"""Discrete columns in a pass: levels added to log densities and counted, every kernel against plain loops."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from mixtura.exceptions import ParameterError
from mixtura.kernels import Components, Kernel, Layout, Outputs, get_kernel, sums_size
from mixtura.kernels.native import supported_instruction_sets
from mixtura.kernels.patterns import order_by_pattern

NATIVE = [("native", name) for name in supported_instruction_sets()]


@pytest.fixture(params=[("numpy", None), *NATIVE], ids=lambda pair: pair[1] or pair[0])
def kernel(request: Any) -> Kernel:
    return get_kernel(request.param[0], instruction_set=request.param[1])


def drawn(n: int, j: int, k: int, size: int, seed: int = 0) -> tuple[Any, Any, Any]:
    rng = np.random.default_rng([seed, n, j, k])
    return (
        rng.integers(size, size=(n, j)).astype(np.int32),
        rng.normal(size=(size, k)),
        rng.uniform(size=(n, k)),
    )


@pytest.mark.parametrize(("n", "j", "k", "size"), [(1, 1, 1, 1), (7, 3, 2, 5), (523, 4, 9, 30), (0, 2, 3, 4)])
def test_levels_are_added_and_counted_as_loops_do(kernel: Kernel, n: int, j: int, k: int, size: int) -> None:
    levels, table, shares = drawn(n, j, k, size)
    out, counts = np.ones((n, k)), np.zeros((size, k))
    kernel.add_levels(levels, table, out)
    kernel.count_levels(levels, None, shares, counts)
    wanted, counted = np.ones((n, k)), np.zeros((size, k))
    for row in range(n):
        for column in range(j):
            wanted[row] += table[levels[row, column]]
            counted[levels[row, column]] += shares[row]
    np.testing.assert_allclose(out, wanted, rtol=1e-13, atol=1e-13)
    np.testing.assert_allclose(counts, counted, rtol=1e-13, atol=1e-13)


def test_weights_multiply_and_rows_of_weight_zero_add_nothing(kernel: Kernel) -> None:
    levels, _, shares = drawn(200, 3, 4, 6)
    weight = np.random.default_rng(1).integers(0, 3, 200).astype(float)
    repeated, times = np.zeros((6, 4)), weight.astype(int)
    kernel.count_levels(levels.repeat(times, axis=0), None, shares.repeat(times, axis=0), repeated)
    shares[weight == 0] = np.nan
    counts = np.zeros((6, 4))
    kernel.count_levels(levels, weight, shares, counts)
    np.testing.assert_allclose(counts, repeated, rtol=1e-13)


@pytest.mark.parametrize("layout", list(Layout))
@pytest.mark.parametrize("hard", [False, True], ids=["soft", "hard"])
@pytest.mark.parametrize("missing", [False, True], ids=["complete", "missing"])
def test_what_is_beside_adds_to_log_densities(
    kernel: Kernel, layout: Layout, hard: bool, missing: bool
) -> None:
    """A term that is the same for all rows is one of the offsets."""
    rng, n, d, k = np.random.default_rng(3), 700, 3, 4
    rows, means = rng.normal(size=(n, d)), rng.normal(size=(k, d))
    factors = {
        Layout.DENSE: np.eye(d) + np.tril(rng.normal(size=(k, d, d)) * 0.2, -1),
        Layout.DIAGONAL: np.ones((k, d)),
        Layout.SHARED: np.eye(d),
    }[layout]
    if missing:
        rows[rng.uniform(size=rows.shape) < 0.2] = np.nan
    order = order_by_pattern(rows) if missing else None
    more = rng.normal(size=k)
    components = Components(layout, means, factors, np.zeros(k))
    found = []
    for given, beside in [(components, np.tile(more, (n, 1))), (replace(components, offsets=more), None)]:
        outputs = Outputs(np.empty(n), np.empty((n, k)), np.empty(n, dtype=np.intp))
        sums = np.zeros(sums_size(layout, k, d))
        kernel.accumulate(rows, None, given, sums, outputs, hard=hard, order=order, beside=beside)
        found.append((sums, outputs))
    (sums, one), (wanted, other) = found
    np.testing.assert_allclose(sums, wanted, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(one.log_density, other.log_density, rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(one.memberships, other.memberships, rtol=1e-9, atol=1e-10)
    np.testing.assert_array_equal(one.labels, other.labels)


def test_what_is_beside_may_rule_components_out(kernel: Kernel) -> None:
    rows = np.random.default_rng(0).normal(size=(50, 2))
    components = Components(Layout.DIAGONAL, np.zeros((2, 2)), np.ones((2, 2)), np.zeros(2))
    beside = np.where(np.arange(50)[:, None] % 2 == np.arange(2), 0.0, -np.inf)
    memberships = np.empty((50, 2))
    kernel.accumulate(rows, None, components, None, Outputs(memberships=memberships), beside=beside)
    np.testing.assert_array_equal(memberships, np.exp(beside))


@pytest.mark.parametrize("number", [-1, 6])
def test_a_level_outside_of_the_table_is_refused(kernel: Kernel, number: int) -> None:
    levels, table, shares = drawn(20, 2, 3, 6)
    levels[7, 1] = number
    with pytest.raises(ParameterError, match=r"`levels` must be from 0 to 5"):
        kernel.add_levels(levels, table, np.zeros((20, 3)))
    with pytest.raises(ParameterError, match=r"`levels` must be from 0 to 5"):
        kernel.count_levels(levels, None, shares, table)


def test_arrays_that_do_not_fit_are_refused(kernel: Kernel) -> None:
    levels, table, shares = drawn(20, 2, 3, 6)
    with pytest.raises(ParameterError, match="`out` has shape"):
        kernel.add_levels(levels, table, np.zeros((20, 4)))
    with pytest.raises(ParameterError, match="`memberships` has shape"):
        kernel.count_levels(levels, None, shares[:, :2], table)
    with pytest.raises(ParameterError, match="`levels` has shape"):
        kernel.add_levels(levels.astype(np.int64), table, np.zeros((20, 3)))


def test_arrays_that_are_not_aligned_give_the_same(kernel: Kernel) -> None:
    levels, table, _ = drawn(30, 2, 3, 6)
    buffer = np.frombuffer(memoryview(b"abc" + table.tobytes())[3:]).reshape(table.shape)
    out, wanted = np.zeros((30, 3)), np.zeros((30, 3))
    kernel.add_levels(levels, buffer, out)
    kernel.add_levels(levels, table, wanted)
    np.testing.assert_array_equal(out, wanted)
