"""Rows as a mixture sees them, and what a log-likelihood gains in the user's units: as passes, and as a query."""

from __future__ import annotations

from dataclasses import dataclass

from mixtura._typing import RowArray
from mixtura.core.data import Data
from mixtura.core.protocols import Block, Blocks
from mixtura.engine import with_gaps
from mixtura.expressions.aggregates import Aggregates, column_names, weight_of
from mixtura.expressions.expression import Expression, Number, total
from mixtura.segments.transforms.scaling import Scaling

__all__ = ["Scaled", "SumOfJacobian", "jacobian_query", "seen_as_read"]


@dataclass(frozen=True, slots=True, eq=False)
class Scaled:
    """Rows in the user's units as a mixture sees them: scaled, and NaN at point masses."""

    scaling: Scaling

    def __call__(self, rows: RowArray) -> RowArray:
        return self.scaling.apply(self.scaling.masked(rows))


def seen_as_read(data: Data, scaling: Scaling) -> Data:
    """Return rows in the user's units as a mixture sees them, made so as they are read."""
    change = Scaled(scaling)
    return with_gaps(data, change) if any(scaling.spikes) else data.mapped(change)


@dataclass(frozen=True, slots=True, eq=False)
class SumOfJacobian:
    """The sum of ``log |dz/dx|`` of the rows, weighted: what a log-likelihood gains in the user's units."""

    scaling: Scaling

    def __call__(self, block: Block) -> float:
        found = self.scaling.log_jacobian(self.scaling.masked(block.rows), observed=True)
        return float(found.sum() if block.sample_weight is None else found @ block.sample_weight)

    def query(self, *, weighted: bool) -> Aggregates[float]:
        return jacobian_query(self.scaling, weighted=weighted)

    def add(self, total: float, more: float) -> float:
        return total + more

    def work(self, blocks: Blocks) -> float:
        return 10.0 * blocks.n_rows * blocks.n_features


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
