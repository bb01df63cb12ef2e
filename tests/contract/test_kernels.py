"""One body of tests for every kernel and instruction set that this machine has, against plain loops."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
import pytest

import naive
from mixtura.exceptions import ParameterError
from mixtura.kernels import Components, Kernel, Layout, Outputs, get_kernel, moment_size, sums_size
from mixtura.kernels.native import supported_instruction_sets
from mixtura.kernels.reference import NumpyKernel

TOLERANCE = 1e-10  # what mixtura.kernels.contract promises
NATIVE = [("native", name) for name in supported_instruction_sets()]
LAYOUTS = list(Layout)
# The twin by each of its two ways, whatever the number of rows; the second only where it is precise.
TWINS = {"numpy-centered": NumpyKernel(expand_from=10**9), "numpy-expanded": NumpyKernel(expand_from=0)}


@pytest.fixture(params=[*TWINS, *NATIVE], ids=lambda which: which if which in TWINS else "-".join(which))
def kernel(request) -> Kernel:
    if request.param in TWINS:
        return TWINS[request.param]
    name, instruction_set = request.param
    return get_kernel(name, instruction_set=instruction_set)


@pytest.fixture(params=NATIVE, ids=lambda pair: pair[1])
def native_kernel(request) -> Kernel:
    return get_kernel(request.param[0], instruction_set=request.param[1])


@dataclass
class Case:
    rows: np.ndarray
    weight: np.ndarray | None
    components: Components


def make_case(layout, n=61, d=3, k=4, *, weighted=False, shift=0.0, scale=1.0, spread=2.0, seed=0) -> Case:
    rng = np.random.default_rng([seed, n, d, k])
    means = shift + scale * spread * rng.normal(size=(k, d))
    rows = means[rng.integers(0, k, n)] + scale * rng.normal(size=(n, d))
    factor = np.tril(rng.normal(size=(k, d, d)) * 0.3) + np.eye(d) * rng.uniform(0.5, 1.5, size=(k, 1, d))
    factors = {
        Layout.DENSE: factor / scale,
        Layout.DIAGONAL: np.diagonal(factor, axis1=1, axis2=2) / scale,
        Layout.SHARED: factor[0] / scale,
    }[layout]
    weight = rng.integers(0, 3, n) * rng.uniform(0.5, 2.0, n) if weighted else None
    components = Components(layout, means, np.ascontiguousarray(factors), rng.normal(size=k))
    return Case(rows, weight, components)


def run(kernel, case, *, hard=False, start=None):
    """Sums, log density, memberships and labels of one pass."""
    components = case.components
    k, d, n = components.n_components, components.n_features, len(case.rows)
    sums = np.zeros(sums_size(components.layout, k, d)) if start is None else start.copy()
    outputs = Outputs(np.full(n, 7.0), np.full((n, k), 7.0), np.full(n, 7, dtype=np.intp))
    kernel.accumulate(case.rows, case.weight, components, sums, outputs, hard=hard)
    return sums, outputs.log_density, outputs.memberships, outputs.labels


def naive_run(case, *, hard=False):
    c = case.components
    return naive.naive_accumulate(case.rows, case.weight, c.layout, c.means, c.factors, c.offsets, hard)


def given_sums(kernel, case, responsibilities):
    c = case.components
    sums = np.zeros(sums_size(c.layout, c.n_components, c.n_features))
    kernel.accumulate_given(case.rows, case.weight, responsibilities, c.means, c.layout, sums)
    return sums


def assert_sums(actual, expected, components):
    """Each kind of sum to the tolerance, relative to the largest of its kind."""
    k, d = components.n_components, components.n_features
    ends = np.cumsum([1, 1, k, k * d, k * moment_size(components.layout, d)])
    assert len(actual) == ends[-1]
    for a, e in zip(np.split(actual, ends[:-1]), np.split(expected, ends[:-1]), strict=True):
        finite = np.abs(e[np.isfinite(e)])
        largest = finite.max() if finite.size else 0.0
        np.testing.assert_allclose(a, e, rtol=TOLERANCE, atol=TOLERANCE * largest)


def assert_pass(actual, expected, components):
    assert_sums(actual[0], expected[0], components)
    np.testing.assert_allclose(actual[1], expected[1], rtol=TOLERANCE, atol=TOLERANCE)
    np.testing.assert_allclose(actual[2], expected[2], rtol=TOLERANCE, atol=TOLERANCE)
    np.testing.assert_array_equal(actual[3], expected[3])


hardness = pytest.mark.parametrize("hard", [False, True], ids=["soft", "hard"])
layouts = pytest.mark.parametrize("layout", LAYOUTS)


@pytest.mark.sampled(4)
@layouts
@hardness
@pytest.mark.parametrize("weighted", [False, True], ids=["unweighted", "weighted"])
@pytest.mark.parametrize("d", [1, 2, 3, 4, 5, 6, 7, 8, 11, 13])
def test_a_pass_equals_the_loops(kernel, layout, hard, weighted, d):
    case = make_case(layout, d=d, weighted=weighted)
    assert_pass(run(kernel, case, hard=hard), naive_run(case, hard=hard), case.components)


@pytest.mark.sampled(3)
@layouts
@pytest.mark.parametrize("responsibilities", ["soft", "labels"])
@pytest.mark.parametrize("d", [1, 2, 5, 7, 11])
def test_given_responsibilities_equal_the_loops(kernel, layout, responsibilities, d):
    case = make_case(layout, d=d, weighted=True)
    rng = np.random.default_rng(1)
    n, k = len(case.rows), case.components.n_components
    # Labels outside 0..k-1 belong to no component; responsibilities need not sum to one.
    given = rng.uniform(0, 2, (n, k)) if responsibilities == "soft" else rng.integers(-1, k + 1, n)
    expected = naive.naive_accumulate_given(case.rows, case.weight, given, case.components.means, layout)
    assert_sums(given_sums(kernel, case, given), expected, case.components)


def test_given_responsibilities_may_cancel(kernel):
    case = make_case(Layout.DENSE, n=2, d=2, k=1)
    given = np.array([[1.0], [-1.0]])
    expected = naive.naive_accumulate_given(case.rows, None, given, case.components.means, Layout.DENSE)
    assert np.abs(expected[3:]).min() > 0.0
    assert_sums(given_sums(kernel, case, given), expected, case.components)


@pytest.mark.sampled(3)
@layouts
@hardness
@pytest.mark.parametrize(("n", "d", "k"), [(0, 2, 3), (1, 2, 3), (40, 1, 1), (1, 1, 1), (3, 12, 1)])
def test_smallest_tables(kernel, layout, hard, n, d, k):
    case = make_case(layout, n=n, d=d, k=k)
    assert_pass(run(kernel, case, hard=hard), naive_run(case, hard=hard), case.components)


@pytest.mark.sampled(3)
@layouts
@hardness
@pytest.mark.parametrize(
    "where",
    [{"shift": 1e8}, {"scale": 1e-150}, {"scale": 1e150}, {"shift": -1e8, "scale": 1e-3}, {"spread": 300.0}],
    ids=["shifted", "tiny", "wide", "shifted-narrow", "apart"],
)
def test_far_from_the_origin_and_at_every_scale(kernel, layout, hard, where):
    case = make_case(layout, weighted=True, **where)
    assert_pass(run(kernel, case, hard=hard), naive_run(case, hard=hard), case.components)


@layouts
def test_float32_rows_are_computed_with_in_float64(kernel, layout):
    case = make_case(layout, shift=1000.0)
    case.rows = case.rows.astype(np.float32)
    assert_pass(run(kernel, case), naive_run(case), case.components)
    labels = np.arange(len(case.rows)) % 4
    wide = Case(case.rows.astype(np.float64), None, case.components)
    assert_sums(given_sums(kernel, case, labels), given_sums(kernel, wide, labels), case.components)
    hard = run(kernel, case, hard=True)
    assert_pass(hard, naive_run(case, hard=True), case.components)


@layouts
@hardness
def test_a_row_of_nan_spoils_the_sums_and_its_own_outputs_alone(kernel, layout, hard):
    case = make_case(layout)
    case.rows[5, 1] = np.nan
    sums, log_density, memberships, labels = run(kernel, case, hard=hard)
    assert_pass((sums, log_density, memberships, labels), naive_run(case, hard=hard), case.components)
    assert np.isnan(log_density[5])
    assert np.isnan(memberships[5]).all()
    assert labels[5] == 0
    assert np.isnan(sums[0])
    assert np.isnan(sums[2:]).all()
    assert np.isfinite(np.delete(log_density, 5)).all()


@layouts
@hardness
def test_a_row_of_weight_zero_adds_nothing_whatever_it_holds(kernel, layout, hard):
    case = make_case(layout)
    case.weight = np.ones(len(case.rows))
    case.weight[[3, 7, 60]] = 0.0
    case.rows[3] = np.nan
    case.rows[7, 0] = 1e200
    sums = run(kernel, case, hard=hard)[0]
    kept = case.weight > 0.0
    without = Case(case.rows[kept], None, case.components)
    assert_sums(sums, naive_run(without, hard=hard)[0], case.components)
    for given in (np.ones((len(kept), 4)), np.arange(len(kept)) % 4):
        assert_sums(
            given_sums(kernel, case, given), given_sums(kernel, without, given[kept]), case.components
        )


@layouts
@hardness
def test_a_row_infinitely_far_away(kernel, layout, hard):
    case = make_case(layout, n=9, d=1)
    case.rows[4] = 1e200
    sums, log_density, memberships, labels = run(kernel, case, hard=hard)
    assert log_density[4] == -np.inf
    assert np.isnan(memberships[4]).all()
    assert labels[4] == 0
    assert sums[0] == -np.inf
    assert np.isnan(sums[2:]).all()


@layouts
@hardness
def test_a_component_of_weight_zero_takes_no_row(kernel, layout, hard):
    case = make_case(layout, weighted=True)
    case.components.offsets[2] = -np.inf
    result = run(kernel, case, hard=hard)
    assert_pass(result, naive_run(case, hard=hard), case.components)
    assert (result[2][:, 2] == 0.0).all()
    assert result[0][2 + 2] == 0.0


@layouts
def test_rows_far_from_everything_still_have_memberships(kernel, layout):
    case = make_case(layout, d=2)
    case.rows += 5e3
    result = run(kernel, case)
    assert result[1].max() < -1e5
    assert_pass(result, naive_run(case), case.components)
    np.testing.assert_allclose(result[2].sum(axis=1), 1.0, rtol=1e-14)


@layouts
@hardness
def test_among_equals_the_lowest_number_is_the_label(kernel, layout, hard):
    case = make_case(layout, k=4)
    for array in (case.components.means, case.components.offsets):
        array[1] = array[0]
        array[3] = array[2]
    if layout is not Layout.SHARED:
        case.components.factors[1] = case.components.factors[0]
        case.components.factors[3] = case.components.factors[2]
    labels = run(kernel, case, hard=hard)[3]
    assert set(labels) == {0, 2}


@layouts
@hardness
def test_sums_are_added_not_overwritten(kernel, layout, hard):
    case = make_case(layout)
    once = run(kernel, case, hard=hard)[0]
    start = np.random.default_rng(2).normal(size=once.size)
    assert_sums(run(kernel, case, hard=hard, start=start)[0], start + once, case.components)
    given = np.zeros(len(case.rows), dtype=np.intp)
    c = case.components
    sums = start.copy()
    kernel.accumulate_given(case.rows, None, given, c.means, layout, sums)
    assert_sums(sums, start + given_sums(kernel, case, given), c)
    assert sums[0] == start[0]


@layouts
@hardness
@pytest.mark.parametrize("wanted", ["nothing", "log_density", "memberships", "labels"])
def test_outputs_alone_are_as_with_sums(kernel, layout, hard, wanted):
    case = make_case(layout, weighted=True)
    sums, *filled = run(kernel, case, hard=hard)
    everything = dict(zip(("log_density", "memberships", "labels"), filled, strict=True))
    if wanted == "nothing":
        alone = np.zeros_like(sums)
        kernel.accumulate(case.rows, case.weight, case.components, alone, Outputs(), hard=hard)
        np.testing.assert_array_equal(alone, sums)
        return
    out = np.empty_like(everything[wanted])
    kernel.accumulate(case.rows, case.weight, case.components, None, Outputs(**{wanted: out}), hard=hard)
    np.testing.assert_array_equal(out, everything[wanted])


def test_inputs_may_be_read_only_and_stay_as_they_are(kernel):
    case = make_case(Layout.DENSE, weighted=True)
    c = case.components
    given = np.random.default_rng(0).uniform(size=(len(case.rows), 4))
    arrays = [case.rows, case.weight, c.means, c.factors, c.offsets, given]
    before = [array.copy() for array in arrays]
    expected = run(kernel, case)[0]
    for array in arrays:
        array.setflags(write=False)
    np.testing.assert_array_equal(run(kernel, case)[0], expected)
    given_sums(kernel, case, given)
    for array, copy in zip(arrays, before, strict=True):
        np.testing.assert_array_equal(array, copy)


@layouts
@hardness
def test_a_chunk_gives_the_same_digits_on_every_thread(kernel, layout, hard):
    case = make_case(layout, n=900, d=7, k=5, weighted=True)
    alone = run(kernel, case, hard=hard)[0]
    with ThreadPoolExecutor(3) as pool:
        for sums in pool.map(lambda _: run(kernel, case, hard=hard)[0], range(6)):
            np.testing.assert_array_equal(sums, alone)


@pytest.mark.sampled(4)
@layouts
@hardness
@pytest.mark.parametrize("d", [*range(1, 18), 25, 31, 64])
def test_native_agrees_with_the_twin(native_kernel, layout, hard, d):
    case = make_case(layout, n=777, d=d, k=7, weighted=d % 2 == 0, spread=1.0)
    if d % 3 == 0:
        case.rows = case.rows.astype(np.float32)
    twin = get_kernel("numpy")
    result = run(twin, case, hard=hard)
    assert_pass(run(native_kernel, case, hard=hard), result, case.components)
    for given in (result[2], result[3]):
        assert_sums(given_sums(native_kernel, case, given), given_sums(twin, case, given), case.components)


def test_many_components_most_of_them_far_away(native_kernel):
    case = make_case(Layout.DENSE, n=600, d=3, k=40, spread=60.0)
    twin = run(get_kernel("numpy"), case)
    assert (twin[2] == 0.0).mean() > 0.5
    assert_pass(run(native_kernel, case), twin, case.components)


@pytest.mark.parametrize(
    ("spoil", "name"),
    [
        (lambda case: setattr(case, "rows", case.rows.astype(np.int64)), "rows"),
        (lambda case: setattr(case, "rows", np.asfortranarray(case.rows)), "rows"),
        (lambda case: setattr(case, "rows", case.rows[:, :2].copy()), "rows"),
        (lambda case: setattr(case, "rows", case.rows[0].copy()), "rows"),
        (lambda case: setattr(case, "weight", np.ones(3)), "sample_weight"),
        (lambda case: setattr(case, "weight", np.ones(len(case.rows), dtype=np.float32)), "sample_weight"),
    ],
)
def test_arrays_that_do_not_fit_are_refused_by_name(kernel, spoil, name):
    case = make_case(Layout.DENSE)
    spoil(case)
    with pytest.raises(ParameterError, match=f"`{name}` has shape"):
        run(kernel, case)
    with pytest.raises(ParameterError, match=f"`{name}` has shape"):
        given_sums(kernel, case, np.zeros((61, 4)))


@pytest.mark.parametrize(
    "given", [np.zeros((61, 3)), np.zeros(60, dtype=np.intp), np.zeros(61, dtype=np.int32)]
)
def test_responsibilities_that_do_not_fit_are_refused(kernel, given):
    with pytest.raises(ParameterError, match="`responsibilities` has shape"):
        given_sums(kernel, make_case(Layout.DENSE), given)


def test_sums_that_cannot_be_written_are_refused(kernel):
    case = make_case(Layout.DIAGONAL)
    sums = np.zeros(sums_size(Layout.DIAGONAL, 4, 3))
    sums.setflags(write=False)
    with pytest.raises(ParameterError, match="read-only"):
        kernel.accumulate(case.rows, None, case.components, sums, Outputs())


def off_by(n_bytes, array):
    """The same array behind a header, where its numbers are not aligned."""
    raw = np.frombuffer(bytearray(n_bytes) + array.tobytes(), dtype=np.uint8)
    moved = raw[n_bytes:].view(array.dtype).reshape(array.shape)
    assert not moved.flags.aligned
    return moved


@layouts
@hardness
@pytest.mark.parametrize("n_bytes", [1, 3, 4])
def test_inputs_may_lie_anywhere_in_memory(kernel, layout, hard, n_bytes):
    case = make_case(layout, weighted=True)
    c = case.components
    moved = Components(layout, *(off_by(n_bytes, one) for one in (c.means, c.factors, c.offsets)))
    shifted = Case(off_by(n_bytes, case.rows), off_by(n_bytes, case.weight), moved)
    for found, wanted in zip(run(kernel, shifted, hard=hard), run(kernel, case, hard=hard), strict=True):
        np.testing.assert_array_equal(found, wanted)
    for given in (np.random.default_rng(0).dirichlet(np.ones(4), 61), np.arange(61, dtype=np.intp) % 4):
        found, wanted = given_sums(kernel, shifted, off_by(n_bytes, given)), given_sums(kernel, case, given)
        np.testing.assert_array_equal(found, wanted)


def test_rows_of_float32_may_lie_anywhere_too(kernel):
    case = make_case(Layout.DENSE)
    rows = case.rows.astype(np.float32)
    found, wanted = (run(kernel, Case(one, None, case.components))[0] for one in (off_by(2, rows), rows))
    np.testing.assert_array_equal(found, wanted)


def test_outputs_that_are_not_aligned_are_refused(kernel):
    case = make_case(Layout.DENSE)
    labels = off_by(1, np.zeros(61, dtype=np.intp))
    with pytest.raises(ParameterError, match=r"labels.* not aligned"):
        kernel.accumulate(case.rows, None, case.components, None, Outputs(labels=labels))


@layouts
@hardness
def test_a_first_component_without_weight_changes_nothing(kernel, layout, hard):
    case = make_case(layout, n=50, d=3, k=3)
    c, shared = case.components, layout is Layout.SHARED
    factors = c.factors if shared else np.concatenate([c.factors[:1], c.factors])
    wider = Components(layout, np.vstack([c.means[:1], c.means]), factors, np.append(-np.inf, c.offsets))
    found = run(kernel, replace(case, components=wider), hard=hard)
    wanted = run(kernel, case, hard=hard)
    np.testing.assert_array_equal(found[3], wanted[3] + 1)
    np.testing.assert_allclose(found[1], wanted[1], rtol=1e-12)
