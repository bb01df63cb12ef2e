"""Passes over rows with missing values: every kernel against plain loops, the native ones against the twin."""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest

import naive
from kernel_cases import Case, full_covariances, make_case, normalization
from mixtura.exceptions import ParameterError
from mixtura.kernels import Components, Kernel, Layout, Outputs, get_kernel, moment_size, sums_size
from mixtura.kernels.native import supported_instruction_sets
from mixtura.kernels.patterns import order_by_pattern, order_of_missing, patterns

NATIVE = [("native", name) for name in supported_instruction_sets()]
TOLERANCE = 1e-9

layouts = pytest.mark.parametrize("layout", list(Layout))
hardness = pytest.mark.parametrize("hard", [False, True], ids=["soft", "hard"])


@pytest.fixture(params=[("numpy", None), *NATIVE], ids=lambda pair: pair[1] or pair[0])
def kernel(request: Any) -> Kernel:
    return get_kernel(request.param[0], instruction_set=request.param[1])


@pytest.fixture(params=NATIVE, ids=lambda pair: pair[1])
def native_kernel(request: Any) -> Kernel:
    return get_kernel(request.param[0], instruction_set=request.param[1])


def run(kernel: Kernel, case: Case, *, hard: bool = False, order: Any = None) -> tuple[Any, ...]:
    """Sums, log densities, memberships and labels of one pass."""
    components, n = case.components, len(case.rows)
    sizes, tails = (components.n_components, components.n_features), components.freedom is not None
    sums = np.zeros(sums_size(components.layout, *sizes, tails=tails))
    outputs = Outputs(
        np.full(n, 7.0), np.full((n, components.n_components), 7.0), np.full(n, 7, dtype=np.intp)
    )
    order = order_by_pattern(case.rows) if order is None else order
    kernel.accumulate(case.rows, case.weight, components, sums, outputs, hard=hard, order=order)
    return sums, outputs.log_density, outputs.memberships, outputs.labels


def naive_run(case: Case, *, hard: bool = False) -> tuple[Any, ...]:
    """What `run` must give, row by row from the definition of a marginal and of conditional moments."""
    c = case.components
    full, weights = full_covariances(c), np.exp(c.offsets - normalization(c))
    log_density, memberships = naive.naive_missing_e_step(case.rows, weights, c.means, full)
    labels = np.array([list(one).index(max(one)) for one in memberships], dtype=np.intp)
    if hard:
        log_density = log_density + np.log(memberships[np.arange(len(labels)), labels])
        memberships = np.eye(c.n_components)[labels]
    counted = np.ones(len(case.rows)) if case.weight is None else case.weight
    counts, first, second = naive.naive_missing_sums(case.rows, counted, memberships, c.means, full)
    parts = [[math.fsum(counted * log_density), math.fsum(counted)], counts, first.ravel()]
    if c.layout is Layout.DENSE:
        parts.append(second[:, *np.tril_indices(c.n_features)].ravel())
    elif c.layout is Layout.DIAGONAL:
        parts.append(np.einsum("kdd->kd", second).ravel())
    return np.concatenate(parts), log_density, memberships, labels


@cache
def by_loops(layout: Layout, hard: bool, **how: Any) -> tuple[Case, tuple[Any, ...]]:
    """A case and what the loops say of it, once for all kernels."""
    case = make_case(layout, **how)
    return case, naive_run(case, hard=hard)


def assert_pass(
    actual: Any, expected: Any, c: Components, tolerance: float = TOLERANCE, least: float = 0.0
) -> None:
    """Each kind of sum relative to the largest of its kind, or to the size `least`; outputs row by row."""
    k, d = c.n_components, c.n_features
    tails = [k, k] if c.freedom is not None else []
    ends = np.cumsum([1, 1, k, k * d, k * moment_size(c.layout, d), *tails])[:-1]
    for a, e in zip(np.split(actual[0], ends), np.split(expected[0], ends), strict=True):
        np.testing.assert_allclose(a, e, rtol=tolerance, atol=tolerance * np.abs(e).max(initial=least))
    np.testing.assert_allclose(actual[1], expected[1], rtol=tolerance, atol=tolerance)
    np.testing.assert_allclose(actual[2], expected[2], rtol=tolerance, atol=tolerance)
    np.testing.assert_array_equal(actual[3], expected[3])


@pytest.mark.sampled(3)
@layouts
@hardness
@pytest.mark.parametrize("weighted", [False, True], ids=["unweighted", "weighted"])
@pytest.mark.parametrize("d", [1, 2, 5, 8])
def test_a_pass_equals_the_loops(kernel: Kernel, layout: Layout, hard: bool, weighted: bool, d: int) -> None:
    case, expected = by_loops(layout, hard, d=d, weighted=weighted)
    assert_pass(run(kernel, case, hard=hard), expected, case.components)


