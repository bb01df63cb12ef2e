"""What a log-likelihood gains in the user's units, as a query."""

from __future__ import annotations

from mixtura.expressions.aggregates import Aggregates, column_names, weight_of
from mixtura.expressions.expression import Expression, Number, total
from mixtura.segments.transforms.scaling import Scaling

__all__ = ["jacobian_query"]


def jacobian_query(scaling: Scaling, *, weighted: bool) -> Aggregates[float]:
    """Return the query of the sum of ``log |dz/dx|`` of rows in the user's units, none of which lacks a value."""
    columns, weight = column_names(scaling.center.size), weight_of(weighted=weighted)
    bent: list[Expression] = [
        one.log_derivative(column)
        for column, one in zip(columns, scaling.column_scales(), strict=True)
        if one.log_derivative is not None
    ]
    found = total([Number(-scaling.log_volume), *bent])
    return Aggregates((), (found * weight,), lambda sums: float(sums[0]))
