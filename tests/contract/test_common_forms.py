"""M-steps in one compiled call of covariances with something in common: those of their structures, step by step."""

from __future__ import annotations

import sys
from itertools import product
from typing import Any

import numpy as np
import pytest

from mixtura.core.covariance import EMPTY, FAMILIES, Structure, get_family
from mixtura.core.maximize import maximize
from mixtura.core.mixture import Mixture
from mixtura.core.prior import Floor, Prior, Ridge
from mixtura.core.statistics import Statistics
from mixtura.datasets import make_customers
from mixtura.engine import as_data
from mixtura.kernels import Estimate
from mixtura.kernels.algebra import Trouble
from mixtura.kernels.native import supported_instruction_sets
from mixtura.kernels.native_algebra import NativeAlgebra, why_not_native
from mixtura.kernels.numpy_algebra import NumpyAlgebra

COMPILED = supported_instruction_sets() if why_not_native() is None else ()
NAMES = sorted(name for name, family in FAMILIES.items() if family.common_form is not None)
SIZES = [(1, 1), (4, 1), (1, 3), (2, 2), (3, 2), (5, 5), (9, 4), (2, 10)]

pytestmark = pytest.mark.skipif(not COMPILED, reason="the compiled algebra is not built")


def sums_of(
    family: Structure, n_components: int, n_features: int, scale: float = 1.0, seed: int = 0
) -> Statistics:
    """Statistics of weighted rows about points that are not their means."""
    rng = np.random.default_rng(seed)
    x = scale * (
        rng.normal(size=(40 + 9 * n_features, n_features))
        @ (rng.normal(size=(n_features, n_features)) + 3 * np.eye(n_features))
    )
    x += scale * rng.normal(size=n_features)
    r, means = (
        rng.dirichlet(np.ones(n_components), len(x)),
        scale * rng.normal(size=(n_components, n_features)),
    )
    apart = x - means[:, None]
    first = np.einsum("nk,knd->kd", r, apart)
    second = family.moments[0].pack(np.einsum("nk,kni,knj->kij", r, apart, apart))
    sums = np.concatenate([[-1.5, len(x)], r.sum(axis=0), first.ravel(), second.ravel()])
    return Statistics(family.moments[0], means, sums)


@pytest.fixture
def by_the_twin(monkeypatch: pytest.MonkeyPatch) -> Any:
    """M-steps by NumPy alone: what structures define."""
    twin = NumpyAlgebra()

    def of(statistics: Statistics, family: Structure, prior: Prior, before: Mixture | None) -> Mixture:
        with monkeypatch.context() as patched:
            for name, module in list(sys.modules.items()):
                if name.startswith("mixtura.core") and hasattr(module, "get_algebra"):
                    patched.setattr(module, "get_algebra", lambda: twin)
            found, repairs = maximize(statistics, family, prior, before)
        assert not repairs
        return found

    return of


def in_one_call(
    algebra: NativeAlgebra,
    statistics: Statistics,
    family: Structure,
    before: Mixture | None,
    ridge: float = 0.0,
) -> Estimate:
    assert family.common_form is not None
    last = None if before is None else (before.covariances, before.factors.whitening)
    found = algebra.common_form(
        family.common_form,
        statistics.means,
        statistics.sums,
        ridge,
        EMPTY,
        None,
        EMPTY if ridge else 0.0,
        last,
    )
    assert found is not None
    return found


def close(found: Any, expected: Any, tolerance: float) -> None:
    assert np.abs(found - expected).max() <= tolerance * np.abs(expected).max()