@pytest.mark.sampled(3)
@layouts
@hardness
@pytest.mark.parametrize("share", [0.0, 0.02, 0.6, 0.95, 1.0])
def test_any_share_of_missing_values(kernel: Kernel, layout: Layout, hard: bool, share: float) -> None:
    case, expected = by_loops(layout, hard, d=4, share=share, weighted=True)
    assert_pass(run(kernel, case, hard=hard), expected, case.components, least=1.0)


@pytest.mark.sampled(4)
@layouts
@hardness
@pytest.mark.parametrize("d", [1, 2, 3, 6, 8, 9, 17, 30])
def test_native_agrees_with_the_twin(native_kernel: Kernel, layout: Layout, hard: bool, d: int) -> None:
    for share in (0.1, 0.5):
        case = make_case(layout, n=200, d=d, k=7, share=share, weighted=d % 2 == 0)
        if d % 3 == 0:
            case = replace(case, rows=case.rows.astype(np.float32))
        expected = run(get_kernel("numpy"), case, hard=hard)
        assert_pass(run(native_kernel, case, hard=hard), expected, case.components)


@pytest.mark.sampled(2)
@layouts
@hardness
@pytest.mark.parametrize(("d", "k"), [(1, 3), (6, 1), (6, 3), (7, 11), (14, 5)])
@pytest.mark.parametrize("freedom", [False, True], ids=["gaussian", "t"])
def test_rows_of_frequent_patterns_agree_with_the_twin(
    native_kernel: Kernel, layout: Layout, hard: bool, d: int, k: int, freedom: bool
) -> None:
    """Some patterns have more rows than a block, one has no value, and some have few rows."""
    case = make_case(layout, n=1200, d=d, k=k, share=0.0, weighted=d % 2 == 1)
    rng = np.random.default_rng(d)
    lacks = rng.uniform(size=(12, d)) < rng.uniform(size=(12, 1))
    lacks[0], lacks[-1] = True, False
    shares = 2.0 ** -np.arange(12)
    case.rows[lacks[rng.choice(12, size=1200, p=shares / shares.sum())]] = np.nan
    if freedom:
        case = replace(case, components=replace(case.components, freedom=rng.uniform(2.0, 30.0, k)))
    if d == 14:
        case = replace(case, rows=case.rows.astype(np.float32))
    expected = run(get_kernel("numpy"), case, hard=hard)
    found = run(native_kernel, case, hard=hard)
    assert_pass(found, expected, case.components)


@pytest.mark.sampled(3)
@layouts
@hardness
@pytest.mark.parametrize(
    "where",
    [{"shift": 1e5}, {"shift": -1e5, "scale": 1e-2}, {"scale": 1e-100}, {"scale": 1e100}],
    ids=["shifted", "shifted-narrow", "tiny", "wide"],
)
def test_far_from_the_origin_and_at_every_scale(
    kernel: Kernel, layout: Layout, hard: bool, where: dict[str, float]
) -> None:
    case, expected = by_loops(layout, hard, d=5, weighted=True, **where)
    assert_pass(run(kernel, case, hard=hard), expected, case.components)


@layouts
def test_with_nothing_missing_it_is_the_ordinary_pass(kernel: Kernel, layout: Layout) -> None:
    case = make_case(layout, share=0.0, weighted=True, n=300, d=6)
    c = case.components
    sums = np.zeros(sums_size(layout, c.n_components, c.n_features))
    outputs = Outputs(np.empty(300), np.empty((300, 4)), np.empty(300, dtype=np.intp))
    kernel.accumulate(case.rows, case.weight, c, sums, outputs)
    expected = (sums, outputs.log_density, outputs.memberships, outputs.labels)
    assert_pass(run(kernel, case), expected, c, 1e-12)
    assert order_of_missing(case.rows) is None


@layouts
@hardness
def test_a_row_without_any_value_has_the_mixing_weights(kernel: Kernel, layout: Layout, hard: bool) -> None:
    case = make_case(layout, d=3)
    blank = np.isnan(case.rows).all(axis=1)
    assert blank.sum() >= 2
    weights = np.exp(case.components.offsets - normalization(case.components))
    _, log_density, memberships, labels = run(kernel, case, hard=hard)
    total = weights.max() if hard else weights.sum()
    np.testing.assert_allclose(log_density[blank], math.log(total), rtol=1e-12)
    expected = np.eye(4)[weights.argmax()] if hard else weights / total
    np.testing.assert_allclose(memberships[blank], np.tile(expected, (blank.sum(), 1)), rtol=1e-12)
    assert (labels[blank] == weights.argmax()).all()


