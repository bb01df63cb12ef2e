"""The native core's own exponential and logarithm, against decimal arithmetic of 40 digits."""

from __future__ import annotations

from decimal import Context, Decimal, getcontext, localcontext

import numpy as np
import pytest

from mixtura.kernels.native import built_instruction_sets, supported_instruction_sets

pytestmark = pytest.mark.skipif(not supported_instruction_sets(), reason="the native core is not built")


@pytest.fixture(params=supported_instruction_sets())
def variant(request) -> int:
    return built_instruction_sets().index(request.param)


def evaluate(name, variant, x):
    extension = pytest.importorskip("mixtura.kernels._native")
    padded = np.resize(x, (x.size + 7) // 8 * 8)
    out = np.empty_like(padded)
    extension.elementwise(variant, name == "log", padded, out)
    return out[: x.size]


def relative_errors(values, x, function):
    with localcontext(Context(prec=40)):
        exact = [getattr(Decimal(float(argument)), function)(getcontext()) for argument in x]
        return np.array(
            [
                float(abs(Decimal(float(value)) / truth - 1)) if truth else abs(float(value))
                for value, truth in zip(values, exact, strict=True)
            ]
        )


def test_exp_is_accurate_to_a_few_units_in_the_last_place(variant):
    rng = np.random.default_rng(0)
    halves = (np.arange(-20, 20) + 0.5) * np.log(2.0)  # where the reduced argument is largest
    x = np.concatenate(
        [rng.uniform(-708, 700, 500), rng.uniform(-2, 2, 500), halves, rng.uniform(-1, 1, 50) * 1e-9]
    )
    assert relative_errors(evaluate("exp", variant, x), x, "exp").max() < 1e-15


def test_exp_at_its_ends(variant):
    payload = np.array([0x7FF8000000000FFF, 0xFFF8000000000123], dtype=np.uint64).view(np.float64)
    x = np.array([0.0, -0.0, -np.inf, -1e308, -708.01, np.nan, *payload])
    np.testing.assert_array_equal(
        evaluate("exp", variant, x), [1.0, 1.0, 0.0, 0.0, 0.0, np.nan, np.nan, np.nan]
    )


def test_log_is_accurate_to_a_few_units_in_the_last_place(variant):
    rng = np.random.default_rng(0)
    near = np.sqrt(2.0) * np.array([1 - 1e-15, 1.0, 1 + 1e-15, 2 - 1e-15, 2.0])
    x = np.concatenate(
        [[1.0, 1 + 2**-52], near, 1 + 10 ** rng.uniform(-15, 0, 300), 2 ** rng.uniform(0, 40, 300)]
    )
    assert relative_errors(evaluate("log", variant, x), x, "ln").max() < 1e-15


def test_log_of_nan_is_nan(variant):
    assert np.isnan(evaluate("log", variant, np.full(8, np.nan))).all()
