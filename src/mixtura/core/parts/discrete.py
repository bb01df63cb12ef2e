"""Columns of few values beside the Gaussian ones: within a component each has a probability per level.

A component's density is a product of parts. Its Gaussian part has the continuous columns; every discrete column j adds
``log theta_kj(level)``, so that the sums it is learned from are weighted counts of levels, ``h_kjl = sum_n w_n r_nk``
over the rows at level l: the same pass, one more table. A missing value is at no level and adds nothing (missing at
random). A column that has a point mass is a discrete column too, which says whether a row is at it, and is missing in
the Gaussian part where it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from mixtura._typing import FloatArray, IntArray
from mixtura.core.parts.level_models import LevelModel

__all__ = ["DiscreteColumns", "LevelTable"]


@dataclass(frozen=True, eq=False)
class DiscreteColumns:
    """What is modeled of the discrete columns of a table.

    The probabilities of each component are the maximum a posteriori under a Dirichlet prior of one row: as if each had
    ``strength`` rows more, spread over the levels as those of the whole table are. So none is zero for a level that
    some row has, and components of few rows stay near the table's (Vermunt and Magidson 2016, section 3.1: the Bayes
    constant of categorical variables).

    Parameters
    ----------
    models : tuple of LevelModel
        One per column.
    shares : tuple of ndarray of shape (L_j,)
        Weighted share of each level in the whole table.
    strength : float, default=1.0
        Rows.

    Examples
    --------
    >>> import numpy as np
    >>> from mixtura.core.parts.discrete import DiscreteColumns
    >>> from mixtura.core.parts.level_models import CATEGORICAL
    >>> columns = DiscreteColumns((CATEGORICAL,), (np.array([0.5, 0.5]),))
    >>> table = columns.maximize(np.array([[3.0], [0.0], [0.0]]))
    >>> np.exp(table[:2, 0]).round(6).tolist()
    [0.875, 0.125]
    """

    models: tuple[LevelModel, ...]
    shares: tuple[FloatArray, ...]
    strength: float = 1.0

    @property
    def n_columns(self) -> int:
        return len(self.models)

    @cached_property
    def starts(self) -> IntArray:
        """Number of the first level of each column among all, (J + 1,); the last is the level of missing values."""
        return np.concatenate([[0], np.cumsum([len(one) for one in self.shares])]).astype(np.intp)

    @property
    def size(self) -> int:
        """Number of levels of all columns, with the one of missing values: the rows of a table."""
        return int(self.starts[-1]) + 1

    @cached_property
    def pseudo_counts(self) -> FloatArray:
        """Rows of the prior at each level, (size,): none at levels that no row has."""
        return self.strength * np.concatenate([*self.shares, [0.0]])

    def numbered(self, levels: IntArray) -> IntArray:
        """Return levels of each column, (N, J), from 0, negative for missing values, as rows of the table, (N, J)."""
        numbers = levels + self.starts[:-1]
        return np.ascontiguousarray(np.where(levels < 0, self.starts[-1], numbers), dtype=np.int32)

    def maximize(self, counts: FloatArray | None, n_components: int = 1) -> FloatArray:
        """Return the log probabilities of all levels, (size, K), from their weighted counts, (size, K).

        Without counts every component has the shares of the whole table. The last row, of missing values, is zero.
        """
        if counts is None:
            counts = np.zeros((self.size, n_components))
        table = np.zeros_like(counts)
        seen = counts + self.pseudo_counts[:, None]
        for model, begin, end in zip(self.models, self.starts[:-1], self.starts[1:], strict=True):
            table[begin:end] = model.log_probabilities(seen[begin:end])
        return table

    def log_prior(self, table: FloatArray) -> float:
        """Return the logarithm of the prior density of a table but for a constant: ``sum_k a_l log theta_kl``."""
        given = self.pseudo_counts > 0
        return float((self.pseudo_counts[given, None] * table[given]).sum())

    def with_larger(self, table: FloatArray) -> FloatArray:
        """Return a table, (size, K), with what its distributions of counts say of larger numbers than those seen."""
        found = table.copy()
        for model, begin, end in zip(self.models, self.starts[:-1], self.starts[1:], strict=True):
            found[begin:end] = model.extended(table[begin:end], end - begin - 1)
        return found

    def n_parameters(self, n_components: int) -> int:
        """Return the number of free probabilities or parameters of all components."""
        each = (model.n_parameters(len(one)) for model, one in zip(self.models, self.shares, strict=True))
        return n_components * sum(each)

    def draw(self, rng: np.random.RandomState, table: FloatArray, labels: IntArray) -> IntArray:
        """Return random levels, (N, J), each from 0, of rows whose components are known."""
        drawn = np.empty((len(labels), self.n_columns), dtype=np.intp)
        for j, (begin, end) in enumerate(zip(self.starts[:-1], self.starts[1:], strict=True)):
            upper = np.cumsum(np.exp(table[begin:end]), axis=0)
            upper /= upper[-1]
            at = rng.uniform(size=len(labels))
            drawn[:, j] = np.minimum((at > upper[:, labels]).sum(axis=0), end - begin - 1)
        return drawn


@dataclass(frozen=True, slots=True, eq=False)
class LevelTable:
    """The discrete part of a mixture.

    Parameters
    ----------
    columns : DiscreteColumns
    logs : ndarray of shape (size, K)
        Log probabilities of all levels; the last row, of missing values, is zero.
    """

    columns: DiscreteColumns
    logs: FloatArray

    @property
    def n_parameters(self) -> int:
        return self.columns.n_parameters(int(self.logs.shape[1]))

    def implied_counts(self, counts: FloatArray) -> FloatArray:
        """Return counts of levels, (size, K), of which these probabilities are the likeliest, of some rows, (K,)."""
        strength = self.columns.strength
        shares = np.concatenate([*self.columns.shares, [0.0]])[:, None]
        found = np.maximum((counts + strength) * np.exp(self.logs) - strength * shares, 0.0)
        found[-1] = 0.0
        return found

    def of(self, components: IntArray) -> LevelTable:
        """Return the table of some components, in this order."""
        return LevelTable(self.columns, np.ascontiguousarray(self.logs[:, components]))
