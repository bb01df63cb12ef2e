"""Scoring as an ONNX model: in double precision, transforms inside, from rows to segments."""

from __future__ import annotations

import json
from importlib.metadata import version
from typing import Any

import numpy as np

from mixtura._typing import FloatArray
from mixtura.exceptions import ParameterError
from mixtura.expressions.expression import Name
from mixtura.io.export.onnx_graph import Graph
from mixtura.io.export.scorer import Pattern, Scorer

__all__ = ["OPSET", "ScoringNodes", "scoring_onnx"]

OPSET = 17
"""Version of ONNX's operators: onnxruntime 1.12 and later."""
_IR_VERSION = 8


def scoring_onnx(scorer: Scorer, *, max_missing: int | None = None) -> Any:
    """Return an ONNX model that assigns rows as the library does.

    Its input is ``rows``, double, of shape (N, D): the columns in the order of the model, NaN where a value is missing.
    Its outputs are ``segment`` (N,), whole numbers, for rows in none one less than the first segment's;
    ``probabilities`` (N, K) and ``log_density`` (N,), double, NaN for rows in none; and ``anomaly`` (N,), true or
    false. The metadata ``columns`` and ``segments`` list the names as JSON.

    Parameters
    ----------
    scorer : Scorer
    max_missing : int or None, default=None
        How many values a row may lack; see `scoring_sql`.

    Returns
    -------
    onnx.ModelProto

    Raises
    ------
    ParameterError
        `max_missing` is negative, or the model has discrete columns or point masses.
    OptionalDependencyError
        The package onnx is not installed.
    """
    if scorer.discrete:
        which = ", ".join(part.column for part in scorer.discrete)
        raise ParameterError(
            f"A model for ONNX must have continuous columns alone; this one has point masses or discrete columns "
            f"({which}). Export it as SQL, or learn it with `kinds='continuous'`."
        )
    most = scorer.allowed_missing(max_missing)
    graph = Graph()
    ScoringNodes(graph, scorer, scorer.patterns(most)).write()
    from onnx import TensorProto, helper

    k, d = scorer.n_segments, scorer.mixture.n_features
    info = helper.make_tensor_value_info
    inputs = [info("rows", TensorProto.DOUBLE, ["N", d])]
    outputs = [
        info("segment", TensorProto.INT64, ["N"]),
        info("probabilities", TensorProto.DOUBLE, ["N", k]),
        info("log_density", TensorProto.DOUBLE, ["N"]),
        info("anomaly", TensorProto.BOOL, ["N"]),
    ]
    model = helper.make_model(
        graph.built("mixtura", inputs, outputs),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=_IR_VERSION,
        producer_name="mixtura",
        producer_version=version("mixtura"),
    )
    names = {"columns": scorer.columns, "segments": scorer.names or ()}
    helper.set_model_props(model, {name: json.dumps(list(values)) for name, values in names.items()})
    return model