@pytest.mark.sampled(4)
@pytest.mark.parametrize("scale", [1e-120, 1e-8, 1.0, 1e8, 1e120])
@pytest.mark.parametrize(("n_components", "n_features"), SIZES)
@pytest.mark.parametrize("name", NAMES)
def test_a_step_is_that_of_the_structure(by_the_twin, name, n_components, n_features, scale):
    family, prior = get_family(name), Ridge(0.0)
    statistics = sums_of(family, n_components, n_features, scale)
    first = by_the_twin(statistics, family, prior, None)
    again = sums_of(family, n_components, n_features, scale, seed=1)
    second = by_the_twin(again, family, prior, first)
    condition = max(np.linalg.cond(one) for one in (*first.full_covariances(), *second.full_covariances()))
    for set_name, (sums, before, expected) in product(
        COMPILED, [(statistics, None, first), (again, first, second)]
    ):
        found = in_one_call(NativeAlgebra(set_name), sums, family, before)
        assert found.trouble == ()
        close(found.weights, expected.weights, 1e-13)
        close(found.means, expected.means, 1e-12)
        if n_features == 10 and name in ("EVE", "VVE"):
            # Of two components so many axes are found by sweeps, which end when the loss has converged to 1e-10.
            logs = expected.factors.log_determinants
            close(found.weights @ found.log_determinants, expected.weights @ logs, 1e-9)
            continue
        # Axes that Newton's method leaves have settled to 1e-6 of an angle, and the loss in them to its square.
        of_axes = 1e-9 if name in ("EVE", "VVE") else 1e-12
        close(found.covariances, expected.covariances, of_axes)
        close(found.whitening, expected.factors.whitening, of_axes * max(1.0, 1e-3 * condition))
        assert np.allclose(found.log_determinants, expected.factors.log_determinants, rtol=1e-12, atol=1e-11)
        offsets = np.log(found.weights) + found.log_determinants - 0.5 * n_features * np.log(2 * np.pi)
        assert np.allclose(found.offsets, offsets, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_a_ridge_is_added_to_each_component(by_the_twin, name):
    family, prior = get_family(name), Ridge(0.3)
    statistics = sums_of(family, 3, 4)
    expected = by_the_twin(statistics, family, prior, None)
    found = in_one_call(NativeAlgebra(), statistics, family, None, 0.3)
    close(found.covariances, expected.covariances, 1e-9)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_delicate_is_in_trouble(name):
    family = get_family(name)
    algebra, form = NativeAlgebra(), family.common_form
    assert form is not None
    statistics = sums_of(family, 3, 3)
    statistics.counts[1] = 0.0
    assert in_one_call(algebra, statistics, family, None).trouble == (0, Trouble.FEW_ROWS, 0)
    for value in (np.nan, np.inf):
        statistics = sums_of(family, 3, 3)
        statistics.second[0, 0] = value
        assert in_one_call(algebra, statistics, family, None).trouble == (Trouble.SINGULAR,) * 3
    point = Statistics(family.moments[0], np.zeros((2, 3)), np.zeros_like(sums_of(family, 2, 3).sums))
    point.counts[...], point.sums[1] = 5.0, 10.0
    assert in_one_call(algebra, point, family, None).trouble == (Trouble.SINGULAR,) * 2


@pytest.mark.parametrize("name", NAMES)
def test_covariances_near_the_bound_are_in_trouble_before_and_after(name):
    family = get_family(name)
    algebra, form = NativeAlgebra(), family.common_form
    assert form is not None
    statistics = sums_of(family, 2, 3)
    good = in_one_call(algebra, statistics, family, None)
    before = good.covariances, good.whitening
    wide = np.full(3, 1e3) if form.diagonal else 1e3 * np.eye(3)
    given = form, statistics.means, statistics.sums, 0.0, EMPTY
    for bound, last, expected in [
        (wide, None, (Trouble.NEAR_BOUND,) * 2),
        (1e-9 * wide, before, ()),
        (1e-9 * wide, (good.covariances, 1e9 * good.whitening), (Trouble.NEAR_BOUND,) * 2),
    ]:
        found = algebra.common_form(*given, bound, 0.0, last)
        assert found is not None
        assert found.trouble == expected


def test_beyond_ten_columns_structures_do_it_themselves():
    family = get_family("VEV")
    statistics = sums_of(family, 2, 11)
    assert family.common_form is not None
    ask = family.common_form, statistics.means, statistics.sums, 0.0, EMPTY
    assert NativeAlgebra().common_form(*ask) is None
    assert NumpyAlgebra().common_form(*ask) is None


@pytest.mark.parametrize("name", NAMES)
def test_steps_with_a_floor_are_the_same(by_the_twin, name):
    data, family = as_data(make_customers()), get_family(name)
    prior = Floor.of(data.total)
    statistics = sums_of(family, 3, data.n_features, 100.0)
    expected = by_the_twin(statistics, family, prior, None)
    found, repairs = maximize(statistics, family, prior)
    assert not repairs
    close(found.covariances, expected.covariances, 1e-9)


def test_arrays_that_are_not_plain_are_copied():
    family = get_family("VEV")
    statistics, form = sums_of(family, 3, 4), family.common_form
    assert form is not None
    algebra = NativeAlgebra()
    plain = algebra.common_form(form, statistics.means, statistics.sums, 0.0, EMPTY)
    odd = np.repeat(statistics.sums, 2)[::2], np.asfortranarray(statistics.means)
    found = algebra.common_form(form, odd[1], odd[0], 0.0, EMPTY)
    assert plain is not None
    assert found is not None
    assert np.array_equal(found.covariances, plain.covariances)
