"""Transforms as expressions, computed by a plain walk through the tree."""

from __future__ import annotations

import math
import operator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixtura.expressions.expression import Binary, Call, Case, Expression, Name, Number, total
from mixtura.segments.transforms.transforms import IDENTITY, Log1p, Winsorized, YeoJohnson

TRANSFORMS = [IDENTITY, Log1p(), Winsorized(-2.5, 1e6), *map(YeoJohnson, (0.0, 0.3, 1.0, 1.7, 2.0))]
OPERATORS = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv}
COMPARISONS = {"<": operator.lt, ">=": operator.ge, "=": operator.eq}


def computed(value: Expression, x: float) -> float | bool:
    """What an engine makes of an expression of the column x."""
    match value:
        case Name():
            return x
        case Number(number):
            return number
        case Binary(sign, left, right):
            return (OPERATORS | COMPARISONS)[sign](computed(left, x), computed(right, x))
        case Call(function, argument):
            return {"ln": math.log, "exp": math.exp}[function](computed(argument, x))
        case Case(branches, otherwise):
            held = (found for test, found in branches if computed(test, x))
            return computed(next(held, otherwise), x)
    raise AssertionError(value)


@pytest.mark.parametrize("transform", TRANSFORMS, ids=repr)
@given(x=st.floats(-1e50, 1e50))
def test_an_expression_is_the_transform(transform, x: float) -> None:
    """To a few units in the last place, also where 1 + x rounds to 1."""
    values = np.array([x])
    found = computed(transform.expression(Name("x")), x)
    np.testing.assert_allclose(found, transform.forward(values)[0], rtol=2e-14, atol=0)
    slope = computed(transform.log_derivative_expression(Name("x")), x)
    np.testing.assert_allclose(slope, transform.log_derivative(values)[0], rtol=2e-14, atol=0)


def test_sums_are_balanced() -> None:
    def height(value: Expression) -> int:
        return 1 + max(height(value.left), height(value.right)) if isinstance(value, Binary) else 0

    parts = [Name(f"x{number}") for number in range(1000)]
    assert height(total(parts)) == 10


def test_operators_take_numbers_on_both_sides() -> None:
    x = Name("x")
    for made, wanted in [
        (1 + x, 4.0),
        (x + 1, 4.0),
        (1 - x, -2.0),
        (x - 1, 2.0),
        (2 * x, 6.0),
        (x * 2, 6.0),
        (6 / x, 2.0),
        (x / 2, 1.5),
    ]:
        assert computed(made, 3.0) == wanted
