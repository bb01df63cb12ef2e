"""Multivariate t components in a pass: every kernel against loops over rows, and against SciPy."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.stats import multivariate_t

import naive
from kernel_cases import Case, full_covariances, make_case, normalization
from mixtura.exceptions import ParameterError
from mixtura.kernels import Kernel, Layout, Outputs, get_kernel, sums_size
from mixtura.kernels.native import supported_instruction_sets
from mixtura.kernels.patterns import order_by_pattern

NATIVE = [("native", name) for name in supported_instruction_sets()]

layouts = pytest.mark.parametrize("layout", list(Layout))


@pytest.fixture(params=[("numpy", None), *NATIVE], ids=lambda pair: pair[1] or pair[0])
def kernel(request: Any) -> Kernel:
    return get_kernel(request.param[0], instruction_set=request.param[1])


def make_t_case(layout: Layout, *, k: int = 4, **options: Any) -> Case:
    case = make_case(layout, k=k, **options)
    freedom = np.random.default_rng(k).uniform(2.0, 40.0, k)
    return replace(case, components=replace(case.components, freedom=freedom))


def run(
    kernel: Kernel, case: Case, *, hard: bool = False, missing: bool = False, **more: Any
) -> tuple[Any, ...]:
    c, n = case.components, len(case.rows)
    sums = np.zeros(sums_size(c.layout, c.n_components, c.n_features, tails=True))
    outputs = Outputs(np.full(n, 7.0), np.full((n, c.n_components), 7.0), np.full(n, 7, dtype=np.intp))
    order = order_by_pattern(case.rows) if missing else None
    kernel.accumulate(case.rows, case.weight, c, sums, outputs, hard=hard, order=order, **more)
    return sums, outputs.log_density, outputs.memberships, outputs.labels


def naive_run(case: Case) -> tuple[Any, ...]:
    c = case.components
    weight = np.ones(len(case.rows)) if case.weight is None else case.weight
    logs, shares, counts, mass, first, second, extra = naive.naive_t_sums(
        case.rows, weight, np.exp(c.offsets - normalization(c)), c.means, full_covariances(c), c.freedom
    )
    parts = [[weight @ logs, weight.sum()], counts, first.ravel()]
    if c.layout is Layout.DENSE:
        parts.append(second[:, *np.tril_indices(c.n_features)].ravel())
    elif c.layout is Layout.DIAGONAL:
        parts.append(np.einsum("kdd->kd", second).ravel())
    return np.concatenate([*parts, mass, extra]), logs, shares, shares.argmax(axis=1)


def agree(found: tuple[Any, ...], wanted: tuple[Any, ...]) -> None:
    scale = np.abs(wanted[0]).max()
    np.testing.assert_allclose(found[0], wanted[0], rtol=1e-9, atol=1e-11 * scale)
    np.testing.assert_allclose(found[1], wanted[1], rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(found[2], wanted[2], rtol=1e-9, atol=1e-13)
    np.testing.assert_array_equal(found[3], wanted[3])


@pytest.mark.sampled(4)
@layouts
@pytest.mark.parametrize(("n", "d", "k"), [(1, 1, 1), (150, 3, 4), (60, 14, 3)])
@pytest.mark.parametrize("share", [0.0, 0.3], ids=["complete", "missing"])
@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
def test_sums_are_those_of_a_loop_over_rows(
    kernel: Kernel, layout: Layout, n: int, d: int, k: int, share: float, weighted: bool
) -> None:
    case = make_t_case(layout, n=n, d=d, k=k, share=share, weighted=weighted)
    agree(run(kernel, case, missing=share > 0), naive_run(case))


@layouts
@pytest.mark.parametrize("share", [0.0, 0.3], ids=["complete", "missing"])
@pytest.mark.parametrize("k", [4, 90])
def test_hard_assignment_gives_each_row_to_the_best(
    kernel: Kernel, layout: Layout, share: float, k: int
) -> None:
    """A row that all others have nothing of: the same sums as with an offset that rules them out."""
    case = make_t_case(layout, n=60, k=k, share=share, weighted=True)
    sums, log_density, memberships, labels = run(kernel, case, hard=True, missing=share > 0)
    soft = run(kernel, case, missing=share > 0)
    np.testing.assert_array_equal(labels, soft[3])
    np.testing.assert_array_equal(memberships, np.eye(k)[labels])
    chosen = soft[2][np.arange(60), labels]
    np.testing.assert_allclose(log_density, soft[1] + np.log(chosen), rtol=1e-10, atol=1e-10)
    beside = np.where(np.eye(k)[labels] == 1, 0.0, -np.inf)
    wanted = run(kernel, case, missing=share > 0, beside=beside)
    np.testing.assert_allclose(sums, wanted[0], rtol=1e-10, atol=1e-11 * np.abs(sums).max())


@layouts
def test_densities_are_those_of_scipy(kernel: Kernel, layout: Layout) -> None:
    case = make_t_case(layout, n=40, share=0.0, k=1)
    c = case.components
    c = replace(c, offsets=normalization(c))
    assert c.freedom is not None
    wanted = multivariate_t(c.means[0], full_covariances(c)[0], df=c.freedom[0]).logpdf(case.rows)
    found = run(kernel, replace(case, components=c))[1]
    np.testing.assert_allclose(found, wanted, rtol=1e-12)


@layouts
def test_many_degrees_of_freedom_are_gaussian(kernel: Kernel, layout: Layout) -> None:
    case = make_case(layout, n=70, share=0.0)
    c = replace(case.components, freedom=np.full(4, 1e9))
    found = run(kernel, replace(case, components=c))
    gaussian = np.zeros(sums_size(c.layout, 4, 3))
    kernel.accumulate(case.rows, None, case.components, gaussian, Outputs())
    np.testing.assert_allclose(found[0][: len(gaussian)], gaussian, rtol=1e-6, atol=1e-5)
    np.testing.assert_allclose(found[0][len(gaussian) :][:4], gaussian[2:6], rtol=1e-6)


@layouts
def test_components_without_weight_and_rows_far_out(kernel: Kernel, layout: Layout) -> None:
    case = make_t_case(layout, n=40, share=0.0)
    offsets = case.components.offsets.copy()
    offsets[1] = -np.inf
    case.rows[3] = 1e100
    case = replace(case, components=replace(case.components, offsets=offsets))
    found = run(kernel, case, background=np.full(40, -50.0))
    assert np.isfinite(found[0]).all()
    assert (found[2][:, 1] == 0).all()
    k, d = 4, 3
    mass, extra = found[0][-2 * k : -k], found[0][-k:]
    assert mass[1] == extra[1] == 0
    assert (found[0][2 + k : 2 + k + k * d].reshape(k, d)[1] == 0).all()


@layouts
def test_a_row_that_is_not_a_number_spoils_the_sums(kernel: Kernel, layout: Layout) -> None:
    case = make_t_case(layout, n=40, share=0.0)
    case.rows[3, 0] = np.nan
    found = run(kernel, case)
    assert np.isnan(found[1][3])
    assert np.isnan(found[0][0])
    assert np.isfinite(found[1][4])
    weighted = replace(case, weight=np.where(np.arange(40) == 3, 0.0, 1.0))
    assert np.isfinite(run(kernel, weighted)[0]).all()


def test_degrees_of_freedom_of_another_length_are_refused(kernel: Kernel) -> None:
    case = make_t_case(Layout.DENSE, n=10, share=0.0)
    wrong = replace(case, components=replace(case.components, freedom=np.ones(3)))
    with pytest.raises(ParameterError, match="`freedom` has shape"):
        run(kernel, wrong)
    with pytest.raises(ParameterError, match="`sums` has shape"):
        kernel.accumulate(
            case.rows, None, case.components, np.zeros(sums_size(Layout.DENSE, 4, 3)), Outputs()
        )
