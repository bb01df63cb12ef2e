"""What a database is asked for by a pass: steps from the columns of a row, and the sums of what they end with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from mixtura._typing import FloatArray
from mixtura.expressions.expression import Expression, Name, Number
from mixtura.expressions.sql_text import Step

__all__ = ["Aggregates", "column_names", "weight_of"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True, eq=False)
class Aggregates(Generic[T]):
    """One aggregate query.

    Parameters
    ----------
    steps : tuple of Step
        Each a SELECT of the one before. The first reads the columns ``y1`` to ``yD`` of a row, which are numbers, and
        where rows are weighted ``w``.
    sums : tuple of Expression
        Of the columns that the last step ends with; each is added up over all rows.
    result : callable
        From the sums, (n,), to the result of the pass.
    """

    steps: tuple[Step, ...]
    sums: tuple[Expression, ...]
    result: Callable[[FloatArray], T]


def column_names(n_features: int) -> list[Name]:
    """Return the columns of a row, as the first step reads them."""
    return [Name(f"y{d + 1}") for d in range(n_features)]


def weight_of(*, weighted: bool) -> Expression:
    """Return how much a row counts."""
    return Name("w") if weighted else Number(1.0)
