"""What of the rows belongs to one column of a table, and the rows of some columns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from mixtura._typing import IntArray
from mixtura.core.parts.discrete import DiscreteColumns
from mixtura.core.protocols import MixedRows, RowTable

__all__ = ["ColumnGroup", "groups_of", "take_columns"]


@dataclass(frozen=True, slots=True)
class ColumnGroup:
    """One column of a table as rows hold it.

    Parameters
    ----------
    name : str
    continuous : int or None
        Its number among the continuous columns; None for a column of levels alone.
    discrete : tuple of int, default=()
        Its numbers among the discrete columns: of a column with point masses, what says whether a row is at one.
    """

    name: str
    continuous: int | None
    discrete: tuple[int, ...] = ()


def groups_of(table: RowTable, names: Sequence[str] | None = None) -> tuple[ColumnGroup, ...]:
    """Return a group for each column, the continuous ones first; named by their numbers by default."""
    n_features = table.shape[1]
    n_discrete = table.discrete.n_columns if isinstance(table, MixedRows) else 0
    names = [str(number) for number in range(n_features + n_discrete)] if names is None else names
    continuous = [ColumnGroup(name, d) for d, name in enumerate(names[:n_features])]
    return (*continuous, *(ColumnGroup(name, None, (j,)) for j, name in enumerate(names[n_features:])))


def take_columns(table: RowTable, groups: Iterable[ColumnGroup]) -> RowTable:
    """Return the rows with the columns of some groups, in their order; at least one is continuous."""
    chosen = list(groups)
    continuous = [one.continuous for one in chosen if one.continuous is not None]
    discrete = [j for one in chosen for j in one.discrete]
    if not isinstance(table, MixedRows):
        return np.ascontiguousarray(table[:, continuous], dtype=np.float64)
    rows = np.ascontiguousarray(table.rows[:, continuous], dtype=np.float64)
    if not discrete:
        return rows
    kept = DiscreteColumns(
        tuple(table.discrete.models[j] for j in discrete),
        tuple(table.discrete.shares[j] for j in discrete),
        table.discrete.strength,
    )
    return MixedRows(rows, kept.numbered(_own_levels(table)[:, discrete]), kept)


def _own_levels(table: MixedRows) -> IntArray:
    """Return the level of each row in each discrete column, (N, J), from 0; -1 where it is missing."""
    missing = table.levels == table.discrete.size - 1
    return np.where(missing, -1, table.levels - table.discrete.starts[:-1]).astype(np.intp)
