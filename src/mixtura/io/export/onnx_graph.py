"""Graphs of ONNX, node by node; expressions of one row written as nodes for all rows."""

from __future__ import annotations

from typing import Any

import numpy as np

from mixtura._optional import require_extra
from mixtura._typing import Array
from mixtura.expressions.expression import Binary, Call, Case, Expression, Name, Number

__all__ = ["Graph"]

_OPERATORS = {
    "+": "Add",
    "-": "Sub",
    "*": "Mul",
    "/": "Div",
    "<": "Less",
    ">=": "GreaterOrEqual",
    "=": "Equal",
    "and": "And",
}
_FUNCTIONS = {"ln": "Log", "exp": "Exp"}


class Graph:
    """Nodes that are put together by the names of their results.

    Parameters
    ----------
    prefix : str, default=""
        What names of results begin with; a graph within another needs one of its own.
    """

    def __init__(self, prefix: str = "") -> None:
        with require_extra("onnx", extra="onnx", purpose="write a model as ONNX"):
            from onnx import helper, numpy_helper
        self._helper: Any = helper
        self._as_tensor: Any = numpy_helper.from_array
        self._prefix = prefix
        self._nodes: list[Any] = []
        self._constants: list[Any] = []
        self._written: dict[Expression, str] = {}

    def constant(self, value: Array | float) -> str:
        """Return the name of a constant, in double precision unless it is an array of another type."""
        name = f"{self._prefix}constant_{len(self._constants)}"
        array = np.asarray(value if isinstance(value, np.ndarray) else float(value))
        self._constants.append(self._as_tensor(np.ascontiguousarray(array), name))
        return name

    def node(self, operator: str, *inputs: str, output: str | None = None, **attributes: Any) -> str:
        """Return the name of the result of an operator."""
        name = output or f"{self._prefix}value_{len(self._nodes)}"
        self._nodes.append(self._helper.make_node(operator, list(inputs), [name], **attributes))
        return name

    def choice(self, test: str, then: Any, otherwise: Any, *, n_outputs: int) -> tuple[str, ...]:
        """Return the names of the results of one of two graphs, of which only one is computed."""
        names = [f"{self._prefix}value_{len(self._nodes)}_{number}" for number in range(n_outputs)]
        graphs = {"then_branch": then, "else_branch": otherwise}
        self._nodes.append(self._helper.make_node("If", [test], names, **graphs))
        return tuple(names)

    def expression(self, value: Expression) -> str:
        """Return the name of the result of an expression; each part of it is computed once."""
        if isinstance(value, Name):
            return value.name
        if value not in self._written:
            self._written[value] = self._expression(value)
        return self._written[value]

    def _expression(self, value: Expression) -> str:
        match value:
            case Number(number):
                return self.constant(number)
            case Binary(operator, left, right):
                return self.node(_OPERATORS[operator], self.expression(left), self.expression(right))
            case Call(function, argument):
                return self.node(_FUNCTIONS[function], self.expression(argument))
            case Case(branches, otherwise, None):
                found = self.constant(np.nan) if otherwise is None else self.expression(otherwise)
                for test, one in reversed(branches):
                    found = self.node("Where", self.expression(test), self.expression(one), found)
                return found
        raise TypeError(f"not an expression of numbers: {value!r}")

    def built(self, name: str, inputs: list[Any], outputs: list[Any]) -> Any:
        """Return the graph as onnx has it."""
        return self._helper.make_graph(self._nodes, name, inputs, outputs, self._constants)