class ScoringNodes:
    """Writes the nodes from ``rows`` to the outputs.

    Parameters
    ----------
    graph : Graph
    scorer : Scorer
    patterns : list of Pattern
        The ways of missing values that are scored; none first.
    """

    def __init__(self, graph: Graph, scorer: Scorer, patterns: list[Pattern]) -> None:
        self._graph = graph
        self._scorer = scorer
        self._patterns = patterns
        self._present = scorer.present

    def write(self) -> None:
        graph, scorer = self._graph, self._scorer
        lacking = graph.node("Or", graph.node("IsNaN", "rows"), graph.node("IsInf", "rows"))
        for codes in self._codes():
            lacking = graph.node("Or", lacking, graph.node("Equal", "rows", graph.constant(codes)))
        known = graph.node("Where", lacking, graph.constant(0.0), "rows")
        columns = [self._column(known, d) for d in range(len(scorer.columns))]
        scaled = [
            graph.expression(one.scaled(Name(x))) for one, x in zip(scorer.scales, columns, strict=True)
        ]
        which, usable = self._pattern(lacking)
        densities, expected = self._densities(graph.node("Concat", *scaled, axis=1), lacking, which)
        self._outputs(densities, expected, usable, self._jacobian(columns, lacking))

    def _codes(self) -> list[FloatArray]:
        """Return codes of missing values in rows of shape (1, D), NaN where a column has no further one."""
        held = self._scorer.missing_codes
        most = max(map(len, held), default=0)
        padded = [[*codes, *[np.nan] * (most - len(codes))] for codes in held]
        return [np.array([column], dtype=np.float64) for column in zip(*padded, strict=True)]

    def _column(self, rows: str, d: int) -> str:
        """Return one column of rows, (N, 1)."""
        return self._graph.node("Gather", rows, self._graph.constant(np.array([d])), axis=1)

    def _pattern(self, lacking: str) -> tuple[str, str]:
        """Return the number of the pattern of each row, (N,), and whether it is one of those scored, (N, 1)."""
        graph = self._graph
        masks = np.zeros((len(self._patterns), len(self._scorer.columns)))
        for number, pattern in enumerate(self._patterns):
            masks[number, list(pattern.missing)] = 1.0
        # Columns in which a row differs from a pattern: |a - b| = a (1 - 2 b) + b for 0 and 1.
        flags = graph.node("Cast", lacking, to=_type("DOUBLE"))
        product = graph.node("MatMul", flags, graph.constant(1.0 - 2.0 * masks.T))
        differing = graph.node("Add", product, graph.constant(masks.sum(axis=1)))
        which = graph.node("ArgMin", differing, axis=1, keepdims=0)
        least = graph.node("ReduceMin", differing, axes=[1], keepdims=1)
        return which, graph.node("Less", least, graph.constant(0.5))

    def _densities(self, scaled: str, lacking: str, which: str) -> tuple[str, str]:
        """Return log densities (N, K), and what those of rows with missing values lack of whole rows'."""
        graph = self._graph
        if len(self._patterns) == 1:
            return self._whole(graph, scaled), graph.constant(np.zeros((1, len(self._present))))
        flags = graph.node("Cast", lacking, to=_type("DOUBLE"))
        number = graph.node("ReduceSum", flags, keepdims=0)
        whole, part = Graph("whole_"), Graph("part_")
        outputs = [
            (self._whole(whole, scaled), whole.constant(np.zeros((1, len(self._present))))),
            self._part(part, scaled, which),
        ]
        branches = [
            one.built(name, [], [_any_shape(one.node("Identity", found)) for found in both])
            for one, name, both in zip((whole, part), ("complete", "incomplete"), outputs, strict=True)
        ]
        densities, expected = graph.choice(
            graph.node("Less", number, graph.constant(0.5)), *branches, n_outputs=2
        )
        return densities, expected

    def _whole(self, graph: Graph, scaled: str) -> str:
        """Return log densities of complete rows; the means are subtracted before anything is multiplied."""
        pattern, means = self._patterns[0], self._scorer.mixture.means[self._present]
        one = graph.node("Unsqueeze", scaled, graph.constant(np.array([0])))
        apart = graph.node("Sub", one, graph.constant(means[:, None, :]))
        factors = pattern.factors[self._present].transpose(0, 2, 1)
        whitened = graph.node("MatMul", apart, graph.constant(factors))
        offsets = graph.constant(pattern.offsets[self._present, None])
        return graph.node("Transpose", _less_half_squares(graph, offsets, whitened, [2]), perm=[1, 0])

    def _part(self, graph: Graph, scaled: str, which: str) -> tuple[str, str]:
        """Return log densities of rows each of which has factors of its own, those of its pattern."""
        one = graph.node("Unsqueeze", scaled, graph.constant(np.array([1])))
        apart = graph.node("Sub", one, graph.constant(self._scorer.mixture.means[self._present]))
        factors, offsets, expected = (
            graph.node("Gather", graph.constant(np.stack(values)[:, self._present]), which, axis=0)
            for values in zip(
                *((one.factors, one.offsets, one.expected) for one in self._patterns), strict=True
            )
        )
        column = graph.node("Unsqueeze", apart, graph.constant(np.array([3])))
        whitened = graph.node("MatMul", factors, column)
        return _less_half_squares(graph, offsets, whitened, [2, 3]), expected

    def _jacobian(self, columns: list[str], lacking: str) -> str | None:
        """Return the sum of the logarithms of the transforms' derivatives, (N, 1); None where it is zero."""
        graph, found = self._graph, None
        for d, one in enumerate(self._scorer.scales):
            if one.log_derivative is None:
                continue
            derivative = graph.expression(one.log_derivative(Name(columns[d])))
            center = graph.constant(one.derivative_at_center)
            term = graph.node("Where", self._column(lacking, d), center, derivative)
            found = term if found is None else graph.node("Add", found, term)
        return found

    def _outputs(self, densities: str, expected: str, usable: str, jacobian: str | None) -> None:
        """Write the outputs; log-sum-exp by its parts, since ReduceLogSumExp fails where the first is -inf."""
        graph, scorer = self._graph, self._scorer
        largest = graph.node("ReduceMax", densities, axes=[1], keepdims=1)
        powers = graph.node("Exp", graph.node("Sub", densities, largest))
        total = graph.node("ReduceSum", powers, graph.constant(np.array([1])), keepdims=1)
        memberships = graph.node("Div", powers, total)
        usable = graph.node("And", usable, graph.node("Less", graph.constant(-1e300), largest))
        missing = graph.node(
            "ReduceSum", graph.node("Mul", memberships, expected), graph.constant(np.array([1]))
        )
        terms = [largest, graph.node("Log", total), graph.constant(-scorer.log_volume), missing]
        density = terms[0]
        for term in (*terms[1:], *([] if jacobian is None else [jacobian])):
            density = graph.node("Add", density, term)
        flat = graph.node("Squeeze", usable, graph.constant(np.array([1])))
        segments = self._of_segments(memberships)
        if scorer.groups:
            best, held = graph.node("ArgMax", segments, axis=1, keepdims=0), list(range(scorer.n_segments))
        else:
            best, held = graph.node("ArgMax", densities, axis=1, keepdims=0), self._present
        numbers = np.array(held, dtype=np.int64) + scorer.first
        label = graph.node("Gather", graph.constant(numbers), best)
        nothing = graph.constant(np.nan)
        graph.node("Where", flat, label, graph.constant(np.array(scorer.first - 1)), output="segment")
        graph.node("Where", usable, segments, nothing, output="probabilities")
        density = graph.node("Squeeze", density, graph.constant(np.array([1])))
        threshold = -np.inf if scorer.threshold is None else scorer.threshold
        below = graph.node("Less", density, graph.constant(threshold))
        graph.node("And", flat, below, output="anomaly")
        graph.node("Where", flat, density, nothing, output="log_density")

    def _of_segments(self, memberships: str) -> str:
        """Return memberships of all segments: zero without weight, sums where a segment has several components."""
        n_components = self._scorer.mixture.n_components
        if len(self._present) == n_components and not self._scorer.groups:
            return memberships
        groups = self._scorer.groups or tuple((k,) for k in range(n_components))
        belongs = np.array([[float(k in group) for group in groups] for k in self._present])
        return self._graph.node("MatMul", memberships, self._graph.constant(belongs))


def _less_half_squares(graph: Graph, offsets: str, whitened: str, axes: list[int]) -> str:
    squares = graph.node("Mul", whitened, whitened)
    total = graph.node("ReduceSum", squares, graph.constant(np.array(axes)), keepdims=0)
    return graph.node("Sub", offsets, graph.node("Mul", graph.constant(0.5), total))


def _type(name: str) -> int:
    from onnx import TensorProto

    return int(TensorProto.DataType.Value(name))


def _any_shape(name: str) -> Any:
    from onnx import TensorProto, helper

    return helper.make_tensor_value_info(name, TensorProto.DOUBLE, None)
