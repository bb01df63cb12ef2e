"""Expressions: arithmetic on one row as a tree, which every export writes in its own language.

A transform of `mixtura.segments` writes itself as an expression of its column; `sql_text` writes expressions as SQL,
`onnx_graph` as nodes of a graph.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

__all__ = [
    "Binary",
    "Call",
    "Case",
    "Expression",
    "Greatest",
    "Integer",
    "Name",
    "Number",
    "Text",
    "Truth",
    "both",
    "clipped",
    "expm1",
    "linear",
    "log1p",
    "magnitude",
    "total",
    "tree",
]


class Expression:
    """A value computed from one row. ``+``, ``-``, ``*``, ``/`` and comparisons of expressions are expressions."""

    __slots__ = ()

    def __add__(self, other: Expression | float) -> Expression:
        return Binary("+", self, _as_expression(other))

    def __radd__(self, other: float) -> Expression:
        return Binary("+", _as_expression(other), self)

    def __sub__(self, other: Expression | float) -> Expression:
        return Binary("-", self, _as_expression(other))

    def __rsub__(self, other: float) -> Expression:
        return Binary("-", _as_expression(other), self)

    def __mul__(self, other: Expression | float) -> Expression:
        return Binary("*", self, _as_expression(other))

    def __rmul__(self, other: float) -> Expression:
        return Binary("*", _as_expression(other), self)

    def __truediv__(self, other: Expression | float) -> Expression:
        return Binary("/", self, _as_expression(other))

    def __rtruediv__(self, other: float) -> Expression:
        return Binary("/", _as_expression(other), self)

    def __lt__(self, other: Expression | float) -> Expression:
        return Binary("<", self, _as_expression(other))

    def __ge__(self, other: Expression | float) -> Expression:
        return Binary(">=", self, _as_expression(other))

    def equals(self, other: Expression | float) -> Expression:
        """Return whether both are the same number."""
        return Binary("=", self, _as_expression(other))


@dataclass(frozen=True, slots=True)
class Name(Expression):
    """The value of a column, or of a step before."""

    name: str


@dataclass(frozen=True, slots=True)
class Number(Expression):
    """A finite number in double precision."""

    value: float


@dataclass(frozen=True, slots=True)
class Integer(Expression):
    """A whole number that counts or identifies."""

    value: int


@dataclass(frozen=True, slots=True)
class Text(Expression):
    """A text."""

    value: str


@dataclass(frozen=True, slots=True)
class Truth(Expression):
    """True or false."""

    value: bool


@dataclass(frozen=True, slots=True)
class Binary(Expression):
    """Two expressions joined by an operator."""

    operator: Literal["+", "-", "*", "/", "%", "<", ">=", "=", "and"]
    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class Call(Expression):
    """A function of one argument; ``double`` and ``text`` make doubles, and texts, of any column."""

    function: Literal["ln", "exp", "floor", "double", "text"]
    argument: Expression


@dataclass(frozen=True, slots=True)
class Case(Expression):
    """The value of the first branch that holds, else the last value; missing where none is given.

    Parameters
    ----------
    branches : tuple of (condition, value)
        With a subject the conditions are the values that it may have.
    otherwise : Expression or None, default=None
    subject : Expression or None, default=None
    """

    branches: tuple[tuple[Expression, Expression], ...]
    otherwise: Expression | None = None
    subject: Expression | None = None


@dataclass(frozen=True, slots=True)
class Greatest(Expression):
    """The largest of several numbers, none of which is missing or NaN; for SQL alone."""

    parts: tuple[Expression, ...]


def _as_expression(value: Expression | float) -> Expression:
    return value if isinstance(value, Expression) else Number(float(value))


def both(left: Expression, right: Expression) -> Expression:
    """Return whether both conditions hold."""
    return Binary("and", left, right)


def tree(parts: Sequence[Expression], join: Callable[[Expression, Expression], Expression]) -> Expression:
    """Return parts joined two by two, so that the tree is as low as it can be: engines limit its height."""
    if len(parts) == 1:
        return parts[0]
    half = len(parts) // 2
    return join(tree(parts[:half], join), tree(parts[half:], join))


def total(parts: Sequence[Expression]) -> Expression:
    """Return the sum of at least one part.

    Examples
    --------
    >>> from mixtura.expressions.expression import Name, total
    >>> total([Name("a"), Name("b"), Name("c")]) == Name("a") + (Name("b") + Name("c"))
    True
    """
    return tree(parts, lambda left, right: left + right)


def linear(factors: Sequence[float], values: Sequence[Expression]) -> Expression:
    """Return the sum of values times factors; those of a factor of zero are left out, all but the last."""
    pairs = [(one, value) for one, value in zip(factors, values, strict=True) if one] or [(0.0, values[-1])]
    return total([Number(float(one)) * value for one, value in pairs])


def magnitude(value: Expression) -> Expression:
    """Return the absolute value."""
    return Case(((value < 0.0, 0.0 - value),), value)


def clipped(value: Expression, low: float, high: float) -> Expression:
    """Return the value, or the limit beyond which it lies."""
    return Case(((value < low, Number(low)), (Number(high) < value, Number(high))), value)


def log1p(value: Expression) -> Expression:
    """Return ``log(1 + x)`` for x of at least 0, right to the last digits also where x is small.

    ``log(u) x / (u - 1)`` with u the rounded 1 + x (Kahan; Higham 2002, Accuracy and stability, problem 1.5).
    """
    above = 1.0 + value
    return Case(((above.equals(1.0), value),), Call("ln", above) * (value / (above - 1.0)))


def expm1(value: Expression) -> Expression:
    """Return ``exp(x) - 1`` for x of at least 0, right to the last digits also where x is small.

    ``(u - 1) x / log(u)`` with u the rounded exp(x) (Kahan; Higham 2002, section 1.14.1).
    """
    power = Call("exp", value)
    return Case(((power.equals(1.0), value),), (power - 1.0) * (value / Call("ln", power)))