@layouts
def test_a_row_of_weight_zero_adds_nothing_whatever_it_holds(kernel: Kernel, layout: Layout) -> None:
    case = make_case(layout)
    weight = np.ones(len(case.rows))
    weight[[3, 7, 60]] = 0.0
    case.rows[7] = [1e200, np.nan, 0.0]
    kept = weight > 0.0
    found = run(kernel, replace(case, weight=weight))[0]
    expected = naive_run(Case(case.rows[kept], None, case.components))[0]
    np.testing.assert_allclose(found, expected, rtol=TOLERANCE, atol=TOLERANCE * np.abs(expected).max())


@layouts
def test_a_component_of_weight_zero_takes_no_row(kernel: Kernel, layout: Layout) -> None:
    case = make_case(layout)
    case.components.offsets[2] = -np.inf
    sums, _, memberships, labels = run(kernel, case)
    assert np.isfinite(sums).all()
    assert (memberships[:, 2] == 0.0).all()
    assert sums[2 + 2] == 0.0
    assert 2 not in labels


@layouts
@hardness
def test_outputs_stand_in_the_order_of_the_rows(kernel: Kernel, layout: Layout, hard: bool) -> None:
    case = make_case(layout, n=300, d=4, weighted=True)
    expected = run(kernel, case, hard=hard)
    for seed in range(3):
        order = np.random.default_rng(seed).permutation(300)
        sums, *outputs = run(kernel, case.in_order(order), hard=hard)
        assert_pass((sums, *outputs), (expected[0], *(one[order] for one in expected[1:])), case.components)


@layouts
def test_any_permutation_is_a_valid_order(kernel: Kernel, layout: Layout) -> None:
    """Neighbors with other columns only make the pass slower."""
    case = make_case(layout, n=90)
    order = np.random.default_rng(5).permutation(90).astype(np.intp)
    assert_pass(run(kernel, case, order=order), run(kernel, case), case.components)


@pytest.mark.sampled(3)
@layouts
@hardness
@pytest.mark.parametrize("wanted", ["nothing", "log_density", "memberships", "labels"])
def test_outputs_alone_are_as_with_sums(kernel: Kernel, layout: Layout, hard: bool, wanted: str) -> None:
    case = make_case(layout, weighted=True)
    sums, *filled = run(kernel, case, hard=hard)
    everything = dict(zip(("log_density", "memberships", "labels"), filled, strict=True))
    order = order_by_pattern(case.rows)
    if wanted == "nothing":
        alone = np.zeros_like(sums)
        kernel.accumulate(case.rows, case.weight, case.components, alone, Outputs(), hard=hard, order=order)
        np.testing.assert_array_equal(alone, sums)
        return
    out = np.empty_like(everything[wanted])
    outputs = Outputs(**{wanted: out})
    kernel.accumulate(case.rows, case.weight, case.components, None, outputs, hard=hard, order=order)
    np.testing.assert_array_equal(out, everything[wanted])


@layouts
def test_sums_are_added_and_inputs_stay_as_they_are(kernel: Kernel, layout: Layout) -> None:
    case, order = make_case(layout, weighted=True), None
    order = order_by_pattern(case.rows)
    c = case.components
    arrays = [case.rows, case.weight, c.means, c.factors, c.offsets, order]
    before = [array.copy() for array in arrays]
    for array in arrays:
        array.setflags(write=False)
    once = run(kernel, case, order=order)[0]
    start = np.random.default_rng(2).normal(size=once.size)
    sums = start.copy()
    kernel.accumulate(case.rows, case.weight, c, sums, Outputs(), order=order)
    np.testing.assert_allclose(sums, start + once, rtol=1e-12, atol=1e-12 * np.abs(once).max())
    for array, copy in zip(arrays, before, strict=True):
        np.testing.assert_array_equal(array, copy)


@layouts
def test_a_chunk_gives_the_same_digits_on_every_thread(kernel: Kernel, layout: Layout) -> None:
    case = make_case(layout, n=900, d=7, k=5, weighted=True)
    alone = run(kernel, case)[0]
    with ThreadPoolExecutor(3) as pool:
        for sums in pool.map(lambda _: run(kernel, case)[0], range(4)):
            np.testing.assert_array_equal(sums, alone)


@layouts
@pytest.mark.parametrize("n", [0, 1, 2])
@pytest.mark.parametrize("d", [1, 2])
def test_smallest_tables(kernel: Kernel, layout: Layout, n: int, d: int) -> None:
    case = make_case(layout, n=n, d=d, k=2, share=0.5, empty_rows=1)
    if n == 0:
        found = run(kernel, case)
        assert (found[0] == 0.0).all()
        return
    assert_pass(run(kernel, case), naive_run(case), case.components, least=1.0)


