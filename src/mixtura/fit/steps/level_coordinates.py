"""Counts of levels as vectors, in coordinates in which steps and gradients of EM can be compared."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mixtura._typing import FloatArray
from mixtura.core.parts.discrete import DiscreteColumns, LevelTable

__all__ = ["LevelCoordinates"]

_LEAST = 0.1
"""Share of its probability, or of its count, that a level keeps in any extrapolation."""


@dataclass(frozen=True, slots=True, eq=False)
class LevelCoordinates:
    """Counts of levels in coordinates in which the complete-data information of one table is the identity.

    Of a column with probabilities ``theta_l`` in a component of effective count n, of whose rows g are known, counts
    ``h_l`` are ``(h_l - theta_l sum_m h_m) / sqrt(theta_l g)``: what is left of a multinomial distribution beside the
    count itself.

    Parameters
    ----------
    columns : DiscreteColumns
    probabilities : ndarray of shape (size - 1, K)
    roots : ndarray of shape (size - 1, K)
        ``sqrt(theta_l g)``; the smallest numbers where no row of a component is known in a column.
    known : ndarray of shape (size - 1, K)
        Share of the rows of the component that are known in the column of the level, ``g / n``.
    """

    columns: DiscreteColumns
    probabilities: FloatArray
    roots: FloatArray
    known: FloatArray

    @classmethod
    def about(cls, table: LevelTable, counts: FloatArray, roots: FloatArray) -> LevelCoordinates:
        """Lay coordinates about a table and the counts of levels of its pass, (size, K)."""
        columns = table.columns
        # Others have no row, ever.
        there = columns.pseudo_counts[:-1, None] + counts[:-1].sum(axis=1, keepdims=True) > 0
        probabilities = np.maximum(np.where(there, np.exp(table.logs[:-1]), 0.0), 1e-12)
        known = _by_column(columns, counts[None, :-1])[0]
        widths = np.sqrt(probabilities * np.maximum(known, 1e-12))
        return cls(columns, probabilities, widths, known / roots**2)

    def of(self, counts: FloatArray) -> FloatArray:
        """Return the coordinates, (H, P), of counts of levels, (H, size, K)."""
        inner = counts[:, :-1]
        apart = inner - self.probabilities * _by_column(self.columns, inner)
        return np.asarray((apart / self.roots).reshape(len(counts), -1))

    def counts(self, point: FloatArray, of_components: FloatArray, before: FloatArray) -> FloatArray:
        """Return the counts of levels, (size, K), at a point, (P,), of components with these counts, (K,).

        A level keeps a share of its probability, or of its count before, (size, K), where that is less: where a column
        has a distribution of few parameters, levels of some probability may have no rows.
        """
        whole = self.probabilities * self.known * of_components
        found = whole + point.reshape(self.roots.shape) * self.roots
        least = _LEAST * np.minimum(whole, before[:-1])
        return np.vstack([np.maximum(found, least), np.zeros((1, len(of_components)))])

    def changes(self, step: FloatArray) -> FloatArray:
        """Return the largest length of a step within one column, for each component, (K,)."""
        squares = step.reshape(self.roots.shape) ** 2
        return np.asarray(np.sqrt(_by_column(self.columns, squares[None])[0].max(axis=0)))


def _by_column(columns: DiscreteColumns, values: FloatArray) -> FloatArray:
    """Return the sums of values, (H, size - 1, K), over the levels of each column, at each of its levels."""
    sums = np.add.reduceat(values, columns.starts[:-1], axis=1)
    return np.repeat(sums, np.diff(columns.starts), axis=1)
