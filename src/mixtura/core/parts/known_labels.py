"""Rows whose component is known: a discrete column of which every component has a level of its own.

The level of a row that is known to belong to component k has the probability one there and zero elsewhere, so that its
responsibility is fixed and its log density is ``log(w_k f_k(x))``; a row of which nothing is known misses the column
(semi-supervised learning; McLachlan and Peel 2000, section 2.19). The column is the last, and has no parameters.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from mixtura._typing import IntArray
from mixtura.core.mixture import Mixture
from mixtura.core.parts.discrete import DiscreteColumns, LevelTable
from mixtura.core.parts.level_models import KNOWN
from mixtura.core.protocols import Block, Blocks, MixedRows, RowTable

__all__ = [
    "KnownLabels",
    "columns_alone",
    "known_levels",
    "labels_in_turn",
    "predict_free",
    "with_known",
    "without_known",
    "without_known_column",
]

FREE = -1
"""Label of a row of which nothing is known."""


def known_levels(discrete: DiscreteColumns | None) -> slice | None:
    """Return where the levels of known components stand in a table; None where no rows are known."""
    if discrete is None or discrete.models[-1] != KNOWN:
        return None
    return slice(int(discrete.starts[-2]), int(discrete.starts[-1]))


def with_known(table: RowTable, labels: IntArray) -> MixedRows:
    """Return rows some of which are known to belong to a component.

    Parameters
    ----------
    table : ndarray of shape (N, D), or MixedRows
    labels : ndarray of shape (N,)
        Numbers of components from 0; -1 where nothing is known.

    Examples
    --------
    >>> import numpy as np
    >>> from mixtura.core.parts.known_labels import with_known
    >>> rows = with_known(np.array([[0.0], [1.0], [5.0]]), np.array([0, -1, 1]))
    >>> rows.levels.ravel().tolist(), rows.discrete.n_parameters(2)
    ([0, 2, 1], 0)
    """
    old = table.discrete if isinstance(table, MixedRows) else DiscreteColumns((), ())
    unknown = np.zeros(int(labels.max(initial=FREE)) + 1)
    new = DiscreteColumns((*old.models, KNOWN), (*old.shares, unknown), old.strength)
    levels: IntArray = np.empty((len(labels), old.n_columns + 1), dtype=np.int32)
    if isinstance(table, MixedRows):
        levels[:, :-1] = np.where(table.levels == old.size - 1, new.size - 1, table.levels)
    levels[:, -1] = np.where(labels >= 0, labels + new.starts[-2], new.size - 1)
    return MixedRows(table.rows if isinstance(table, MixedRows) else table, levels, new)


def without_known_column(
    levels: IntArray, discrete: DiscreteColumns
) -> tuple[IntArray, DiscreteColumns | None]:
    """Return levels, (N, J), and what is modeled of them, without what is known of rows; None where nothing is left."""
    if known_levels(discrete) is None:
        return levels, discrete
    if discrete.n_columns == 1:
        return levels[:, :0], None
    left = DiscreteColumns(discrete.models[:-1], discrete.shares[:-1], discrete.strength)
    kept = np.where(levels[:, :-1] == discrete.size - 1, left.size - 1, levels[:, :-1])
    return np.ascontiguousarray(kept, dtype=levels.dtype), left


def columns_alone(table: RowTable) -> RowTable:
    """Return rows without what is known of them."""
    if not isinstance(table, MixedRows) or known_levels(table.discrete) is None:
        return table
    levels, discrete = without_known_column(table.levels, table.discrete)
    return table.rows if discrete is None else MixedRows(table.rows, levels, discrete)


def predict_free(mixture: Mixture, table: RowTable) -> IntArray:
    """Return the most probable component of each row, (N,), as if nothing were known of them."""
    return without_known(mixture).predict(columns_alone(table))


def without_known(mixture: Mixture) -> Mixture:
    """Return a mixture as later rows meet it: what was known of those it was learned from is left out."""
    table = mixture.levels
    known = None if table is None else known_levels(table.columns)
    if table is None or known is None:
        return mixture
    rest = np.r_[: known.start, known.stop]
    _, columns = without_known_column(np.empty((0, table.columns.n_columns), dtype=np.int32), table.columns)
    noise = mixture.background
    if noise is not None and noise.level_logs is not None:
        noise = replace(noise, level_logs=None if columns is None else noise.level_logs[rest])
    logs = np.ascontiguousarray(table.logs[rest])
    return replace(mixture, levels=None if columns is None else LevelTable(columns, logs), background=noise)


@dataclass(frozen=True, slots=True, eq=False)
class KnownLabels:
    """The component that each row is known to belong to, (N,), -1 where nothing is known.

    Parameters
    ----------
    levels : slice
        Where the levels of known components stand.
    """

    levels: slice

    def __call__(self, block: Block) -> IntArray:
        if block.levels is None:
            return np.full(block.n_rows, FREE, dtype=np.intp)
        held = block.levels[:, -1].astype(np.intp)
        return np.where(held < self.levels.stop, held - self.levels.start, FREE)

    def add(self, total: IntArray, more: IntArray) -> IntArray:
        return np.concatenate([total, more])

    def work(self, blocks: Blocks) -> float:
        return float(blocks.n_rows)


def labels_in_turn(labels: IntArray, order: IntArray) -> IntArray:
    """Return row numbers so that each beginning has as many known rows as free ones, and each component's in turn.

    A few rows that are drawn from the beginning so hold some of every known component.

    Parameters
    ----------
    labels : ndarray of shape (N,)
    order : ndarray of shape (N,)
        Row numbers in a random order.
    """
    known, free = order[labels[order] >= 0], order[labels[order] < 0]
    turns = np.zeros(len(known))
    for one in np.unique(labels[known]):
        own = labels[known] == one
        turns[own] = np.arange(own.sum())
    known = known[np.lexsort((labels[known], turns))]
    both = min(len(known), len(free))
    paired = np.column_stack([known[:both], free[:both]]).ravel()
    return np.concatenate([paired, known[both:], free[both:]])