def almost_singular(layout: Layout, correlation: float) -> Case:
    """Components whose columns are nearly functions of each other, as covariances of a collapsing component are."""
    case = make_case(layout, n=120, d=4, k=3)
    covariance = np.full((4, 4), correlation) + (1.0 - correlation) * np.eye(4)
    factor = np.linalg.inv(np.linalg.cholesky(covariance))
    factors = factor if layout is Layout.SHARED else np.array([factor] * 3)
    components = replace(case.components, factors=np.ascontiguousarray(factors))
    offsets = case.components.offsets - normalization(case.components) + normalization(components)
    return replace(case, components=replace(components, offsets=offsets))


@pytest.mark.parametrize("layout", [Layout.DENSE, Layout.SHARED])
@pytest.mark.parametrize(("correlation", "tolerance"), [(0.999, 1e-9), (1.0 - 1e-6, 1e-7)])
def test_columns_that_nearly_determine_each_other(
    kernel: Kernel, layout: Layout, correlation: float, tolerance: float
) -> None:
    """The loss of digits is that of the covariance's condition."""
    case = almost_singular(layout, correlation)
    assert_pass(run(kernel, case), naive_run(case), case.components, tolerance)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda n: np.arange(n - 1),
        lambda n: np.arange(n, dtype=np.int32),
        lambda n: np.arange(n).astype(float),
        lambda n: np.arange(n) + 1,
        lambda n: np.arange(n) - 1,
        lambda n: np.arange(2 * n)[::2],
        lambda n: np.arange(n)[:, None],
    ],
    ids=["short", "int32", "float", "too large", "negative", "strided", "a column"],
)
def test_an_order_that_does_not_fit_is_refused(kernel: Kernel, wrong: Callable[[int], Any]) -> None:
    case = make_case(Layout.DENSE)
    with pytest.raises(ParameterError, match="`order`"):
        run(kernel, case, order=wrong(len(case.rows)))


@pytest.mark.parametrize("d", [1, 7, 9, 64, 70])
def test_rows_of_one_pattern_are_neighbors_and_complete_rows_first(d: int) -> None:
    rng = np.random.default_rng(d)
    rows = np.zeros((200, d))
    rows[rng.uniform(size=rows.shape) < 1.5 / d] = np.nan
    order = order_by_pattern(rows)
    assert order.dtype == np.intp
    assert sorted(order.tolist()) == list(range(200))
    lacking = [tuple(np.isnan(rows[n])) for n in order]
    changes = sum(one != other for one, other in zip(lacking[1:], lacking[:-1], strict=True))
    assert changes + 1 == len(set(lacking))
    n_complete = sum(not any(one) for one in lacking)
    assert not any(any(one) for one in lacking[:n_complete])
    found = {tuple(~observed): set(numbers.tolist()) for observed, numbers in patterns(rows)}
    assert found == {
        one: {n for n, row in enumerate(rows) if tuple(np.isnan(row)) == one} for one in set(lacking)
    }


def test_infinities_and_large_numbers_do_not_hide_missing_values() -> None:
    assert order_of_missing(np.array([[1e308, 1e308], [1e308, 0.0]])) is None
    assert order_of_missing(np.array([[np.inf, -np.inf]])) is None
    assert order_of_missing(np.array([[1e308, 1e308], [1e308, np.nan]])).tolist() == [0, 1]


@layouts
@pytest.mark.parametrize("share", [0.002, 0.3])
@pytest.mark.parametrize(("d", "k"), [(1, 2), (2, 3), (4, 9)])
def test_what_is_said_of_a_row_does_not_depend_on_the_rows_beside_it(
    native_kernel: Kernel, layout: Layout, share: float, d: int, k: int
) -> None:
    """To the last bit, so that a table that is read in parts has the numbers of the whole table."""
    case = make_case(layout, n=1500, d=d, k=k, share=share, empty_rows=0)

    def outputs(rows: Any) -> tuple[Any, Any]:
        found = Outputs(np.empty(len(rows)), np.empty((len(rows), k)))
        native_kernel.accumulate(rows, None, case.components, None, found, order=order_of_missing(rows))
        return found.log_density, found.memberships

    whole = outputs(case.rows)
    assert np.isnan(case.rows).any()
    for size in (1, 33, 700):
        parts = [outputs(case.rows[start : start + size]) for start in range(0, 1500, size)]
        for one, several in zip(whole, zip(*parts, strict=True), strict=True):
            np.testing.assert_array_equal(np.concatenate(several), one)
