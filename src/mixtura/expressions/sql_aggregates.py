"""Sums of expressions over the rows of a table, as one SELECT."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mixtura.exceptions import ParameterError
from mixtura.expressions.aggregates import Aggregates
from mixtura.expressions.dialects import Dialect
from mixtura.expressions.expression import Expression
from mixtura.expressions.sql_text import Step, expression_text, step_text

__all__ = ["aggregate_statement"]


def aggregate_statement(query: Aggregates[Any], first: Step, source: str, dialect: Dialect) -> str:
    """Return a SELECT of the number of rows and of all sums.

    Raises
    ------
    ParameterError
        There are more of them, or more columns in between, than a SELECT of this dialect has.
    """
    steps = (first, *query.steps)
    widest = max(len(query.sums) + 1, *(len(step.columns) for step in steps))
    if dialect.most_columns is not None and widest > dialect.most_columns:
        raise ParameterError(
            f"A SELECT of {dialect.name} must have at most {dialect.most_columns:,} columns; a pass of this model "
            f"needs {widest:,}. Try fewer components or columns, or covariance_type='diag'."
        )
    parts, read = list[str](), source
    for number, step in enumerate(steps):
        text = step_text(step, read, dialect, first=not number, last=False)
        read = f"mixtura_{number + 1}"
        parts.append(f"{read} {dialect.inlined} (\n{text}\n)")
    listed = _sums(query.sums, dialect)
    return f"WITH {', '.join(parts)}\nSELECT\n  COUNT(*),\n  {listed}\nFROM {read}"


def _sums(sums: Sequence[Expression], dialect: Dialect) -> str:
    return ",\n  ".join(f"SUM({expression_text(one, dialect)})" for one in sums)
