"""Noise beside the components in a pass: one more term in the density of each row, every kernel against plain loops."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import naive
from kernel_cases import full_covariances, make_case, normalization
from mixtura.exceptions import ParameterError
from mixtura.kernels import Kernel, Layout, Outputs, get_kernel, sums_size
from mixtura.kernels.native import supported_instruction_sets
from mixtura.kernels.patterns import order_by_pattern
from mixtura.kernels.terms.background import Background, Box

NATIVE = [("native", name) for name in supported_instruction_sets()]

layouts = pytest.mark.parametrize("layout", list(Layout))
hardness = pytest.mark.parametrize("hard", [False, True], ids=["soft", "hard"])


@pytest.fixture(params=[("numpy", None), *NATIVE], ids=lambda pair: pair[1] or pair[0])
def kernel(request: Any) -> Kernel:
    return get_kernel(request.param[0], instruction_set=request.param[1])


def noise_of(n: int, seed: int = 0) -> Any:
    """Log densities of a background, some of which rule every row, and some nothing."""
    background = np.random.default_rng([seed, n]).normal(-6.0, 3.0, n)
    background[::7] = -np.inf
    background[3::11] = 5.0
    return background


def run(
    kernel: Kernel, case: Any, background: Any, *, hard: bool = False, missing: bool = False
) -> tuple[Any, ...]:
    c, n = case.components, len(case.rows)
    sums = np.zeros(sums_size(c.layout, c.n_components, c.n_features))
    outputs = Outputs(np.full(n, 7.0), np.full((n, c.n_components), 7.0), np.full(n, 7, dtype=np.intp))
    order = order_by_pattern(case.rows) if missing else None
    kernel.accumulate(case.rows, case.weight, c, sums, outputs, hard=hard, order=order, background=background)
    return sums, outputs.log_density, outputs.memberships, outputs.labels


def agree(found: tuple[Any, ...], wanted: tuple[Any, ...]) -> None:
    scale = np.abs(wanted[0]).max()
    np.testing.assert_allclose(found[0], wanted[0], rtol=1e-9, atol=1e-10 * scale)
    np.testing.assert_allclose(found[1], wanted[1], rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(found[2], wanted[2], rtol=1e-8, atol=1e-12)
    np.testing.assert_array_equal(found[3], wanted[3])


@pytest.mark.sampled(4)
@layouts
@hardness
@pytest.mark.parametrize(("n", "d", "k"), [(1, 1, 1), (70, 3, 4), (150, 14, 3), (600, 2, 9)])
@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
def test_noise_is_one_more_term(
    kernel: Kernel, layout: Layout, hard: bool, n: int, d: int, k: int, weighted: bool
) -> None:
    case = make_case(layout, n=n, d=d, k=k, share=0.0, weighted=weighted)
    background, c = noise_of(n), case.components
    wanted = naive.naive_accumulate(
        case.rows, case.weight, str(layout), c.means, c.factors, c.offsets, hard, background
    )
    found = run(kernel, case, background, hard=hard)
    agree(found, wanted)
    assert n == 1 or min(found[3]) == -1 < max(found[3])


@pytest.mark.sampled(2)
@layouts
@hardness
def test_rows_with_missing_values_have_noise_too(kernel: Kernel, layout: Layout, hard: bool) -> None:
    case = make_case(layout, n=300, weighted=True)
    c, background = case.components, noise_of(300)
    weights = np.exp(c.offsets - normalization(c))
    logs, shares = naive.naive_missing_e_step(case.rows, weights, c.means, full_covariances(c))
    with np.errstate(divide="ignore"):
        each = np.column_stack([logs[:, None] + np.log(shares), background])
    labels = each.argmax(axis=1)
    log_density = each.max(axis=1) if hard else np.logaddexp.reduce(each, axis=1)
    memberships = np.eye(5)[labels][:, :4] if hard else np.exp(each[:, :4] - log_density[:, None])
    counts, first, second = naive.naive_missing_sums(
        case.rows, case.weight, memberships, c.means, full_covariances(c)
    )
    parts = [[case.weight @ log_density, case.weight.sum()], counts, first.ravel()]
    if layout is Layout.DENSE:
        parts.append(second[:, *np.tril_indices(3)].ravel())
    elif layout is Layout.DIAGONAL:
        parts.append(np.einsum("kdd->kd", second).ravel())
    wanted = np.concatenate(parts), log_density, memberships, np.where(labels == 4, -1, labels)
    agree(run(kernel, case, background, hard=hard, missing=True), wanted)


@layouts
def test_noise_that_is_impossible_changes_no_digit(kernel: Kernel, layout: Layout) -> None:
    case = make_case(layout, n=600, share=0.0)
    found, wanted = (run(kernel, case, given) for given in (np.full(600, -np.inf), None))
    for one, other in zip(found, wanted, strict=True):
        np.testing.assert_array_equal(one, other)


@layouts
@hardness
def test_a_row_that_is_far_from_all_components_is_noise(kernel: Kernel, layout: Layout, hard: bool) -> None:
    case = make_case(layout, n=40, share=0.0)
    case.rows[5] = 1e100
    found = run(kernel, case, np.full(40, -30.0), hard=hard)
    assert np.isfinite(found[0]).all()
    assert found[1][5] == pytest.approx(-30.0)
    np.testing.assert_array_equal(found[2][5], np.zeros(4))
    assert found[3][5] == -1


@layouts
@hardness
def test_a_row_that_is_not_a_number_spoils_what_the_contract_says(
    kernel: Kernel, layout: Layout, hard: bool
) -> None:
    case = make_case(layout, n=40, share=0.0)
    case.rows[5, 0] = np.nan
    found = run(kernel, case, noise_of(40), hard=hard)
    assert np.isnan(found[0][0])
    assert np.isnan(found[1][5])
    assert np.isnan(found[2][5]).all()
    assert found[3][5] == 0
    assert np.isfinite(found[1][6])


def test_a_background_of_another_length_is_refused(kernel: Kernel) -> None:
    case = make_case(Layout.DENSE, n=40, share=0.0)
    with pytest.raises(ParameterError, match="`background` has shape"):
        run(kernel, case, np.zeros(39))


def test_the_uniform_density_is_that_of_the_columns_observed() -> None:
    columns = Box(np.array([0.0, -1.0]), np.array([2.0, 8.0]))
    turned = Box(np.zeros(2), np.array([1.0, 4.0]), np.eye(2)[::-1])
    noise = Background(0.25, turned, columns, np.log([0.2, 0.8, 1.0]))
    rows = np.array([[1.0, 1.0], [np.nan, 1.0], [np.nan, np.nan]])
    found = np.exp(noise.log_densities(rows, np.array([[0], [1], [2]])))
    np.testing.assert_allclose(found, [0.25 / 4 * 0.2, 0.25 / 8 * 0.8, 0.25])
    assert (noise.with_weight(0.0).log_densities(rows) == -np.inf).all()


def test_draws_from_a_box_fill_it() -> None:
    angle = 0.4
    axes = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    box = Box(np.array([1.0, -3.0]), np.array([2.0, 5.0]), axes)
    inside = box.draw(np.random.RandomState(0), 5000) @ axes
    np.testing.assert_allclose(inside.min(axis=0), box.lower, atol=0.01)
    np.testing.assert_allclose(inside.max(axis=0), box.lower + box.ranges, atol=0.01)
    np.testing.assert_allclose(inside.mean(axis=0), box.lower + box.ranges / 2, atol=0.1)
    assert box.log_volume == pytest.approx(np.log(10.0))
